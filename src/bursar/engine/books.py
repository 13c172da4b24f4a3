"""The kernel's values as rows, and a ledger as the kernel reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeVar

from msgspec import Raw, Struct, json

from bursar.engine.kernel import (
    NO_ORIGIN,
    Account,
    Entry,
    Head,
    Log,
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
from bursar.engine.kernel.model import VolumesMap
from bursar.engine.registry import register
from bursar.engine.store.base import Missing, Wanted
from bursar.engine.store.table import Amount, AnyTable, Key, Scalar, Table

R = TypeVar("R", bound=Struct)


class HeadRow(Struct, frozen=True, gc=False):
    """Where a ledger stands; see `kernel.model.Head`."""

    ledger: str
    log: int
    transaction: int
    date: int
    hash: bytes
    hashed: bool
    effective: bool


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


class IdempotencyRow(Struct, frozen=True, gc=False):
    """Which log answered an idempotency key of the ledger."""

    ledger: str
    key: str
    log: int


NEVER: Final = -(2**63)
HEADS: Final = Table("heads", HeadRow, ("ledger",), cached=True)
LOGS: Final = Table("logs", LogRow, ("ledger", "id"), append_only=True)
TRANSACTIONS: Final = Table("transactions", TransactionRow, ("ledger", "id"))
MOVES: Final = Table("moves", MoveRow, ("ledger", "account", "asset", "effective_at", "transaction"))
VOLUMES: Final = Table("volumes", VolumesRow, ("ledger", "account", "asset"), cached=True)
ACCOUNTS: Final = Table("accounts", AccountRow, ("ledger", "address"), cached=True)
REFERENCES: Final = Table("ledger_references", ReferenceRow, ("ledger", "reference"), append_only=True)
IDEMPOTENCY: Final = Table("idempotency", IdempotencyRow, ("ledger", "key"), append_only=True)

TABLES: Final[tuple[AnyTable, ...]] = (
    HEADS,
    LOGS,
    TRANSACTIONS,
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
        row = self._view.get(HEADS, self._ledger)
        return Head() if row is None else head_of(row)

    def volumes(self, account: str, asset: str) -> Volumes:
        """See `kernel.ledger.State`."""
        row = self._view.get(VOLUMES, self._ledger, account, asset)
        return Volumes() if row is None else Volumes(row.input, row.output)

    def latest(self, account: str, asset: str) -> int | None:
        """See `kernel.ledger.State`."""
        row = self._view.get(VOLUMES, self._ledger, account, asset)
        return None if row is None else row.latest

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
        name, put, log = self._ledger, self._view.put, entry.log
        head = entry.head
        if self._view.get(HEADS, name) is None:
            register(self._view, name)
        put(HEADS, head_row(name, head))
        put(LOGS, log_row(name, log))
        if log.idempotency_key:
            put(IDEMPOTENCY, IdempotencyRow(name, log.idempotency_key, log.id))
        if entry.updated is not None:
            known = self._view.get(TRANSACTIONS, name, entry.updated.id)
            assert known is not None
            put(TRANSACTIONS, transaction_row(name, entry.updated, known.log, known.volumes))
        if entry.transaction is not None:
            self._store_transaction(entry, entry.transaction, imported)
        for account in entry.accounts:
            put(ACCOUNTS, account_row(name, account))

    def _store_transaction(self, entry: Entry, transaction: Transaction, imported: bool) -> None:
        name, put = self._ledger, self._view.put
        volumes = encode(transaction.post_commit_volumes) if imported else None
        put(TRANSACTIONS, transaction_row(name, transaction, entry.log.id, volumes))
        if transaction.reference is not None:
            put(REFERENCES, ReferenceRow(name, transaction.reference, transaction.id))
        for move in entry.moves:
            put(MOVES, move_row(name, move))
        get, at = self._view.get, transaction.timestamp
        for (account, asset), total in entry.volumes.items():
            known = get(VOLUMES, name, account, asset)
            latest = at if known is None or known.latest < at else known.latest
            put(VOLUMES, VolumesRow(name, account, asset, total.input, total.output, latest))

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


def encode(value: object) -> str:
    """JSON text with sorted maps: equal values are equal texts."""
    return _encoder.encode(value).decode()


def head_row(ledger: str, head: Head) -> HeadRow:
    """The row of a head."""
    return HeadRow(ledger, head.log, head.transaction, head.date, head.hash, head.hashed, head.effective)


def head_of(row: HeadRow) -> Head:
    """The head of a row."""
    return Head(row.log, row.transaction, row.date, row.hash, row.hashed, row.effective)


def log_row(ledger: str, log: Log) -> LogRow:
    """The row of a log."""
    return LogRow(
        ledger,
        log.id,
        log.type,
        log.data.decode(),
        log.date,
        log.hash,
        log.idempotency_key,
        log.idempotency_hash,
        log.schema_version,
    )


def log_of(row: LogRow) -> Log:
    """The log of a row."""
    return Log(
        id=row.id,
        type=row.type,
        data=row.data.encode(),
        date=row.date,
        hash=row.hash,
        idempotency_key=row.idempotency_key,
        idempotency_hash=row.idempotency_hash,
        schema_version=row.schema_version,
    )


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
    maps: dict[str, VolumesMap] = {}
    if log is not None:
        data = chain.decode_data(log.type, log.data.encode())
        assert isinstance(data, chain.NewTransactionJson | chain.RevertedTransactionJson)
        made = data.transaction
        post = (
            json.decode(row.volumes, type=VolumesMap) if row.volumes else _volumes(made.post_commit_volumes)
        )
        maps = {
            "post_commit_volumes": post,
            "pre_commit_volumes": before(post, made.postings),
            "post_commit_effective_volumes": _volumes(made.post_commit_effective_volumes),
            "pre_commit_effective_volumes": _volumes(made.pre_commit_effective_volumes),
        }
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
        **maps,
    )


def before(after: VolumesMap, postings: Sequence[Posting]) -> VolumesMap:
    """Volumes without these postings."""
    volumes = {account: dict(assets) for account, assets in after.items()}
    for posting in postings:
        sent = volumes[posting.source][posting.asset]
        volumes[posting.source][posting.asset] = Volumes(sent.input, sent.output - posting.amount)
        received = volumes[posting.destination][posting.asset]
        volumes[posting.destination][posting.asset] = Volumes(
            received.input - posting.amount, received.output
        )
    return volumes


def _volumes(shown: Any) -> VolumesMap:
    return json.decode(shown, type=VolumesMap) if isinstance(shown, Raw) else {}


def move_row(ledger: str, move: Move) -> MoveRow:
    """The row of a move."""
    return MoveRow(
        ledger,
        move.account,
        move.asset,
        move.effective_at,
        move.transaction,
        move.input,
        move.output,
        move.effective_input,
        move.effective_output,
    )


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
