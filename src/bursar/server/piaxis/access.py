"""Who may call what: API keys, bearer tokens, both, and the header that names an OAuth client (B2, PS01-PS06).

An API key speaks for a merchant and may do everything. A bearer token speaks for a customer towards one merchant, on
the routes that one of its scopes opens. With both, the customer's wallet is used by the merchant himself.
"""

from __future__ import annotations

from typing import Final

from bursar.engine.core import Core
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, Kind, Refusal
from bursar.engine.piaxis.merchants import by_key, merchant_account
from bursar.engine.piaxis.oauth_grants import Access, access
from bursar.engine.piaxis.oauth_tables import APPS
from bursar.engine.piaxis.tables import ApiKey
from bursar.engine.view import ReadView
from bursar.server.api import Guard
from bursar.server.exchange import Exchange

CLIENT_ID: Final = "x-piaxis-client-id"


class Guards:
    """Makes the guards of routes. `named`: the route is one of those on which a merchant names his client (PS03)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def merchant(self, *, scope: str | None = None, named: bool = False) -> Guard[Caller]:
        """Let merchants in, and customers whose token has `scope`; None: merchants only. Raises `Refusal`."""

        async def guard(exchange: Exchange) -> Caller:
            credentials = _Credentials(exchange)
            caller = await self._core.read(lambda view: credentials.caller(view, scope, named=named))
            exchange.identify(caller.client or caller.merchant)
            return caller

        return guard


class _Credentials:
    """What a request says about its sender."""

    def __init__(self, exchange: Exchange) -> None:
        fields = exchange.headers
        self._key = fields.get("api-key")
        scheme, _, token = fields.get("authorization", "").partition(" ")
        self._token = token.strip() if scheme.lower() == "bearer" else None
        self._client = fields.get(CLIENT_ID)

    def caller(self, view: ReadView, scope: str | None, *, named: bool) -> Caller:
        key = None if self._key is None else by_key(view, self._key)
        grant = None if self._token is None else _grant(view, self._token)
        if key is None and grant is None:
            message = "send your api-key, or a bearer token"
            raise Refusal(Kind.UNAUTHENTICATED, "NOT_AUTHENTICATED", message)
        if grant is not None:
            _check_grant(view, grant, key, scope)
        merchant = key.merchant if key is not None else (grant.merchant if grant is not None else "")
        self._check_client(view, merchant, grant, named=named and key is not None)
        return Caller(
            merchant=merchant,
            key=None if key is None else key.id,
            user=None if grant is None else grant.user,
            client=self._client or (None if grant is None else grant.client_id),
            owner=key is not None and key.owner,
        )

    def _check_client(self, view: ReadView, merchant: str, grant: Access | None, *, named: bool) -> None:
        if self._client is None:
            if named and merchant_account(view, merchant).settings.require_client_id:
                message = f"this merchant's calls name their OAuth client in {CLIENT_ID}"
                raise Refusal(Kind.BAD_REQUEST, "CLIENT_ID_REQUIRED", message)
            return
        app = view.get(APPS, self._client)
        if app is None or app.merchant != merchant or (grant is not None and grant.client_id != self._client):
            message = f"the {CLIENT_ID} is not a client of the credentials' owner"
            raise Refusal(Kind.FORBIDDEN, "CLIENT_ID_MISMATCH", message)


def _grant(view: ReadView, token: str) -> Access:
    grant = access(view, token)
    if grant is None:
        message = "the access token is not known, has expired or was revoked: refresh it"
        raise Refusal(Kind.UNAUTHENTICATED, "INVALID_TOKEN", message)
    merchant = merchant_account(view, grant.merchant)
    if merchant.disabled_at is not None:
        raise Refusal(Kind.UNAUTHENTICATED, Code.DISABLED, "this merchant is disabled: ask the operator")
    return grant


def _check_grant(view: ReadView, grant: Access, key: ApiKey | None, scope: str | None) -> None:
    if key is not None:
        if key.merchant != grant.merchant:
            message = "the access token was granted to another merchant than the api-key's"
            raise Refusal(Kind.FORBIDDEN, "GRANT_MISMATCH", message)
        if scope is None:
            return
    if scope is None:
        raise Refusal(Kind.FORBIDDEN, "API_KEY_REQUIRED", "this is for merchants: send your api-key")
    if scope not in grant.scopes:
        raise Refusal(Kind.FORBIDDEN, "INSUFFICIENT_SCOPE", f"the access token lacks the scope {scope}")
