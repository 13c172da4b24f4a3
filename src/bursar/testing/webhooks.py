"""Receiving a sandbox's webhooks inside a test: no port, no waiting.

    def test_an_order_is_paid(bursar_sandbox, webhook_receiver):
        start_checkout(order="A-1")                                   # the code under test
        paid = webhook_receiver.wait("payment.succeeded")              # moves the sandbox's clock as far as it must
        handle(paid.body, paid.headers)                               # and hands your handler the very bytes

To have failures, say what to answer: `webhook_receiver.answer(500, times=2)`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from bursar.engine.piaxis.sandbox import API_KEY
from bursar.engine.webhooks.sending import Answer, Outgoing
from bursar.piaxis import PiaxisClient
from bursar.piaxis.models.webhook_endpoints import NewWebhookEndpoint
from bursar.webhooks import Piaxis, PiaxisEvent, Receiver, Signer

if TYPE_CHECKING:
    from bursar.embedded import Engine

LONGEST_WAIT: Final = timedelta(days=3)
"""How much engine time `wait` lets pass at most: longer than all retries of a delivery take."""


class ReceivedWebhook:
    """One request, as a web framework would hand it to a handler."""

    def __init__(self, body: bytes, headers: Mapping[str, str], answered: int) -> None:
        self.body: Final = body
        """The bytes that were signed."""
        self.headers: Final = headers
        """Names as they were sent; a framework's are looked up in any case."""
        self.answered: Final = answered
        """The status that it was answered with."""

    @property
    def message(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def type(self) -> str:
        """The name of the event."""
        return str(self.message["event"])

    @property
    def id(self) -> str:
        """The id of the event: the same at every try."""
        return str(self.message["id"])

    @property
    def data(self) -> dict[str, Any]:
        """What the event tells."""
        found: dict[str, Any] = self.message["data"]
        return found

    def __repr__(self) -> str:
        return f"ReceivedWebhook({self.type!r}, id={self.id!r}, answered={self.answered})"


class WebhookReceiver:
    """A Piaxis webhook endpoint of a sandbox, inside this process. Close it after use.

    `events`: which ones; by default all. `api_key`: the merchant's. `secret`: None lets the sandbox make one.
    """

    _made = 0

    def __init__(
        self, engine: Engine, *events: str, api_key: str = API_KEY, secret: str | None = None
    ) -> None:
        WebhookReceiver._made += 1
        self.url: Final = f"http://localhost/in-this-process/{WebhookReceiver._made}"
        self.received: Final[list[ReceivedWebhook]] = []
        """Every try that arrived, in order; those that were answered with a failure too."""
        self._engine = engine
        self._statuses: list[int] = []
        self._client = PiaxisClient(
            api_key=api_key, base_url=f"{engine.url}/piaxis/api", session=engine.transport()
        )
        engine.attach_receiver(self.url, self._receive)
        new = NewWebhookEndpoint(url=self.url, events=list(events) or ["*"], secret=secret)
        made = self._client.webhooks.create_webhook_endpoint(new)
        self.id: Final = made.id
        """The endpoint's id."""
        self.secret: Final = str(made.secret)
        """What it verifies with: configure the code under test with it."""

    def answer(self, status: int, *, times: int = 1) -> None:
        """Answer the next `times` requests with `status`; after them all are accepted again."""
        self._statuses.extend([status] * times)

    def of_type(self, *types: str) -> list[ReceivedWebhook]:
        """What arrived and was accepted, of these types; of all types when none is named. Each event once."""
        accepted = [got for got in self.received if 200 <= got.answered <= 299]
        found = {got.id: got for got in reversed(accepted) if not types or got.type in types}
        return list(reversed(found.values()))

    def wait(self, *types: str, count: int = 1, within: timedelta | float = LONGEST_WAIT) -> ReceivedWebhook:
        """Let the sandbox do what is due, as late as `within` from now, until `count` events arrived; the last of them.

        Raises AssertionError, with what did arrive, when they do not come.
        """
        span = within if isinstance(within, timedelta) else timedelta(seconds=within)
        clock = self._engine.clock
        end = clock.now() + span
        clock.advance(0)
        while len(found := self.of_type(*types)) < count:
            due = clock.next_due()
            if due is None or due > end:
                wanted = " or ".join(types) or "anything"
                raise AssertionError(f"{count} of {wanted} did not come; received: {self.received}")
            clock.run_to_next()
        return found[count - 1]

    def verify(self, received: ReceivedWebhook) -> PiaxisEvent:
        """Check the signature at the sandbox's time, and read the event. Raises `WebhookVerificationError`."""
        receiver = Receiver(Piaxis(), self.secret, clock=self._now)
        return receiver.verify_and_parse(received.body, received.headers)

    def signer(self) -> Signer:
        """Return what signs made-up deliveries as the sandbox does, at its time."""
        return Signer(Piaxis(), self.secret, clock=self._now)

    def close(self) -> None:
        """Remove the endpoint."""
        self._client.webhooks.delete_webhook_endpoint(self.id)
        self._engine.detach_receiver(self.url)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _receive(self, outgoing: Outgoing) -> Answer:
        status = self._statuses.pop(0) if self._statuses else 200
        self.received.append(ReceivedWebhook(outgoing.body, dict(outgoing.headers), status))
        return Answer(status, None if 200 <= status <= 299 else f"answered {status}")

    def _now(self) -> float:
        return self._engine.clock.now().timestamp()
