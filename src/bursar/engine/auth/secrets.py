"""Client secrets: made, stored as salted digests, compared in constant time.

A secret that the engine makes has 256 random bits, so one HMAC-SHA-256 with a salt of its own is as hard to
invert as a slow password hash and costs a token request a microsecond. A secret that a person chose does not have
those bits: only the sandbox takes one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

SECRET_BYTES = 32
SALT_BYTES = 16
_SCHEME = "hmac-sha256"


def generate() -> str:
    """Return a new secret: 32 bytes of the operating system's randomness as URL-safe text."""
    return secrets.token_urlsafe(SECRET_BYTES)


def generate_uuid() -> str:
    """Return a fresh secret of 122 random bits in the form of a version 4 UUID (RFC 9562)."""
    return str(UUID(bytes=secrets.token_bytes(16), version=4))


def digest(secret: str) -> str:
    """Return what is stored instead of `secret`: ``hmac-sha256$<salt>$<digest>``, both base64."""
    salt = secrets.token_bytes(SALT_BYTES)
    return "$".join((_SCHEME, _text(salt), _text(_mac(salt, secret))))


def matches(secret: str, stored: str) -> bool:
    """Return whether `stored` was made from `secret`, in time that does not depend on either."""
    scheme, _, rest = stored.partition("$")
    salt, _, expected = rest.partition("$")
    if scheme != _SCHEME:
        return False
    try:
        return hmac.compare_digest(_mac(_bytes(salt), secret), _bytes(expected))
    except binascii.Error:
        return False


def _mac(salt: bytes, secret: str) -> bytes:
    # "surrogatepass": any text can be compared, even one that is not valid Unicode.
    return hmac.digest(salt, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
