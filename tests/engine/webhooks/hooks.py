"""What the tests of outgoing webhooks share: an engine on a frozen clock, endpoints that answer as they are told."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.webhooks import emit
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.engine.webhooks.invariants import check
from bursar.engine.webhooks.piaxis import PiaxisSource
from bursar.engine.webhooks.sending import Answer, Outgoing
from bursar.engine.webhooks.service import WebhooksService
from bursar.engine.webhooks.tables import ATTEMPTS, Attempt, Delivery, Endpoint
from bursar.engine.work import WORK

T = TypeVar("T")
T0 = 1_700_000_000_000_000
SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
DAY = 24 * HOUR
SCHEDULE = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY]
OWNER = "merchant-1"
URL = "https://shop.example.com/hooks"


@dataclass
class Received:
    """One request as an endpoint got it."""

    at: int
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)


Reply = Answer | asyncio.Future[Answer]


@dataclass
class Endpoints:
    """The endpoints of a test, a `Sender`. `reply` decides; by default everything is accepted."""

    clock: SandboxClock
    received: list[Received] = field(default_factory=list)
    reply: Callable[[Received], Reply] = lambda received: Answer(200)

    async def send(self, outgoing: Outgoing, timeout_s: float) -> Answer:
        received = Received(
            self.clock.now(),
            outgoing.url,
            {name.lower(): value for name, value in outgoing.headers},
            outgoing.body,
        )
        self.received.append(received)
        reply = self.reply(received)
        return reply if isinstance(reply, Answer) else await reply

    def objection(self, url: str) -> str | None:
        return None if url.startswith("https://") else "a URL begins with https://"

    async def aclose(self) -> None:
        pass


class Hooks:
    """An engine with a webhook service; every method returns when its effect is durable."""

    def __init__(self, url: str = "sqlite://", *, seed: int = 7) -> None:
        self._runner = asyncio.Runner()
        self.tampered = False
        """Whether the test damaged the rows: otherwise they are checked at its end."""
        self.clock = SandboxClock(T0)
        self.core: Core = self.do(Core.open(url, clock=self.clock, ids=Ids(seed)))
        self.endpoints = Endpoints(self.clock)
        self.dispatcher = Dispatcher(self.core, self.endpoints, [PiaxisSource()])
        self.dispatcher.register()
        self.service = WebhooksService(self.core, self.dispatcher, "piaxis")

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def failures(self) -> list[str]:
        """What handlers of work failed with, where the work is still there."""
        rows = self.do(self.core.read(lambda view: view.select(WORK)))
        return [row.error for row in rows if row.error]

    def damages(self) -> list[str]:
        """Classes of damage that `verify` finds."""
        return [damage.kind for damage in self.do(self.core.read(lambda view: list(check(view))))]

    def close(self) -> None:
        self.do(self.core.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            assert error[0] is not None or self.tampered or self.damages() == []
        finally:
            self.close()

    def add(self, *events: str, owner: str = OWNER, url: str = URL, **options: Any) -> Endpoint:
        return self.do(self.service.create(owner, url, list(events) or ["*"], **options))

    def endpoint(self, endpoint: Endpoint) -> Endpoint:
        return self.do(self.service.get(endpoint.owner, endpoint.id))

    def emit(
        self, type_: str = "escrow.created", object_: str = "escrow:1", owner: str = OWNER, **data: Any
    ) -> str:
        return self.do(
            self.core.submit(
                lambda view: emit(view, source="piaxis", owner=owner, type=type_, object=object_, data=data)
            )
        )

    def run(self) -> None:
        """Do what is due now."""
        self.do(self.core.worker.run_due())

    def next(self) -> int | None:
        """Move to where something is due, do it, and return how far that was; None when nothing will be due."""
        due = self.do(self.core.worker.next_due())
        if due is None:
            return None
        step = max(due - self.clock.now(), 0)
        self.clock.advance(step)
        self.run()
        return step

    def run_all(self, most: int = 200) -> None:
        """Move the clock until nothing is due any more."""
        self.run()
        for _ in range(most):
            if self.next() is None:
                return
        raise AssertionError("work never ends")

    def deliveries(self, endpoint: Endpoint, **options: Any) -> list[Delivery]:
        """The oldest first."""
        _, found = self.do(self.service.deliveries(endpoint.owner, endpoint.id, limit=1000, **options))
        return [delivery for delivery, _ in reversed(found)]

    def attempts(self, delivery: Delivery) -> list[Attempt]:
        return self.do(self.core.read(lambda view: list(view.scan(ATTEMPTS, delivery.id))))

    @property
    def received(self) -> list[Received]:
        return self.endpoints.received

    def seen(self) -> dict[str, list[Any]]:
        """By object, the `n` of each event that was accepted, in order."""
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for received in self.received:
            data = received.message["data"]
            found[data["object"]].append(data["n"])
        return dict(found)
