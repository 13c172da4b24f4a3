"""The seam between the engine and where its rows live. SQLite is one store; PostgreSQL can be a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from bursar.engine.store.table import AnyTable, Key, Scalar, Table

R = TypeVar("R", bound=Struct)
T = TypeVar("T")

Where = Mapping[str, Scalar]
"""Conditions that all hold: `{"status": 1, "due_at <=": now}`; operators =, !=, <, <=, >, >=. None means IS NULL."""


class Range(NamedTuple):
    """The rows of a table whose key starts with `prefix` and, if `after` is not empty, continues greater than it."""

    table: AnyTable
    prefix: Key
    after: Key = ()


class Wanted(NamedTuple):
    """What a command needs to know: rows by key, of any tables, and ranges."""

    keys: Sequence[tuple[AnyTable, Key]] = ()
    ranges: Sequence[Range] = ()


class Missing(Exception):
    """A command needs rows that are not in memory: the writer loads them and runs the command again."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.wanted = wanted


class Loaded(NamedTuple):
    """The answer: exactly the wanted keys (None: no such row), and the rows of each range in key order."""

    rows: Sequence[tuple[AnyTable, Key, Any]]
    ranges: Sequence[tuple[Range, Sequence[Any]]]


Changes = Mapping[AnyTable, Mapping[Key, Any]]
"""Absolute values: the row to be at each key, or None for no row."""


class Rows(Protocol):
    """Committed rows, all as of one moment."""

    def get(self, table: Table[R], *key: Scalar) -> R | None: ...

    def select(
        self,
        table: Table[R],
        where: Where | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[R]:
        """Rows that meet `where`, ordered by columns (`-name` descends), by key if none is given."""
        ...

    def count(self, table: AnyTable, where: Where | None = None) -> int: ...

    def scan(self, table: Table[R], *prefix: Scalar) -> Iterator[R]:
        """The rows whose key starts with `prefix`, in key order, without holding them all in memory."""
        ...


class Store(Protocol):
    """Keeps rows. The writer is its only caller for `fetch` and `commit`, one at a time."""

    @property
    def version(self) -> int:
        """Number of the last commit that is known here."""
        ...

    @property
    def exclusive(self) -> bool:
        """Whether no other process can write while this store is open."""
        ...

    async def fetch(self, wanted: Wanted) -> Loaded:
        """Load committed rows in bulk."""
        ...

    async def commit(self, expected: int, changes: Changes) -> bool:
        """Make all changes durable, as version `expected + 1`.

        False, and nothing changed, when another writer has moved the version. Raises CommitFailed.
        """
        ...

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run a query on committed rows; it sees one moment and never a part of a batch."""
        ...

    async def close(self) -> None: ...
