"""The back office's endpoints and what serves each; the type checker compares every pair of signatures."""

from __future__ import annotations

from bursar.contract.binding import Route, route
from bursar.engine.auth.service import Realm
from bursar.engine.piaxis.connections import ConnectionsService
from bursar.engine.piaxis.operator import OperatorService
from bursar.piaxis.connections import PiaxisConnections
from bursar.piaxis.operator import PiaxisOperator
from bursar.server.api import Api
from bursar.server.bearer import operating


def add_operator_routes(
    api: Api, service: OperatorService, connections: ConnectionsService, realm: Realm
) -> None:
    """Serve operators: tokens of the hub's realm with the operator's role."""
    guard = operating(realm)
    for bound in (*_routes(service), *_connections(connections)):
        api.bind(bound, guard)


def _routes(service: OperatorService) -> list[Route]:
    return [
        route(PiaxisOperator.create_account, service.create_account),
        route(PiaxisOperator.list_accounts, service.list_accounts),
        route(PiaxisOperator.get_account, service.get_account),
        route(PiaxisOperator.disable_account, service.disable_account),
        route(PiaxisOperator.enable_account, service.enable_account),
        route(PiaxisOperator.set_profile, service.set_profile),
        route(PiaxisOperator.create_key, service.create_key),
        route(PiaxisOperator.list_keys, service.list_keys),
        route(PiaxisOperator.revoke_key, service.revoke_key),
        route(PiaxisOperator.fund_wallet, service.fund_wallet),
        route(PiaxisOperator.withdraw_wallet, service.withdraw_wallet),
        route(PiaxisOperator.top_up_rail, service.top_up_rail),
        route(PiaxisOperator.charge_rail, service.charge_rail),
        route(PiaxisOperator.put_fee, service.put_fee),
        route(PiaxisOperator.list_fees, service.list_fees),
        route(PiaxisOperator.put_provider_rules, service.put_provider_rules),
        route(PiaxisOperator.list_provider_rules, service.list_provider_rules),
        route(PiaxisOperator.list_unknown, service.list_unknown),
        route(PiaxisOperator.report_outcome, service.report_outcome),
        route(PiaxisOperator.list_suspense, service.list_suspense),
        route(PiaxisOperator.settle_suspense, service.settle_suspense),
        route(PiaxisOperator.return_suspense, service.return_suspense),
        route(PiaxisOperator.list_refunds, service.list_refunds),
        route(PiaxisOperator.retry_refund, service.retry_refund),
        route(PiaxisOperator.credit_refund, service.credit_refund),
        route(PiaxisOperator.refund_payment, service.refund_payment),
        route(PiaxisOperator.list_disputes, service.list_disputes),
        route(PiaxisOperator.resolve_dispute, service.resolve_dispute),
        route(PiaxisOperator.dismiss_dispute, service.dismiss_dispute),
        route(PiaxisOperator.list_audit, service.list_audit),
        route(PiaxisOperator.trial_balance, service.trial_balance),
    ]


def _connections(service: ConnectionsService) -> list[Route]:
    return [
        route(PiaxisConnections.create_oauth_client, service.create_oauth_client),
        route(PiaxisConnections.revoke_oauth_client, service.revoke_oauth_client),
        route(PiaxisConnections.list_redirect_uris, service.list_redirect_uris),
        route(PiaxisConnections.add_redirect_uri, service.add_redirect_uri),
        route(PiaxisConnections.remove_redirect_uri, service.remove_redirect_uri),
        route(PiaxisConnections.revoke_consents, service.revoke_consents),
        route(PiaxisConnections.open_shopify_session, service.open_shopify_session),
        route(PiaxisConnections.decide_shopify_session, service.decide_shopify_session),
    ]
