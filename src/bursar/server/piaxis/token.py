"""``/token``: codes and refresh tokens for access tokens (RFC 6749, B2.2, PS15 to PS19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bursar.contract.http import Response
from bursar.engine.piaxis.oauth import OAuthService
from bursar.engine.piaxis.oauth_apps import OAuthError
from bursar.engine.piaxis.oauth_grants import Tokens
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure
from bursar.server.keycloak import basic_credentials
from bursar.server.replies import json_reply

# RFC 6749 section 5.1: tokens must not end up in a cache.
NO_STORE: Final = (("cache-control", "no-store"), ("pragma", "no-cache"))
_TOO_LARGE: Final = 413


class TokenEndpoint:
    """Serves ``POST /token``. Parameters come as a form, or in the query as clients up to 0.2.3 send them (PS15)."""

    def __init__(self, oauth: OAuthService) -> None:
        self._oauth = oauth

    async def __call__(self, exchange: Exchange) -> Response:
        """Answer one request."""
        try:
            given = await _parameters(exchange)
            client_id, secret = _client(exchange, given)
            exchange.identify(client_id)
            return _granted(await self._grant(given, client_id, secret))
        except OAuthError as error:
            return refusal(error, challenge="authorization" in exchange.headers)

    async def _grant(self, given: Mapping[str, str], client_id: str, secret: str) -> Tokens:
        kind = _needed(given, "grant_type")
        if kind == "authorization_code":
            code, redirect_uri = _needed(given, "code"), _needed(given, "redirect_uri")
            verifier = given.get("code_verifier", "")
            return await self._oauth.exchange(client_id, secret, code, redirect_uri, verifier)
        if kind == "refresh_token":
            token = _needed(given, "refresh_token")
            return await self._oauth.refresh(client_id, secret, token, given.get("scope", ""))
        raise OAuthError("unsupported_grant_type", "the grant types are authorization_code and refresh_token")


def refusal(error: OAuthError, *, challenge: bool = False) -> Response:
    """Return an OAuth refusal in both forms that clients read: RFC 6749 section 5.2, and `detail` (E25)."""
    body = {
        "error": error.error,
        "error_description": error.message,
        "detail": {"code": error.error, "message": error.message},
    }
    extra = (("www-authenticate", 'Basic realm="piaxis"'),) if challenge else ()
    status = 401 if error.error == "invalid_client" else 400
    return json_reply(body, status=status, headers=(*NO_STORE, *extra))


def _granted(tokens: Tokens) -> Response:
    body: dict[str, Any] = {
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": tokens.expires_in,
        "refresh_token": tokens.refresh_token,
        "scope": tokens.scope,
        "user_id": tokens.user_id,
    }
    return json_reply(body, headers=NO_STORE)


async def _parameters(exchange: Exchange) -> dict[str, str]:
    try:
        given = dict(exchange.query)
        if len(given) != len(exchange.query):
            raise OAuthError("invalid_request", "a parameter is repeated")
        if exchange.media_type == "application/x-www-form-urlencoded":
            posted = await exchange.form()
            if posted.keys() & given.keys():
                raise OAuthError("invalid_request", "a parameter is both in the form and in the query")
            given.update(posted)
    except Failure as failure:
        if failure.status == _TOO_LARGE:
            raise
        raise OAuthError("invalid_request", failure.message) from None
    return given


def _client(exchange: Exchange, given: Mapping[str, str]) -> tuple[str, str]:
    """Return client id and secret, from the parameters or HTTP Basic. Raises `OAuthError` for none, or both ways."""
    header = exchange.headers.get("authorization", "")
    by_parameters = given.get("client_id", ""), given.get("client_secret", "")
    by_header = basic_credentials(header) if header[:6].lower() == "basic " else None
    if by_header is None:
        if not all(by_parameters):
            raise OAuthError("invalid_client", "client_id and client_secret are required")
        return by_parameters
    if by_parameters[1] or by_parameters[0] not in ("", by_header[0]):
        raise OAuthError("invalid_request", "the client names itself in two ways")
    return by_header


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise OAuthError("invalid_request", f"{name} is required")
    return value
