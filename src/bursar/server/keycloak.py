"""The part of Keycloak that machine clients use: token endpoint, JWKS and discovery of one realm (MS01 to MS06)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

import msgspec

from bursar.contract.http import Response
from bursar.engine.auth import keys
from bursar.engine.auth.service import Grant, InvalidClient, InvalidScope, Realm
from bursar.server.api import Api
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure
from bursar.server.replies import json_reply

# RFC 6749 section 5.1: tokens must not end up in a cache.
_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
_WRONG_CLIENT = "Invalid client or Invalid client credentials"


class TokenReply(msgspec.Struct, frozen=True, rename={"not_before_policy": "not-before-policy"}):
    """The answer of the token endpoint, member for member as Keycloak writes it."""

    access_token: str
    expires_in: int
    scope: str
    refresh_expires_in: int = 0
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    not_before_policy: int = 0


class KeycloakRealm:
    """Endpoints of the realm called `name` in URLs, below ``/realms/{name}``; `root` is the URL above them."""

    def __init__(self, realm: Realm, name: str, root: str) -> None:
        self._realm = realm
        self._name = name
        self._root = f"{root}/realms/{name}"

    def mount(self, api: Api) -> None:
        """Add the endpoints to an API."""
        openid = "/realms/{realm}/protocol/openid-connect"
        api.add("POST", f"{openid}/token", self.token)
        api.add("GET", f"{openid}/certs", self.certs)
        api.add("GET", "/realms/{realm}/.well-known/openid-configuration", self.discovery)

    async def token(self, exchange: Exchange) -> Response:
        """Issue an access token for the client credentials grant (RFC 6749 section 4.4)."""
        self._check_realm(exchange)
        try:
            form = await exchange.form()
        except Failure as failure:
            if failure.status == 413:
                raise
            return _refusal(failure.status, "invalid_request", failure.message)
        if form.get("grant_type") != "client_credentials":
            return _wrong_grant(form)
        credentials = _credentials(exchange, form)
        if credentials is None:
            return _wrong_client(exchange)
        exchange.identify(credentials[0])
        try:
            grant = await self._realm.grant(*credentials, form.get("scope", ""))
        except InvalidClient:
            return _wrong_client(exchange)
        except InvalidScope:
            return _refusal(400, "invalid_scope", "Invalid scopes")
        return _granted(grant)

    async def certs(self, exchange: Exchange) -> Response:
        """Return the public keys that verify tokens (RFC 7517 section 5)."""
        self._check_realm(exchange)
        return json_reply({"keys": [keys.public(key) for key in await self._realm.keys()]})

    async def discovery(self, exchange: Exchange) -> Response:
        """Return OpenID Connect discovery metadata."""
        self._check_realm(exchange)
        openid = f"{self._root}/protocol/openid-connect"
        return json_reply(
            {
                "issuer": self._realm.issuer,
                "token_endpoint": f"{openid}/token",
                "jwks_uri": f"{openid}/certs",
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "id_token_signing_alg_values_supported": [keys.ALGORITHM],
                "response_types_supported": [],
                "subject_types_supported": ["public"],
            }
        )

    def _check_realm(self, exchange: Exchange) -> None:
        if exchange.path["realm"] != self._name:
            raise Failure(404, "Realm does not exist", code="unknown_realm")


def _granted(grant: Grant) -> Response:
    return json_reply(TokenReply(grant.access_token, grant.expires_in, grant.scope), headers=_NO_STORE)


def _wrong_grant(form: Mapping[str, str]) -> Response:
    if "grant_type" not in form:
        return _refusal(400, "invalid_request", "Missing form parameter: grant_type")
    return _refusal(400, "unsupported_grant_type", "Unsupported grant_type")


def _wrong_client(exchange: Exchange) -> Response:
    """Say that the client was not recognised, the same way whatever is wrong with it (MS04)."""
    asked = 'Basic realm="bursar"' if "authorization" in exchange.headers else None
    return _refusal(401, "invalid_client", _WRONG_CLIENT, challenge=asked)


def _refusal(status: int, error: str, description: str, *, challenge: str | None = None) -> Response:
    """Return an error answer (RFC 6749 section 5.2)."""
    extra = (("www-authenticate", challenge),) if challenge else ()
    body = {"error": error, "error_description": description}
    return json_reply(body, status=status, headers=(*_NO_STORE, *extra))


def _credentials(exchange: Exchange, form: Mapping[str, str]) -> tuple[str, str] | None:
    """Return client id and secret from HTTP Basic or the form; None when there are none, or both (RFC 6749 2.3)."""
    header = exchange.headers.get("authorization")
    posted = form.get("client_id", ""), form.get("client_secret", "")
    if header is None:
        return posted if all(posted) else None
    basic = basic_credentials(header)
    if basic is None or posted[1] or posted[0] not in ("", basic[0]):
        return None
    return basic


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Read HTTP Basic credentials, which OAuth form-encodes first (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    client_id, colon, secret = text.partition(":")
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None
