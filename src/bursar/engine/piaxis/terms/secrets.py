"""Terms that a secret meets (PS72). What is stored of it is a salted scrypt hash, and it can be tried five times."""

from __future__ import annotations

import hashlib
import hmac
from typing import ClassVar, Final

from bursar.engine.piaxis.errors import Loc
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import Data, Evidence, Opened, Progress, TermKind

TRIES: Final = 5
_COST: Final = 2**12
"""scrypt's N. A term's secret lives for days and is locked after `TRIES`; more would hold up the writer."""
_NAMES: Final = ("secret", "password")


class Password(TermKind):
    """`secret` (or `password`) at creation, never shown again; `secret_hint` is."""

    action: ClassVar[str] = "Give the password"
    done: ClassVar[str] = "Password confirmed"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Take the secret out of the data."""
        fields.optional_text(data, "secret_hint", at)
        shown = {name: value for name, value in data.items() if name not in _NAMES}
        return Opened(shown, _secret(data, at))

    def secret(self, given: Data) -> str:
        """Return the secret that is tried."""
        return _secret(given, fields.GIVEN)

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Met: the secret was compared before."""
        return Progress({}, met=True)


def digest(secret: str, salt: bytes) -> bytes:
    """Return what is stored of a secret."""
    raw = secret.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(raw, salt=salt, n=_COST, r=8, p=1, dklen=32)


def same(secret: str, salt: bytes, stored: bytes) -> bool:
    """Whether a secret is the one that was stored, in constant time."""
    return hmac.compare_digest(digest(secret, salt), stored)


def _secret(data: Data, at: Loc) -> str:
    name = next((name for name in _NAMES if name in data), _NAMES[0])
    return fields.text(data, name, at)
