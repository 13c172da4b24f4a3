"""Shopify stores that take Piaxis payments, and their checkouts (B11, PS115).

Nobody here talks to Shopify: a sandbox's checkouts are opened and decided through the operator's calls.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.core import Core
from bursar.engine.piaxis import money
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, Kind, Refusal, conflict, invalid, not_found
from bursar.engine.store.table import Table
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.shopify import (
    ConnectShopify,
    ShopifyConnection,
    ShopifyDisconnected,
    ShopifySession,
    ShopifySessionStatus,
)

_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,61}\.myshopify\.com")
_METHODS: Final = ("mtn", "airtel", "card")
_RIGHTS: Final = "write_payment_gateways,write_payment_sessions"


class ShopRow(Struct, frozen=True):
    """A store of a merchant. A store is connected to one merchant at a time."""

    domain: str
    merchant: str
    store_id: str
    mode: str
    state: str
    """What Shopify gives back when the owner agreed: it ties the answer to this request."""
    connected_at: int
    disabled_at: int | None = None


class SessionRow(Struct, frozen=True):
    """A checkout of a store; `amount` in minor units."""

    id: str
    merchant: str
    domain: str
    amount: int
    currency: str
    test: bool
    status: str
    opened_at: int
    reject_reason: str | None = None


SHOPS: Final = Table("piaxis_shopify_shop", ShopRow, ("domain",))
SESSIONS: Final = Table("piaxis_shopify_session", SessionRow, ("id",))
TABLES: Final = (SHOPS, SESSIONS)


class ShopifyService:
    """The routes of merchants, and what Shopify and the customer would do."""

    def __init__(self, core: Core, root: str) -> None:
        """`root`: the absolute URL of the API, where Shopify sends the store's owner back to."""
        self._core = core
        self._root = root

    async def connect_shopify(self, caller: Caller, payload: ConnectShopify) -> ShopifyConnection:
        """Connect a store, or connect it anew. Raises `Refusal` for one that is another merchant's."""
        _own(caller)
        domain = _domain(payload.shop_domain)

        def command(view: View) -> ShopRow:
            known = view.get(SHOPS, domain)
            if known is not None and known.merchant != caller.merchant and known.disabled_at is None:
                raise conflict(f"{domain} is connected to another merchant", "SHOP_TAKEN")
            mode = payload.payment_mode.value
            row = ShopRow(domain, caller.merchant, payload.store_id, mode, view.ids.token(16), view.now)
            view.put(SHOPS, row)
            return row

        row = await self._core.submit(command)
        return ShopifyConnection(
            install_url=self._install_url(row), shop_domain=domain, payment_mode=payload.payment_mode
        )

    async def disconnect_shopify(self, caller: Caller, shop_domain: str) -> ShopifyDisconnected:
        """Disable a store; doing it again changes nothing. Raises `Refusal` for one that is not the merchant's."""
        _own(caller)

        def command(view: View) -> str:
            row = view.get(SHOPS, shop_domain.lower())
            if row is None or row.merchant != caller.merchant:
                raise not_found("store", shop_domain)
            if row.disabled_at is None:
                view.put(SHOPS, replace(row, disabled_at=view.now))
            return row.domain

        return ShopifyDisconnected(shop_domain=await self._core.submit(command), status="disabled")

    async def get_shopify_session(self, caller: Caller, session_id: str) -> ShopifySession:
        """Return a checkout. Raises `Refusal` for one that is not the merchant's."""

        def query(view: ReadView) -> ShopifySession:
            row = view.get(SESSIONS, session_id)
            shop = None if row is None or row.merchant != caller.merchant else view.get(SHOPS, row.domain)
            if row is None or shop is None:
                raise not_found("checkout", session_id)
            return _shown(row, shop)

        return await self._core.read(query)

    async def open_session(
        self, shop_domain: str, amount: Decimal, currency: str, *, test: bool = True
    ) -> ShopifySession:
        """Begin a checkout, as Shopify does when a customer chooses Piaxis. Raises `Refusal` and `InvalidRequest`."""

        def command(view: View) -> ShopifySession:
            shop = view.get(SHOPS, shop_domain.lower())
            if shop is None or shop.disabled_at is not None:
                raise not_found("connected store", shop_domain)
            money.check_currency(currency, ("body", "currency"))
            minor = money.minor(amount, currency, ("body", "amount"))
            status = ShopifySessionStatus.PENDING.value
            row = SessionRow(
                view.ids.uuid(), shop.merchant, shop.domain, minor, currency, test, status, view.now
            )
            view.put(SESSIONS, row)
            return _shown(row, shop)

        return await self._core.submit(command)

    async def decide_session(self, session_id: str, reject_reason: str | None = None) -> ShopifySession:
        """End a checkout: paid, or rejected for a reason. Raises `Refusal` for one that has ended."""

        def command(view: View) -> ShopifySession:
            row = view.get(SESSIONS, session_id)
            shop = None if row is None else view.get(SHOPS, row.domain)
            if row is None or shop is None:
                raise not_found("checkout", session_id)
            if row.status != ShopifySessionStatus.PENDING:
                raise conflict(f"the checkout is {row.status}")
            outcome = (
                ShopifySessionStatus.RESOLVED if reject_reason is None else ShopifySessionStatus.REJECTED
            )
            ended = replace(row, status=outcome.value, reject_reason=reject_reason)
            view.put(SESSIONS, ended)
            return _shown(ended, shop)

        return await self._core.submit(command)

    def _install_url(self, row: ShopRow) -> str:
        query = {
            "client_id": "piaxis",
            "scope": _RIGHTS,
            "redirect_uri": f"{self._root}/platforms/shopify/callback",
            "state": row.state,
        }
        return f"https://{row.domain}/admin/oauth/authorize?{urlencode(query)}"


def _own(caller: Caller) -> None:
    if not caller.owner:
        raise Refusal(Kind.FORBIDDEN, Code.OWNER_REQUIRED, "connecting stores needs an owner's API key")


def _domain(text: str) -> str:
    domain = text.strip().lower()
    if not _DOMAIN.fullmatch(domain):
        raise invalid(("body", "shop_domain"), "shop_domain must be like my-store.myshopify.com")
    return domain


def _shown(row: SessionRow, shop: ShopRow) -> ShopifySession:
    return ShopifySession(
        session_id=row.id,
        status=ShopifySessionStatus(row.status),
        amount=money.shown(row.amount, row.currency),
        currency=row.currency,
        store_name=shop.domain.partition(".")[0],
        shop_domain=row.domain,
        test_mode=row.test,
        methods=list(_METHODS),
        reject_reason=row.reject_reason,
    )
