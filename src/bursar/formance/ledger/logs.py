"""The log of a ledger: one entry for each successful write, chained by hashes. What export writes and import reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bursar.contract import OpenEnum
from bursar.contract.json import dumps
from bursar.formance.wire import Metadata, Wire

from .models import TargetType, TransactionFields
from .schemas import Schema


class LogType(OpenEnum):
    """What a log entry tells."""

    NEW_TRANSACTION = "NEW_TRANSACTION"
    REVERTED_TRANSACTION = "REVERTED_TRANSACTION"
    SET_METADATA = "SET_METADATA"
    DELETE_METADATA = "DELETE_METADATA"
    INSERTED_SCHEMA = "INSERTED_SCHEMA"


class LoggedTransaction(TransactionFields, kw_only=True):
    """A transaction as its log holds it, with the volumes of that moment; imported ones may lack metadata."""

    metadata: Metadata | None


class NewTransactionData(Wire, kw_only=True):
    """A transaction was created."""

    transaction: LoggedTransaction
    account_metadata: dict[str, Metadata | None] | None
    """By address."""


class RevertedTransactionData(Wire, kw_only=True):
    """A transaction was reverted; `transaction` is the new, opposite one."""

    reverted_transaction: LoggedTransaction
    transaction: LoggedTransaction


class SetMetadataData(Wire, kw_only=True):
    """Metadata was merged into an account (by address) or a transaction (by id)."""

    target_type: TargetType
    target_id: str | int
    metadata: Metadata | None


class DeleteMetadataData(Wire, kw_only=True):
    """A metadata entry was deleted."""

    target_type: TargetType
    target_id: str | int
    key: str


class InsertedSchemaData(Wire, kw_only=True):
    """A schema version was inserted."""

    schema: Schema


class LogEntry(Wire, tag_field="type", tag="", kw_only=True):
    """What all log entries have; `data` is what their type says.

    `hash` is base64 of the chain's SHA-256; None on a ledger that does not hash, or hashes later.
    """

    id: int
    date: datetime
    hash: str | None
    idempotency_key: str | None = None
    """Empty when the write had none."""
    idempotency_hash: str | None = None
    schema_version: str | None = None

    @property
    def type(self) -> LogType:
        """What the entry tells."""
        return LogType(self.extra.get("type", self.tag_value()))


class NewTransactionLog(LogEntry, tag="NEW_TRANSACTION", kw_only=True):
    """A transaction was created."""

    data: NewTransactionData


class RevertedTransactionLog(LogEntry, tag="REVERTED_TRANSACTION", kw_only=True):
    """A transaction was reverted."""

    data: RevertedTransactionData


class SetMetadataLog(LogEntry, tag="SET_METADATA", kw_only=True):
    """Metadata was set."""

    data: SetMetadataData


class DeleteMetadataLog(LogEntry, tag="DELETE_METADATA", kw_only=True):
    """A metadata entry was deleted."""

    data: DeleteMetadataData


class InsertedSchemaLog(LogEntry, tag="INSERTED_SCHEMA", kw_only=True):
    """A schema version was inserted."""

    data: InsertedSchemaData


class UnknownLog(LogEntry, tag="", kw_only=True):
    """An entry of a type that this version does not know, kept as JSON gave it."""

    data: Any


Log = (
    NewTransactionLog
    | RevertedTransactionLog
    | SetMetadataLog
    | DeleteMetadataLog
    | InsertedSchemaLog
    | UnknownLog
)


def line(log: Any) -> bytes:
    """Return a log, or a mapping of that shape, as one line of an import."""
    return dumps(log) + b"\n"
