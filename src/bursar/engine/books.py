"""The kernel's values as rows, and a ledger as the kernel reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Raw, Struct, json
from msgspec.structs import replace

from bursar.engine.kernel import (
    NO_ORIGIN,
    Account,
    Entry,
    Head,
    Metadata,
    Move,
    NewTransaction,
    Origin,
    Posting,
    Transaction,
    Volumes,
    chain,
    ledger,
)
from bursar.engine.kernel.model import Pair
from bursar.engine.registry import RAIL_LEDGERS, register
from bursar.engine.store.base import Missing, Wanted
from bursar.engine.store.table import Amount, AnyTable, Key, Scalar, Table

R = TypeVar("R", bound=Struct)


class LogRow(Struct, frozen=True, gc=False):
    """One log; see `kernel.model.Log`. `data` is JSON."""

    ledger: str
    id: int
    type: str
    data: str
    date: int
    hash: bytes
    idempotency_key: str
    idempotency_hash: str
    schema_version: str


class TransactionRow(Struct, frozen=True, gc=False):
    """What may change or be searched for; the volumes are in the log that made the transaction."""

    ledger: str
    id: int
    log: int
    postings: str
    metadata: str
    reference: str | None
    timestamp: int
    inserted_at: int
    updated_at: int
    reverted_at: int | None
    template: str
    volumes: str | None
    """Post-commit volumes as JSON, where the log shows others: of an imported transaction."""


class MoveRow(Struct, frozen=True, gc=False):
    """What one transaction did to one pair; see `kernel.model.Move`."""

    ledger: str
    account: str
    asset: str
    effective_at: int
    transaction: int
    input: Amount
    output: Amount
    effective_input: Amount
    effective_output: Amount


class VolumesRow(Struct, frozen=True, gc=False):
    """`latest` is the greatest timestamp among the moves, NEVER if nothing moved yet."""

    ledger: str
    account: str
    asset: str
    input: Amount
    output: Amount
    latest: int


class AccountRow(Struct, frozen=True, gc=False):
    """An account; see `kernel.model.Account`. `metadata` is JSON."""

    ledger: str
    address: str
    metadata: str
    first_usage: int
    insertion_date: int
    updated_at: int


class ReferenceRow(Struct, frozen=True, gc=False):
    """Which transaction has a reference."""

    ledger: str
    reference: str
    transaction: int


class MemberRow(Struct, frozen=True, gc=False):
    """An index of the metadata that transactions have now: which have this value at this key, each cut by `member`."""

    ledger: str
    key: str
    value: str
    transaction: int


class IdempotencyRow(Struct, frozen=True, gc=False):
    """Which log answered an idempotency key of the ledger."""

    ledger: str
    key: str
    log: int


MEMBER_CHARS: Final = 100

HEADS: Final = Table("heads", Head, ("ledger",), cached=True)
LOGS: Final = Table("logs", LogRow, ("ledger", "id"), append_only=True)
TRANSACTIONS: Final = Table(
    "transactions", TransactionRow, ("ledger", "id"), indexes=(("ledger", "timestamp", "id"),)
)
MEMBERS: Final = Table("transaction_members", MemberRow, ("ledger", "key", "value", "transaction"))
MOVES: Final = Table("moves", MoveRow, ("ledger", "account", "asset", "effective_at", "transaction"))
VOLUMES: Final = Table("volumes", VolumesRow, ("ledger", "account", "asset"), cached=True)
ACCOUNTS: Final = Table("accounts", AccountRow, ("ledger", "address"), cached=True)
REFERENCES: Final = Table("ledger_references", ReferenceRow, ("ledger", "reference"), append_only=True)
IDEMPOTENCY: Final = Table("idempotency", IdempotencyRow, ("ledger", "key"), append_only=True)

TABLES: Final[tuple[AnyTable, ...]] = (
    HEADS,
    LOGS,
    TRANSACTIONS,
    MEMBERS,
    MOVES,
    VOLUMES,
    ACCOUNTS,
    REFERENCES,
    IDEMPOTENCY,
)

_encoder: Final = json.Encoder(order="deterministic")
_metadata: Final = json.Decoder(dict[str, str] | None).decode
_postings: Final = json.Decoder(tuple[Posting, ...]).decode


class View(Protocol):
    """The part of `bursar.engine.view.View` that a ledger needs."""

    now: int

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """Return one row."""
        ...

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row."""
        ...

    def delete(self, table: Table[R], *key: Scalar) -> None:
        """Remove a row."""
        ...

    def scan(self, table: Table[R], *prefix: Scalar, after: Key = ()) -> Sequence[R]:
        """Return the rows of a range of keys."""
        ...

    def want(self, wanted: Wanted) -> None:
        """Load rows at once."""
        ...

    def next_id(self, sequence: str, *, start: int = 1) -> int:
        """Return the next number of a sequence."""
        ...


class Books:
    """One ledger of a view: reads it for the kernel, and stores what the kernel answers."""

    def __init__(self, view: View, ledger: str) -> None:
        self._view = view
        self._ledger = ledger

    # The kernel's State.

    def head(self) -> Head:
        """See `kernel.ledger.State`."""
        return self._view.get(HEADS, self._ledger) or Head(self._ledger)

    def volumes(self, account: str, asset: str) -> Volumes:
        """See `kernel.ledger.State`."""
        row = self._view.get(VOLUMES, self._ledger, account, asset)
        return Volumes() if row is None else Volumes(row.input, row.output, row.latest)

    def moves_after(self, account: str, asset: str, at: int) -> list[Move]:
        """See `kernel.ledger.State`."""
        rows = self._view.scan(MOVES, self._ledger, account, asset, after=(at,))
        return [
            Move(
                row.account,
                row.asset,
                row.effective_at,
                row.transaction,
                row.input,
                row.output,
                row.effective_input,
                row.effective_output,
            )
            for row in rows
        ]

    def account(self, address: str) -> Account | None:
        """See `kernel.ledger.State`."""
        row = self._view.get(ACCOUNTS, self._ledger, address)
        return None if row is None else account_of(row)

    def first_usage(self, address: str) -> int | None:
        """See `kernel.ledger.State`."""
        row = self._view.get(ACCOUNTS, self._ledger, address)
        return None if row is None else row.first_usage

    def transaction(self, id: int) -> Transaction | None:
        """See `kernel.ledger.State`."""
        row = self._view.get(TRANSACTIONS, self._ledger, id)
        if row is None:
            return None
        log = self._view.get(LOGS, self._ledger, row.log)
        return transaction_of(row, log)

    def reference(self, reference: str) -> int | None:
        """See `kernel.ledger.State`."""
        row = self._view.get(REFERENCES, self._ledger, reference)
        return None if row is None else row.transaction

    # Writes.

    def post(self, new: NewTransaction, origin: Origin = NO_ORIGIN) -> Transaction:
        """See `kernel.ledger.post`."""
        entry = self.prepare(new, origin)
        self.store(entry)
        assert entry.transaction is not None
        return entry.transaction

    def prepare(self, new: NewTransaction, origin: Origin = NO_ORIGIN) -> Entry:
        """What posting would change; `store` makes it so."""
        try:
            return ledger.post(self, new, self._view.now, origin)
        except Missing:
            self._want_for(new)
            raise

    def store(self, entry: Entry, *, imported: bool = False) -> None:
        """Put all rows of an entry into the view; an imported log does not tell the volumes."""
        name, view, log = self._ledger, self._view, entry.log
        put = view.put
        if log.id == 1:
            register(view, name)
        put(HEADS, entry.head)
        key, text = log.idempotency_key, log.data.decode()
        put(
            LOGS,
            LogRow(
                name,
                log.id,
                log.type,
                text,
                log.date,
                log.hash,
                key,
                log.idempotency_hash,
                log.schema_version,
            ),
        )
        if key:
            put(IDEMPOTENCY, IdempotencyRow(name, key, log.id))
        if entry.updated is not None:
            known = view.get(TRANSACTIONS, name, entry.updated.id)
            assert known is not None
            put(TRANSACTIONS, transaction_row(name, entry.updated, known.log, known.volumes))
            self._index(entry.updated.id, _metadata(known.metadata), entry.updated.metadata)
        if entry.transaction is not None:
            self._store_transaction(entry, entry.transaction, imported)
        for account in entry.accounts:
            put(ACCOUNTS, account_row(name, account))

    def _store_transaction(self, entry: Entry, transaction: Transaction, imported: bool) -> None:
        name, put = self._ledger, self._view.put
        volumes = None
        if imported and transaction.volumes is not None and isinstance(transaction.volumes.post, Raw):
            volumes = bytes(transaction.volumes.post).decode()
        put(TRANSACTIONS, transaction_row(name, transaction, entry.log.id, volumes))
        if transaction.metadata:
            self._index(transaction.id, None, transaction.metadata)
        if transaction.reference is not None:
            put(REFERENCES, ReferenceRow(name, transaction.reference, transaction.id))
        for m in entry.moves:
            put(
                MOVES,
                MoveRow(
                    name,
                    m.account,
                    m.asset,
                    m.effective_at,
                    m.transaction,
                    m.input,
                    m.output,
                    m.effective_input,
                    m.effective_output,
                ),
            )
        for (account, asset), total in entry.volumes.items():
            put(VOLUMES, VolumesRow(name, account, asset, total.input, total.output, total.latest))

    def _index(self, transaction: int, before: Metadata | None, after: Metadata | None) -> None:
        """Keep MEMBERS in step; nobody asks for the metadata of a rail's transactions often enough to pay for it."""
        if self._ledger in RAIL_LEDGERS:
            return
        old, new = ({member(*item) for item in (metadata or {}).items()} for metadata in (before, after))
        for pair in sorted(old - new):
            self._view.delete(MEMBERS, self._ledger, *pair, transaction)
        for pair in sorted(new - old):
            self._view.put(MEMBERS, MemberRow(self._ledger, *pair, transaction))

    def _want_for(self, new: NewTransaction) -> None:
        """Name all rows that posting reads at once, so that at most one load is needed."""
        name = self._ledger
        keys: list[tuple[AnyTable, Key]] = [(HEADS, (name,))]
        for posting in new.postings:
            keys.append((VOLUMES, (name, posting.source, posting.asset)))
            keys.append((VOLUMES, (name, posting.destination, posting.asset)))
            keys.append((ACCOUNTS, (name, posting.source)))
            keys.append((ACCOUNTS, (name, posting.destination)))
        keys += [(ACCOUNTS, (name, address)) for address in new.account_metadata or ()]
        if new.reference:
            keys.append((REFERENCES, (name, new.reference)))
        self._view.want(Wanted(keys))


def member(key: str, value: str) -> tuple[str, str]:
    """A member of metadata as MEMBERS knows it: an index takes no long texts."""
    return key[:MEMBER_CHARS], value[:MEMBER_CHARS]


def encode(value: object) -> str:
    """JSON text with sorted maps: equal values are equal texts."""
    return _encoder.encode(value).decode()


def transaction_row(ledger: str, tx: Transaction, log: int, volumes: str | None = None) -> TransactionRow:
    """The row of a transaction made by log `log`."""
    return TransactionRow(
        ledger,
        tx.id,
        log,
        encode(tx.postings),
        encode(tx.metadata),
        tx.reference,
        tx.timestamp,
        tx.inserted_at,
        tx.updated_at,
        tx.reverted_at,
        tx.template,
        volumes,
    )


def transaction_of(row: TransactionRow, log: LogRow | None = None) -> Transaction:
    """The transaction of a row; with the log that made it, also its volumes as of that commit."""
    volumes = None
    if log is not None:
        data = chain.decode_data(log.type, log.data.encode())
        assert isinstance(data, chain.NewTransactionJson | chain.RevertedTransactionJson)
        volumes = chain.volumes_of(data.transaction)
        if row.volumes is not None:
            post = chain.decode_volumes(row.volumes)
            pre = before(post, data.transaction.postings)
            volumes = replace(volumes, post=chain.encode_volumes(post), pre=chain.encode_volumes(pre))
    return Transaction(
        id=row.id,
        postings=_postings(row.postings),
        metadata=_metadata(row.metadata),
        reference=row.reference,
        timestamp=row.timestamp,
        inserted_at=row.inserted_at,
        updated_at=row.updated_at,
        reverted_at=row.reverted_at,
        template=row.template,
        volumes=volumes,
    )


def before(after: Mapping[Pair, Volumes], postings: Sequence[Posting]) -> dict[Pair, Volumes]:
    """Volumes without these postings. Raises KeyError for a pair that is not there."""
    volumes = dict(after)
    for posting in postings:
        source, destination = (posting.source, posting.asset), (posting.destination, posting.asset)
        sent = volumes[source]
        volumes[source] = Volumes(sent.input, sent.output - posting.amount)
        received = volumes[destination]
        volumes[destination] = Volumes(received.input - posting.amount, received.output)
    return volumes


def account_row(ledger: str, account: Account) -> AccountRow:
    """The row of an account."""
    metadata: Metadata = account.metadata
    return AccountRow(
        ledger,
        account.address,
        encode(metadata),
        account.first_usage,
        account.insertion_date,
        account.updated_at,
    )


def account_of(row: AccountRow) -> Account:
    """The account of a row."""
    return Account(
        row.address, _metadata(row.metadata) or {}, row.first_usage, row.insertion_date, row.updated_at
    )
