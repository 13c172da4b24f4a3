"""What may be watched of a call: hooks, logs, OpenTelemetry (bursar.client.events, .otel)."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bursar.client import AttemptFinished, AttemptStarted, Event, RetryScheduled
from bursar.client.otel import SpanHook
from bursar.contract import Outcome, Request, Response, TransportError
from tests.client.flows import answer
from tests.client.shops import async_shop, shop
from tests.contract.shop import NewOrder, ShopDown, ShopError

ORDER = NewOrder("CANARY-item", Decimal("1.50"), data={"passport": "CANARY-passport"})
DONE = answer(201, b'{"data":{"order_id":7,"total":1.50}}', X_Request_Id="r-2")


def scripted(*steps: Response | Exception) -> Any:
    ahead = iter(steps)

    def script(request: Request) -> Response:
        step = next(ahead)
        if isinstance(step, Exception):
            raise step
        return step

    return script


def test_hooks_are_told_of_each_attempt() -> None:
    events: list[Event] = []
    client, _, _ = shop(scripted(answer(503, X_Request_Id="r-1"), DONE), hooks=(events.append,))
    client.order(ORDER, key="k")
    assert events == [
        AttemptStarted("order", "POST", "/orders", 1),
        AttemptFinished("order", 1, 503, 0.0, Outcome.UNKNOWN, "r-1"),
        RetryScheduled("order", 1, 0.5),
        AttemptStarted("order", "POST", "/orders", 2),
        AttemptFinished("order", 2, 201, 0.0, None, "r-2"),
    ]
    assert "CANARY" not in repr(events)


def test_hooks_of_an_asynchronous_client() -> None:
    events: list[Event] = []
    client, _, _ = async_shop(scripted(TransportError("x", sent=False), DONE), hooks=(events.append,))
    asyncio.run(client.order(ORDER))
    assert [type(event) for event in events] == [
        AttemptStarted,
        AttemptFinished,
        RetryScheduled,
        AttemptStarted,
        AttemptFinished,
    ]
    assert isinstance(events[1], AttemptFinished)
    assert (events[1].status, events[1].outcome) == (0, Outcome.NOT_SENT)


def test_a_hook_that_fails_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Event] = []

    def broken(event: Event) -> None:
        raise RuntimeError("the hook's own fault")

    client, _, _ = shop(scripted(DONE), hooks=(broken, events.append))
    assert client.order(ORDER, key="k").order_id == 7
    assert len(events) == 2
    assert "a hook failed on AttemptStarted" in caplog.text


def test_the_log_names_the_attempt_and_shows_no_values(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, _, _ = shop(scripted(answer(503), DONE))
    client.order(ORDER, key="CANARY-key")
    messages = [record.getMessage() for record in caplog.records if record.name == "bursar.client"]
    assert messages[0].startswith("POST /orders attempt 1: status 503 in ")
    assert messages[1].startswith("POST /orders attempt 2: status 201 in ")
    assert "CANARY" not in caplog.text


class Tracing:
    """Spans of a provider of its own."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("test")
        self.hook = SpanHook(self.tracer)

    @property
    def spans(self) -> Any:
        return self.exporter.get_finished_spans()


def test_spans_of_attempts_inside_the_callers_span() -> None:
    tracing = Tracing()
    client, _, _ = shop(scripted(answer(503), DONE), hooks=(tracing.hook,))
    with tracing.tracer.start_as_current_span("checkout"):
        client.order(ORDER, key="k")
    first, second, outer = tracing.spans
    assert (first.name, second.name, outer.name) == ("order", "order", "checkout")
    assert first.kind is trace.SpanKind.CLIENT
    assert dict(first.attributes) == {
        "http.request.method": "POST",
        "url.template": "/orders",
        "http.request.resend_count": 0,
        "http.response.status_code": 503,
        "bursar.outcome": "unknown",
    }
    assert first.status.status_code is StatusCode.ERROR
    assert dict(second.attributes)["http.request.resend_count"] == 1
    assert second.status.status_code is StatusCode.UNSET
    assert {first.parent.span_id, second.parent.span_id} == {outer.context.span_id}
    (event,) = outer.events
    assert (event.name, dict(event.attributes)) == (
        "retry",
        {"bursar.operation": "order", "bursar.delay_s": 0.5},
    )
    assert "CANARY" not in str([span.to_json() for span in tracing.spans])


def test_spans_of_tasks_at_the_same_time_do_not_mix() -> None:
    tracing = Tracing()
    client, _, _ = async_shop(
        lambda request: answer(204) if request.method == "DELETE" else answer(404), hooks=(tracing.hook,)
    )

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(client.remove(str(n)) if n % 2 else client.item(str(n)) for n in range(10)),
            return_exceptions=True,
        )

    results = asyncio.run(both())
    assert sum(isinstance(result, ShopError) for result in results) == 5
    seen = sorted((span.name, span.attributes["http.response.status_code"]) for span in tracing.spans)
    assert seen == [("item", 404)] * 5 + [("remove", 204)] * 5


def test_a_span_of_an_attempt_without_answer() -> None:
    tracing = Tracing()
    client, _, _ = shop(scripted(TransportError("lost", sent=True)), hooks=(tracing.hook,), max_retries=0)
    with pytest.raises(ShopDown):
        client.order(ORDER, key="k")
    (span,) = tracing.spans
    assert "http.response.status_code" not in span.attributes
    assert span.attributes["bursar.outcome"] == "unknown"


def test_a_cancelled_attempt_is_told_of_too() -> None:
    """Else its span would never end."""
    tracing = Tracing()
    events: list[Event] = []
    started = asyncio.Event()

    class Hanging:
        async def send(self, request: Request, timeout: float) -> Response:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError("it hangs")

        async def aclose(self) -> None:
            pass

    from bursar.client import AsyncCaller
    from bursar.contract import Async
    from tests.client.shops import session
    from tests.contract.shop import Shop

    caller = AsyncCaller(session(hooks=(tracing.hook, events.append)), Hanging())
    client = Shop[Async](caller)

    async def cancel() -> None:
        task = asyncio.create_task(client.ring())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert [type(event) for event in events] == [AttemptStarted, AttemptFinished]
    assert isinstance(events[1], AttemptFinished)
    assert (events[1].status, events[1].outcome) == (0, Outcome.UNKNOWN)
    assert len(tracing.spans) == 1
