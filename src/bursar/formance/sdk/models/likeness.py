"""Stand-ins for the vendor's model classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from bursar.contract import Model, Secret
from bursar.formance.sdk.surface import pairs
from bursar.formance.sdk.view import dumped, unseen

_CONFIDENTIAL = re.compile(
    r"secret|password|passphrase|private|token|clear|(api|access|hmac|certificate)_?key", re.IGNORECASE
)


_NATIVE: Final = pairs(
    """
    Account=PaymentsAccountV1 AccountWithVolumesAndBalances=AccountWithBalances AssetHolder=MainBalance
    BankAccountRelatedAccounts=RelatedAccountV1 Config=ServerConfig ConnectorResponseData=InstalledConnector
    ConnectorsConfigsResponseData=ConfigField ConnectorsResponseData=ConnectorV1 Cursor=SearchCursor
    Evidence=Outcome ExpandedDebitHold=HoldWithAmounts Filter=FilterTest GetVersionsResponse=Versions
    LedgerAccountSubject=AccountSubject LedgerInfoStorage=LedgerStorage LedgerStorage=StorageConfig
    Log=NewTransactionLog,RevertedTransactionLog,SetMetadataLog,DeleteMetadataLog,InsertedSchemaLog,UnknownLog
    MappingT=ContractMapping MigrationInfo=Migration ReplayDeliveriesResult=ReplayResult Response=SearchResult
    ScriptResponse=ScriptResult Secret=CreatedSecret ServerInfo=AuthServerInfo,PaymentsServerInfo,ServiceInfo
    Total=SearchTotal TransferInitiationAdjustments=TransferInitiationAdjustment
    TransferInitiationPayments=TransferInitiationPayment TransferResponse=TransferCreated
    V2BulkElementAddMetadata=BulkAddMetadata V2BulkElementCreateTransaction=BulkCreate
    V2BulkElementDeleteMetadata=BulkDeleteMetadata V2BulkElementResultAddMetadata=BulkMetadataAdded
    V2BulkElementResultCreateTransaction=BulkCreated V2BulkElementResultDeleteMetadata=BulkMetadataDeleted
    V2BulkElementResultError=BulkFailed V2BulkElementResultRevertTransaction=BulkReverted
    V2BulkElementRevertTransaction=BulkRevert V2BulkResponse=BulkResult V2ConfigInfo=ServerInfo
    V2LedgerInfoStorage=LedgerStorage
    V2Log=NewTransactionLog,RevertedTransactionLog,SetMetadataLog,DeleteMetadataLog,InsertedSchemaLog,UnknownLog
    V2LogDataDeleteMetadata=DeleteMetadataData V2LogDataInsertedSchema=InsertedSchemaData
    V2LogDataNewTransaction=NewTransactionData V2LogDataRevertedTransaction=RevertedTransactionData
    V2LogDataSetMetadata=SetMetadataData V2LogTransaction=LoggedTransaction V2MigrationInfo=Migration
    V2QueryTemplateVar=QueryVariable V2ServerInfo=ServiceInfo V2WorkflowInstanceHistory=StageRun
    V2WorkflowInstanceHistoryStage=Activity V3ApprovePaymentInitiationResponseData=TaskStarted
    V3Balance=AccountBalance V3BankAccountRelatedAccount=RelatedAccount V3ConnectorBase=ConnectorSummary
    V3ConnectorConfigsResponseData=ConfigField V3ForwardBankAccountResponseData=TaskStarted
    V3ForwardPaymentServiceUserBankAccountResponseData=TaskStarted V3InitiatePaymentResponseData=InitiatedPayment
    V3Instance=ScheduleInstance V3PaymentServiceUserConnection=Connection
    V3PaymentServiceUserCreateLinkResponse=Link V3PaymentServiceUserDeleteConnectionResponseData=TaskStarted
    V3PaymentServiceUserDeleteConnectorResponseData=TaskStarted V3PaymentServiceUserDeleteResponseData=TaskStarted
    V3PaymentServiceUserLinkAttempt=LinkAttempt V3PaymentServiceUserUpdateLinkResponse=Link
    V3RetryPaymentInitiationResponseData=TaskStarted V3ReversePaymentInitiationResponseData=StartedReversal
    V3UninstallConnectorResponseData=TaskStarted Variables=VariableTest Version=ServiceVersion
    WalletWithBalances=Wallet WalletWithBalancesBalances=WalletBalances WebhooksConfig=WebhookConfig
    WorkflowInstanceHistory=StageRun WorkflowInstanceHistoryStage=Activity
    """
)
"""What Bursar calls models that the vendor calls otherwise."""


@cache
def native_names(name: str) -> frozenset[str]:
    """Return what Bursar may call the vendor's model, in small letters: ``V2Transaction`` is ``transaction``."""
    bare = re.sub(r"^V[23]", "", name)
    found = (name, bare, f"{bare}V1", *_NATIVE.get(name, "").split(","))
    return frozenset(each.lower() for each in found)


_SHARED: Final = ("bursar.formance.api", "bursar.formance.wire")


class _Named(type):
    """Counts Bursar's own model of the same name and service as an instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        if super().__instancecheck__(instance):
            return True
        native = unseen(instance)
        if not isinstance(native, Model):
            return False
        kind = type(native)
        service = cls.__module__.rpartition(".")[2]
        known = _SHARED if service == "gateway" else (*_SHARED, f"bursar.formance.{service}")
        return kind.__module__.startswith(known) and kind.__name__.lower() in native_names(cls.__name__)


class Likeness(metaclass=_Named):
    """An object with the members that it was made with, by the vendor's names.

    Whether they fit an operation is looked at when the operation is called. `repr` does not show members that may let
    somebody in.
    """

    def __init__(self, **members: Any) -> None:
        vars(self).update(members)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{type(self).__name__} has no member {name!r}: {', '.join(vars(self)) or 'it is empty'}"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self)[name] = value

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        raise TypeError(f"unhashable: {type(self).__name__}")

    def model_dump(self, *, by_alias: bool = False, **_: Any) -> dict[str, Any]:
        """Return the members as JSON has them; with `by_alias` what is in answers by its names on the wire."""
        return {name: dumped(value, by_alias=by_alias) for name, value in vars(self).items()}

    def __repr__(self) -> str:
        shown = (f"{n}={Secret.MASK if _CONFIDENTIAL.search(n) else repr(v)}" for n, v in vars(self).items())
        return f"{type(self).__name__}({', '.join(shown)})"


def members_of(value: object) -> Mapping[str, Any] | None:
    """Return the members of one of these or a mapping; None for anything else."""
    if isinstance(value, Mapping):
        inside: Mapping[str, Any] = value
        return inside
    return vars(value) if type.__instancecheck__(Likeness, value) else None


__all__ = ["Likeness", "members_of", "native_names"]
