"""Double entry as pure functions: no I/O, no clock, no HTTP, no asyncio.

Read `model` (the values), then `ledger` (what may happen to them), then `chain` (how what happened is made tamper
evident). Invariant numbers refer to docs/invariants.md.
"""

from bursar.engine.kernel.errors import (
    AlreadyReverted,
    EngineError,
    InsufficientFunds,
    InvalidPosting,
    ReferenceConflict,
    UnknownTransaction,
)
from bursar.engine.kernel.ledger import NO_ORIGIN, Entry, Origin, State
from bursar.engine.kernel.model import (
    WORLD,
    Account,
    Head,
    Log,
    Metadata,
    Move,
    NewTransaction,
    Posting,
    Transaction,
    Volumes,
)

__all__ = [
    "NO_ORIGIN",
    "WORLD",
    "Account",
    "AlreadyReverted",
    "EngineError",
    "Entry",
    "Head",
    "InsufficientFunds",
    "InvalidPosting",
    "Log",
    "Metadata",
    "Move",
    "NewTransaction",
    "Origin",
    "Posting",
    "ReferenceConflict",
    "State",
    "Transaction",
    "UnknownTransaction",
    "Volumes",
]
