"""What the engine refuses, and how. A server maps these to the answers of its API; none of them knows HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from msgspec import Struct

from bursar.engine.kernel.errors import (
    AlreadyReverted,
    EngineError,
    InsufficientFunds,
    InvalidPosting,
    ReferenceConflict,
    UnknownTransaction,
)

__all__ = [
    "AlreadyReverted",
    "CommitFailed",
    "Conflict",
    "EngineError",
    "ExposureExceeded",
    "FieldError",
    "IdempotencyMismatch",
    "InsufficientFunds",
    "InvalidInput",
    "InvalidPosting",
    "NotFound",
    "Outcome",
    "ReferenceConflict",
    "StoreBusy",
    "StoreClosed",
    "StoreInUse",
    "StoreUnusable",
    "Unavailable",
    "UnknownTransaction",
]

Outcome = Literal["rejected", "unknown"]
"""`rejected`: nothing was or will be written. `unknown`: the write may or may not survive; ask again later."""


class FieldError(Struct, frozen=True):
    """What is wrong at one place of the input; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    message: str


class InvalidInput(EngineError):
    """The input breaks a rule; `errors` say where."""

    code: ClassVar[str] = "INVALID_INPUT"

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class NotFound(EngineError):
    """There is no such thing, or not for this caller."""

    code: ClassVar[str] = "NOT_FOUND"


class Conflict(EngineError):
    """The thing is in a state that does not allow this."""

    code: ClassVar[str] = "CONFLICT"


class IdempotencyMismatch(EngineError):
    """The idempotency key was used with another body (invariant 7)."""

    code: ClassVar[str] = "IDEMPOTENCY_MISMATCH"


class ExposureExceeded(EngineError):
    """The payment would exceed a blocking exposure limit (MS36)."""

    code: ClassVar[str] = "EXPOSURE_EXCEEDED"


class Unavailable(EngineError):
    """Something that the work needs is down; trying later may help."""

    code: ClassVar[str] = "UNAVAILABLE"


class StoreBusy(Unavailable):
    """More commands are waiting than `limits.QUEUED_COMMANDS`. Nothing was written."""

    code: ClassVar[str] = "STORE_BUSY"


class StoreClosed(Unavailable):
    """The engine is shutting down or closed. Nothing was written."""

    code: ClassVar[str] = "STORE_CLOSED"


class CommitFailed(Unavailable):
    """The store could not make a batch durable; `outcome` says what may be assumed about the command."""

    code: ClassVar[str] = "COMMIT_FAILED"

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome


class StoreInUse(EngineError):
    """Another process writes to this database."""

    code: ClassVar[str] = "STORE_IN_USE"


class StoreUnusable(EngineError):
    """The database cannot be opened: not there, not ours, newer than this program, or a bad URL."""

    code: ClassVar[str] = "STORE_UNUSABLE"
