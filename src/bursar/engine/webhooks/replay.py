"""Delivering again: dead letters, and what was delivered or cancelled before."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bursar.engine.errors import Conflict
from bursar.engine.view import View
from bursar.engine.webhooks.lanes import enqueue, wake, want_deliveries
from bursar.engine.webhooks.tables import DELIVERIES, LANES, PENDING, Delivery, Endpoint


def replay(view: View, endpoint: Endpoint, delivery: Delivery) -> Delivery:
    """Deliver again, as a new cycle at the end of the lane; a pending delivery is tried now instead.

    Raises Conflict when the endpoint is switched off.
    """
    if not endpoint.active:
        raise Conflict("the webhook is switched off: activate it first")
    if delivery.status == PENDING:
        return _expedited(view, endpoint, delivery)
    enqueue(
        view,
        endpoint,
        replace(
            delivery,
            status=PENDING,
            attempts=0,
            generation=delivery.generation + 1,
            updated_at=view.now,
        ),
    )
    return view.get(DELIVERIES, delivery.id) or delivery


def replay_many(view: View, endpoint: Endpoint, deliveries: Sequence[str], statuses: Sequence[str]) -> int:
    """Replay those that still have one of these statuses; return how many had."""
    want_deliveries(view, deliveries)
    replayed = 0
    for delivery_id in deliveries:
        delivery = view.get(DELIVERIES, delivery_id)
        if delivery is not None and delivery.status in statuses:
            replay(view, endpoint, delivery)
            replayed += 1
    return replayed


def _expedited(view: View, endpoint: Endpoint, delivery: Delivery) -> Delivery:
    lane = view.get(LANES, delivery.endpoint, delivery.object)
    if lane is None or lane.head != delivery.id:
        return delivery  # it waits for those before it
    now = replace(delivery, next_attempt_at=min(lane.due_at, view.now))
    view.put(DELIVERIES, now)
    view.put(LANES, replace(lane, due_at=min(lane.due_at, view.now)))
    wake(view, endpoint)
    return now
