"""The Piaxis partner API over HTTP, below ``/piaxis/api``, and what stands beside it below ``/piaxis``."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp

from bursar.contract.binding import route
from bursar.engine.auth.service import Realm
from bursar.engine.core import Core
from bursar.engine.piaxis import oauth_grants, oauth_sandbox, sandbox, service
from bursar.engine.piaxis.connections import ConnectionsService
from bursar.engine.piaxis.oauth import OAuthService
from bursar.engine.piaxis.otp import SANDBOX_CODE, Codes
from bursar.engine.piaxis.service import PiaxisServices
from bursar.engine.piaxis.shopify import ShopifyService
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.piaxis.contract import Disbursements, EscrowDisbursements, Escrows, Otp, Payments, Shopify
from bursar.server.api import Api
from bursar.server.piaxis.access import Guards
from bursar.server.piaxis.authorize import Authorize
from bursar.server.piaxis.consent import FormGuard, Pages
from bursar.server.piaxis.errors import render, translate
from bursar.server.piaxis.monitoring import Reports
from bursar.server.piaxis.openapi import serve_outer, serve_partner
from bursar.server.piaxis.operator import add_operator_routes
from bursar.server.piaxis.partner import bind
from bursar.server.piaxis.token import TokenEndpoint
from bursar.server.webhooks.piaxis import add_webhook_routes

MOUNT: Final = "/piaxis"
API_MOUNT: Final = "/piaxis/api"
"""The base URL of clients."""


def piaxis_mounts(
    core: Core, realm: Realm, url: str, webhooks: Dispatcher, *, is_sandbox: bool
) -> dict[str, ASGIApp]:
    """Return what serves Piaxis, by mount, the inner first; `url` is the server's. Registers the rail's work.

    `realm` has the operators.
    """
    service.register(core)
    oauth_grants.register(core)
    codes = Codes(sandbox=is_sandbox)
    services = PiaxisServices(core, codes)
    shopify = ShopifyService(core, url + API_MOUNT)
    outer = outer_api(core, webhooks, is_sandbox=is_sandbox)
    add_operator_routes(outer, services.operator, ConnectionsService(core, shopify), realm)
    return {API_MOUNT: partner_api(core, services, shopify, url), MOUNT: outer}


def partner_api(core: Core, services: PiaxisServices, shopify: ShopifyService, url: str) -> Api:
    """Return the API below `API_MOUNT`."""
    api = Api(render=render, translate=translate)
    guards = Guards(core)
    api.add("GET", "/openapi.json", serve_partner)
    _add_oauth(api, guards, core, services.codes, secure=url.startswith("https:"))
    _add_payments(api, guards, services)
    _add_disbursements(api, guards, services)
    _add_escrows(api, guards, services)
    _add_shopify(api, guards, shopify)
    return api


def outer_api(core: Core, webhooks: Dispatcher, *, is_sandbox: bool) -> Api:
    """Return the API below `MOUNT`."""
    api = Api(render=render, translate=translate)
    api.add("GET", "/openapi.json", serve_outer)
    Reports(core.clock).mount(api)
    add_webhook_routes(api, core, webhooks, is_sandbox=is_sandbox)
    return api


def _add_oauth(api: Api, guards: Guards, core: Core, codes: Codes, *, secure: bool) -> None:
    known = tested = wallet = None
    if codes.sandbox:
        known = (sandbox.CUSTOMER_ID, {oauth_sandbox.CLIENT_ID: oauth_sandbox.CLIENT_SECRET})
        wallet, tested = (sandbox.CUSTOMER_PHONE, SANDBOX_CODE), guards.merchant()
    oauth = OAuthService(core, codes, known)
    authorize = Authorize(oauth, Pages(wallet), FormGuard(secure=secure), tested)
    api.add("GET", "/authorize", authorize.show)
    api.add("POST", "/authorize", authorize.act)
    api.add("POST", "/token", TokenEndpoint(oauth))


def _add_payments(api: Api, guards: Guards, services: PiaxisServices) -> None:
    service, merchants = services.payments, guards.merchant()
    bind(
        api,
        route(Payments.create_payment, service.create_payment),
        guards.merchant(scope="payments:create"),
        legacy=["mfa_code"],
    )
    bind(api, route(Payments.get_payment, service.get_payment), guards.merchant(scope="payments:read"))
    bind(api, route(Payments.list_merchant_payments, service.list_merchant_payments), merchants)
    bind(api, route(Otp.request_otp, services.otp.request_otp), merchants)


def _add_escrows(api: Api, guards: Guards, services: PiaxisServices) -> None:
    service, named = services.escrows, guards.merchant(named=True)
    creating = guards.merchant(scope="escrow:create", named=True)
    managing = guards.merchant(scope="escrow:manage", named=True)
    bind(api, route(Escrows.create_escrow, service.create_escrow), creating)
    bind(api, route(Escrows.list_escrows, service.list_escrows), named)
    bind(api, route(Escrows.get_escrow, service.get_escrow), creating)
    bind(api, route(Escrows.get_escrow_status, service.get_escrow_status), creating)
    bind(api, route(Escrows.release_escrow, service.release_escrow), named)
    bind(api, route(Escrows.reverse_escrow, service.reverse_escrow), named)
    bind(api, route(Escrows.fulfill_escrow_term, service.fulfill_escrow_term), managing)
    disputing = route(Escrows.dispute_escrow, service.dispute_escrow)
    bind(api, disputing, managing, legacy=["reason", "initiator_role"])  # PS77


def _add_disbursements(api: Api, guards: Guards, services: PiaxisServices) -> None:
    service, batches = services.disbursements, services.escrow_disbursements
    named = guards.merchant(named=True)
    for bound in (
        route(Disbursements.create_disbursement, service.create_disbursement),
        route(Disbursements.quote_disbursement, service.quote_disbursement),
        route(Disbursements.get_disbursement, service.get_disbursement),
        route(Disbursements.list_disbursements, service.list_disbursements),
        route(Disbursements.cancel_disbursement, service.cancel_disbursement),
        route(EscrowDisbursements.create_escrow_disbursement, batches.create_escrow_disbursement),
        route(EscrowDisbursements.get_escrow_disbursement, batches.get_escrow_disbursement),
        route(EscrowDisbursements.list_escrow_disbursements, batches.list_escrow_disbursements),
        route(EscrowDisbursements.release_escrow_disbursement, batches.release_escrow_disbursement),
        route(EscrowDisbursements.cancel_escrow_disbursement, batches.cancel_escrow_disbursement),
    ):
        bind(api, bound, named)


def _add_shopify(api: Api, guards: Guards, service: ShopifyService) -> None:
    for bound in (
        route(Shopify.connect_shopify, service.connect_shopify),
        route(Shopify.disconnect_shopify, service.disconnect_shopify),
        route(Shopify.get_shopify_session, service.get_shopify_session),
    ):
        bind(api, bound, guards.merchant())
