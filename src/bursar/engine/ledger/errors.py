"""What the ledger service refuses. `code` is the errorCode of the API (section 4 of its specification)."""

from __future__ import annotations

from typing import ClassVar, Literal

from bursar.engine.errors import EngineError

Taken = Literal["nothing", "transaction", "both"]
"""Which ids a refusal uses up (section 11.4): they are never given again."""


class LedgerError(EngineError):
    """A refusal. Nothing was written, but for the ids that `takes` names."""

    code: ClassVar[str] = "INTERNAL"
    takes: ClassVar[Taken] = "nothing"


class Validation(LedgerError):
    """The request breaks a rule."""

    code: ClassVar[str] = "VALIDATION"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class InvalidPostings(Validation):
    """A posting breaks a rule of section 3: a single call says VALIDATION, an element of a bulk INTERNAL."""


class OutsideChart(Validation):
    """An account that the schema's chart does not have."""

    takes: ClassVar[Taken] = "transaction"


class BadMetadata(Validation):
    """Metadata or a reference that no ledger can keep."""

    takes: ClassVar[Taken] = "transaction"


class KeyTooLong(Validation):
    """The idempotency key is longer than is kept; that is found before there is a log."""

    takes: ClassVar[Taken] = "transaction"


class BadKey(Validation):
    """An idempotency key that no ledger can keep."""

    takes: ClassVar[Taken] = "both"


class NotFound(LedgerError):
    """There is no such account, transaction, metadata, schema or ledger."""

    code: ClassVar[str] = "NOT_FOUND"

    def __init__(self, message: str = "not found") -> None:
        super().__init__(message)


class LedgerNotFound(NotFound):
    """There is no such ledger, or it is deleted."""

    code: ClassVar[str] = "LEDGER_NOT_FOUND"


class LedgerExists(LedgerError):
    """The name is taken, perhaps by a deleted ledger."""

    code: ClassVar[str] = "LEDGER_ALREADY_EXISTS"


class OutdatedSchema(LedgerError):
    """The bucket cannot hold ledgers."""

    code: ClassVar[str] = "OUTDATED_SCHEMA"


class InsufficientFund(LedgerError):
    """An account has too little."""

    code: ClassVar[str] = "INSUFFICIENT_FUND"


class NoPostings(LedgerError):
    """Nothing would be moved."""

    code: ClassVar[str] = "NO_POSTINGS"


class CompilationFailed(LedgerError):
    """A script that is none, or its variables do not fit (machine)."""

    code: ClassVar[str] = "COMPILATION_FAILED"


class MetadataOverride(LedgerError):
    """The script sets a key of metadata that the request sets too."""

    code: ClassVar[str] = "METADATA_OVERRIDE"


class InterpreterParse(LedgerError):
    """A script that is none (interpreter)."""

    code: ClassVar[str] = "INTERPRETER_PARSE"


class InterpreterRuntime(LedgerError):
    """A script that fails when run."""

    code: ClassVar[str] = "INTERPRETER_RUNTIME"


class MachineFault(InterpreterRuntime):
    """A machine script that fails when run: an element of a bulk says INTERNAL (section 24.2)."""


class Conflict(LedgerError):
    """The reference is used."""

    code: ClassVar[str] = "CONFLICT"
    takes: ClassVar[Taken] = "transaction"


class AlreadyReverted(LedgerError):
    """A transaction is reverted at most once."""

    code: ClassVar[str] = "ALREADY_REVERT"


class SchemaExists(LedgerError):
    """The ledger has a schema of this version."""

    code: ClassVar[str] = "SCHEMA_ALREADY_EXISTS"


class SchemaNotSpecified(LedgerError):
    """The ledger has schemas, and the write names none."""

    code: ClassVar[str] = "SCHEMA_NOT_SPECIFIED"


class BulkTooLarge(LedgerError):
    """A bulk has more elements than the server allows."""

    code: ClassVar[str] = "BULK_SIZE_EXCEEDED"


class ImportRefused(LedgerError):
    """Logs cannot be imported, from here on or at all."""

    code: ClassVar[str] = "IMPORT"
