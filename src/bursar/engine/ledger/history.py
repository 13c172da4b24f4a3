"""Metadata as it was: revisions for reads at a point in time (section 7)."""

from __future__ import annotations

from bursar.engine.books import ACCOUNTS, TRANSACTIONS, encode
from bursar.engine.kernel import Entry
from bursar.engine.ledger.tables import (
    ACCOUNT_REVISIONS,
    TRANSACTION_REVISIONS,
    AccountRevision,
    TransactionRevision,
)
from bursar.engine.registry import LedgerRow
from bursar.engine.view import View


def of_accounts(view: View, ledger: LedgerRow, entry: Entry, *, deleted: bool = False) -> None:
    """Note the accounts whose metadata this entry, which is not stored yet, changes.

    The date is that of the write; of a deletion the account's last update before it, as the real service has it.
    """
    for account in entry.accounts:
        known = view.get(ACCOUNTS, ledger.name, account.address)
        text = encode(account.metadata)
        if text == ("{}" if known is None else known.metadata):
            continue
        date = known.updated_at if deleted and known is not None else entry.log.date
        view.put(ACCOUNT_REVISIONS, AccountRevision(ledger.name, account.address, entry.log.id, date, text))


def of_transaction(view: View, ledger: LedgerRow, entry: Entry) -> None:
    """Note a transaction whose metadata this entry changes; before the first time, what it was made with."""
    if entry.updated is None:
        return
    number, name = entry.updated.id, ledger.name
    known = view.get(TRANSACTIONS, name, number)
    assert known is not None
    if view.get(TRANSACTION_REVISIONS, name, number, known.log) is None:
        made = TransactionRevision(name, number, known.log, known.timestamp, known.metadata)
        view.put(TRANSACTION_REVISIONS, made)
    text = encode(entry.updated.metadata)
    view.put(TRANSACTION_REVISIONS, TransactionRevision(name, number, entry.log.id, entry.log.date, text))
