"""Lanes: deliveries of one object to one endpoint, one after another; and the work that serves an endpoint's lanes."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bursar.engine.store.base import Wanted
from bursar.engine.view import View
from bursar.engine.webhooks.tables import DELIVERIES, ENDPOINTS, LANES, Delivery, Endpoint, Lane
from bursar.engine.work import WORK, Work

KIND: Final = "webhooks"
"""Kind of the work item of an endpoint; its key is the endpoint's id."""


def want(view: View, endpoints: list[Endpoint], object_: str) -> None:
    """Load at once what `enqueue` will read."""
    keys = [(LANES, (endpoint.id, object_)) for endpoint in endpoints]
    view.want(Wanted([*keys, *((WORK, (KIND, endpoint.id)) for endpoint in endpoints)]))


def enqueue(view: View, endpoint: Endpoint, delivery: Delivery) -> None:
    """Put a new or replayed delivery at the end of its lane, and wake the endpoint's work."""
    lane = view.get(LANES, endpoint.id, delivery.object)
    if lane is None:
        view.put(DELIVERIES, replace(delivery, next_attempt_at=view.now, follower=None))
        view.put(LANES, Lane(endpoint.id, delivery.object, view.now, delivery.id, delivery.id))
        wake(view, endpoint)
        return
    view.put(DELIVERIES, replace(delivery, next_attempt_at=None, follower=None))
    tail = _delivery(view, lane.tail)
    view.put(DELIVERIES, replace(tail, follower=delivery.id))
    view.put(LANES, replace(lane, tail=delivery.id))


def advance(view: View, finished: Delivery) -> None:
    """Take a finished delivery, the head of its lane, out of it: its follower is due now."""
    lane = view.get(LANES, finished.endpoint, finished.object)
    if lane is None or lane.head != finished.id:
        raise RuntimeError(f"delivery {finished.id} is not the head of its lane")
    view.put(DELIVERIES, replace(finished, next_attempt_at=None, follower=None))
    if finished.follower is None:
        view.delete(LANES, lane.endpoint, lane.object)
        return
    follower = _delivery(view, finished.follower)
    view.put(DELIVERIES, replace(follower, next_attempt_at=view.now))
    view.put(LANES, replace(lane, due_at=view.now, head=follower.id))


def put_off(view: View, head: Delivery, until: int) -> None:
    """Let a lane rest until its head is tried again."""
    lane = view.get(LANES, head.endpoint, head.object)
    if lane is None or lane.head != head.id:
        raise RuntimeError(f"delivery {head.id} is not the head of its lane")
    view.put(DELIVERIES, replace(head, next_attempt_at=until))
    view.put(LANES, replace(lane, due_at=until))


def wake(view: View, endpoint: Endpoint) -> None:
    """See that the endpoint's lanes are looked at now. Work under way sees by `queued` that there is more."""
    present = view.get(ENDPOINTS, endpoint.source, endpoint.owner, endpoint.id) or endpoint
    view.put(ENDPOINTS, replace(present, queued=present.queued + 1))
    row = view.get(WORK, KIND, endpoint.id)
    if row is None or row.dead or (not row.owner and row.due_at > view.now):
        arm(view, endpoint, view.now)


def arm(view: View, endpoint: Endpoint, at: int) -> None:
    """Schedule the endpoint's work."""
    view.schedule(Work(KIND, endpoint.id, at, {"source": endpoint.source, "owner": endpoint.owner}))


def _delivery(view: View, delivery_id: str) -> Delivery:
    found = view.get(DELIVERIES, delivery_id)
    if found is None:
        raise RuntimeError(f"a lane names delivery {delivery_id}, which does not exist")
    return found
