"""OpenTelemetry spans of calls, for ``pip install bursar[otel]``: a hook with one span for each attempt."""

from __future__ import annotations

import contextvars

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from .events import AttemptFinished, AttemptStarted, Event, RetryScheduled

_open: contextvars.ContextVar[Span | None] = contextvars.ContextVar("bursar_attempt_span", default=None)


class SpanHook:
    """A hook that opens a client span for each attempt, named after the operation.

    Attributes follow the HTTP semantic conventions; queries, headers and bodies are never recorded.
    """

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        """`tracer`: None takes the global provider's."""
        self._tracer = tracer or trace.get_tracer("bursar.client")

    def __call__(self, event: Event) -> None:
        """Record one event."""
        if isinstance(event, AttemptStarted):
            _open.set(
                self._tracer.start_span(
                    event.operation,
                    kind=SpanKind.CLIENT,
                    attributes={
                        "http.request.method": event.method,
                        "url.template": event.path,
                        "http.request.resend_count": event.attempt - 1,
                    },
                )
            )
        elif isinstance(event, AttemptFinished):
            self._finish(event)
        else:
            self._scheduled(event)

    @staticmethod
    def _finish(event: AttemptFinished) -> None:
        span = _open.get()
        if span is None:
            return
        _open.set(None)
        if event.status:
            span.set_attribute("http.response.status_code", event.status)
        if event.outcome is not None:
            span.set_attribute("bursar.outcome", event.outcome.value)
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    @staticmethod
    def _scheduled(event: RetryScheduled) -> None:
        span = trace.get_current_span()
        span.add_event("retry", {"bursar.operation": event.operation, "bursar.delay_s": event.delay})
