"""What the ledger service keeps beside the books: past metadata, schemas."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bursar.engine.store.table import AnyTable, Table


class AccountRevision(Struct, frozen=True, gc=False):
    """The metadata of an account from `date` on, until a later log says otherwise."""

    ledger: str
    address: str
    log: int
    date: int
    metadata: str


class TransactionRevision(Struct, frozen=True, gc=False):
    """The metadata of a transaction from `date` on; a transaction that was never described again has none."""

    ledger: str
    transaction: int
    log: int
    date: int
    metadata: str


class SchemaRow(Struct, frozen=True, gc=False):
    """A version of a ledger's schema, as JSON in the form in which it is read back."""

    ledger: str
    version: str
    created_at: int
    data: str


class SchemaCount(Struct, frozen=True, gc=False):
    """How many schemas a ledger has, and the latest of them."""

    ledger: str
    count: int
    latest: str


ACCOUNT_REVISIONS: Final = Table("account_revisions", AccountRevision, ("ledger", "address", "log"))
TRANSACTION_REVISIONS: Final = Table(
    "transaction_revisions", TransactionRevision, ("ledger", "transaction", "log")
)
SCHEMAS: Final = Table("schemas", SchemaRow, ("ledger", "version"), cached=True, append_only=True)
SCHEMA_COUNTS: Final = Table("schema_counts", SchemaCount, ("ledger",), cached=True)

TABLES: Final[tuple[AnyTable, ...]] = (ACCOUNT_REVISIONS, TRANSACTION_REVISIONS, SCHEMAS, SCHEMA_COUNTS)
