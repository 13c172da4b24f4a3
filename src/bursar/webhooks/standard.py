"""Standard Webhooks (standardwebhooks.com, specification 1.0): v1 is HMAC-SHA256, v1a is Ed25519."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .events import StandardEvent, open_event
from .scheme import Claim, Fields, bad_signature, fits, mac, require

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET: Final = "whsec_"  # noqa: S105 - the prefix that marks a shared secret, not one
PUBLIC: Final = "whpk_"
PRIVATE: Final = "whsk_"
SIGNATURES_MAX: Final = 20
"""A field may hold this many signatures; a sender that rotates its keys has two."""


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """The scheme of Standard Webhooks.

    A secret says by its prefix which algorithm it is for: ``whsec_`` (or none) v1, ``whpk_`` v1a. A signature of the
    other algorithm is not looked at, so nobody can pass off a public key as a shared secret. Signing for v1a, in
    tests, takes the private key, ``whsk_``. v1a needs the extra ``bursar[webhooks]``.
    """

    def check_secret(self, secret: str) -> None:
        """See `Scheme`."""
        require(secret)
        if secret.startswith(PUBLIC):
            _public(secret)
        elif secret.startswith(PRIVATE):
            _private(secret)
        else:
            _key(secret)

    def check(self, body: bytes, fields: Fields, secrets: Sequence[str]) -> Claim:
        """See `Scheme`."""
        message, moment = fields.need("webhook-id"), fields.moment("webhook-timestamp")
        field = fields.need("webhook-signature")
        content = signed(message, moment, body)
        shared = [mac(_key(secret), content) for secret in secrets if not _is_pair(secret)]
        good = fits(shared, signatures(field, "v1"))
        keys = [_verifier(secret) for secret in secrets if _is_pair(secret)]
        offered = signatures(field, "v1a") if keys else []
        if not (good or any(_verifies(key, one, content) for key in keys for one in offered)):
            raise bad_signature()
        return Claim(message, moment)

    def parse(self, body: bytes, claim: Claim) -> StandardEvent:
        """See `Scheme`."""
        return StandardEvent(**open_event(body, "type", claimed=claim.id))

    def sign(self, secret: str, body: bytes, *, id: str, timestamp: int) -> dict[str, str]:
        """See `Scheme`."""
        content = signed(id, timestamp, body)
        if secret.startswith(PUBLIC):
            raise ValueError("a public key cannot sign: give the private one, whsk_...")
        if secret.startswith(PRIVATE):
            signature = encoded("v1a", _private(secret).sign(content))
        else:
            signature = encoded("v1", mac(_key(secret), content))
        return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def signed(id: str, timestamp: int, body: bytes) -> bytes:
    """Return what is signed."""
    return b"%b.%d.%b" % (id.encode("utf-8", "replace"), timestamp, body)


def encoded(version: str, signature: bytes) -> str:
    """Return a signature as its field has it."""
    return f"{version},{b64encode(signature).decode()}"


def signatures(field: str, version: str) -> list[bytes]:
    """Return the signatures of a version in a field; what cannot be read is none."""
    found: list[bytes] = []
    for part in field.split(" ", SIGNATURES_MAX)[:SIGNATURES_MAX]:
        known, _, text = part.partition(",")
        if known == version:
            try:
                found.append(b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _is_pair(secret: str) -> bool:
    return secret.startswith((PUBLIC, PRIVATE))


def _key(secret: str) -> bytes:
    return _decoded(secret.removeprefix(SECRET), "a webhook secret is whsec_ and base64")


def _decoded(text: str, complaint: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(complaint) from None
    if not key:
        raise ValueError(complaint)
    return key


def _public(secret: str) -> Ed25519PublicKey:
    ed25519: Any = _ed25519()
    raw = _decoded(secret.removeprefix(PUBLIC), "a public webhook key is whpk_ and base64")
    key: Ed25519PublicKey = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    return key


def _verifier(secret: str) -> Ed25519PublicKey:
    """Return the public key; a receiver in a test may be given the private one."""
    return _private(secret).public_key() if secret.startswith(PRIVATE) else _public(secret)


def _private(secret: str) -> Ed25519PrivateKey:
    """Return the key of 32 bytes, or of 64 with the public one behind."""
    ed25519: Any = _ed25519()
    raw = _decoded(secret.removeprefix(PRIVATE), "a private webhook key is whsk_ and base64")
    key: Ed25519PrivateKey = ed25519.Ed25519PrivateKey.from_private_bytes(raw[:32])
    return key


def _verifies(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ImportError(
            "webhooks signed with v1a need cryptography: pip install 'bursar[webhooks]'"
        ) from error
    return ed25519
