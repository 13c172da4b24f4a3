"""RSA keys that sign access tokens (RS256, RFC 7518 section 3.3), and their public halves (RFC 7517).

The libraries for it are imported on first use: a server that only starts, or only verifies its books, needs none.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
KEY_BITS = 2048


class SigningKey(msgspec.Struct, frozen=True):
    """A private key as it is stored. `kid` is its RFC 7638 thumbprint."""

    kid: str
    pem: str

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


class PublicKey(msgspec.Struct, frozen=True):
    """One member of a JWKS document (RFC 7517 section 4)."""

    kid: str
    n: str
    e: str
    kty: str = "RSA"
    alg: str = ALGORITHM
    use: str = "sig"


def generate() -> SigningKey:
    """Make a new key. Takes some tens of milliseconds, without holding the interpreter lock."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return SigningKey(_import(pem).thumbprint(), pem)


@functools.cache
def shared() -> SigningKey:
    """Return one key for all in-memory sandboxes of this process, so that a fresh one costs nothing."""
    return generate()


@functools.lru_cache(maxsize=64)
def load(key: SigningKey) -> RSAKey:
    """Return `key` in the form that the JWT library takes."""
    return _import(key.pem)


def public(key: SigningKey) -> PublicKey:
    """Return the half of `key` that anyone may have."""
    members = load(key).as_dict(private=False)
    return PublicKey(kid=key.kid, n=str(members["n"]), e=str(members["e"]))


def _import(pem: str) -> RSAKey:
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(pem)
