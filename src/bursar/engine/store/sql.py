"""A table's SQLite statements and the conversion between its rows and SQL values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec.structs import astuple

from bursar.engine.store.base import Range, Where
from bursar.engine.store.table import AnyTable, Key, Scalar

_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


class TableSql:
    """Prepared text for one table."""

    def __init__(self, table: AnyTable) -> None:
        names = [f'"{column.name}"' for column in table.columns]
        keys = [f'"{name}"' for name in table.key]
        self._table = table
        self._names = frozenset(column.name for column in table.columns)
        self._big = [i for i, column in enumerate(table.columns) if column.big]
        self._bools = [i for i, column in enumerate(table.columns) if column.type is bool]
        self._columns = ", ".join(names)
        self._order = ", ".join(keys)
        self.put = self._put(names, keys)
        match = " AND ".join(f"{key} = ?" for key in keys)
        self.delete = f'DELETE FROM "{table.name}" WHERE {match}'
        self.get = f'SELECT {self._columns} FROM "{table.name}" WHERE {match}'

    def _put(self, names: list[str], keys: list[str]) -> str:
        """A row of absolute values, new or not; where rows are never rewritten, a second one is refused.

        To replace a row costs less than to update it, but for the indexes, which an update may leave alone.
        """
        values = f'INTO "{self._table.name}" ({self._columns}) VALUES ({", ".join("?" * len(names))})'
        insert = f"INSERT {values}"
        if self._table.append_only:
            return insert
        if not self._table.indexes:
            return f"INSERT OR REPLACE {values}"
        rest = [name for name in names if name not in keys]
        update = (
            "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in rest) if rest else "NOTHING"
        )
        return f"{insert} ON CONFLICT ({', '.join(keys)}) DO {update}"

    def encode(self, row: Any) -> Sequence[Scalar]:
        """The SQL values of a row; integers beyond 64 bits as text."""
        values: tuple[Any, ...] = astuple(row)
        for i in self._big:
            if values[i] is not None and not _LEAST <= values[i] <= _MOST:
                values = (*values[:i], str(values[i]), *values[i + 1 :])
        return values

    def decode(self, values: Sequence[Any]) -> Any:
        """The row of SQL values."""
        if not self._big and not self._bools:
            return self._table.row(*values)
        changed = list(values)
        for i in self._big:
            if type(changed[i]) is str:
                changed[i] = int(changed[i])
        for i in self._bools:
            if changed[i] is not None:
                changed[i] = bool(changed[i])
        return self._table.row(*changed)

    def in_range(self, wanted: Range) -> tuple[str, Key]:
        """Text and values that select a range of keys in order."""
        keys = [f'"{name}"' for name in self._table.key]
        prefix, after = wanted.prefix, wanted.after
        tests = [f"{name} = ?" for name in keys[: len(prefix)]]
        if after:
            rest = keys[len(prefix) : len(prefix) + len(after)]
            tests.append(f"({', '.join(rest)}) > ({', '.join('?' * len(after))})")
        return self._select(tests, self._order), prefix + after

    def select(
        self, where: Where | None, order: Iterable[str] = (), limit: int | None = None
    ) -> tuple[str, list[Scalar]]:
        """Text and values of a query."""
        tests, values = self._tests(where)
        by = [self._ordered(name) for name in order]
        text = self._select(tests, ", ".join(by) if by else self._order)
        return (text, values) if limit is None else (text + " LIMIT ?", [*values, limit])

    def count(self, where: Where | None) -> tuple[str, list[Scalar]]:
        """Text and values of a count."""
        tests, values = self._tests(where)
        text = f'SELECT count(*) FROM "{self._table.name}"'
        return (text + " WHERE " + " AND ".join(tests) if tests else text), values

    def _select(self, tests: Sequence[str], order: str) -> str:
        text = f'SELECT {self._columns} FROM "{self._table.name}"'
        return text + (" WHERE " + " AND ".join(tests) if tests else "") + " ORDER BY " + order

    def _tests(self, where: Where | None) -> tuple[list[str], list[Scalar]]:
        tests: list[str] = []
        values: list[Scalar] = []
        for condition, value in (where or {}).items():
            name, _, operator = condition.partition(" ")
            self._check(name, operator or "=")
            if value is None:
                tests.append(f'"{name}" IS {"NOT " if operator == "!=" else ""}NULL')
            else:
                tests.append(f'"{name}" {operator or "="} ?')
                values.append(value)
        return tests, values

    def _ordered(self, name: str) -> str:
        column = name.removeprefix("-")
        self._check(column, "=")
        return f'"{column}" DESC' if name.startswith("-") else f'"{column}"'

    def _check(self, name: str, operator: str) -> None:
        if name not in self._names or operator not in _OPERATORS:
            raise ValueError(f"table {self._table.name} has no condition {name!r} {operator!r}")
