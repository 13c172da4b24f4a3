"""What a scheme of signing webhooks is, and how it reads header fields."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .errors import Reason, WebhookVerificationError
from .events import Event

E_co = TypeVar("E_co", bound=Event, covariant=True)
Given = Mapping[str, Any] | Iterable[tuple[Any, Any]]
"""Header fields: any mapping, or pairs; texts or bytes; names in any case."""
_UNIX = re.compile(r"[1-9][0-9]{0,14}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a good signature proves besides the body."""

    id: str | None
    """Of the delivery or message: the same whenever it is sent again. None where the scheme has none."""
    timestamp: int | None
    """When it was signed, in Unix seconds. None where the scheme has none."""


class Fields:
    """The header fields of a delivery, by name without case."""

    def __init__(self, given: Given) -> None:
        self._values: dict[str, list[str]] = {}
        try:
            pairs: Iterable[tuple[Any, Any]] = given.items() if isinstance(given, Mapping) else given
            for name, value in pairs:
                self._values.setdefault(_text(name).lower(), []).append(_text(value).strip())
        except (TypeError, ValueError):
            raise WebhookVerificationError("the header fields cannot be read", Reason.MALFORMED) from None

    def find(self, name: str) -> str | None:
        """Return a field's value, None when it is absent or empty. Raises when it is there twice."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise WebhookVerificationError(f"{name} was sent more than once", Reason.MALFORMED)
        return values[0] or None if values else None

    def need(self, name: str) -> str:
        """Return a field's value. Raises when it is absent or empty."""
        value = self.find(name)
        if value is None:
            raise WebhookVerificationError(f"{name} is missing", Reason.MISSING)
        return value

    def moment(self, name: str) -> int:
        """Return a field that is a time in Unix seconds, written in the one usual way."""
        return moment(self.need(name), name)


def moment(text: str, name: str) -> int:
    """Read Unix seconds. Raises `WebhookVerificationError` for anything but plain digits."""
    if not _UNIX.fullmatch(text):
        raise WebhookVerificationError(f"{name} is no time in Unix seconds", Reason.MALFORMED)
    return int(text)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError("a header field is text")


class Scheme(Protocol[E_co]):
    """How an API signs its webhooks and what its events look like."""

    def check_secret(self, secret: str) -> None:
        """Raise `ValueError` for a text that cannot be a secret of this scheme."""
        ...

    def check(self, body: bytes, fields: Fields, secrets: Sequence[str]) -> Claim:
        """Return what the signature proves. Raises `WebhookVerificationError` when none fits any secret."""
        ...

    def parse(self, body: bytes, claim: Claim) -> E_co:
        """Return the event. Raises `WebhookVerificationError`."""
        ...

    def sign(self, secret: str, body: bytes, *, id: str, timestamp: int) -> dict[str, str]:
        """Return the header fields with which this scheme's sender would deliver the body."""
        ...


def require(secret: str) -> None:
    """Refuse an empty secret, with which anybody could sign."""
    if not secret.strip():
        raise ValueError("the webhook secret is empty")


def mac(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 of the parts, one after the other."""
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def fits(expected: Iterable[bytes], given: Iterable[bytes]) -> bool:
    """True when a given signature is an expected one; each pair is compared in constant time (PC85)."""
    offered = list(given)
    return any(hmac.compare_digest(one, other) for one in expected for other in offered)


def bad_signature() -> WebhookVerificationError:
    """The error for signatures none of which fits."""
    return WebhookVerificationError("no signature fits the body and a secret", Reason.BAD_SIGNATURE)
