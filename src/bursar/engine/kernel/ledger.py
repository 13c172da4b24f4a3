"""The ledger as a pure function: (state, command) -> entry, or a refusal that changes nothing (invariant 8).

An `Entry` holds the absolute values to store. `State` is what the functions read: one ledger, as of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Raw, Struct
from msgspec.structs import replace

from bursar.engine.kernel import chain
from bursar.engine.kernel.errors import (
    AlreadyReverted,
    InsufficientFunds,
    InvalidPosting,
    ReferenceConflict,
    UnknownTransaction,
)
from bursar.engine.kernel.model import (
    REVERTS,
    WORLD,
    Account,
    CommitVolumes,
    Head,
    Log,
    Metadata,
    Move,
    NewTransaction,
    Pair,
    Posting,
    Transaction,
    Volumes,
)


class State(Protocol):
    """One ledger, as read by the kernel."""

    def head(self) -> Head:
        """Where the ledger stands."""
        ...

    def volumes(self, account: str, asset: str) -> Volumes:
        """The totals of the pair; zeros if nothing moved."""
        ...

    def moves_after(self, account: str, asset: str, at: int) -> Sequence[Move]:
        """The moves of the pair whose timestamp is later than `at`."""
        ...

    def account(self, address: str) -> Account | None:
        """The account, if it is known."""
        ...

    def first_usage(self, address: str) -> int | None:
        """Of the account; None if it is unknown."""
        ...

    def transaction(self, id: int) -> Transaction | None:
        """With its post- and pre-commit volumes."""
        ...

    def reference(self, reference: str) -> int | None:
        """The id of the transaction that has this reference."""
        ...


class Origin(Struct, frozen=True):
    """What a log remembers of the request that caused it; not part of its meaning."""

    idempotency_key: str = ""
    idempotency_hash: str = ""
    schema_version: str = ""
    date: int | None = None
    """The date of the log when several share it (one atomic bulk); None for the next free moment."""


NO_ORIGIN = Origin()


class Entry(Struct, frozen=True, gc=False, kw_only=True):
    """All that one write changes, as absolute values."""

    head: Head
    log: Log
    transaction: Transaction | None = None
    """The new one."""
    updated: Transaction | None = None
    """An earlier one that was reverted or described."""
    volumes: Mapping[Pair, Volumes] = {}
    moves: Sequence[Move] = ()
    """New ones, and later-dated ones whose effective volumes changed (invariant 18)."""
    accounts: Sequence[Account] = ()


def post(state: State, new: NewTransaction, now: int, origin: Origin = NO_ORIGIN) -> Entry:
    """Post a transaction. Raises InvalidPosting, InsufficientFunds or ReferenceConflict."""
    check_postings(new.postings)
    head = state.head()
    date = _date(head, now, origin)
    timestamp = date if new.timestamp is None else new.timestamp
    new_id = head.transaction + 1
    moved = move(state, new_id, timestamp, new.postings, new.overdraft)
    check_reference(state, new.reference)
    transaction = Transaction(
        id=new_id,
        postings=tuple(new.postings),
        metadata=new.metadata,
        reference=new.reference or None,
        timestamp=timestamp,
        inserted_at=date,
        updated_at=date,
        template=new.template,
        volumes=moved.shown,
    )
    shown = chain.transaction_json(transaction, effective=head.effective)
    log = _log(head, chain.NewTransactionJson(shown, new.account_metadata), date, origin)
    return Entry(
        head=_moved(head, log, new_id),
        log=log,
        transaction=transaction,
        volumes=moved.after,
        moves=moved.moves,
        accounts=touched(state, new, timestamp, date),
    )


def revert(
    state: State,
    id: int,
    now: int,
    *,
    metadata: Metadata | None = None,
    force: bool = False,
    at_effective_date: bool = False,
    origin: Origin = NO_ORIGIN,
) -> Entry:
    """Post the opposite of a transaction (invariant 11): same postings backwards, ends swapped.

    Unless `force`, no account that the original credited may end negative; on the way it may. Raises
    UnknownTransaction, AlreadyReverted or InsufficientFunds.
    """
    original = known_transaction(state, id)
    if original.reverted_at is not None:
        raise AlreadyReverted(f"transaction {id} was reverted already")
    head = state.head()
    date = _date(head, now, origin)
    postings = tuple(Posting(p.destination, p.source, p.amount, p.asset) for p in reversed(original.postings))
    new_id, timestamp = head.transaction + 1, original.timestamp if at_effective_date else date
    moved = move(state, new_id, timestamp, postings, None)
    if not force:
        _check_not_negative(postings, moved.before, moved.after)
    transaction = Transaction(
        id=new_id,
        postings=postings,
        metadata={**(metadata or {}), REVERTS: str(id)},
        reference=None,
        timestamp=timestamp,
        inserted_at=date,
        updated_at=date,
        volumes=moved.shown,
    )
    reverted = replace(original, reverted_at=date, updated_at=date)
    data = chain.RevertedTransactionJson(
        chain.transaction_json(reverted, effective=False),
        chain.transaction_json(transaction, effective=head.effective),
    )
    log = _log(head, data, date, origin)
    return Entry(
        head=_moved(head, log, new_id),
        log=log,
        transaction=transaction,
        updated=reverted,
        volumes=moved.after,
        moves=moved.moves,
    )


def set_metadata(
    state: State,
    target: str | int,
    metadata: Metadata | None,
    now: int,
    origin: Origin = NO_ORIGIN,
    *,
    defaults: Metadata | None = None,
) -> Entry:
    """Merge metadata into an account (an address; made when unknown) or a transaction (an id).

    Always logged; the target's update time moves only when a value changes. `defaults` are what an account that this
    makes has besides. Raises UnknownTransaction.
    """
    head = state.head()
    date = _date(head, now, origin)
    is_account = isinstance(target, str)
    data = chain.SetMetadataJson("ACCOUNT" if is_account else "TRANSACTION", target, metadata)
    log = _log(head, data, date, origin)
    moved = _moved(head, log, head.transaction)
    if isinstance(target, str):
        account = state.account(target)
        added = {**(defaults or {}), **(metadata or {})} if account is None else metadata or {}
        described = described_account(account, target, added, date, date)
        return Entry(head=moved, log=log, accounts=(described,) if described else ())
    known = known_transaction(state, target)
    merged = {**(known.metadata or {}), **(metadata or {})}
    changed = merged != (known.metadata or {})
    updated = replace(known, metadata=merged, updated_at=date) if changed else None
    return Entry(head=moved, log=log, updated=updated)


def delete_metadata(state: State, target: str | int, key: str, now: int, origin: Origin = NO_ORIGIN) -> Entry:
    """Remove one key. Always logged, even for an unknown account or key of an account.

    Raises UnknownTransaction, also when the transaction has no such key.
    """
    head = state.head()
    date = _date(head, now, origin)
    is_account = isinstance(target, str)
    data = chain.DeleteMetadataJson("ACCOUNT" if is_account else "TRANSACTION", target, key)
    log = _log(head, data, date, origin)
    moved = _moved(head, log, head.transaction)
    if isinstance(target, str):
        account = state.account(target)
        if account is None or key not in account.metadata:
            return Entry(head=moved, log=log)
        return Entry(
            head=moved, log=log, accounts=(replace(account, metadata=without(account.metadata, key)),)
        )
    known = known_transaction(state, target)
    if key not in (known.metadata or {}):
        raise UnknownTransaction(f"transaction {target} has no metadata {key!r}")
    updated = replace(known, metadata=without(known.metadata or {}, key), updated_at=date)
    return Entry(head=moved, log=log, updated=updated)


def insert_schema(state: State, schema: bytes, now: int, origin: Origin = NO_ORIGIN) -> Entry:
    """Log a schema, given as JSON in its read-back form; what it means is the ledger service's business."""
    head = state.head()
    date = _date(head, now, origin)
    log = _log(head, chain.InsertedSchemaJson(Raw(schema)), date, origin)
    return Entry(head=_moved(head, log, head.transaction), log=log)


def check_postings(postings: Sequence[Posting]) -> None:
    """Refuse what no ledger may hold. Raises InvalidPosting."""
    if not postings:
        raise InvalidPosting("a transaction needs at least one posting")
    for index, posting in enumerate(postings):
        if type(posting.amount) is not int or posting.amount < 0:
            raise InvalidPosting(f"posting {index}: the amount must be an integer of 0 or more")
        if not (posting.source and posting.destination and posting.asset):
            raise InvalidPosting(f"posting {index}: source, destination and asset must be given")


def _date(head: Head, now: int, origin: Origin) -> int:
    """Log dates increase strictly even when the clock does not (invariant 4), unless one moment is shared."""
    return max(now, head.date + 1) if origin.date is None else origin.date


def _moved(head: Head, log: Log, transaction: int) -> Head:
    return Head(head.ledger, log.id, transaction, log.date, log.hash, head.hashed, head.effective)


def _log(head: Head, data: chain.LogData, date: int, origin: Origin) -> Log:
    """The next log: its id is one more (invariant 4), its hash continues the chain (invariant 5)."""
    kind = chain.log_type(data)
    key = origin.idempotency_key
    return Log(
        id=head.log + 1,
        type=kind,
        data=chain.encode_data(data),
        date=date,
        hash=chain.chain(head.hash, kind, chain.memento(data), date, key) if head.hashed else b"",
        idempotency_key=key,
        idempotency_hash=origin.idempotency_hash,
        schema_version=origin.schema_version,
    )


class Moved(Struct, frozen=True, gc=False):
    """What postings do: volumes of each pair before and after, moves, and the volumes as a log shows them."""

    before: Mapping[Pair, Volumes]
    after: Mapping[Pair, Volumes]
    moves: Sequence[Move]
    shown: CommitVolumes


def move(
    state: State,
    id: int,
    timestamp: int,
    postings: Sequence[Posting],
    overdraft: Mapping[str, int | None] | None,
) -> Moved:
    """Make the postings of transaction `id`. Raises InsufficientFunds.

    `overdraft` None lets every account go negative.
    """
    before, after = _apply(state, postings, overdraft, timestamp)
    moves: list[Move] = []
    in_order = True
    for pair, total in after.items():
        was, put_in, put_out = before[pair], total.input, total.output
        moves.append(
            Move(pair[0], pair[1], timestamp, id, put_in - was.input, put_out - was.output, put_in, put_out)
        )
        if total.latest != timestamp:
            in_order = False
    post, pre = chain.encode_volumes(after), chain.encode_volumes(before)
    moved = Moved(before, after, moves, CommitVolumes(post, pre, post, pre))
    return moved if in_order else _back_dated(state, moved)


def _apply(
    state: State, postings: Sequence[Posting], overdraft: Mapping[str, int | None] | None, timestamp: int
) -> tuple[dict[Pair, Volumes], dict[Pair, Volumes]]:
    """Volumes before and after the postings, in order: money received earlier is there to be spent.

    Each posting adds its amount to one output and one input, so the sum of balances stays 0 for each asset
    (invariants 1 and 2).
    """
    before: dict[Pair, Volumes] = {}
    after: dict[Pair, Volumes] = {}
    for posting in postings:
        amount, asset = posting.amount, posting.asset
        source, destination = (posting.source, asset), (posting.destination, asset)
        for pair in (source, destination):
            if pair not in before:
                known = before[pair] = state.volumes(pair[0], asset)
                after[pair] = Volumes(known.input, known.output, max(known.latest, timestamp))
        spent = after[source]
        if overdraft is not None:
            _check_funds(posting, spent.input - spent.output, overdraft)
        after[source] = Volumes(spent.input, spent.output + amount, spent.latest)
        received = after[destination]
        after[destination] = Volumes(received.input + amount, received.output, received.latest)
    return before, after


def _back_dated(state: State, moved: Moved) -> Moved:
    """The same when some pair has later-dated moves: those, and only those, get new effective volumes (invariant 18).

    The transaction slips in before them: its own effective volumes are the totals without them.
    """
    moves: list[Move] = []
    post: dict[Pair, Volumes] = {}
    pre: dict[Pair, Volumes] = {}
    for new in moved.moves:
        own, pair = new, (new.account, new.asset)
        if moved.after[pair].latest > new.effective_at:
            later = state.moves_after(new.account, new.asset, new.effective_at)
            moves += (_shifted(known, new.input, new.output) for known in later)
            own = _shifted(new, -sum(known.input for known in later), -sum(known.output for known in later))
        moves.append(own)
        post[pair] = Volumes(own.effective_input, own.effective_output)
        pre[pair] = Volumes(own.effective_input - own.input, own.effective_output - own.output)
    shown = replace(
        moved.shown, post_effective=chain.encode_volumes(post), pre_effective=chain.encode_volumes(pre)
    )
    return replace(moved, moves=moves, shown=shown)


def _shifted(move: Move, put_in: int, put_out: int) -> Move:
    return replace(
        move, effective_input=move.effective_input + put_in, effective_output=move.effective_output + put_out
    )


def _check_funds(posting: Posting, balance: int, overdraft: Mapping[str, int | None]) -> None:
    """No account is debited beyond its policy (invariant 9); a debit of nothing is always possible."""
    source, amount = posting.source, posting.amount
    if balance >= amount or source == WORLD or amount == 0:
        return
    limit = overdraft.get(source, 0)
    if limit is not None and balance + limit < amount:
        raise InsufficientFunds(source, posting.asset, max(balance + limit, 0), amount)


def _check_not_negative(
    postings: Sequence[Posting], before: Mapping[Pair, Volumes], after: Mapping[Pair, Volumes]
) -> None:
    """After a revert no account that gives money back may be negative (invariant 9)."""
    for posting in postings:
        pair = (posting.source, posting.asset)
        if posting.source != WORLD and after[pair].balance < 0:
            needed = after[pair].output - before[pair].output
            raise InsufficientFunds(posting.source, posting.asset, max(before[pair].balance, 0), needed)


def check_reference(state: State, reference: str | None) -> None:
    """A reference names one transaction of a ledger (invariant 12)."""
    used = state.reference(reference) if reference else None
    if reference and used is not None:
        raise ReferenceConflict(reference, used)


def known_transaction(state: State, id: int) -> Transaction:
    """The transaction. Raises UnknownTransaction."""
    known = state.transaction(id)
    if known is None:
        raise UnknownTransaction(f"there is no transaction {id}")
    return known


def touched(state: State, new: NewTransaction, timestamp: int, date: int) -> list[Account]:
    """The accounts that a new transaction makes, describes, or shows to be older than was known."""
    described, defaults = new.account_metadata or {}, new.account_defaults
    changed: list[Account] = []
    for address in _addresses(new.postings, described):
        first_usage = state.first_usage(address)
        if first_usage is None or timestamp < first_usage or (described and described.get(address)):
            known = state.account(address)
            metadata = described.get(address) or {}
            if known is None and address in defaults:
                metadata = {**defaults[address], **metadata}
            account = described_account(known, address, metadata, timestamp, date)
            if account is not None:
                changed.append(account)
    return changed


def _addresses(postings: Sequence[Posting], described: Iterable[str]) -> Iterable[str]:
    """Each once, in order of appearance."""
    addresses: dict[str, None] = {}
    for posting in postings:
        addresses[posting.source] = addresses[posting.destination] = None
    for address in described:
        addresses[address] = None
    return addresses


def described_account(
    known: Account | None, address: str, metadata: Metadata, first_usage: int, date: int
) -> Account | None:
    """The account as it becomes, or None when nothing about it changes."""
    if known is None:
        return Account(address, dict(metadata), first_usage, date, date)
    if first_usage >= known.first_usage and all(known.metadata.get(k) == v for k, v in metadata.items()):
        return None
    return replace(
        known,
        metadata={**known.metadata, **metadata},
        first_usage=min(first_usage, known.first_usage),
        updated_at=date,
    )


def without(metadata: Metadata, key: str) -> Metadata:
    """The metadata less one key."""
    return {name: value for name, value in metadata.items() if name != key}
