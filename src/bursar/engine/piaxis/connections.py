"""The back office's other half as methods: what each endpoint of `PiaxisConnections` does, without HTTP."""

from __future__ import annotations

from functools import partial

from bursar.engine.auth import secrets
from bursar.engine.core import Core
from bursar.engine.piaxis import audit, oauth_apps, oauth_grants
from bursar.engine.piaxis.merchants import known_account, merchant_account
from bursar.engine.piaxis.oauth_tables import GRANTS, REDIRECTS
from bursar.engine.piaxis.operator import Operator
from bursar.engine.piaxis.shopify import ShopifyService
from bursar.engine.piaxis.times import moment
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView, View
from bursar.piaxis import connections as contract
from bursar.piaxis.models.shopify import ShopifySession
from bursar.piaxis.operator import Why


class ConnectionsService:
    """Serves operators."""

    def __init__(self, core: Core, shopify: ShopifyService) -> None:
        self._core = core
        self._shopify = shopify

    async def create_oauth_client(
        self, caller: Operator, account: str, client: contract.NewClient
    ) -> contract.ClientCredentials:
        """Give a merchant an OAuth client. Raises `NotFound`, `Conflict` and `InvalidInput`."""
        secret = secrets.generate()

        def command(view: View) -> str:
            merchant_account(view, account)
            client_id = client.client_id or view.ids.uuid()
            oauth_apps.add(view, client_id, account, secret)
            audit.record(view, caller.client_id, "add-client", f"account:{account}", client=client_id)
            return client_id

        client_id = await self._core.submit(command)
        return contract.ClientCredentials(client_id=client_id, merchant=account, client_secret=secret)

    async def revoke_oauth_client(self, caller: Operator, client: str, why: Why) -> None:
        """End an OAuth client and every token that it has. Raises `NotFound`."""

        def command(view: View) -> None:
            oauth_apps.revoke(view, client)
            audit.record(view, caller.client_id, "revoke-client", f"client:{client}", why.reason)

        await self._core.submit(command)

    async def list_redirect_uris(self, caller: Operator, account: str) -> contract.RedirectUris:
        """Return a merchant's redirect URIs. Raises `NotFound`."""

        def query(view: ReadView) -> contract.RedirectUris:
            merchant_account(view, account)
            return contract.RedirectUris([row.uri for row in view.scan(REDIRECTS, account)])

        return await self._core.read(query)

    async def add_redirect_uri(
        self, caller: Operator, account: str, redirect: contract.RedirectUri
    ) -> contract.RedirectUris:
        """Register a redirect URI. Raises `NotFound` and `InvalidInput` (PS09)."""

        def command(view: View) -> None:
            merchant_account(view, account)
            oauth_apps.add_redirect(view, account, redirect.uri)
            audit.record(view, caller.client_id, "add-redirect", f"account:{account}", uri=redirect.uri)

        await self._core.submit(command)
        return await self.list_redirect_uris(caller, account)

    async def remove_redirect_uri(
        self, caller: Operator, account: str, redirect: contract.RedirectUri
    ) -> contract.RedirectUris:
        """Take a redirect URI back. Raises `NotFound`."""

        def command(view: View) -> None:
            oauth_apps.remove_redirect(view, account, redirect.uri)
            audit.record(view, caller.client_id, "remove-redirect", f"account:{account}", uri=redirect.uri)

        await self._core.submit(command)
        return await self.list_redirect_uris(caller, account)

    async def revoke_consents(
        self, caller: Operator, account: str, which: contract.RevokeConsents
    ) -> contract.Revoked:
        """End what a customer allowed. Raises `NotFound`.

        A consent that is given meanwhile stays: it is newer than the decision.
        """

        def find(view: ReadView) -> list[str]:
            known_account(view, account)
            where: dict[str, Scalar] = {"user": account, "revoked_at": None}
            if which.merchant is not None:
                where["merchant"] = which.merchant
            return [row.id for row in view.select(GRANTS, where)]

        def command(view: View, found: list[str]) -> contract.Revoked:
            for grant in found:
                oauth_grants.revoke(view, grant, which.reason)
            audit.record(view, caller.client_id, "revoke-consents", f"account:{account}", which.reason)
            return contract.Revoked(count=len(found), at=moment(view.now))

        return await self._core.submit(partial(command, found=await self._core.read(find)))

    async def open_shopify_session(self, caller: Operator, checkout: contract.NewCheckout) -> ShopifySession:
        """Begin a checkout of a connected store. Raises `Refusal` and `InvalidRequest`."""
        return await self._shopify.open_session(
            checkout.shop_domain, checkout.amount, checkout.currency, test=checkout.test_mode
        )

    async def decide_shopify_session(
        self, caller: Operator, session: str, decision: contract.Decision
    ) -> ShopifySession:
        """End a checkout. Raises `Refusal` for one that is unknown or has ended."""
        return await self._shopify.decide_session(session, decision.reject_reason)
