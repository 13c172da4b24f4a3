"""Receive Piaxis's webhooks: what a handler does, and how to test it without a server."""

import json
from collections.abc import Mapping

from bursar.webhooks import (
    MemoryReplayGuard,
    Piaxis,
    PiaxisEventType,
    Receiver,
    Signer,
    WebhookVerificationError,
)

SECRET = "piaxis-sandbox-webhook-secret"
receiver = Receiver(Piaxis(), SECRET, replays=MemoryReplayGuard())
handled: set[str] = set()  # a unique key in your database


def handle(body: bytes, headers: Mapping[str, str]) -> int:
    """What your web framework's view does with the raw body: returns the status to answer with."""
    try:
        event = receiver.verify_and_parse(body, headers)
    except WebhookVerificationError as error:
        print(f"refused: {error.reason}")
        return 400
    if event.key in handled:
        return 200  # delivered again: at-least-once means that this happens
    if event.type is PiaxisEventType.PAYMENT_SUCCEEDED:
        print(f"ship the order of payment {event.data['payment_id']}")
    elif not event.type.is_known:
        print(f"an event for later versions: {event.type}")
    handled.add(event.key)
    return 200


body = json.dumps(
    {
        "id": "evt-1",
        "event": "payment.succeeded",
        "webhook_id": "wh-1",
        "merchant_id": "11111111-1111-4111-8111-111111111111",
        "data": {"payment_id": "p-1", "status": "succeeded"},
        "timestamp": "2026-05-02T08:30:00+00:00",
    }
).encode()
signed = Signer(Piaxis(), SECRET).sign(body)
print(handle(body, signed))  # 200, and the order is shipped
print(handle(body + b" ", signed))  # 400: the body is another
print(handle(body, signed))  # 400: this very delivery was accepted before
