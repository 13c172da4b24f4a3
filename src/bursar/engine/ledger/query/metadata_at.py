"""Metadata as SQL expressions, as of now or of a point in time (section 7).

Times are integers, so they stand in the text.
"""

from __future__ import annotations

from bursar.engine.ledger import features
from bursar.engine.registry import LedgerRow


def of_account(ledger: LedgerRow, pit: int | None, alias: str = "a") -> str:
    """The metadata of account `a`; NULL for none."""
    if pit is None or not features.has(ledger, features.ACCOUNT_HISTORY):
        return f"{alias}.metadata"
    return (
        f"(SELECT r.metadata FROM account_revisions r WHERE r.ledger = {alias}.ledger"
        f" AND r.address = {alias}.address AND r.date <= {pit} ORDER BY r.log DESC LIMIT 1)"
    )


def of_transaction(ledger: LedgerRow, pit: int | None) -> str:
    """The metadata of transaction `t`."""
    if pit is None or not features.has(ledger, features.ACCOUNT_HISTORY):
        return "t.metadata"
    if not features.has(ledger, features.TRANSACTION_HISTORY):
        return "'{}'"
    return (
        "coalesce((SELECT r.metadata FROM transaction_revisions r WHERE r.ledger = t.ledger"
        f' AND r."transaction" = t.id AND r.date <= {pit} ORDER BY r.log DESC LIMIT 1), t.metadata)'
    )
