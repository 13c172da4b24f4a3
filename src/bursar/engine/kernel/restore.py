"""A ledger told by its logs: what one imported log does (Formance ledger, "Import").

Imported logs are facts: neither funds, signs nor names are checked again. Volumes are counted anew; the log keeps the
data that it came with.
"""

from __future__ import annotations

from msgspec.structs import replace

from bursar.engine.kernel import chain
from bursar.engine.kernel.errors import BrokenChain, InvalidPosting, TransactionExists, UnknownTransaction
from bursar.engine.kernel.ledger import (
    Entry,
    Origin,
    State,
    check_reference,
    delete_metadata,
    known_transaction,
    move,
    set_metadata,
    touched,
)
from bursar.engine.kernel.model import Head, Log, NewTransaction, Transaction, parse_time

UNSET_TIME = "0001-01-01T00:00:00Z"
"""How a time is written that was never set."""


def restore(state: State, log: Log, data: chain.LogData, now: int) -> Entry:
    """What the log changes. `now` dates what the log gives no date.

    Raises BrokenChain, TransactionExists, ReferenceConflict, UnknownTransaction or InvalidPosting.
    """
    head = state.head()
    if head.hashed:
        _check_hash(head, log, data)
    match data:
        case chain.NewTransactionJson():
            return _restored(state, head, log, data.transaction, data, now)
        case chain.RevertedTransactionJson():
            entry = _restored(state, head, log, data.transaction, None, now)
            return replace(entry, updated=_reverted(state, data.reverted_transaction))
        case chain.SetMetadataJson(target_type="ACCOUNT" | "TRANSACTION"):
            told = set_metadata(state, data.target_id, data.metadata, now, Origin(date=log.date))
        case chain.DeleteMetadataJson(target_type="ACCOUNT" | "TRANSACTION"):
            told = delete_metadata(state, data.target_id, data.key, now, Origin(date=log.date))
        case _:  # a type in other letters is kept, and means nothing
            told = Entry(head=head, log=log)
    return replace(told, head=_moved(head, log, head.transaction, now), log=log)


def _check_hash(head: Head, log: Log, data: chain.LogData) -> None:
    expected = chain.chain(head.hash, log.type, chain.memento(data), log.date, log.idempotency_key)
    if expected != log.hash:
        raise BrokenChain(log.id, expected, log.hash)


def _restored(
    state: State,
    head: Head,
    log: Log,
    tx: chain.TransactionJson,
    described: chain.NewTransactionJson | None,
    now: int,
) -> Entry:
    """The transaction of a log, with volumes counted here."""
    if not tx.postings:
        raise InvalidPosting("a transaction needs at least one posting")
    if state.transaction(tx.id) is not None:
        raise TransactionExists(f"transaction {tx.id} exists already")
    check_reference(state, tx.reference or None)
    timestamp = _time(tx.timestamp, now)
    inserted_at = _time(tx.inserted_at, now)
    moved = move(state, tx.id, timestamp, tx.postings, None)
    transaction = Transaction(
        id=tx.id,
        postings=tuple(tx.postings),
        metadata=tx.metadata or {},
        reference=tx.reference or None,
        timestamp=timestamp,
        inserted_at=inserted_at,
        updated_at=_time(tx.updated_at, inserted_at),
        template=tx.template,
        volumes=moved.shown,
    )
    account_metadata = described.account_metadata if described is not None else {}
    new = NewTransaction(tx.postings, account_metadata=account_metadata)
    return Entry(
        head=_moved(head, log, max(head.transaction, tx.id), now),
        log=log,
        transaction=transaction,
        volumes=moved.after,
        moves=moved.moves,
        accounts=touched(state, new, timestamp, inserted_at) if described is not None else (),
    )


def _reverted(state: State, told: chain.TransactionJson) -> Transaction | None:
    """The original with its revert date; a second revert of it changes nothing."""
    original = known_transaction(state, told.id)
    if not isinstance(told.reverted_at, str):
        raise UnknownTransaction(f"the log does not say when transaction {told.id} was reverted")
    if original.reverted_at is not None:
        return None
    at = parse_time(told.reverted_at)
    return replace(original, reverted_at=at, updated_at=at)


def _moved(head: Head, log: Log, transaction: int, now: int) -> Head:
    """Dates of imported logs may lie anywhere; those of the ledger's own go on from the present."""
    date = max(head.date, min(log.date, now))
    return Head(head.ledger, log.id, transaction, date, log.hash, head.hashed, head.effective)


def _time(text: str, now: int) -> int:
    return now if text == UNSET_TIME else parse_time(text)
