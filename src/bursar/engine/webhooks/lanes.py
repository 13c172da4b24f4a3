"""Lanes: deliveries of one object to one endpoint, one after another (PS111).

A delivery comes into its endpoint's inbox first, by writing alone, so that a command may tell of any number of objects.
The endpoint's work then puts it into its lane. Only the head of a lane is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from bursar.engine.store.base import Wanted
from bursar.engine.view import View
from bursar.engine.webhooks.tables import (
    DELIVERIES,
    ENDPOINTS,
    INBOX,
    LANES,
    Delivery,
    Endpoint,
    Lane,
    Queued,
)
from bursar.engine.work import WORK, Work

KIND: Final = "webhooks"
"""Kind of the work item of an endpoint; its key is the endpoint's id."""


def enqueue(view: View, endpoint: Endpoint, delivery: Delivery) -> None:
    """Put a new or replayed delivery into the endpoint's inbox, and wake the endpoint's work."""
    view.put(DELIVERIES, replace(delivery, next_attempt_at=view.now, follower=None))
    view.put(INBOX, Queued(endpoint.id, delivery.id, delivery.object))
    wake(view, endpoint)


def admit(view: View, queued: Sequence[Queued]) -> None:
    """Put deliveries from the inbox at the ends of their lanes."""
    view.want(
        Wanted(
            [
                *((INBOX, (row.endpoint, row.delivery)) for row in queued),
                *((LANES, (row.endpoint, row.object)) for row in queued),
            ]
        )
    )
    lanes = [view.get(LANES, row.endpoint, row.object) for row in queued]
    want_deliveries(view, [lane.tail for lane in lanes if lane is not None])
    crowd = Counter(row.object for row in queued)
    behind = (
        row for row, lane in zip(queued, lanes, strict=True) if lane is not None or crowd[row.object] > 1
    )
    want_deliveries(view, [row.delivery for row in behind])
    for row in queued:
        if view.get(INBOX, row.endpoint, row.delivery) is not None:  # else it was cancelled meanwhile
            view.delete(INBOX, row.endpoint, row.delivery)
            _append(view, row)


def _append(view: View, row: Queued) -> None:
    lane = view.get(LANES, row.endpoint, row.object)
    if lane is None:
        view.put(LANES, Lane(row.endpoint, row.object, view.now, row.delivery, row.delivery))
        return
    tail, own = _delivery(view, lane.tail), _delivery(view, row.delivery)
    view.put(DELIVERIES, replace(tail, follower=row.delivery))
    view.put(DELIVERIES, replace(own, next_attempt_at=None))
    view.put(LANES, replace(lane, tail=row.delivery))


def advance(view: View, finished: Delivery) -> None:
    """Take a finished delivery, the head of its lane, out of it: its follower is due now."""
    lane = _led_by(view, finished)
    view.put(DELIVERIES, replace(finished, next_attempt_at=None, follower=None))
    if finished.follower is None:
        view.delete(LANES, lane.endpoint, lane.object)
        return
    follower = _delivery(view, finished.follower)
    view.put(DELIVERIES, replace(follower, next_attempt_at=view.now))
    view.put(LANES, replace(lane, due_at=view.now, head=follower.id))


def put_off(view: View, head: Delivery, until: int) -> None:
    """Let a lane rest until its head is tried again."""
    lane = _led_by(view, head)
    view.put(DELIVERIES, replace(head, next_attempt_at=until))
    view.put(LANES, replace(lane, due_at=until))


def wake(view: View, endpoint: Endpoint) -> None:
    """See that the endpoint's deliveries are looked at now. Work under way sees by `queued` that there is more."""
    present = view.get(ENDPOINTS, endpoint.source, endpoint.owner, endpoint.id) or endpoint
    view.put(ENDPOINTS, replace(present, queued=present.queued + 1))
    row = view.get(WORK, KIND, endpoint.id)
    if row is None or row.dead or (not row.owner and row.due_at > view.now):
        arm(view, endpoint, view.now)


def arm(view: View, endpoint: Endpoint, at: int) -> None:
    """Schedule the endpoint's work."""
    view.schedule(Work(KIND, endpoint.id, at, {"source": endpoint.source, "owner": endpoint.owner}))


def want_work(view: View, endpoints: Iterable[Endpoint]) -> None:
    """Load at once what `wake` will read of these endpoints."""
    view.want(Wanted([(WORK, (KIND, endpoint.id)) for endpoint in endpoints]))


def want_deliveries(view: View, ids: Iterable[str]) -> None:
    """Load these deliveries at once: one after the other, a command would be run again for each."""
    view.want(Wanted([(DELIVERIES, (each,)) for each in ids]))


def _led_by(view: View, head: Delivery) -> Lane:
    lane = view.get(LANES, head.endpoint, head.object)
    if lane is None or lane.head != head.id:
        raise RuntimeError(f"delivery {head.id} is not the head of its lane")
    return lane


def _delivery(view: View, delivery_id: str) -> Delivery:
    found = view.get(DELIVERIES, delivery_id)
    if found is None:
        raise RuntimeError(f"a lane names delivery {delivery_id}, which does not exist")
    return found
