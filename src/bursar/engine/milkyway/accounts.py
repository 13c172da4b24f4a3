"""The rail's chart of accounts (specification A12), in the ledger `LEDGER`.

Signs: credit is an account's input, debit its output. So "Dr receivable:A / Cr transit" is one posting from
`receivable:A` to `transit`; assets have negative balances, liabilities and income positive ones, and the balances of
all accounts sum to zero for each currency (invariant 1).
"""

from __future__ import annotations

LEDGER = "milkyway"
"""Name of the ledger that holds the rail's book."""

HOUSE_BANK = "house"
"""The settlement bank that holds the hub's cash when an operator names no other."""


def nostro(bank: str, currency: str) -> str:
    """Asset: the hub's cash at a settlement bank."""
    return f"nostro:{bank}:{currency}"


def receivable(institution: str, currency: str) -> str:
    """Asset: what an institution owes the hub, which is its exposure (D6)."""
    return f"receivable:{institution}:{currency}"


def deposit(institution: str, currency: str) -> str:
    """Liability: collateral that an institution funded."""
    return f"deposit:{institution}:{currency}"


def transit(currency: str) -> str:
    """Liability: principal of payments accepted and not yet confirmed."""
    return f"transit:{currency}"


def suspense(currency: str) -> str:
    """Liability: principal of stuck payments."""
    return f"suspense:stuck:{currency}"


def payable(bank: str, currency: str) -> str:
    """Liability: what the hub owes a recipient bank for payouts made."""
    return f"payable:{bank}:{currency}"


def fx_position(currency: str) -> str:
    """Trading: bridges the two currencies of a payment."""
    return f"fx:position:{currency}"


def fx_markup(currency: str) -> str:
    """Income: what the client rate keeps back from the mid rate."""
    return f"income:fx_markup:{currency}"


def fx_revaluation(currency: str) -> str:
    """Income or loss from revaluing the position."""
    return f"income:fx_reval:{currency}"


def commission_unearned(currency: str) -> str:
    """Liability: commission of payments that are not finished."""
    return f"liability:commission_unearned:{currency}"


def commission_income(currency: str) -> str:
    """Income: commission earned."""
    return f"income:commission:{currency}"


def writeoff(currency: str) -> str:
    """Expense: receivables given up."""
    return f"expense:writeoff:{currency}"


def bank_fee(currency: str) -> str:
    """Expense: what settlement banks charge the hub."""
    return f"expense:bank_fee:{currency}"
