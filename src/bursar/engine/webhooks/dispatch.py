"""Delivering: what is due for an endpoint is sent, and finished by a commit after the endpoint accepted it.

Each endpoint with something to deliver has one work item, so that a slow one holds up nobody else. In its turn the
heads of its lanes are sent concurrently; the answers of all that came back meanwhile are recorded by one command.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct

from bursar.engine import limits
from bursar.engine.core import Core
from bursar.engine.limits import SECOND_US
from bursar.engine.store.base import Changes, Sql
from bursar.engine.view import ReadView, View
from bursar.engine.webhooks.cancelling import CANCEL, cancel_all
from bursar.engine.webhooks.lanes import KIND, admit, arm
from bursar.engine.webhooks.outcomes import Tried, record
from bursar.engine.webhooks.sending import NO_ANSWER, Answer, Outgoing, Sender
from bursar.engine.webhooks.sources import Signing, Source
from bursar.engine.webhooks.tables import (
    DELIVERIES,
    ENDPOINTS,
    EVENTS,
    INBOX,
    LANES,
    Delivery,
    Endpoint,
    Event,
    Queued,
)
from bursar.engine.work import Claimed

_PENDING: Final = """
    SELECT (SELECT count(*) FROM webhook_inbox), (SELECT count(*) FROM webhook_lanes),
        (SELECT min(head) FROM webhook_lanes)
"""
"""Ids of deliveries are in the order of their making."""
_log: Final = logging.getLogger(__name__)


class Due(Struct, frozen=True):
    """What is to be done for an endpoint, as of one moment."""

    endpoint: Endpoint | None
    """None: it is gone or switched off, and nothing is to be done."""
    arrived: Sequence[Queued] = ()
    """What is in the inbox."""
    ready: Sequence[tuple[Delivery, Event]] = ()
    later: int | None = None
    """When the next one that is not yet due will be."""


class Dispatcher:
    """Delivers for all endpoints of the given sources."""

    def __init__(self, core: Core, sender: Sender, sources: Sequence[Source]) -> None:
        self.core: Final = core
        self.sender: Final = sender
        self.sources: Final[Mapping[str, Source]] = {source.name: source for source in sources}
        self._turns: dict[str, Turn] = {}

    def register(self) -> None:
        """Take on the endpoints' work; once for each core, before its worker starts."""
        self.core.worker.register(KIND, self._handle, room=limits.WEBHOOK_ROOM)
        self.core.worker.register(CANCEL, cancel_all)
        self.core.on_commit(self._committed)
        self.core.on_measure(self._measure)

    async def try_now(self, endpoint: Endpoint, delivery: Delivery, event: Event, *, newest: bool) -> Tried:
        """Send once, now. `newest`: sign with the newest secret, whatever worked before."""
        now = self.core.clock.now()
        former = not newest and signs_with_former(endpoint, delivery, now)
        try:
            outgoing = self._outgoing(endpoint, delivery, event, now, former=former)
            answer = await self.sender.send(outgoing, self.sources[endpoint.source].policy.timeout_s)
        except Exception as error:  # noqa: BLE001 - one delivery that cannot be made must not hold up the others
            _log.exception("delivery %s could not be made", delivery.id)
            answer = Answer(NO_ANSWER, f"it could not be made: {type(error).__name__}")
        return Tried(delivery, endpoint, now, answer, former)

    def _outgoing(
        self, endpoint: Endpoint, delivery: Delivery, event: Event, now: int, *, former: bool
    ) -> Outgoing:
        source = self.sources[endpoint.source]
        secrets = good_secrets(endpoint, now)
        body = source.body(event, endpoint, delivery.type)
        signing = Signing(now // SECOND_US, secrets[1 if former else 0], secrets)
        return Outgoing(endpoint.url, source.headers(delivery, body, signing), body)

    async def _handle(self, core: Core, item: Claimed) -> None:
        if item.key in self._turns:
            return  # its lease ended before its turn did: the process was asleep
        turn = self._turns[item.key] = Turn(self, item)
        try:
            await turn.run()
        finally:
            del self._turns[item.key]

    def _measure(self, view: ReadView) -> None:
        metrics = self.core.metrics
        [(arrived, lanes, oldest)] = view.query(Sql(_PENDING))
        metrics.webhooks_arrived.set(int(arrived))
        metrics.webhooks_lanes.set(int(lanes))
        delivery = view.get(DELIVERIES, oldest) if oldest else None
        metrics.webhooks_oldest.set((view.now - delivery.created_at) / SECOND_US if delivery else 0)

    def _committed(self, changes: Changes) -> None:
        if self._turns:
            for _, _, endpoint_id in changes.get(ENDPOINTS, ()):
                if (turn := self._turns.get(str(endpoint_id))) is not None:
                    turn.changed.set()


class Turn:
    """The deliveries of one endpoint, in hand for a while."""

    def __init__(self, dispatcher: Dispatcher, item: Claimed) -> None:
        self.changed = asyncio.Event()
        """Something of the endpoint was committed."""
        self._dispatcher = dispatcher
        self._core = dispatcher.core
        self._key = (str(item.payload["source"]), str(item.payload["owner"]), item.key)
        self._policy = dispatcher.sources[self._key[0]].policy
        self._sending: dict[str, asyncio.Task[Tried]] = {}
        """By object: one of each at a time, which keeps their order (PS111)."""

    async def run(self) -> None:
        """Deliver until nothing is due or the turn is over; then see that the endpoint's work goes on when it must."""
        ends = asyncio.get_running_loop().time() + limits.WEBHOOK_TURN_S
        try:
            await self._run(ends)
        finally:
            for task in self._sending.values():
                task.cancel()

    async def _run(self, ends: float) -> None:
        begun = False
        while True:
            over = begun and (self._core.worker.stopping or asyncio.get_running_loop().time() > ends)
            self.changed.clear()
            due = await self._core.read(self._due)
            begun = True
            if not over and due.endpoint is not None:
                for delivery, event in due.ready:
                    self._begin(due.endpoint, delivery, event)
            if not over and due.arrived:
                await self._core.submit(partial(admit, queued=due.arrived))
                continue
            if not self._sending:
                await self._core.submit(partial(_rest, key=self._key, due=due))
                return
            await self._settle(due.later)

    def _begin(self, endpoint: Endpoint, delivery: Delivery, event: Event) -> None:
        trying = self._dispatcher.try_now(endpoint, delivery, event, newest=False)
        self._sending[delivery.object] = asyncio.create_task(trying, name="bursar-webhook")

    async def _settle(self, later: int | None) -> None:
        """Wait until something was answered, changed or came due, and record all answers that are there."""
        signals: list[asyncio.Future[Any]] = [asyncio.ensure_future(self.changed.wait())]
        if later is not None:
            signals.append(asyncio.ensure_future(self._core.clock.wait_until(later)))
        try:
            await asyncio.wait([*self._sending.values(), *signals], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for signal in signals:
                signal.cancel()
        done = {object_: task for object_, task in self._sending.items() if task.done()}
        tries = [task.result() for task in done.values()]
        if tries:
            await self._core.submit(partial(record, tries=tries, policy=self._policy))
            for tried in tries:
                outcome = self._policy.outcome(tried.answer.status_code, tried.delivery.attempts + 1)
                self._core.metrics.webhooks.add(1, (outcome,))
        for object_ in done:
            del self._sending[object_]

    def _due(self, view: ReadView) -> Due:
        """The heads of lanes that are due and not being sent, as far as there is room."""
        endpoint = view.get(ENDPOINTS, *self._key)
        if endpoint is None or not endpoint.active:
            return Due(None)
        most = limits.WEBHOOK_IN_FLIGHT
        lanes = view.select(
            LANES, {"endpoint": endpoint.id}, order=("endpoint", "due_at", "head"), limit=most
        )
        now = view.now
        arrived = view.select(INBOX, {"endpoint": endpoint.id}, limit=limits.WEBHOOK_ADMITTED)
        free = [lane for lane in lanes if lane.due_at <= now and lane.object not in self._sending]
        ready = [_loaded(view, lane.head) for lane in free[: most - len(self._sending)]]
        return Due(endpoint, arrived, ready, next((lane.due_at for lane in lanes if lane.due_at > now), None))


def signs_with_former(endpoint: Endpoint, delivery: Delivery, now: int) -> bool:
    """Whether a try is signed with the former secret (PS108).

    While both are good, tries take turns, beginning with the secret that was accepted last: whichever the endpoint
    knows, it gets every event, at the latest by the second try.
    """
    if len(good_secrets(endpoint, now)) == 1:
        return False
    return endpoint.former_works == (delivery.attempts % 2 == 0)


def good_secrets(endpoint: Endpoint, now: int) -> list[str]:
    """The secrets that a receiver may verify with, the newest first."""
    former, until = endpoint.former_secret, endpoint.former_until
    if former is None or until is None or until <= now:
        return [endpoint.secret]
    return [endpoint.secret, former]


def _loaded(view: ReadView, delivery_id: str) -> tuple[Delivery, Event]:
    delivery = view.get(DELIVERIES, delivery_id)
    event = None if delivery is None else view.get(EVENTS, delivery.event)
    if delivery is None or event is None:
        raise RuntimeError(f"a lane names delivery {delivery_id}, which lacks its rows")
    return delivery, event


def _rest(view: View, key: tuple[str, str, str], due: Due) -> None:
    """End a turn: the endpoint's work goes on now if something came meanwhile, or when the next delivery is due."""
    endpoint = view.get(ENDPOINTS, *key)
    if endpoint is None or not endpoint.active:
        view.unschedule(KIND, key[2])
    elif due.arrived or due.ready or due.endpoint is None or due.endpoint.queued != endpoint.queued:
        arm(view, endpoint, view.now)
    elif due.later is not None:
        arm(view, endpoint, due.later)
    else:
        view.unschedule(KIND, endpoint.id)
