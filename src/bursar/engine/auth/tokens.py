"""Access tokens: JSON Web Tokens (RFC 7519) with Keycloak's claims, signed with RS256.

Pure: the time comes in with each call, in whole seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.engine.auth import keys

if TYPE_CHECKING:
    from bursar.engine.auth.keys import SigningKey

MAX_TOKEN_LENGTH = 8192


class InvalidToken(Exception):
    """A bearer token that proves nothing. The message says why and holds no part of the token."""


class Claims(msgspec.Struct, frozen=True):
    """What a token says (the names are Keycloak's).

    `azp` is the client the token was issued to (MS03), `gen` the generation of that client: revoking a client
    raises it, and so ends every token issued before (MS08). Times are seconds since the epoch.
    """

    iss: str
    sub: str
    azp: str
    iat: int
    exp: int
    jti: str
    gen: int
    scope: str = ""
    roles: tuple[str, ...] = ()
    typ: str = "Bearer"


def sign(claims: Claims, key: SigningKey) -> str:
    """Return the token."""
    from joserfc import jwt

    header = {"alg": keys.ALGORITHM, "kid": key.kid}
    return jwt.encode(header, msgspec.to_builtins(claims), keys.load(key), algorithms=[keys.ALGORITHM])


def verify(token: str, trusted: Iterable[SigningKey], *, issuer: str, now: int) -> Claims:
    """Return the claims of `token`. Raises `InvalidToken`.

    Only RS256 is accepted, whatever the token's header asks for (RFC 8725 section 3.1), only a key of the realm,
    and only the realm's own issuer.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidToken("the token is too long")
    claims = _claims(_signed_members(token, list(trusted)))
    if claims.iss != issuer:
        raise InvalidToken("the token was issued by another realm")
    if claims.typ != "Bearer":
        raise InvalidToken("the token is not an access token")
    if now >= claims.exp:
        raise InvalidToken("the token has expired")
    return claims


def _signed_members(token: str, trusted: list[SigningKey]) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    if not trusted:
        raise InvalidToken("the token is not signed by this realm")
    try:
        decoded = jwt.decode(token, KeySet([keys.load(key) for key in trusted]), algorithms=[keys.ALGORITHM])
    except (JoseError, ValueError, TypeError, AttributeError, KeyError):
        # A forged header can hold anything, and the library trips over some of it in other ways than its own.
        raise InvalidToken("the token is malformed or not signed by this realm") from None
    return decoded.claims


def _claims(members: dict[str, Any]) -> Claims:
    try:
        return msgspec.convert(members, Claims)
    except msgspec.ValidationError:
        raise InvalidToken("the token lacks a claim") from None
