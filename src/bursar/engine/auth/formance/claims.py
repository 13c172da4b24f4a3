"""Access tokens of a Formance stack: RS256, key id "id", and eight claims at most.

Pure: the time comes in with each call, in whole seconds since the epoch.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from bursar.engine.auth import keys
from bursar.engine.auth.keys import SigningKey
from bursar.engine.auth.tokens import MAX_TOKEN_LENGTH, InvalidToken

KEY_ID: Final = "id"
"""The `kid` of every stack: clients of the real one may have it fixed."""


class Claims(msgspec.Struct, frozen=True):
    """What a client's token says; there is no `sub`. `scope` is separated by blanks."""

    aud: tuple[str, ...]
    exp: int
    iat: int
    iss: str
    jti: str
    nbf: int
    scope: str


class Presented(msgspec.Struct, frozen=True):
    """What a good token says, as far as services look at it: audience, subject and `iat` they do not.

    `members` are all its claims.
    """

    iss: str
    exp: int
    nbf: int = 0
    jti: str = ""
    scope: str = ""
    audience: str = ""
    members: dict[str, Any] = {}


def signing_key(made: SigningKey) -> SigningKey:
    """Return a key under the id that stacks use."""
    return SigningKey(KEY_ID, made.pem)


def sign(claims: Claims, key: SigningKey) -> str:
    """Return the token."""
    from joserfc import jws

    # In this order the header is, byte for byte, that of the real service.
    header = {"alg": keys.ALGORITHM, "kid": key.kid, "typ": "JWT"}
    return jws.serialize_compact(header, msgspec.json.encode(claims), keys.load(key), [keys.ALGORITHM])


class VerifyingKey(NamedTuple):
    """A key that may have signed a token, under its id; `key` is the JWT library's."""

    kid: str | None
    key: Any


def verifying(signing: Iterable[SigningKey]) -> list[VerifyingKey]:
    """Return the stack's own keys as such."""
    return [VerifyingKey(key.kid, keys.load(key)) for key in signing]


def verify(token: str, trusted: Iterable[VerifyingKey], *, issuers: Collection[str], now: int) -> Presented:
    """Return what `token` says. Raises `InvalidToken`.

    A key id that is not known is refused, a missing one is not; `exp` must be there, `iss` match to the letter.
    """
    presented = _presented(_signed_members(token, trusted))
    if presented.iss not in issuers:
        raise InvalidToken("the token's issuer is not trusted")
    check_times(presented, now)
    return presented


def claimed(token: str) -> tuple[str, str | None]:
    """Return the issuer and the key id that a token claims, unproved. Raises `InvalidToken`."""
    try:
        header, payload, _ = (part + "=" * (-len(part) % 4) for part in token.split("."))
        members = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=dict[str, Any])
        kid = msgspec.json.decode(base64.urlsafe_b64decode(header), type=dict[str, Any]).get("kid")
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidToken("the token is malformed") from None
    return _text(members.get("iss")), _text(kid) or None


def check_times(presented: Presented, now: int) -> None:
    """Raise `InvalidToken` for a token that has expired, or is not good yet."""
    if now >= presented.exp:
        raise InvalidToken("the token has expired")
    if now < presented.nbf:
        raise InvalidToken("the token is not good yet")


def _signed_members(token: str, trusted: Iterable[VerifyingKey]) -> dict[str, Any]:
    from joserfc import jws
    from joserfc.errors import JoseError

    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidToken("the token is too long")
    for kid, key in trusted:
        try:
            signed = jws.deserialize_compact(token, key, algorithms=[keys.ALGORITHM])
            if signed.headers().get("kid", kid) == kid:
                return msgspec.json.decode(signed.payload, type=dict[str, Any])
        except (
            JoseError,
            msgspec.DecodeError,
            ValueError,
            TypeError,
            AttributeError,
            KeyError,
            RecursionError,
        ):
            # A forged header can hold anything, and the library trips over some of it in other ways than its own.
            continue
    raise InvalidToken("the token is malformed or not signed by whom it names")


def _presented(members: dict[str, Any]) -> Presented:
    scope, jti, audience = members.get("scope"), members.get("jti"), members.get("aud")
    if isinstance(audience, list) and audience:
        audience = audience[0]
    return Presented(
        iss=_text(members.get("iss")),
        exp=_seconds(members.get("exp")),
        nbf=_seconds(members.get("nbf")),
        # Only one text counts: lists and numbers give no rights.
        scope=_text(scope),
        jti=_text(jti),
        audience=_text(audience),
        members=members,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> int:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if number else 0
