"""The ledger's own check: fold the logs again, independently of the kernel, and compare every row with the result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import DecodeError, Raw, Struct, json
from msgspec.structs import asdict, replace

from bursar.engine import books
from bursar.engine.books import (
    ACCOUNTS,
    HEADS,
    IDEMPOTENCY,
    LOGS,
    MEMBERS,
    MOVES,
    REFERENCES,
    TRANSACTIONS,
    VOLUMES,
    AccountRow,
    LogRow,
    VolumesRow,
)
from bursar.engine.kernel import Head, Posting, chain
from bursar.engine.kernel.model import NEVER, Pair, parse_time
from bursar.engine.kernel.restore import UNSET_TIME
from bursar.engine.registry import LEDGERS, RAIL_LEDGERS
from bursar.engine.store.table import AnyTable
from bursar.engine.verify import Damage, Progress
from bursar.engine.view import ReadView

R = TypeVar("R", bound=Struct)

_PROGRESS_LOGS: Final = 1000
_LEDGER_TABLES: Final[Sequence[AnyTable]] = (HEADS, LOGS, TRANSACTIONS, MOVES, VOLUMES, ACCOUNTS)


class LedgerCheck:
    """A `Check` over all ledgers; `ledgers` and `logs` count what it saw."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.ledgers = 0
        self.logs = 0

    def __call__(self, view: ReadView) -> Iterator[Damage]:
        """See `Check`."""
        total = view.count(LOGS)
        for ledger in _ledgers(view):
            self.ledgers += 1
            yield from _Audit(view, ledger, lambda: self._counted(total)).run()
        self._progress(self.logs, total)

    def _counted(self, total: int) -> None:
        self.logs += 1
        if self.logs % _PROGRESS_LOGS == 0:
            self._progress(self.logs, total)


def _ledgers(view: ReadView) -> list[str]:
    """Every ledger that any table knows."""
    return sorted({ledger for table in _LEDGER_TABLES for ledger in _ledgers_of(view, table)})


def _ledgers_of(view: ReadView, table: AnyTable) -> Iterator[str]:
    """The ledgers of one table, found by hopping from one to the next."""
    name = ""
    while rows := view.select(table, {"ledger >": name}, order=("ledger",), limit=1):
        name = rows[0].ledger
        yield name


class _Later(Struct):
    """What logs after the one that made a transaction did to it, in their order."""

    changes: list[tuple[int, Callable[[dict[str, str]], dict[str, str]]]] = []
    reverted_at: int | None = None


class _Audit:
    """The check of one ledger: what its logs add up to, against what its rows say."""

    def __init__(self, view: ReadView, ledger: str, counted: Callable[[], None]) -> None:
        self._view = view
        self._ledger = ledger
        self._counted = counted
        stored, registered = view.get(HEADS, ledger), view.get(LEDGERS, ledger)
        self._head = Head(hashed=stored is None or stored.hashed)
        self._told = registered is not None and registered.imported_log is not None
        """Whether another service's logs were imported: what they say of dates and accounts is not ours to judge."""
        self._later: defaultdict[int, _Later] = defaultdict(_Later)
        self._totals: dict[Pair, VolumesRow] = {}
        self._move_counts: defaultdict[Pair, int] = defaultdict(int)
        self._accounts: dict[str, AccountRow] = {}
        self._by_chart: set[str] = set()
        """Accounts made by writes that named a schema version."""
        self._transactions = view.scan(TRANSACTIONS, ledger)
        self._next_row = next(self._transactions, None)

    def run(self) -> Iterator[Damage]:
        """All differences of the ledger."""
        yield from self._check_reverts_and_descriptions()
        for row in self._view.scan(LOGS, self._ledger):
            self._counted()
            yield from self._check_log(row)
        yield from self._extra_transactions(None)
        moved = (row for row in self._view.scan(VOLUMES, self._ledger) if row.latest != NEVER)
        yield from self._compare("volumes", self._totals.values(), moved, VOLUMES.key)
        if not self._told:
            yield from self._check_head()
            yield from self._compare(
                "account", self._expected_accounts(), self._view.scan(ACCOUNTS, self._ledger), ACCOUNTS.key
            )
        yield from self._check_balance()
        yield from self._check_moves()
        yield from self._check_keys()

    def _check_reverts_and_descriptions(self) -> Iterator[Damage]:
        """Gather what happened to transactions after they were made; none is reverted twice (invariant 11)."""
        for row in self._view.scan(LOGS, self._ledger):
            if row.type == chain.NEW_TRANSACTION:
                continue
            match _decoded(row):
                case chain.RevertedTransactionJson(reverted_transaction=original):
                    later = self._later[original.id]
                    if later.reverted_at is not None:
                        yield self._damage(
                            "reverted_twice", f"transaction {original.id}", "one revert", "two"
                        )
                    later.reverted_at = row.date
                    later.changes.append((row.date, dict))
                case chain.SetMetadataJson(target_id=int(id), metadata=metadata):
                    self._later[id].changes.append((row.date, _setter(metadata or {})))
                case chain.DeleteMetadataJson(target_id=int(id), key=key):
                    self._later[id].changes.append((row.date, _deleter(key)))
                case _:
                    pass

    def _check_log(self, row: LogRow) -> Iterator[Damage]:
        """Dates do not decrease (invariant 4), the chain holds (invariant 5), the data adds up."""
        where, before = f"log {row.id}", self._head
        if row.date < before.date and not self._told:
            yield self._damage("log_date", where, f"not before {before.date}", str(row.date))
        self._head = replace(before, log=row.id, date=row.date, hash=row.hash)
        data = _decoded(row)
        if data is None or chain.log_type(data) != row.type:
            yield self._damage("log_unreadable", where, f"data of a {row.type}", row.data[:100])
            return
        chained = chain.chain(before.hash, row.type, chain.memento(data), row.date, row.idempotency_key)
        if chained != row.hash and before.hashed:
            if row.id > before.log + 1:  # otherwise the ids between were taken in vain, by dry runs
                yield self._damage("log_missing", where, f"log {before.log + 1}", f"log {row.id}")
            yield self._damage("chain_broken", where, chained.hex(), row.hash.hex())
        if row.idempotency_key:
            known = self._view.get(IDEMPOTENCY, self._ledger, row.idempotency_key)
            if known is None or known.log != row.id:
                yield self._damage("idempotency_key", where, f"key {row.idempotency_key!r}", repr(known))
        match data:
            case chain.NewTransactionJson():
                yield from self._check_transaction(row, data.transaction, data.account_metadata or {})
            case chain.RevertedTransactionJson():
                yield from self._check_transaction(row, data.transaction, None)
            case chain.SetMetadataJson(target_id=str(address)):
                self._describe(address, data.metadata or {}, row.date, row)
            case chain.DeleteMetadataJson(target_id=str(address)):
                self._undescribe(address, data.key)
            case _:
                pass

    def _check_transaction(
        self, row: LogRow, tx: chain.TransactionJson, described: Mapping[str, Mapping[str, str] | None] | None
    ) -> Iterator[Damage]:
        where, timestamp = f"transaction {tx.id}", self._timestamp(tx)
        if tx.id <= self._head.transaction and not self._told:
            yield self._damage("transaction_order", where, f"more than {self._head.transaction}", where)
        self._head = replace(self._head, transaction=max(tx.id, self._head.transaction))
        before, after = self._add(tx.postings)
        if not self._told:
            yield from self._check_recorded(where, "post-commit volumes", tx.post_commit_volumes, after)
            yield from self._check_recorded(where, "pre-commit volumes", tx.pre_commit_volumes, before)
        for pair, (put_in, put_out) in after.items():
            yield from self._check_move(
                tx.id, timestamp, pair, put_in - before[pair][0], put_out - before[pair][1]
            )
            known = self._totals.get(pair)
            latest = timestamp if known is None else max(timestamp, known.latest)
            self._totals[pair] = VolumesRow(self._ledger, *pair, put_in, put_out, latest)
        if described is not None:
            for address in {account for account, _ in after} | {*described}:
                self._describe(address, described.get(address) or {}, timestamp, row)
        yield from self._check_transaction_row(row, tx, timestamp)

    def _timestamp(self, tx: chain.TransactionJson) -> int:
        """When it took place; the log of an imported one may not say, then only its row does."""
        row = self._view.get(TRANSACTIONS, self._ledger, tx.id) if tx.timestamp == UNSET_TIME else None
        return parse_time(tx.timestamp) if row is None else row.timestamp

    def _add(
        self, postings: Iterable[Posting]
    ) -> tuple[dict[Pair, tuple[int, int]], dict[Pair, tuple[int, int]]]:
        """(input, output) of each touched pair before and after the postings (invariant 2)."""
        before: dict[Pair, tuple[int, int]] = {}
        after: dict[Pair, tuple[int, int]] = {}
        for posting in postings:
            for account, put_in, put_out in (
                (posting.source, 0, posting.amount),
                (posting.destination, posting.amount, 0),
            ):
                pair = (account, posting.asset)
                if pair not in before:
                    known = self._totals.get(pair)
                    before[pair] = after[pair] = (0, 0) if known is None else (known.input, known.output)
                was_in, was_out = after[pair]
                after[pair] = (was_in + put_in, was_out + put_out)
        return before, after

    def _check_recorded(
        self, where: str, what: str, recorded: object, expected: Mapping[Pair, tuple[int, int]]
    ) -> Iterator[Damage]:
        """The volumes written in a log are those that the logs before it add up to (invariant 3)."""
        found = {
            (account, asset): (shown["input"], shown["output"])
            for account, assets in (json.decode(recorded) if isinstance(recorded, Raw) else {}).items()
            for asset, shown in assets.items()
        }
        if found != expected:
            yield self._damage("recorded_volumes", f"{where}, {what}", str(dict(expected)), str(found))

    def _check_move(self, id: int, timestamp: int, pair: Pair, put_in: int, put_out: int) -> Iterator[Damage]:
        self._move_counts[pair] += 1
        where = f"transaction {id}, {pair[0]} {pair[1]}"
        expected = f"input {put_in}, output {put_out}"
        move = self._view.get(MOVES, self._ledger, *pair, timestamp, id)
        if move is None:
            yield self._damage("move_missing", where, expected, "none")
        elif (move.input, move.output) != (put_in, put_out):
            yield self._damage("move_differs", where, expected, f"input {move.input}, output {move.output}")

    def _check_transaction_row(
        self, row: LogRow, tx: chain.TransactionJson, timestamp: int
    ) -> Iterator[Damage]:
        """The row beside the log, in step: both ascend."""
        metadata = dict(tx.metadata or {})
        shown, updated_at, later = tx.metadata, row.date, self._later.pop(tx.id, _Later())
        for date, change in later.changes:
            changed = change(metadata)
            if changed != metadata or change is dict:
                shown = metadata = changed
                updated_at = date
        yield from self._extra_transactions(tx.id)
        found = self._next_row
        if found is None or found.id != tx.id:
            yield self._damage("transaction_missing", f"transaction {tx.id}", "a row", "none")
            return
        expected = replace(
            found,
            log=row.id,
            postings=books.encode(tuple(tx.postings)),
            metadata=books.encode(shown),
            reference=tx.reference or None,
            timestamp=timestamp,
            inserted_at=row.date,
            updated_at=updated_at,
            reverted_at=later.reverted_at,
        )
        self._next_row = next(self._transactions, None)
        if not self._told:
            yield from self._differences("transaction", f"transaction {tx.id}", expected, found)
        if self._ledger not in RAIL_LEDGERS:
            yield from self._check_members(tx.id, shown or {})
        if expected.reference is not None:
            known = self._view.get(REFERENCES, self._ledger, expected.reference)
            if known is None or known.transaction != tx.id:
                yield self._damage("reference", f"transaction {tx.id}", repr(expected.reference), repr(known))

    def _check_members(self, id: int, metadata: Mapping[str, str]) -> Iterator[Damage]:
        """What listings find transactions by; a row too many is harmless, they look at the metadata as well."""
        for pair in {books.member(*item) for item in metadata.items()}:
            if self._view.get(MEMBERS, self._ledger, *pair, id) is None:
                yield self._damage("member_missing", f"transaction {id}", repr(pair), "none")

    def _extra_transactions(self, until: int | None) -> Iterator[Damage]:
        """Rows below `until` (None: all the rest) that no log made."""
        while self._next_row is not None and (until is None or self._next_row.id < until):
            yield self._damage("transaction_extra", f"transaction {self._next_row.id}", "no row", "a row")
            self._next_row = next(self._transactions, None)

    def _describe(self, address: str, metadata: Mapping[str, str], first_usage: int, log: LogRow) -> None:
        known, date = self._accounts.get(address), log.date
        if known is None:
            text = books.encode(dict(metadata))
            if log.schema_version:
                self._by_chart.add(address)
            self._accounts[address] = AccountRow(self._ledger, address, text, first_usage, date, date)
            return
        text = books.encode({**json.decode(known.metadata), **metadata}) if metadata else known.metadata
        if text != known.metadata or first_usage < known.first_usage:
            first = min(first_usage, known.first_usage)
            self._accounts[address] = AccountRow(
                self._ledger, address, text, first, known.insertion_date, date
            )

    def _expected_accounts(self) -> Iterator[AccountRow]:
        """What a schema's chart gave a new account is in no log: there the row is believed."""
        for account in self._accounts.values():
            row = self._view.get(ACCOUNTS, self._ledger, account.address)
            if row is not None and account.address in self._by_chart:
                yield replace(account, metadata=row.metadata, updated_at=row.updated_at)
            else:
                yield account

    def _undescribe(self, address: str, key: str) -> None:
        known = self._accounts.get(address)
        if known is not None:
            text = books.encode(_deleter(key)(json.decode(known.metadata)))
            self._accounts[address] = AccountRow(
                self._ledger, address, text, known.first_usage, known.insertion_date, known.updated_at
            )

    def _check_head(self) -> Iterator[Damage]:
        """The head stands where the logs end; ids may have been taken in vain since, by dry runs."""
        found, end = self._view.get(HEADS, self._ledger), self._head
        if found is None:
            if end.log:
                yield self._damage("head_missing", "head", f"log {end.log}", "none")
            return
        log, transaction = max(found.log, end.log), max(found.transaction, end.transaction)
        expected = replace(found, log=log, transaction=transaction, date=end.date, hash=end.hash)
        yield from self._differences("head", "head", expected, found)

    def _check_balance(self) -> Iterator[Damage]:
        """Of each asset, what all accounts hold adds up to nothing (invariant 1)."""
        sums: defaultdict[str, int] = defaultdict(int)
        for row in self._view.scan(VOLUMES, self._ledger):
            sums[row.asset] += row.input - row.output
        for asset, balance in sums.items():
            if balance:
                yield self._damage("not_balanced", asset, "sum of all balances 0", str(balance))

    def _check_moves(self) -> Iterator[Damage]:
        """Effective volumes are running totals in order of time; no move is there that no log made (invariant 3)."""
        pair, count, total, reported = ("", ""), 0, (0, 0), False
        for move in self._view.scan(MOVES, self._ledger):
            if (move.account, move.asset) != pair:
                yield from self._check_move_count(pair, count)
                pair, count, total, reported = (move.account, move.asset), 0, (0, 0), False
            count += 1
            total = (total[0] + move.input, total[1] + move.output)
            found = (move.effective_input, move.effective_output)
            if found != total and not reported:
                where = f"transaction {move.transaction}, {move.account} {move.asset}"
                yield self._damage("effective_volumes", where, str(total), str(found))
                reported = True
        yield from self._check_move_count(pair, count)

    def _check_move_count(self, pair: Pair, found: int) -> Iterator[Damage]:
        expected = self._move_counts.get(pair, 0)
        if found > expected:
            yield self._damage("move_extra", f"{pair[0]} {pair[1]}", f"{expected} moves", str(found))

    def _check_keys(self) -> Iterator[Damage]:
        """References and idempotency keys point at what carries them (invariants 12 and 7)."""
        for reference in self._view.scan(REFERENCES, self._ledger):
            transaction = self._view.get(TRANSACTIONS, self._ledger, reference.transaction)
            if transaction is None or transaction.reference != reference.reference:
                where = f"transaction {reference.transaction}"
                yield self._damage("reference_extra", where, "another reference", repr(reference.reference))
        for key in self._view.scan(IDEMPOTENCY, self._ledger):
            log = self._view.get(LOGS, self._ledger, key.log)
            if log is None or log.idempotency_key != key.key:
                yield self._damage("idempotency_key_extra", f"log {key.log}", "another key", repr(key.key))

    def _compare(
        self, kind: str, expected: Iterable[Any], found: Iterable[Any], key: tuple[str, ...]
    ) -> Iterator[Damage]:
        """Rows that should be, against rows that are."""
        wanted = {tuple(getattr(row, name) for name in key): row for row in expected}
        for row in found:
            identity = tuple(getattr(row, name) for name in key)
            where = " ".join(str(part) for part in identity[1:]) or kind
            known = wanted.pop(identity, None)
            if known is None:
                yield self._damage(f"{kind}_extra", where, "no row", "a row")
            else:
                yield from self._differences(kind, where, known, row)
        for identity in wanted:
            where = " ".join(str(part) for part in identity[1:]) or kind
            yield self._damage(f"{kind}_missing", where, "a row", "none")

    def _differences(self, kind: str, where: str, expected: Struct, found: Struct) -> Iterator[Damage]:
        if expected == found:
            return
        is_there = asdict(found)
        for name, value in asdict(expected).items():
            if value != is_there[name]:
                yield self._damage(f"{kind}_differs", f"{where}, {name}", repr(value), repr(is_there[name]))

    def _damage(self, kind: str, where: str, expected: str, found: str) -> Damage:
        return Damage(kind, f"ledger {self._ledger}, {where}", expected, found)


def _decoded(row: LogRow) -> chain.LogData | None:
    try:
        return chain.decode_data(row.type, row.data.encode())
    except (DecodeError, KeyError):
        return None


def _setter(added: Mapping[str, str]) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda metadata: {**metadata, **added}


def _deleter(key: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda metadata: {name: value for name, value in metadata.items() if name != key}
