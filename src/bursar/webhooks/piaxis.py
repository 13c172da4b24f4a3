"""How Piaxis signs (B10): a timestamped signature, and beside it an older one over the body alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .events import PiaxisEvent, PiaxisEventType, open_event, optional
from .scheme import Claim, Fields, bad_signature, fits, mac, require

LEGACY: Final = "x-piaxis-signature"
V2: Final = "x-piaxis-signature-v2"
TIMESTAMP: Final = "x-piaxis-signature-timestamp"


@dataclass(frozen=True, slots=True)
class Piaxis:
    """Piaxis's scheme.

    The older signature never ends: whoever sees one delivery can repeat it for ever, by leaving the newer fields out.
    So it is looked at only with `legacy`, and even then only where no newer field is there; for old senders alone.
    """

    legacy: bool = False

    def check_secret(self, secret: str) -> None:
        """See `Scheme`."""
        require(secret)

    def check(self, body: bytes, fields: Fields, secrets: Sequence[str]) -> Claim:
        """See `Scheme`."""
        keys = [secret.encode() for secret in secrets]
        if self.legacy and fields.find(V2) is None and fields.find(TIMESTAMP) is None:
            if not fits((_hex(key, body) for key in keys), [_given(fields.need(LEGACY))]):
                raise bad_signature()
            return Claim(None, None)
        given = _given(fields.need(V2))
        moment = fields.moment(TIMESTAMP)
        if not fits((_hex(key, b"%d." % moment, body) for key in keys), [given]):
            raise bad_signature()
        return Claim(None, moment)

    def parse(self, body: bytes, claim: Claim) -> PiaxisEvent:
        """See `Scheme`."""
        found = open_event(body, "event", claimed=claim.id)
        found["type"] = PiaxisEventType(found["type"])
        return PiaxisEvent(
            **found, webhook_id=optional(found, "webhook_id"), merchant_id=optional(found, "merchant_id")
        )

    def sign(self, secret: str, body: bytes, *, id: str, timestamp: int) -> dict[str, str]:
        """See `Scheme`."""
        key = secret.encode()
        return {
            "X-piaxis-Signature": _hex(key, body).decode(),
            "X-piaxis-Signature-V2": _hex(key, b"%d." % timestamp, body).decode(),
            "X-piaxis-Signature-Timestamp": str(timestamp),
        }


def _hex(key: bytes, *parts: bytes) -> bytes:
    return mac(key, *parts).hex().encode()


def _given(text: str) -> bytes:
    """Return a signature as it came; comparing bytes fails quietly for what is not ASCII."""
    return text.encode("utf-8", "replace")
