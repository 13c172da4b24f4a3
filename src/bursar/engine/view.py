"""What a command sees and changes: rows in memory, with its own changes undone if it raises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from msgspec import Struct

from bursar.engine import limits
from bursar.engine.books import VOLUMES, Books
from bursar.engine.ids import Ids
from bursar.engine.kernel import NO_ORIGIN, NewTransaction, Origin, Transaction, Volumes
from bursar.engine.store.base import Changes, Loaded, Missing, Range, Rows, Sql, Wanted, Where
from bursar.engine.store.table import AnyTable, Key, Scalar, Table
from bursar.engine.work import WORK, Work, work_row

R = TypeVar("R", bound=Struct)


class SequenceRow(Struct, frozen=True, gc=False):
    """The last number that a sequence gave."""

    name: str
    last: int


SEQUENCES: Final = Table("sequences", SequenceRow, ("name",), cached=True)


_UNKNOWN: Final = object()
"""Stands for a row that is not in memory, as opposed to None: a row that does not exist."""


class Memory:
    """The rows the writer knows: stored ones, those of the batch that is being committed, and the present batch's."""

    def __init__(self) -> None:
        self.rows: defaultdict[AnyTable, dict[Key, Any]] = defaultdict(dict)
        self.ranges: set[Range] = set()
        self.journal: list[tuple[AnyTable, Key, Any]] = []
        """Every change of the batch in order: where, and the row before it."""

    def load(self, loaded: Loaded) -> None:
        """Take rows from the store; what the batch already changed stays."""
        for table, key, row in loaded.rows:
            self.rows[table].setdefault(key, row)
        for wanted, rows in loaded.ranges:
            self.ranges.add(wanted)
            known = self.rows[wanted.table]
            for row in rows:
                known.setdefault(wanted.table.key_of(row), row)

    def lacks(self, wanted: Wanted) -> Wanted:
        """The part of `wanted` that is not in memory."""
        keys = [(table, key) for table, key in wanted.keys if key not in self.rows[table]]
        return Wanted(keys, [part for part in wanted.ranges if part not in self.ranges])

    @property
    def changed(self) -> int:
        """How many changes the batch has made."""
        return len(self.journal)

    def depart(self) -> Changes:
        """What the batch is to write. From here on another batch may build on it.

        Of cached tables all is kept, within their bound; of the others only what is not in the store yet: whatever
        else is needed is loaded again.
        """
        changes: defaultdict[AnyTable, dict[Key, Any]] = defaultdict(dict)
        for table, key, _ in self.journal:
            changes[table][key] = self.rows[table][key]
        for table, rows in self.rows.items():
            if not table.cached or len(rows) > limits.CACHED_ROWS:
                self.rows[table] = dict(changes.get(table, ()))
        self.journal.clear()
        self.ranges.clear()
        return changes

    def forget(self) -> None:
        """After a failed commit: nothing in memory can be trusted."""
        self.rows.clear()
        self.ranges.clear()
        self.journal.clear()


class View:
    """One command's view. Not to be kept after the command returns."""

    def __init__(self, memory: Memory, now: int, ids: Ids, number: int) -> None:
        self.now = now
        """Engine time of this command in microseconds; the same throughout."""
        self._memory = memory
        self._rows = memory.rows
        self._journal = memory.journal
        self._start = len(memory.journal)
        self._ids = ids
        self._number = number

    @cached_property
    def ids(self) -> Ids:
        """This command's own stream: it draws the same values again when the command is run again."""
        return self._ids.child(self._number)

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """The row at this key as of now, the changes of this command and of earlier ones included."""
        try:
            row: R | None = self._rows[table][key]
        except KeyError:
            raise Missing(Wanted([(table, key)])) from None
        return row

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row."""
        key, rows = table.key_of(row), self._rows[table]
        self._journal.append((table, key, rows.get(key, _UNKNOWN)))
        rows[key] = row

    def delete(self, table: Table[R], *key: Scalar) -> None:
        """Remove a row; nothing happens if there is none."""
        rows = self._rows[table]
        self._journal.append((table, key, rows.get(key, _UNKNOWN)))
        rows[key] = None

    def scan(self, table: Table[R], *prefix: Scalar, after: Key = ()) -> list[R]:
        """The rows whose key starts with `prefix` and goes on greater than `after`, in key order."""
        wanted = Range(table, prefix, after)
        if wanted not in self._memory.ranges:
            raise Missing(Wanted(ranges=[wanted]))
        start, end = len(prefix), len(prefix) + len(after)
        keys: list[Any] = [
            key
            for key, row in self._memory.rows[table].items()
            if row is not None and key[:start] == prefix and (not after or key[start:end] > after)
        ]
        return [self._memory.rows[table][key] for key in sorted(keys)]

    def want(self, wanted: Wanted) -> None:
        """Make sure that these rows are in memory, loading all that are not at once."""
        lacking = self._memory.lacks(wanted)
        if lacking.keys or lacking.ranges:
            raise Missing(lacking)

    def volumes(self, ledger: str, account: str, asset: str) -> Volumes:
        """What the account received and sent of the asset; zeros if it never did."""
        return Books(self, ledger).volumes(account, asset)

    def post(self, ledger: str, new: NewTransaction, origin: Origin = NO_ORIGIN) -> Transaction:
        """Post balanced postings. Raises InvalidPosting, InsufficientFunds or ReferenceConflict."""
        return Books(self, ledger).post(new, origin)

    def books(self, ledger: str) -> Books:
        """A ledger, for all that the kernel can do with it."""
        return Books(self, ledger)

    def next_id(self, sequence: str, *, start: int = 1) -> int:
        """The next number of a durable sequence: increasing; a command that raises gives its number back."""
        row = self.get(SEQUENCES, sequence)
        last = start if row is None else row.last + 1
        self.put(SEQUENCES, SequenceRow(sequence, last))
        return last

    def schedule(self, work: Work) -> None:
        """Make work durable together with this command's other changes; replaces work of the same kind and key."""
        self.put(WORK, work_row(work))

    def unschedule(self, kind: str, key: str) -> None:
        """Finish or cancel work; nothing happens if there is none."""
        self.delete(WORK, kind, key)

    def savepoint(self) -> int:
        """A mark to which `roll_back` can return."""
        return len(self._journal)

    def roll_back(self, to: int | None = None) -> None:
        """Take back all changes of this command (invariant 8), or those since a savepoint."""
        start = self._start if to is None else to
        for table, key, before in reversed(self._journal[start:]):
            if before is _UNKNOWN:
                del self._rows[table][key]
            else:
                self._rows[table][key] = before
        del self._journal[start:]


class ReadView:
    """What a query sees: committed rows as of one moment."""

    def __init__(self, rows: Rows, now: int) -> None:
        self.now = now
        self._rows = rows

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """The row at this key."""
        return self._rows.get(table, *key)

    def select(
        self,
        table: Table[R],
        where: Where | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[R]:
        """Rows that meet `where`; see `store.base.Rows.select`."""
        return self._rows.select(table, where, order=order, limit=limit)

    def count(self, table: AnyTable, where: Where | None = None) -> int:
        """How many rows meet `where`."""
        return self._rows.count(table, where)

    def scan(self, table: Table[R], *prefix: Scalar) -> Iterator[R]:
        """The rows whose key starts with `prefix`, in key order, one at a time."""
        return self._rows.scan(table, *prefix)

    def query(self, statement: Sql) -> list[tuple[Any, ...]]:
        """The rows of a query; see `store.base.Sql`."""
        return self._rows.query(statement)

    def volumes(self, ledger: str, account: str, asset: str) -> Volumes:
        """What the account received and sent of the asset."""
        row = self._rows.get(VOLUMES, ledger, account, asset)
        return Volumes() if row is None else Volumes(row.input, row.output)


T = TypeVar("T")
Command = Callable[[View], T]
Query = Callable[[ReadView], T]
