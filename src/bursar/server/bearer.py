"""Bearer tokens of a request (RFC 6750)."""

from __future__ import annotations

from bursar.engine.auth.service import Identity, Realm
from bursar.engine.auth.tokens import InvalidToken
from bursar.server.api import Guard
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure, challenge

OPERATOR_ROLE = "operator"
"""The role of those who run the hub and its rails."""


async def identify(exchange: Exchange, realm: Realm) -> Identity:
    """Return who calls. Raises a 401 `Failure` without a good token (MS07, MS08)."""
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized(realm, "a bearer token is required")
    try:
        identity = await realm.identify(token.strip())
    except InvalidToken as error:
        raise unauthorized(realm, str(error), error="invalid_token") from None
    exchange.identify(identity.client_id)
    return identity


def operating(realm: Realm) -> Guard[Identity]:
    """Return a guard that lets operators in, and nobody else: 401 without a good token, 403 without the role."""

    async def guard(exchange: Exchange) -> Identity:
        identity = await identify(exchange, realm)
        if OPERATOR_ROLE not in identity.roles:
            raise forbidden(realm, f"this needs the role {OPERATOR_ROLE}")
        return identity

    return guard


def unauthorized(realm: Realm, message: str, *, error: str = "") -> Failure:
    """Return a 401 with its challenge (RFC 6750 section 3)."""
    field = challenge(realm.name, error=error, description=message if error else "")
    return Failure(401, message, code="unauthorized", headers=[field])


def forbidden(realm: Realm, message: str) -> Failure:
    """Return a 403 with its challenge: the token is good, but not for this (RFC 6750 section 3.1)."""
    return Failure(
        403, message, code="forbidden", headers=[challenge(realm.name, error="insufficient_scope")]
    )
