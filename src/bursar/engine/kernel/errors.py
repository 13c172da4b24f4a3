"""Refusals of the engine. The base class lives here since the kernel knows nobody; `engine.errors` offers it to all."""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """A refusal with a stable `code` for programs and a `message` for people. Nothing was written."""

    code: ClassVar[str] = "ENGINE_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidPosting(EngineError):
    """What no ledger may hold: no postings at all, an amount that is negative or no integer, an empty name."""

    code: ClassVar[str] = "INVALID_POSTING"


class InsufficientFunds(EngineError):
    """A debit would take an account below what its overdraft policy allows (invariant 9). Amounts in minor units."""

    code: ClassVar[str] = "INSUFFICIENT_FUNDS"

    def __init__(self, account: str, asset: str, available: int, needed: int) -> None:
        super().__init__(f"account {account} can spend {available} {asset}, but {needed} is needed")
        self.account = account
        self.asset = asset
        self.available = available
        self.needed = needed


class ReferenceConflict(EngineError):
    """The reference already names another transaction of the ledger (invariant 12)."""

    code: ClassVar[str] = "REFERENCE_CONFLICT"

    def __init__(self, reference: str, transaction: int) -> None:
        super().__init__(f"reference {reference!r} is already used by transaction {transaction}")
        self.reference = reference
        self.transaction = transaction


class UnknownTransaction(EngineError):
    """The ledger has no transaction with this id."""

    code: ClassVar[str] = "UNKNOWN_TRANSACTION"


class AlreadyReverted(EngineError):
    """A transaction is reverted at most once (invariant 11)."""

    code: ClassVar[str] = "ALREADY_REVERTED"


class TransactionExists(EngineError):
    """An imported transaction has the id of another one."""

    code: ClassVar[str] = "TRANSACTION_EXISTS"


class BrokenChain(EngineError):
    """An imported log does not carry the hash that continues the chain (invariant 5)."""

    code: ClassVar[str] = "BROKEN_CHAIN"

    def __init__(self, log: int, expected: bytes, found: bytes) -> None:
        super().__init__(f"log {log} breaks the chain of hashes")
        self.log = log
        self.expected = expected
        self.found = found
