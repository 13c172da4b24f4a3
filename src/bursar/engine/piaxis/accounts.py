"""The rail's chart of accounts (specification B16), in the ledger `LEDGER`, and how a step is posted to it.

Credit is an account's input, debit its output: "Dr rail:mtn:clearing / Cr wallet:M:available" is one posting from the
rail to the wallet. Assets have negative balances, liabilities and income positive ones, and all balances of a currency
sum to zero (invariant 1). An account serves all currencies: the ledger keeps volumes for each asset.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from bursar.engine.books import REFERENCES
from bursar.engine.currency import asset
from bursar.engine.kernel import NewTransaction, Posting
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import View

LEDGER: Final = "piaxis"
"""Name of the ledger that holds the rail's book."""

SETTLEMENT: Final = "bank:settlement"
"""Asset: the platform's cash at its bank, from which wallets are funded and floats topped up."""
REST: Final = "rest"
"""Name of the slice that holds what no allocation names."""

_PLAIN: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAY_OWE: Final = ("rail:", "bank:", "expense:", "suspense:")
"""Beginnings of the accounts that may be below zero: assets, expenses, and suspense, which works both ways.
All others are liabilities or income: the ledger refuses a step that takes out more than is in (PS112)."""


def rail(name: str) -> str:
    """Asset: the float at a provider (mtn, airtel, card, bank): money in less money out."""
    return f"rail:{name}:clearing"


def available(account: str) -> str:
    """Liability: what a merchant or user can spend."""
    return f"wallet:{account}:available"


def held(account: str) -> str:
    """Liability: what is reserved for an account's open batches."""
    return f"wallet:{account}:held"


def escrow(escrow_id: str, key: str | None) -> str:
    """Liability: one slice of an escrow; `key` None is the unallocated rest.

    A key that is no account segment, or could be taken for another name, stands there as a digest.
    """
    if key is None:
        return f"escrow:{escrow_id}:{REST}"
    plain = _PLAIN.fullmatch(key) and key != REST and not key.startswith("k-")
    name = key if plain else f"k-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
    return f"escrow:{escrow_id}:{name}"


def inflight(name: str) -> str:
    """Liability: payouts handed to a provider that has not confirmed them."""
    return f"payout:inflight:{name}"


def refund_payable(object_id: str) -> str:
    """Liability: what an unregistered payer is to get back for an escrow or payment."""
    return f"refund:payable:{object_id}"


def suspense(name: str) -> str:
    """Liability (or, below zero, claim): money at a provider that contradicts what was booked (E26)."""
    return f"suspense:{name}"


def fee_income(kind: str) -> str:
    """Income: fees of a kind: collection, escrow or payout."""
    return f"income:fee:{kind}"


def rail_expense(name: str) -> str:
    """Expense: what a provider charges, and what is written off there."""
    return f"expense:rail:{name}"


def move(debit: str, credit: str, amount: int, currency: str) -> Posting:
    """Return "Dr `debit` / Cr `credit`": `amount` minor units of a currency."""
    return Posting(source=debit, destination=credit, amount=amount, asset=asset(currency))


def reference(kind: str, id: str, step: str) -> str:
    """Return the ledger reference of an object's step: unique, so that no step is booked twice (B16, last line)."""
    return f"{kind}:{id}:{step}"


def slot(kind: str, id: str, step: str) -> tuple[AnyTable, Key]:
    """Return the row that `post` looks up for a step: new, so never in memory. For `View.want`."""
    return REFERENCES, (LEDGER, reference(kind, id, step))


def post(view: View, kind: str, id: str, step: str, entries: Iterable[Posting]) -> None:
    """Post the step of an object; postings of zero are left out, and a step without postings books nothing.

    Raises `InsufficientFunds` when a wallet or another liability lacks the money, `ReferenceConflict` when the step
    was booked before.
    """
    kept = [entry for entry in entries if entry.amount]
    if not kept:
        return
    accounts = {name for entry in kept for name in (entry.source, entry.destination)}
    view.post(
        LEDGER,
        NewTransaction(
            postings=kept,
            metadata={kind: id, "step": step},
            reference=reference(kind, id, step),
            overdraft={name: None for name in sorted(accounts) if name.startswith(_MAY_OWE)},
        ),
    )
