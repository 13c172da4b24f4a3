"""The SQL of a table on PostgreSQL. Rows go and come in bulk, as one array for each column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import astuple

from bursar.engine.store import texts
from bursar.engine.store.base import Changes, Range, Where
from bursar.engine.store.postgres_schema import kind
from bursar.engine.store.schema import HEAD_TABLE
from bursar.engine.store.sql import TableSql
from bursar.engine.store.table import AnyTable, Key, Scalar

_MARKS: Final = re.compile(r"'(?:[^']|'')*'|\?")


@lru_cache(maxsize=2048)
def numbered(text: str) -> str:
    """The text with `$1`, `$2`, ... for each `?` that stands in no literal."""
    count = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] != "?":
            return found[0]
        count += 1
        return f"${count}"

    return _MARKS.sub(mark, text)


def stored(values: Sequence[Scalar]) -> Key:
    """Values as PostgreSQL takes them."""
    return tuple(texts.stored(value) if isinstance(value, str) else value for value in values)


class PostgresTableSql:
    """Prepared text for one table."""

    def __init__(self, table: AnyTable) -> None:
        self._table = table
        self._plain = TableSql(table)
        self._names = [f'"{column.name}"' for column in table.columns]
        self._types = [f"{kind(column)}[]" for column in table.columns]
        self._keys = [f'"{name}"' for name in table.key]
        self._big = [i for i, column in enumerate(table.columns) if column.big]
        self._texts = [i for i, column in enumerate(table.columns) if column.type is str]
        self.get = numbered(self._plain.get)

    def decode(self, values: Sequence[Any]) -> Any:
        """The row of SQL values."""
        changed = list(values)
        for i in self._texts:
            if changed[i]:
                changed[i] = texts.original(changed[i])
        for i in self._big:
            if changed[i] is not None:
                changed[i] = int(changed[i])
        return self._table.row(*changed)

    def columns(self, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        """An array for each column of rows, or of keys."""
        arrays: list[Sequence[Any]] = [list(column) for column in zip(*rows, strict=True)]
        for i in self._texts:
            if i < len(arrays):
                arrays[i] = texts.stored_column(arrays[i])
        return arrays

    def get_many(self) -> str:
        """Text that selects the rows of many keys, given as an array for each column of the key."""
        arrays = self._arrays(1, len(self._keys))
        columns = ", ".join(f"t.{name}" for name in self._names)
        match = " AND ".join(f"t.{key} = q.{key}" for key in self._keys)
        return (
            f"SELECT {columns} FROM unnest({arrays}) AS q({', '.join(self._keys)})"
            f' JOIN "{self._table.name}" t ON {match}'
        )

    def in_range(self, wanted: Range) -> tuple[str, Key]:
        """Text and values that select a range of keys in order."""
        text, values = self._plain.in_range(wanted)
        return numbered(text), stored(values)

    def select(
        self, where: Where | None, order: Sequence[str] = (), limit: int | None = None
    ) -> tuple[str, Key]:
        """Text and values of a query."""
        text, values = self._plain.select(where, order, limit)
        return numbered(text), stored(values)

    def count(self, where: Where | None) -> tuple[str, Key]:
        """Text and values of a count."""
        text, values = self._plain.count(where)
        return numbered(text), stored(values)

    def put(self, first: int) -> str:
        """A part of a commit that writes rows, given as an array for each column from parameter `first` on."""
        arrays = self._arrays(first, len(self._names))
        names = ", ".join(self._names)
        text = (
            f'INSERT INTO "{self._table.name}" ({names})'
            f" SELECT q.* FROM fence, unnest({arrays}) AS q({names})"
        )
        if self._table.append_only:
            return text
        rest = [name for name in self._names if name not in self._keys]
        update = (
            f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rest)}" if rest else "NOTHING"
        )
        return f"{text} ON CONFLICT ({', '.join(self._keys)}) DO {update}"

    def delete(self, first: int) -> str:
        """A part of a commit that removes rows, given as an array for each column of the key."""
        arrays = self._arrays(first, len(self._keys))
        match = " AND ".join(f"t.{key} = q.{key}" for key in self._keys)
        return (
            f'DELETE FROM "{self._table.name}" t USING fence, unnest({arrays}) AS q({", ".join(self._keys)})'
            f" WHERE {match}"
        )

    def _arrays(self, first: int, count: int) -> str:
        """Parameters from `first` on, for the first `count` columns."""
        return ", ".join(f"${first + i}::{array}" for i, array in enumerate(self._types[:count]))


@lru_cache(maxsize=256)
def table_sql(table: AnyTable) -> PostgresTableSql:
    """The text of a table, made once."""
    return PostgresTableSql(table)


def commit(expected: int, writer: str, changes: Changes) -> tuple[str, list[Any]]:
    """One statement that makes all changes if the version is the expected one; it answers 1, or 0 and changed nothing.

    Every part hangs on the fence, so that a writer who was overtaken writes nothing, whatever it believes.
    """
    shape: list[tuple[AnyTable, bool]] = []
    values: list[Any] = [expected + 1, writer, expected]
    for table, rows in changes.items():
        gone, kept = _split(rows)
        for keys, put in ((gone, False), (kept, True)):
            if keys:
                shape.append((table, put))
                values += table_sql(table).columns(keys)
    return _statement(tuple(shape)), values


def _split(rows: Mapping[Key, Any]) -> tuple[list[Key], list[tuple[Any, ...]]]:
    """Keys of rows to remove, and the values of rows to write."""
    gone = [key for key, row in rows.items() if row is None]
    return gone, [astuple(row) for row in rows.values() if row is not None]


@lru_cache(maxsize=2048)
def _statement(shape: tuple[tuple[AnyTable, bool], ...]) -> str:
    parts = [
        f"fence AS (UPDATE {HEAD_TABLE} SET version = $1, writer = $2 WHERE id = 0 AND version = $3 RETURNING 1)"
    ]
    first = 4
    for number, (table, put) in enumerate(shape):
        sql = table_sql(table)
        parts.append(f"part{number} AS ({sql.put(first) if put else sql.delete(first)})")
        first += len(table.columns) if put else len(table.key)
    return f"WITH {', '.join(parts)} SELECT count(*) FROM fence"
