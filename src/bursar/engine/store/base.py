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


class Sql(NamedTuple):
    """A query in the SQL that every store speaks, with `?` for each of `values`.

    Besides standard SQL it may use these functions, on which all stores agree:

    - `exact_sum(n)`: an aggregate, exact however large;
    - `balance(input, output)`: their difference; `compare(a, b)`: -1, 0 or 1; both exact however large;
    - `member(object, key)`: the text at a key of a JSON object of texts, or NULL;
    - `matches(text, pattern)`: whether a regular expression fits the whole text;
    - `segments(address, n)`: its first n segments;
    - `posting_matches(postings, side, pattern)`: whether an account on this side ("source", "destination") fits;
    - `like_text(text, pattern)`: LIKE with `%`, `_` and backslash, case-sensitive;
    - `single(count, value)`: the value, unless the count is more than 1: then the query raises QueryRefused.

    Numbers without bound come back as int or as decimal text.
    """

    text: str
    values: tuple[Scalar, ...] = ()


class QueryRefused(Exception):
    """A query met rows for which it has no meaning (see `single`)."""


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

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """The row at this key."""
        ...

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

    def count(self, table: AnyTable, where: Where | None = None) -> int:
        """How many rows meet `where`."""
        ...

    def scan(self, table: Table[R], *prefix: Scalar) -> Iterator[R]:
        """The rows whose key starts with `prefix`, in key order, without holding them all in memory."""
        ...

    def query(self, statement: Sql) -> list[tuple[Any, ...]]:
        """The rows of a query, as the columns that it selects. Raises QueryRefused."""
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

    async def confirm(self, expected: int) -> bool:
        """Whether `expected` is still the last commit: what was loaded before holds."""
        ...

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run a query on committed rows; it sees one moment and never a part of a batch."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...
