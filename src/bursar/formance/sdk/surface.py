"""How the vendor's operations hang together with the contracts: what a rule does not say.

The rules: an operation is the contract's endpoint of the same group and name. Its request has the endpoint's
parameters by their names, and one more member for the body, or is the body where there is nothing else. Its answer is
named after it, ``<prefix><Operation>Response``; so is the member that holds what the server sent, in snake case.
Operations fail with the error of their group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final


@cache
def snake(name: str) -> str:
    """Return a name in the vendor's snake case: ``accountIDs`` is ``account_i_ds``."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name).replace("-", "_").lower()


def camel(name: str) -> str:
    """Return a snake-case name with capitals in place of the underscores: ``get_pool`` is ``GetPool``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def words(text: str) -> frozenset[str]:
    """Return the words of a table."""
    return frozenset(text.split())


def pairs(text: str) -> dict[str, str]:
    """Return the ``name=value`` pairs of a table."""
    parts = (pair.partition("=") for pair in text.split())
    return {name: value for name, _, value in parts}


@dataclass(frozen=True, slots=True)
class Group:
    """A service's version."""

    error: str
    """Class of its errors, as ``module.name``."""
    prefix: str = ""
    """Of the names of its models."""
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Class of what the server sent, where it is not named after the operation."""
    errors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Operations with another error."""
    absent: frozenset[str] = frozenset()
    """Endpoints that the vendor's SDK does not have."""


GROUPS: Final = {
    "sdk": Group(
        "errors.SDKError",
    ),
    "auth.v1": Group(
        "errors.SDKError",
        answers=pairs(
            """
        get_server_info_auth=ServerInfo update_client=CreateClientResponse
        """
        ),
    ),
    "ledger.v1": Group(
        "ledger.ErrorsErrorResponse",
        answers=pairs(
            """
        create_transaction=TransactionsResponse create_transactions=TransactionsResponse
        get_account_ledger=AccountResponse get_balances=BalancesCursorResponse
        get_balances_aggregated=AggregateBalancesResponse get_info=ConfigInfoResponse
        get_ledger_info=LedgerInfoResponse get_mapping=MappingResponse get_transaction=TransactionResponse
        list_accounts_ledger=AccountsCursorResponse list_logs=LogsCursorResponse
        list_transactions=TransactionsCursorResponse read_stats=StatsResponse
        revert_transaction=TransactionResponse run_script=ScriptResponse update_mapping=MappingResponse
        """
        ),
        errors={"run_script": "errors.SDKError"},
        absent=frozenset({"delete_account_metadata", "delete_transaction_metadata"}),
    ),
    "ledger.v2": Group(
        "ledger.ErrorsV2ErrorResponse",
        prefix="V2",
        answers=pairs(
            """
        create_bulk=V2BulkResponse get_account=V2AccountResponse
        get_balances_aggregated=V2AggregateBalancesResponse get_info=V2ConfigInfo
        get_ledger_info=V2LedgerInfoResponse get_schema=V2SchemaResponse
        get_volumes_with_balances=V2VolumesWithBalanceCursorResponse list_accounts=V2AccountsCursorResponse
        list_exporters=V2ExportersCursorResponse list_ledgers=V2LedgerListResponse
        list_logs=V2LogsCursorResponse list_pipelines=V2PipelinesCursorResponse
        list_schemas=V2SchemasCursorResponse list_transactions=V2TransactionsCursorResponse
        read_stats=V2StatsResponse revert_transaction=V2CreateTransactionResponse run_query=V2RunQueryResponseBody
        """
        ),
        errors={"export_logs": "errors.SDKError"},
        absent=frozenset({"create_bulk_stream", "create_script_stream", "get_config_info"}),
    ),
    "orchestration.v1": Group(
        "orchestration.Error",
        answers=pairs(
            """
        get_instance=GetWorkflowInstanceResponse get_instance_history=GetWorkflowInstanceHistoryResponse
        get_instance_stage_history=GetWorkflowInstanceHistoryStageResponse
        get_server_info_orchestration=ServerInfo list_instances=ListRunsResponse
        """
        ),
    ),
    "orchestration.v2": Group(
        "orchestration.V2Error",
        prefix="V2",
        answers=pairs(
            """
        get_instance=V2GetWorkflowInstanceResponse get_instance_history=V2GetWorkflowInstanceHistoryResponse
        get_instance_stage_history=V2GetWorkflowInstanceHistoryStageResponse get_server_info=V2ServerInfo
        list_instances=V2ListRunsResponse
        test_trigger=V2TestTriggerResponse
        """
        ),
    ),
    "payments.v1": Group(
        "payments.PaymentsErrorResponse",
        answers=pairs(
            """
        connectors_transfer=TransferResponse create_account=AccountResponse
        create_bank_account=BankAccountResponse create_payment=PaymentResponse create_pool=PoolResponse
        create_transfer_initiation=TransferInitiationResponse forward_bank_account=BankAccountResponse
        get_account_balances=BalancesCursor get_account_payments=AccountResponse
        get_bank_account=BankAccountResponse get_connector_task=TaskResponse
        get_connector_task_v1=TaskResponse get_payment=PaymentResponse get_pool=PoolResponse
        get_pool_balances=PoolBalancesResponse get_pool_balances_latest=PoolBalancesLatestResponse
        get_server_info_payments=ServerInfo get_transfer_initiation=TransferInitiationResponse
        install_connector=ConnectorResponse list_accounts_payments=AccountsCursor
        list_all_connectors=ConnectorsResponse list_bank_accounts=BankAccountsCursor
        list_configs_available_connectors=ConnectorsConfigsResponse list_connector_tasks=TasksCursor
        list_connector_tasks_v1=TasksCursor list_payments=PaymentsCursor list_pools=PoolsCursor
        list_transfer_initiations=TransferInitiationsCursor read_connector_config=ConnectorConfigResponse
        read_connector_config_v1=ConnectorConfigResponse
        """
        ),
    ),
    "payments.v3": Group(
        "payments.V3ErrorResponse",
        prefix="V3",
        answers=pairs(
            """
        create_link_for_payment_service_user=V3PaymentServiceUserCreateLinkResponse
        delete_payment_service_user=V3PaymentServiceUserDeleteResponse
        delete_payment_service_user_connection_from_connector_id=V3PaymentServiceUserDeleteConnectionResponse
        delete_payment_service_user_connector=V3PaymentServiceUserDeleteConnectorResponse
        get_account_balances=V3BalancesCursorResponse
        get_connector_capabilities=V3ConnectorCapabilityResponse
        get_connector_schedule=V3ConnectorScheduleResponse
        get_payment_service_user_link_attempt_from_connector_id=V3PaymentServiceUserLinkAttempt
        get_pool_balances=V3PoolBalancesResponse get_pool_balances_latest=V3PoolBalancesResponse
        list_accounts=V3AccountsCursorResponse list_bank_accounts=V3BankAccountsCursorResponse
        list_connector_capabilities=V3ConnectorCapabilitiesResponse
        list_connector_configs=V3ConnectorConfigsResponse
        list_connector_schedule_instances=V3ConnectorScheduleInstancesCursorResponse
        list_connector_schedules=V3ConnectorSchedulesCursorResponse
        list_connectors=V3ConnectorsCursorResponse list_conversions=V3ConversionsCursorResponse
        list_orders=V3OrdersCursorResponse
        list_payment_initiation_adjustments=V3PaymentInitiationAdjustmentsCursorResponse
        list_payment_initiation_related_payments=V3PaymentInitiationRelatedPaymentsCursorResponse
        list_payment_initiations=V3PaymentInitiationsCursorResponse
        list_payment_service_user_connections=V3PaymentServiceUserConnectionsCursorResponse
        list_payment_service_user_connections_from_connector_id=V3PaymentServiceUserConnectionsCursorResponse
        list_payment_service_user_link_attempts_from_connector_id=V3PaymentServiceUserLinkAttemptsCursorResponse
        list_payment_service_users=V3PaymentServiceUsersCursorResponse
        list_payments=V3PaymentsCursorResponse list_pools=V3PoolsCursorResponse
        update_link_for_payment_service_user_on_connector=V3PaymentServiceUserUpdateLinkResponse
        """
        ),
        errors={"v3_update_connector_config": "payments.PaymentsErrorResponse"},
    ),
    "reconciliation.v1": Group(
        "reconciliation.ErrorsErrorResponse",
        answers=pairs(
            """
        accept_alert=AlertResponse ack_alert=AlertResponse create_policy=PolicyResponse
        create_rule=RuleResponse evaluate_rule=EvaluationResponse get_alert=AlertResponse
        get_evaluation=EvaluationResponse get_policy=PolicyResponse
        get_reconciliation=ReconciliationResponse get_rule=RuleResponse
        get_server_info_reconciliation=ServerInfo list_alert_events=AlertEventsCursorResponse
        list_alerts=AlertsCursorResponse list_evaluations=EvaluationsCursorResponse
        list_policies=PoliciesCursorResponse list_reconciliations=ReconciliationsCursorResponse
        list_rules=RulesCursorResponse patch_rule=RuleResponse reconcile=ReconciliationResponse
        resolve_alert=AlertResponse snooze_alert=AlertResponse unsnooze_alert=AlertResponse
        """
        ),
    ),
    "search.v1": Group(
        "errors.SDKError",
        answers=pairs(
            """
        get_server_info_search=ServerInfo search=Response
        """
        ),
    ),
    "wallets.v1": Group(
        "wallets.ErrorResponse",
        answers=pairs(
            """
        get_server_info_wallets=ServerInfo
        """
        ),
        errors={"list_balances": "errors.SDKError"},
    ),
    "webhooks.v1": Group(
        "webhooks.ErrorResponse",
        answers=pairs(
            """
        activate_config=ConfigResponse change_config_secret=ConfigResponse deactivate_config=ConfigResponse
        get_deliveries=DeliveriesResponse get_delivery=DeliveryResponse
        get_delivery_attempts=DeliveryAttemptsResponse get_many_configs=ConfigsResponse
        insert_config=ConfigResponse replay_delivery=DeliveryResponse test_config=AttemptResponse
        """
        ),
    ),
}
"""By ``service.version``; the gateway's own operation is in ``sdk``."""

TITLES: Final = {
    "auth.v1.get_oidc_well_knowns": "GetOIDCWellKnowns",
    "ledger.v2.get_metrics": "GetMetrics",
    "orchestration.v2.test_trigger": "TestTrigger",
    "payments.v3.v3_update_connector_config": "V3UpdateConnectorConfig",
}
"""Operations whose classes have another name; ``...ID`` at the end of one is a rule, see `title`."""

RENAMED: Final = {"flow_id": "workflow_id", "flowId": "workflow_id"}
"""The vendor's names of parameters that the contracts call otherwise."""

IGNORED: Final[Mapping[str, frozenset[str]]] = {
    "ledger.v1.get_balances": frozenset({"after"}),
    "ledger.v1.list_accounts_ledger": frozenset({"after", "pagination_token"}),
    "ledger.v1.list_logs": frozenset({"after"}),
    "ledger.v1.list_transactions": frozenset({"after"}),
    "ledger.v2.run_query": frozenset(
        {"cursor", "expand", "order", "page_size", "pageSize", "pit", "reverse", "sort"}
    ),
}
"""Parameters that servers ignore or fail at; they are not sent."""

RETURNED: Final[Mapping[str, tuple[range, str]]] = {
    "ledger.v1.list_accounts_ledger": (range(404, 405), "ErrorResponse"),
    "ledger.v2.delete_bucket": (range(404, 405), "V2ErrorResponse"),
    "ledger.v2.get_info": (range(500, 600), "V2ErrorResponse"),
    "ledger.v2.restore_bucket": (range(404, 405), "V2ErrorResponse"),
    "ledger.v2.update_ledger_metadata": (range(500, 600), "V2ErrorResponse"),
    "payments.v3.list_connector_capabilities": (range(304, 305), ""),
    "reconciliation.v1.evaluate_rule": (range(409, 410), "ErrorResponse"),
    "wallets.v1.get_wallet": (range(404, 405), ""),
    "wallets.v1.get_wallet_summary": (range(404, 405), ""),
}
"""Statuses that give an answer in place of an error, and the class of what is in it then ("": nothing)."""

PLAIN_MEMBERS: Final = {"ledger.v2.get_metrics": "object", "ledger.v2.run_query": "one_of"}
"""Members of answers that are not named after a class."""

OPEN: Final = frozenset({"get_versions"})
"""Operations that go without a token."""


def title(group: str, operation: str) -> str:
    """Return the name that an operation gives its classes: ``V2CreateTransaction``."""
    known = TITLES.get(f"{group}.{operation}")
    return known or re.sub("Id$", "ID", GROUPS[group].prefix + camel(operation))


def payload(group: str, operation: str) -> str:
    """Return the class of what the server sends."""
    return GROUPS[group].answers.get(operation) or f"{title(group, operation)}Response"


def member(group: str, operation: str) -> str:
    """Return the member of an answer that holds what the server sent."""
    return PLAIN_MEMBERS.get(f"{group}.{operation}") or snake(payload(group, operation))


def failing(group: str, operation: str) -> str:
    """Return the class of an operation's errors, as ``module.name``."""
    return GROUPS[group].errors.get(operation) or GROUPS[group].error
