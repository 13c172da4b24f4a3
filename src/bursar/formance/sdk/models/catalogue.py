"""The vendor's names of models and enums, and what each stands for here. Loaded when the first of them is asked for."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any, Final

from bursar.contract import OpenEnum
from bursar.formance.sdk.contracts import operations
from bursar.formance.sdk.surface import GROUPS, pairs, payload, title, words

from .likeness import Likeness

_MODELS: Final = {
    "auth": words(
        """
        Client ClientOptions ClientSecret Secret SecretOptions User
        """
    ),
    "gateway": words(
        """
        Version
        """
    ),
    "ledger": words(
        """
        Account AccountWithVolumesAndBalances AccountsCursorResponseCursor BalancesCursorResponseCursor
        Config ConfigInfo Contract DotSelf ErrorResponse ErrorsErrorResponseData ErrorsV2ErrorResponseData
        Expr LedgerInfo LedgerInfoStorage LedgerStorage Log LogsCursorResponseCursor MappingT MigrationInfo
        PostTransaction PostTransactionScript Posting QueryTemplateAccountParams QueryTemplateLogParams
        QueryTemplateTransactionParams QueryTemplateVolumeParams Script Stats Transaction TransactionData
        Transactions TransactionsCursorResponseCursor V2Account V2AccountsCursorResponseCursor
        V2BulkElementAddMetadata V2BulkElementAddMetadataData V2BulkElementCreateTransaction
        V2BulkElementDeleteMetadata V2BulkElementDeleteMetadataData V2BulkElementResultAddMetadata
        V2BulkElementResultCreateTransaction V2BulkElementResultDeleteMetadata V2BulkElementResultError
        V2BulkElementResultRevertTransaction V2BulkElementRevertTransaction
        V2BulkElementRevertTransactionData V2ChartAccountMetadata V2ChartAccountRules V2ChartSegment
        V2CreateLedgerRequest V2CreatePipelineRequest V2ErrorResponse V2Exporter V2ExporterConfiguration
        V2ExportersCursorResponseCursor V2Ledger V2LedgerInfo V2LedgerInfoStorage V2LedgerListResponseCursor
        V2Log V2LogDataDeleteMetadata V2LogDataInsertedSchema V2LogDataNewTransaction
        V2LogDataRevertedTransaction V2LogDataSetMetadata V2LogTransaction V2LogsCursorResponseCursor
        V2MigrationInfo V2Pipeline V2PipelinesCursorResponseCursor V2PostTransaction V2PostTransactionScript
        V2Posting V2QueryTemplate V2QueryTemplateVar V2RevertTransactionRequest V2Schema V2SchemaData
        V2SchemasCursor V2Stats V2Transaction V2TransactionTemplate V2TransactionsCursorResponseCursor
        V2Volume V2VolumesWithBalance V2VolumesWithBalanceCursorResponseCursor Volume
        """
    ),
    "operations": words(
        """
        Metadata SendEventRequestBody UpdateWalletRequestBody V2RunQueryRequestBody V2SendEventRequestBody
        """
    ),
    "orchestration": words(
        """
        Account AccountResponse ActivityAddAccountMetadata ActivityConfirmHold ActivityCreateTransaction
        ActivityCreditWallet ActivityDebitWallet ActivityGetAccount ActivityGetPayment ActivityGetWallet
        ActivityListWallets ActivityRevertTransaction ActivityVoidHold AssetHolder CreateTransactionResponse
        CreateTransferInitiationRequest CreateTransferInitiationRequestMetadata CreditWalletRequest
        DebitWalletRequest DebitWalletResponse ErrorData Filter GetWalletResponse Hold LedgerAccountSubject
        ListWalletsResponse ListWalletsResponseCursor Monetary Payment PaymentAdjustment
        PaymentAdjustmentRaw PaymentMetadata PaymentRaw PaymentResponse PostTransaction
        PostTransactionScript Posting StageDelay StageSend StageSendDestination StageSendDestinationPayment
        StageSendSource StageSendSourceAccount StageSendSourcePayment StageSendSourceWallet StageStatus
        StageWaitEvent StripeTransferRequest StripeTransferRequestMetadata Transaction Trigger TriggerData
        TriggerOccurrence Update UpdateAccount V2Account V2AccountResponse V2ActivityAddAccountMetadata
        V2ActivityConfirmHold V2ActivityCreateTransaction V2ActivityCreditWallet V2ActivityDebitWallet
        V2ActivityGetAccount V2ActivityGetPayment V2ActivityGetWallet V2ActivityListWallets
        V2ActivityVoidHold V2AssetHolder V2CreateTransactionResponse V2CreateTransferInitiationRequest
        V2CreateTransferInitiationRequestMetadata V2CreditWalletRequest V2DebitWalletRequest
        V2DebitWalletResponse V2ErrorData V2GetWalletResponse V2Hold V2LedgerAccountSubject
        V2ListRunsResponseCursor V2ListTriggersOccurrencesResponseCursor V2ListTriggersResponseCursor
        V2ListWalletsResponse V2ListWalletsResponseCursor V2ListWorkflowsResponseCursor V2Monetary V2Payment
        V2PaymentAdjustment V2PaymentAdjustmentRaw V2PaymentMetadata V2PaymentRaw V2PaymentResponse
        V2PostTransaction V2PostTransactionScript V2Posting V2StageDelay V2StageSend V2StageSendDestination
        V2StageSendDestinationPayment V2StageSendSource V2StageSendSourceAccount V2StageSendSourcePayment
        V2StageSendSourceWallet V2StageStatus V2StageWaitEvent V2StripeTransferRequest
        V2StripeTransferRequestMetadata V2TestTriggerResponse V2Transaction V2Trigger V2TriggerData
        V2TriggerOccurrence V2TriggerTest V2Update V2UpdateAccount V2Volume V2Wallet V2WalletSubject
        V2WalletWithBalances V2WalletWithBalancesBalances V2Workflow V2WorkflowConfig V2WorkflowInstance
        V2WorkflowInstanceHistory V2WorkflowInstanceHistoryStage V2WorkflowInstanceHistoryStageInput
        V2WorkflowInstanceHistoryStageOutput Variables Volume Wallet WalletSubject WalletWithBalances
        WalletWithBalancesBalances Workflow WorkflowConfig WorkflowInstance WorkflowInstanceHistory
        WorkflowInstanceHistoryStage WorkflowInstanceHistoryStageInput WorkflowInstanceHistoryStageOutput
        """
    ),
    "payments": words(
        """
        Account AccountBalance AccountRequest AccountsCursorCursor AddAccountToPoolRequest AdyenConfig
        AtlarConfig BalancesCursorCursor BankAccount BankAccountRelatedAccounts BankAccountRequest
        BankAccountsCursorCursor BankingCircleConfig Config ConnectorResponseData
        ConnectorsConfigsResponseData ConnectorsResponseData CurrencyCloudConfig DummyPayConfig
        ForwardBankAccountRequest GenericConfig MangoPayConfig ModulrConfig MoneycorpConfig Payment
        PaymentAdjustment PaymentRequest PaymentsCursorCursor PaymentsErrorResponseData Pool PoolBalance
        PoolBalances PoolRequest PoolsCursorCursor ReverseTransferInitiationRequest StripeConfig
        TaskBankingCircle TaskBankingCircleDescriptor TaskBankingCircleState TaskCurrencyCloud
        TaskCurrencyCloudDescriptor TaskCurrencyCloudState TaskDummyPay TaskDummyPayDescriptor
        TaskDummyPayState TaskMangoPay TaskMangoPayDescriptor TaskMangoPayState TaskModulr
        TaskModulrDescriptor TaskModulrState TaskMoneycorp TaskMoneycorpDescriptor TaskMoneycorpState
        TaskStripe TaskStripeDescriptor TaskStripeState TaskWise TaskWiseDescriptor TaskWiseState
        TasksCursorCursor TransferInitiation TransferInitiationAdjustments TransferInitiationPayments
        TransferInitiationRequest TransferInitiationsCursorCursor TransferRequest
        UpdateBankAccountMetadataRequest UpdatePoolQueryRequest UpdateTransferInitiationStatusRequest
        V3Account V3AccountsCursorResponseCursor V3Address V3AddressRequest V3AdyenConfig
        V3ApprovePaymentInitiationResponseData V3AtlarConfig V3Balance V3BalancesCursorResponseCursor
        V3BankAccount V3BankAccountRelatedAccount V3BankAccountsCursorResponseCursor V3BankingbridgeConfig
        V3BankingcircleConfig V3BitstampConfig V3CoinbaseprimeConfig V3ColumnConfig V3Connector
        V3ConnectorBase V3ConnectorConfigsResponseData V3ConnectorScheduleInstancesCursorResponseCursor
        V3ConnectorSchedulesCursorResponseCursor V3ConnectorsCursorResponseCursor V3ContactDetails
        V3ContactDetailsRequest V3Conversion V3ConversionsCursorResponseCursor V3CreateAccountRequest
        V3CreateBankAccountRequest V3CreatePaymentAdjustmentRequest V3CreatePaymentRequest
        V3CreatePaymentServiceUserRequest V3CreatePoolRequest V3CurrencycloudConfig V3DummypayConfig
        V3ErrorResponseData V3FireblocksConfig V3ForwardBankAccountRequest V3ForwardBankAccountResponseData
        V3ForwardPaymentServiceUserBankAccountRequest V3ForwardPaymentServiceUserBankAccountResponseData
        V3GenericConfig V3IncreaseConfig V3InitiatePaymentRequest V3InitiatePaymentResponseData V3Instance
        V3KrakenproConfig V3MangopayConfig V3ModulrConfig V3MoneycorpConfig V3Order V3OrderAdjustment
        V3OrdersCursorResponseCursor V3Payment V3PaymentAdjustment V3PaymentInitiation
        V3PaymentInitiationAdjustment V3PaymentInitiationAdjustmentsCursorResponseCursor
        V3PaymentInitiationRelatedPaymentsCursorResponseCursor V3PaymentInitiationsCursorResponseCursor
        V3PaymentServiceUser V3PaymentServiceUserConnection
        V3PaymentServiceUserConnectionsCursorResponseCursor V3PaymentServiceUserCreateLinkRequest
        V3PaymentServiceUserDeleteConnectionResponseData V3PaymentServiceUserDeleteConnectorResponseData
        V3PaymentServiceUserDeleteResponseData V3PaymentServiceUserLinkAttemptsCursorResponseCursor
        V3PaymentServiceUserUpdateLinkRequest V3PaymentServiceUsersCursorResponseCursor
        V3PaymentsCursorResponseCursor V3PlaidConfig V3Pool V3PoolBalance V3PoolsCursorResponseCursor
        V3PowensConfig V3QontoConfig V3RetryPaymentInitiationResponseData V3ReversePaymentInitiationRequest
        V3ReversePaymentInitiationResponseData V3RoutableConfig V3Schedule V3StripeConfig V3Task
        V3TinkConfig V3UninstallConnectorResponseData V3UpdateBankAccountMetadataRequest
        V3UpdatePaymentMetadataRequest V3UpdatePoolQueryRequest V3WiseConfig WiseConfig
        """
    ),
    "reconciliation": words(
        """
        AcceptAlertRequest Ack AckAlertRequest Alert AlertEvent AlertEventsCursorResponseCursor
        AlertsCursorResponseCursor ErrorResponse ErrorsErrorResponseData EvaluateRuleRequest Evaluation
        EvaluationsCursorResponseCursor Evidence PoliciesCursorResponseCursor Policy PolicyRequest
        Reconciliation ReconciliationRequest ReconciliationsCursorResponseCursor Resolution
        ResolveAlertRequest Rule RulePatchRequest RuleRequest RulesCursorResponseCursor Schedule Snooze
        SnoozeAlertRequest UnsnoozeAlertRequest
        """
    ),
    "search": words(
        """
        Cursor Query Raw Total
        """
    ),
    "wallets": words(
        """
        AssetHolder Balance BalanceWithAssets ConfirmHoldRequest CreateWalletRequest CreditWalletRequest
        DebitWalletRequest ErrorResponseData ExpandedDebitHold GetHoldsResponseCursor
        GetTransactionsResponseCursor Hold LedgerAccountSubject ListBalancesResponseCursor
        ListWalletsResponseCursor Monetary Posting Transaction Volume Wallet WalletBalances WalletSubject
        WalletSummary WalletWithBalances WalletWithBalancesBalances
        """
    ),
    "webhooks": words(
        """
        Attempt ConfigChangeSecret ConfigUser ConfigsResponseCursor DeliveriesResponseCursor Delivery
        DeliveryAttempt DeliveryAttemptsResponseCursor ErrorResponseData ReplayDeliveriesRequest
        ReplayDeliveriesResult WebhooksConfig
        """
    ),
}
"""By module. What operations are asked and answer is there too, see `_of_operations`."""

_UNIONS: Final = {
    "ledger": words(
        "Data V2BulkElement V2BulkElementResult V2LogDataDeleteMetadataTargetID V2LogDataSetMetadataTargetID "
        "V2QueryParams V2TargetID"
    ),
    "operations": words("V2RunQueryResponseBody"),
    "orchestration": words("Stage Subject V2Stage V2Subject"),
    "payments": words("ConnectorConfig TaskResponseData TasksCursorData V3ConnectorConfig"),
    "reconciliation": words("EvidenceUnion"),
    "wallets": words("Subject"),
}
"""Names for annotations."""

_ENUMS: Final = {
    "ledger": pairs(
        """
        ErrorsEnum=errors.ErrorCode LogType=ledger.logs.LogType Runtime=ledger.models.Runtime
        V2AccountsCursorResponseResource=ledger.schemas.QueryResource V2ErrorsEnum=errors.ErrorCode
        V2LogDataDeleteMetadataTargetType=ledger.models.TargetType
        V2LogDataSetMetadataTargetType=ledger.models.TargetType V2LogType=ledger.logs.LogType
        V2LogsCursorResponseResource=ledger.schemas.QueryResource
        V2QueryResource=ledger.schemas.QueryResource V2TargetType=ledger.models.TargetType
        V2TransactionsCursorResponseResource=ledger.schemas.QueryResource
        V2VolumesWithBalanceCursorResponseResource=ledger.schemas.QueryResource
        """
    ),
    "orchestration": pairs(
        """
        Connector=payments.v1_models.Provider
        CreateTransferInitiationRequestType=payments.enums.PaymentInitiationType
        ErrorErrorCode=errors.ErrorCode PaymentScheme=payments.v1_models.PaymentSchemeV1
        PaymentType=payments.enums.PaymentType
        StageSendDestinationPaymentType=payments.enums.PaymentInitiationType
        V2Connector=payments.v1_models.Provider
        V2CreateTransferInitiationRequestType=payments.enums.PaymentInitiationType
        V2ErrorErrorCode=errors.ErrorCode V2PaymentScheme=payments.v1_models.PaymentSchemeV1
        V2PaymentType=payments.enums.PaymentType
        V2StageSendDestinationPaymentType=payments.enums.PaymentInitiationType
        """
    ),
    "payments": pairs(
        """
        AccountType=payments.enums.AccountType Connector=payments.v1_models.Provider
        PaymentScheme=payments.v1_models.PaymentSchemeV1 PaymentStatus=payments.enums.PaymentStatus
        PaymentType=payments.enums.PaymentType PaymentsErrorsEnum=errors.ErrorCode
        PoolTypeEnum=payments.enums.PoolType Status=payments.v1_models.TransferInitiationStatus
        TaskStatus=payments.v1_models.ConnectorTaskStatus
        TransferInitiationRequestType=payments.enums.PaymentInitiationType
        TransferInitiationStatus=payments.v1_models.TransferInitiationStatus
        TransferInitiationType=payments.enums.PaymentInitiationType
        V3AccountTypeEnum=payments.enums.AccountType V3Capability=payments.enums.Capability
        V3ConnectionStatusEnum=payments.enums.ConnectionStatus
        V3ConversionStatusEnum=payments.enums.ConversionStatus V3ErrorsEnum=errors.ErrorCode
        V3OpenBankingConnectionAttemptStatusEnum=payments.enums.LinkAttemptStatus
        V3OrderDirectionEnum=payments.enums.OrderDirection V3OrderStatusEnum=payments.enums.OrderStatus
        V3OrderTypeEnum=payments.enums.OrderType
        V3PaymentInitiationStatusEnum=payments.enums.PaymentInitiationStatus
        V3PaymentInitiationTypeEnum=payments.enums.PaymentInitiationType
        V3PaymentStatusEnum=payments.enums.PaymentStatus V3PaymentTypeEnum=payments.enums.PaymentType
        V3PoolTypeEnum=payments.enums.PoolType V3TaskStatusEnum=payments.enums.TaskStatus
        V3TimeInForceEnum=payments.enums.TimeInForce
        """
    ),
    "reconciliation": pairs(
        """
        Cadence=reconciliation.models.Cadence NewStatus=reconciliation.alerts.AlertStatus
        PrevStatus=reconciliation.alerts.AlertStatus ResolutionKind=reconciliation.alerts.ResolutionKind
        Result=reconciliation.models.EvaluationResult ScheduleKind=reconciliation.models.ScheduleKind
        Severity=reconciliation.models.Severity Status=reconciliation.alerts.AlertStatus
        TemplateKind=reconciliation.models.TemplateKind Type=reconciliation.alerts.AlertEventType
        """
    ),
    "wallets": pairs(
        """
        ErrorCode=errors.ErrorCode
        """
    ),
    "webhooks": pairs(
        """
        DeliveryStatus=webhooks.models.DeliveryStatus ErrorsEnum=errors.ErrorCode
        Outcome=webhooks.models.AttemptOutcome Status=webhooks.models.DeliveryStatus
        """
    ),
}
"""Bursar's enum, below ``bursar.formance``."""

_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "ledger.MigrationInfoState": ("TO DO", "DONE"),
    "ledger.V2MigrationInfoState": ("TO DO", "DONE", "PROGRESS"),
    "operations.Sort": ("created_at",),
    "operations.V2ListSchemasOrder": ("asc", "desc"),
    "operations.V2ListTransactionsOrder": ("effective",),
    "operations.V2RunQueryOrder": ("effective",),
    "orchestration.PaymentStatus": ("PENDING", "ACTIVE", "TERMINATED", "FAILED", "SUCCEEDED", "CANCELLED"),
    "orchestration.V2PaymentStatus": ("PENDING", "ACTIVE", "TERMINATED", "FAILED", "SUCCEEDED", "CANCELLED"),
    "payments.LegacyPaymentStatus": (
        "PENDING",
        "SUCCEEDED",
        "CANCELLED",
        "FAILED",
        "EXPIRED",
        "REFUNDED",
        "REFUNDED_FAILURE",
        "DISPUTE",
        "DISPUTE_WON",
        "DISPUTE_LOST",
        "OTHER",
        "WAITING_FOR_VALIDATION",
        "PROCESSING",
        "PROCESSED",
        "REJECTED",
        "VALIDATED",
        "ASK_RETRIED",
        "ASK_REVERSED",
        "REVERSE_PROCESSING",
        "REVERSE_FAILED",
        "PARTIALLY_REVERSED",
        "REVERSED",
    ),
}
"""Enums that Bursar has as plain texts."""


@cache
def models(module: str) -> frozenset[str]:
    """Return the names of a module's models."""
    return _MODELS.get(module, frozenset()) | _of_operations(module)


def _of_operations(module: str) -> frozenset[str]:
    """Return the names that operations give: to requests and answers, and to what a service sends."""
    named = [(group, name) for group in GROUPS for name in operations(group)]
    if module == "operations":
        titles = [title(group, name) for group, name in named]
        return frozenset(f"{each}{end}" for each in titles for end in ("Request", "Response"))
    service = "sdk" if module == "gateway" else module
    return frozenset(payload(group, name) for group, name in named if group.partition(".")[0] == service)


@cache
def named(module: str, name: str) -> Any:
    """Return what the vendor calls `name` in a module of models. Raises `AttributeError`."""
    where = f"{__package__}.{module}"
    if name in _ENUMS.get(module, ()):
        return _enum(name, where, _native_values(_ENUMS[module][name]))
    if f"{module}.{name}" in _VALUES:
        return _enum(name, where, _VALUES[f"{module}.{name}"])
    if name.removesuffix("TypedDict") in _UNIONS.get(module, ()):
        return Any
    if name in models(module):
        return model_class(module, name)
    if name.removesuffix("TypedDict") in models(module):
        return dict
    raise AttributeError(f"module {where!r} has no attribute {name!r}")


@cache
def model_class(module: str, name: str) -> type[Likeness]:
    """Return the class that stands for a model of the vendor's, which is known to be one."""
    where = f"{__package__}.{module}"
    return type(name, (_base(module, name),), {"__module__": where, "__doc__": f"The vendor's ``{name}``."})


def _base(module: str, name: str) -> type[Likeness]:
    if module == "operations" and name.endswith("Response"):
        from bursar.formance.sdk.answers import Answer

        return Answer
    return Likeness


def _native_values(path: str) -> Any:
    module, _, name = f"bursar.formance.{path}".rpartition(".")
    return getattr(importlib.import_module(module), name)


def _enum(name: str, where: str, values: Any) -> Any:
    """Return an enum with the vendor's names, which follow from the values; Bursar's own if it has those."""
    members = {
        re.sub(r"[^A-Za-z0-9]+", "_", str(value)).upper(): str(value) for value in values if str(value)
    }
    if members.keys() <= getattr(values, "__members__", {}).keys():
        return values
    make: Any = OpenEnum
    return make(name, members, module=where)


def names(module: str) -> list[str]:
    """Return all names of a module of models."""
    values = [key.partition(".")[2] for key in _VALUES if key.startswith(f"{module}.")]
    return sorted({*models(module), *_ENUMS.get(module, ()), *_UNIONS.get(module, ()), *values})
