"""RSA keys that sign access tokens (RS256, RFC 7518 section 3.3), and their public halves (RFC 7517).

The libraries for it are imported on first use: a server that only starts, or only verifies its books, needs none.
What makes a first start wait is done by `cryptography` alone: `joserfc`, which reads tokens, is slower to load.
"""

from __future__ import annotations

import functools
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
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
    return SigningKey(_thumbprint(private), pem)


@functools.cache
def shared() -> SigningKey:
    """Return one key for all in-memory sandboxes of this process, so that a fresh one costs nothing."""
    return generate()


@functools.lru_cache(maxsize=64)
def load(key: SigningKey) -> RSAKey:
    """Return `key` in the form that the JWT library takes."""
    from joserfc.jwk import RSAKey

    return RSAKey.import_key(key.pem)


def sign(header: Mapping[str, str], payload: bytes, key: SigningKey) -> str:
    """Return a signed token: a JWS in compact form (RFC 7515 section 7.1) with RS256, which `header` must name."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    signed = f"{_base64url(msgspec.json.encode(header))}.{_base64url(payload)}"
    signature = _private(key).sign(signed.encode(), PKCS1v15(), SHA256())
    return f"{signed}.{_base64url(signature)}"


def public(key: SigningKey) -> PublicKey:
    """Return the half of `key` that anyone may have."""
    n, e = _numbers(_private(key))
    return PublicKey(kid=key.kid, n=n, e=e)


@functools.lru_cache(maxsize=64)
def _private(key: SigningKey) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    # The engine made it itself: proving its primes again would take as long as making it.
    private = load_pem_private_key(key.pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, RSAPrivateKey)
    return private


def _numbers(private: RSAPrivateKey) -> tuple[str, str]:
    """Return modulus and exponent as a JWK has them (RFC 7518 section 6.3.1)."""
    numbers = private.public_key().public_numbers()
    n, e = (number.to_bytes((number.bit_length() + 7) // 8) for number in (numbers.n, numbers.e))
    return _base64url(n), _base64url(e)


def _thumbprint(private: RSAPrivateKey) -> str:
    """Return the key's name by RFC 7638: the hash of its required members in alphabetical order."""
    n, e = _numbers(private)
    return _base64url(hashlib.sha256(msgspec.json.encode({"e": e, "kty": "RSA", "n": n})).digest())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
