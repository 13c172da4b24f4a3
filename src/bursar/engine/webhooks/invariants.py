"""What must hold between deliveries, lanes and work, for `verify`: nothing that is to be delivered is stranded."""

from __future__ import annotations

from collections.abc import Iterator

from bursar.engine.verify import Damage
from bursar.engine.view import ReadView
from bursar.engine.webhooks.cancelling import CANCEL
from bursar.engine.webhooks.lanes import KIND
from bursar.engine.webhooks.tables import (
    DELIVERIES,
    ENDPOINTS,
    EVENTS,
    INBOX,
    LANES,
    PENDING,
    Delivery,
    Lane,
)
from bursar.engine.work import WORK


def check(view: ReadView) -> Iterator[Damage]:
    """Yield one damage for each delivery, lane or endpoint that would wait for ever."""
    queued: set[str] = set()
    waiting: set[str] = set()
    for row in view.scan(INBOX):
        queued.add(row.delivery)
        waiting.add(row.endpoint)
    for lane in view.scan(LANES):
        waiting.add(lane.endpoint)
        members = _members(view, lane)
        if not members or members[-1].id != lane.tail:
            found = members[-1].id if members else ""
            yield Damage("webhook_lane", f"{lane.endpoint}/{lane.object}", lane.tail, found)
        queued |= {member.id for member in members}
    yield from _check_deliveries(view, queued)
    yield from _check_work(view, waiting)


def _members(view: ReadView, lane: Lane) -> list[Delivery]:
    """The deliveries of a lane, from its head on."""
    members: dict[str, Delivery] = {}
    following: str | None = lane.head
    while following is not None and following not in members:
        found = view.get(DELIVERIES, following)
        if found is None or (found.endpoint, found.object) != (lane.endpoint, lane.object):
            break
        members[following] = found
        following = found.follower
    return list(members.values())


def _check_deliveries(view: ReadView, queued: set[str]) -> Iterator[Damage]:
    for row in view.scan(DELIVERIES):
        if view.get(EVENTS, row.event) is None:
            yield Damage("webhook_event", f"delivery {row.id}", row.event, "")
        if (row.status == PENDING) != (row.id in queued) and view.get(WORK, CANCEL, row.endpoint) is None:
            expected, found = ("queued", "in no lane") if row.status == PENDING else (row.status, "queued")
            yield Damage("webhook_delivery", f"delivery {row.id}", expected, found)


def _check_work(view: ReadView, waiting: set[str]) -> Iterator[Damage]:
    """An active endpoint with something to deliver has work that is not given up."""
    for endpoint in view.scan(ENDPOINTS):
        if endpoint.active and endpoint.id in waiting:
            work = view.get(WORK, KIND, endpoint.id)
            if work is None or work.dead:
                yield Damage(
                    "webhook_work", f"endpoint {endpoint.id}", "scheduled", "given up" if work else "none"
                )
