"""Events are written in the commit of what they tell about (PS110): neither is there without the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import json

from bursar.engine.view import View
from bursar.engine.webhooks.lanes import enqueue, want_work
from bursar.engine.webhooks.serials import serial
from bursar.engine.webhooks.subscriptions import name_for
from bursar.engine.webhooks.tables import ENDPOINTS, EVENTS, PENDING, Delivery, Endpoint, Event

_encode: Final = json.Encoder(decimal_format="string").encode


def emit(view: View, *, source: str, owner: str, type: str, object: str, data: Mapping[str, Any]) -> str:
    """Write an event, and a delivery to each active endpoint of `owner` that subscribed to it; return the event's id.

    source: the API that tells of it, such as "piaxis". owner: whose event it is, the merchant's account id.
    type: see `subscriptions`, such as "escrow.released". object: what it happened to, such as "escrow:<id>"; one
    endpoint gets the events of one object in order (PS111). data: what the receiver is told, ready for JSON: amounts
    as the API writes them, Decimal as text.
    """
    event = Event(serial(view), source, owner, type, object, _encode(data).decode(), view.now)
    view.put(EVENTS, event)
    named = [
        (endpoint, name)
        for endpoint in view.scan(ENDPOINTS, source, owner)
        if endpoint.active and (name := name_for(source, type, endpoint.types)) is not None
    ]
    want_work(view, (endpoint for endpoint, _ in named))
    for endpoint, name in named:
        deliver(view, endpoint, event, name)
    return event.id


def deliver(view: View, endpoint: Endpoint, event: Event, name: str) -> Delivery:
    """Begin the delivery of an event to an endpoint, under the name that the endpoint knows it by."""
    delivery = Delivery(
        id=serial(view),
        endpoint=endpoint.id,
        event=event.id,
        object=event.object,
        type=name,
        status=PENDING,
        attempts=0,
        generation=0,
        next_attempt_at=None,
        last_status_code=None,
        last_error=None,
        created_at=view.now,
        updated_at=view.now,
        follower=None,
    )
    enqueue(view, endpoint, delivery)
    return delivery
