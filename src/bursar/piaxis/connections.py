"""The back office's other half: merchants' OAuth clients, redirect URIs and consents, and checkouts of Shopify stores.

As in `bursar.piaxis.operator`: Bursar's own, for operators' credentials only.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from bursar.contract import C, Effect, Model, Resource, get, post
from bursar.contract.digits import AmountForm
from bursar.piaxis.models.base import Currency, Text
from bursar.piaxis.models.shopify import ShopifySession
from bursar.piaxis.operator import AccountId, Id, Reason, Why

Uri = Annotated[str, Meta(min_length=1, max_length=2048)]

_REFUSED: Final = {
    400: "The request does not have the documented form, or breaks a rule.",
    404: "There is no such thing.",
    409: "The thing is in a state that does not allow this.",
}


class NewClient(Model, omit_defaults=True, kw_only=True):
    """An OAuth client to make. `client_id` None draws a UUID."""

    client_id: Text | None = None


class ClientCredentials(Model, kw_only=True):
    """An OAuth client. The secret is shown once: only its digest is stored."""

    client_id: str
    merchant: str
    client_secret: str

    hidden: ClassVar[frozenset[str]] = frozenset({"client_secret"})


class RedirectUri(Model):
    """Where browsers of a merchant's customers may be sent: https, or http on this machine (PS09)."""

    uri: Uri


class RedirectUris(Model):
    """A merchant's redirect URIs."""

    uris: list[str]


class RevokeConsents(Model, omit_defaults=True, kw_only=True):
    """A customer's consents to end: those to one merchant, or all."""

    reason: Reason
    merchant: AccountId | None = None


class Revoked(Model):
    """How many ended, and when."""

    count: int
    at: datetime


class NewCheckout(Model, omit_defaults=True, kw_only=True):
    """A checkout, as Shopify begins one when a customer chooses Piaxis. `amount` in units of the currency."""

    amounts: ClassVar[AmountForm] = AmountForm.TEXT

    shop_domain: Text
    amount: Decimal
    currency: Currency
    test_mode: bool = True


class Decision(Model, omit_defaults=True, kw_only=True):
    """How a checkout ended: paid, or rejected for a reason."""

    reject_reason: Reason | None = None


class PiaxisConnections(Resource[C]):
    """Who is connected to the rail, and for what."""

    @post("/operator/v1/accounts/{account}/clients", effect=Effect.ONCE, errors=_REFUSED)
    def create_oauth_client(self, account: AccountId, client: NewClient) -> ClientCredentials:
        """Give a merchant an OAuth client."""
        ...

    @post("/operator/v1/clients/{client}/revoke", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def revoke_oauth_client(self, client: Id, why: Why) -> None:
        """End an OAuth client and every token that it has."""
        ...

    @get("/operator/v1/accounts/{account}/redirects", errors=_REFUSED)
    def list_redirect_uris(self, account: AccountId) -> RedirectUris:
        """Return where browsers of a merchant's customers may be sent."""
        ...

    @post("/operator/v1/accounts/{account}/redirects", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def add_redirect_uri(self, account: AccountId, redirect: RedirectUri) -> RedirectUris:
        """Register a redirect URI."""
        ...

    @post("/operator/v1/accounts/{account}/redirects/remove", effect=Effect.ONCE, errors=_REFUSED)
    def remove_redirect_uri(self, account: AccountId, redirect: RedirectUri) -> RedirectUris:
        """Take a redirect URI back."""
        ...

    @post("/operator/v1/accounts/{account}/consents/revoke", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def revoke_consents(self, account: AccountId, which: RevokeConsents) -> Revoked:
        """End what a customer allowed merchants; their tokens are refused from now on."""
        ...

    @post("/operator/v1/shopify/sessions", effect=Effect.ONCE, errors=_REFUSED)
    def open_shopify_session(self, checkout: NewCheckout) -> ShopifySession:
        """Begin a checkout of a connected store."""
        ...

    @post("/operator/v1/shopify/sessions/{session}/decide", effect=Effect.ONCE, errors=_REFUSED)
    def decide_shopify_session(self, session: Id, decision: Decision) -> ShopifySession:
        """End a checkout."""
        ...
