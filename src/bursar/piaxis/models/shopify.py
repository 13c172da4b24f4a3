"""Shopify stores that take Piaxis payments (B11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bursar.contract import InvalidRequestError, OpenEnum

from .base import Answer, Input, Text


class PaymentMode(OpenEnum):
    """How a store's customers pay."""

    DIRECT = "direct"
    ESCROW = "escrow"


class ConnectShopify(Input, kw_only=True):
    """A store to connect."""

    store_id: Text
    shop_domain: Text
    payment_mode: PaymentMode = PaymentMode.DIRECT

    def validate(self) -> None:
        """Refuse a mode that does not exist (PC90)."""
        if not self.payment_mode.is_known:
            raise InvalidRequestError("payment_mode must be direct or escrow", "/payment_mode")


class ShopifyConnection(Answer, kw_only=True):
    """Where the store's owner agrees."""

    install_url: str
    shop_domain: str
    payment_mode: PaymentMode


class ShopifyDisconnected(Answer, kw_only=True):
    """A store that takes no payments any more."""

    shop_domain: str
    status: str


class ShopifySessionStatus(OpenEnum):
    """Where a checkout is in its life (PS115)."""

    PENDING = "pending"
    RESOLVED = "resolved"
    REJECTED = "rejected"


class ShopifySession(Answer, kw_only=True):
    """A checkout of a store."""

    session_id: str
    status: ShopifySessionStatus
    amount: Decimal
    currency: str
    store_name: str
    shop_domain: str
    test_mode: bool
    methods: list[Any]
    reject_reason: str | None
