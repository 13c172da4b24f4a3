"""How a Formance stack signs its webhooks: as Standard Webhooks v1, with field names and a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .events import FormanceEvent, open_event, optional
from .scheme import Claim, Fields, bad_signature, fits, mac, require
from .standard import encoded, signatures, signed

PREFIX: Final = "formance-webhook"


@dataclass(frozen=True, slots=True)
class Formance:
    """Formance's scheme. The key is the *text* of the secret, not the bytes that it encodes."""

    def check_secret(self, secret: str) -> None:
        """See `Scheme`."""
        require(secret)

    def check(self, body: bytes, fields: Fields, secrets: Sequence[str]) -> Claim:
        """See `Scheme`."""
        message, moment = fields.need(f"{PREFIX}-id"), fields.moment(f"{PREFIX}-timestamp")
        given = signatures(fields.need(f"{PREFIX}-signature"), "v1")
        content = signed(message, moment, body)
        if not fits((mac(secret.encode(), content) for secret in secrets), given):
            raise bad_signature()
        return Claim(message, moment)

    def parse(self, body: bytes, claim: Claim) -> FormanceEvent:
        """See `Scheme`. The body ``{"data": "test"}`` is a trial."""
        found = open_event(body, "type", claimed=claim.id, moment="date", data="payload")
        trial = found["body"] == {"data": "test"}
        return FormanceEvent(
            **found, app=optional(found, "app"), version=optional(found, "version"), is_test=trial
        )

    def sign(self, secret: str, body: bytes, *, id: str, timestamp: int) -> dict[str, str]:
        """See `Scheme`."""
        return {
            f"{PREFIX}-id": id,
            f"{PREFIX}-timestamp": str(timestamp),
            f"{PREFIX}-signature": encoded("v1", mac(secret.encode(), signed(id, timestamp, body))),
        }
