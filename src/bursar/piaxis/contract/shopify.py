"""Shopify stores. The routes need a store owner's session and the entitlement ``shopify_payments``."""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, endpoint, get, post
from bursar.piaxis.models.base import Text
from bursar.piaxis.models.shopify import (
    ConnectShopify,
    ShopifyConnection,
    ShopifyDisconnected,
    ShopifySession,
)

from .parameters import REFUSED, UNKNOWN


class Shopify(Resource[C]):
    """Stores that take Piaxis payments."""

    @post("/platforms/shopify/connect", effect=Effect.ONCE, errors=REFUSED)
    def connect_shopify(self, payload: ConnectShopify) -> ShopifyConnection:
        """Begin to connect a store; its owner agrees at the answer's address."""
        ...

    @endpoint(
        "DELETE",
        "/platforms/shopify/connect/{shop_domain}",
        effect=Effect.IDEMPOTENT,
        errors={404: UNKNOWN},
    )
    def disconnect_shopify(self, shop_domain: Text) -> ShopifyDisconnected:
        """Stop taking payments for a store."""
        ...

    @get("/platforms/shopify/sessions/{session_id}", errors={404: UNKNOWN})
    def get_shopify_session(self, session_id: Text) -> ShopifySession:
        """Return a checkout of a store."""
        ...
