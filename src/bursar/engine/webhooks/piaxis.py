"""Piaxis's webhooks: envelope 2 with an `id` (E21), its three signature headers, and Standard Webhooks beside them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Raw, json

from bursar.engine.limits import SECOND_US
from bursar.engine.webhooks.policy import DAY_US, HOUR_US, MINUTE_US, Policy, utc
from bursar.engine.webhooks.sources import Signing
from bursar.engine.webhooks.subscriptions import PIAXIS
from bursar.engine.webhooks.tables import Delivery, Endpoint, Event
from bursar.webhooks import Piaxis, StandardWebhooks

_POLICY: Final = Policy(
    delays=(
        5 * SECOND_US,
        30 * SECOND_US,
        2 * MINUTE_US,
        10 * MINUTE_US,
        HOUR_US,
        6 * HOUR_US,
        DAY_US,
    ),
    jitter=0.1,
    longest_wait=DAY_US,
    refused_for_good=frozenset(),
    gone=frozenset({410}),
    disable_after=DAY_US,
    disable_failures=50,
)
"""PS106, PS107."""
SIGNATURE: Final = "webhook-signature"
_OWN: Final = Piaxis()
_STANDARD: Final = StandardWebhooks()
_encode: Final = json.Encoder().encode


class PiaxisSource:
    """See `Source`."""

    name: str = PIAXIS
    policy: Policy = _POLICY

    def new_secret(self, random: bytes) -> str:
        """See `Source`. In the form of Standard Webhooks, whose libraries expect it."""
        return "whsec_" + b64encode(random).decode()

    def body(self, event: Event, endpoint: Endpoint, name: str) -> bytes:
        """See `Source`."""
        return _encode(
            {
                "id": event.id,
                "event": name,
                "webhook_id": endpoint.id,
                "merchant_id": endpoint.owner,
                "data": Raw(event.data.encode()),
                "timestamp": utc(event.created_at).isoformat(),
            }
        )

    def trial(self) -> tuple[str, Mapping[str, Any]]:
        """See `Source`."""
        return "payment.succeeded", {"status": "succeeded", "test": True}

    def headers(self, delivery: Delivery, body: bytes, signing: Signing) -> list[tuple[str, str]]:
        """See `Source`. The id of Standard Webhooks is the event's, the same at every try (PS105)."""
        own = _OWN.sign(signing.secret, body, id=delivery.event, timestamp=signing.timestamp)
        return [
            ("content-type", "application/json"),
            ("user-agent", "piaxis-webhooks"),
            *own.items(),
            *_standard(delivery.event, body, signing).items(),
        ]


def _standard(event: str, body: bytes, signing: Signing) -> dict[str, str]:
    """The fields of Standard Webhooks, signed with every good secret; none for secrets that are not in its form."""
    fields: dict[str, str] = {}
    for secret in signing.all:
        try:
            signed = _STANDARD.sign(secret, body, id=event, timestamp=signing.timestamp)
        except ValueError:
            continue
        signatures = fields.get(SIGNATURE), signed[SIGNATURE]
        fields = {**signed, SIGNATURE: " ".join(filter(None, signatures))}
    return fields
