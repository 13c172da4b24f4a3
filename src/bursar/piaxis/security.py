"""PKCE pairs, and the signature check under the vendor's name."""

from __future__ import annotations

import hashlib
import secrets as randomness
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

from bursar.webhooks import Piaxis, Receiver, WebhookVerificationError
from bursar.webhooks.piaxis import LEGACY, TIMESTAMP, V2


class PkcePair(TypedDict):
    """A verifier to keep and a challenge to send (RFC 7636)."""

    code_verifier: str
    code_challenge: str
    code_challenge_method: str


def generate_pkce_pair() -> PkcePair:
    """Return a fresh pair: a verifier of 86 characters and its S256 challenge (RFC 7636 section 4)."""
    verifier = randomness.token_urlsafe(64)
    return {
        "code_verifier": verifier,
        "code_challenge": code_challenge(verifier),
        "code_challenge_method": "S256",
    }


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def verify_webhook_signature(
    raw_body: bytes | str,
    *,
    secret: str | Sequence[str],
    signature: str | None = None,
    signature_v2: str | None = None,
    timestamp: str | int | None = None,
    tolerance_seconds: float = 300,
    require_v2: bool = False,
    clock: Callable[[], float] = time.time,
) -> bool:
    """Return whether a delivery is to be trusted; any garbage is False, never an exception (PC78-PC87).

    A newer signature that is there decides alone; the legacy one counts only where neither the newer one nor its time
    is there, and never with `require_v2`: pass that when your endpoint gets newer signatures, since the legacy one can
    be repeated for ever. `secret`: several while they are rotated; an empty one trusts nothing. `tolerance_seconds`: 0
    switches the check of time off. `bursar.webhooks.Receiver` does more, and says what is wrong.
    """
    given = {LEGACY: signature, V2: signature_v2, TIMESTAMP: _digits(timestamp)}
    fields: Any = {name: value for name, value in given.items() if value is not None and value != ""}
    try:
        tolerance = tolerance_seconds if tolerance_seconds > 0 else None
        receiver = Receiver(Piaxis(legacy=not require_v2), secret, tolerance=tolerance, clock=clock)
        receiver.verify(raw_body, fields)
    except (WebhookVerificationError, ValueError, TypeError, AttributeError):
        return False
    return True


def _digits(timestamp: object) -> object:
    whole = isinstance(timestamp, int) and not isinstance(timestamp, bool)
    return str(timestamp) if whole else timestamp
