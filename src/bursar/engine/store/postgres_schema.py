"""The schema on PostgreSQL: the declared tables, and the functions of `store.base.Sql`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bursar.engine.store.schema import HEAD_TABLE, REVISION, VERSION_TABLE
from bursar.engine.store.table import AnyTable, Column

REFUSED: Final = "BU001"
"""SQLSTATE of a query that has no meaning: see `single` in functions.sql."""

_TYPES: Final = {int: "bigint", bool: "boolean", str: 'text COLLATE "C"', bytes: "bytea"}
"""Texts compare by code point, as in every store."""
_ROOM: Final = 70
"""Percent of a page that inserts fill where rows are rewritten, so that their next version finds room beside them."""

_FUNCTIONS: Final = Path(__file__).with_name("functions.sql")


def create_statements(tables: Iterable[AnyTable]) -> Iterator[str]:
    """All statements of a fresh database, in a stable order."""
    yield (
        f"CREATE TABLE {HEAD_TABLE} (id integer PRIMARY KEY CHECK (id = 0), version bigint NOT NULL,"
        f" writer text NOT NULL) WITH (fillfactor = {_ROOM})"
    )
    yield f"INSERT INTO {HEAD_TABLE} VALUES (0, 0, '')"
    yield from _FUNCTIONS.read_text().rstrip().removesuffix(";").split(";\n\n")
    for table in sorted(tables, key=lambda table: table.name):
        yield _table(table)
        for columns in table.indexes:
            name = "_".join((table.name, "by", *columns))
            yield f'CREATE INDEX "{name}" ON "{table.name}" ({_names(columns)})'
    yield f"CREATE TABLE {VERSION_TABLE} (version_num varchar(32) NOT NULL PRIMARY KEY)"
    yield f"INSERT INTO {VERSION_TABLE} VALUES ('{REVISION}')"


def kind(column: Column) -> str:
    """The type of a column's values."""
    return "numeric" if column.big else _TYPES[column.type].partition(" ")[0]


def _table(table: AnyTable) -> str:
    columns = ",\n  ".join(_column(column) for column in table.columns)
    room = "" if table.append_only else f" WITH (fillfactor = {_ROOM})"
    return f'CREATE TABLE "{table.name}" (\n  {columns},\n  PRIMARY KEY ({_names(table.key)})\n){room}'


def _column(column: Column) -> str:
    null = "" if column.optional else " NOT NULL"
    return f'"{column.name}" {"numeric" if column.big else _TYPES[column.type]}{null}'


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
