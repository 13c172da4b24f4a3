"""The schema of a database, rendered from the declared tables. Only old databases need the migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

from bursar.engine.errors import StoreUnusable
from bursar.engine.store.table import AnyTable, Column

REVISION: Final = "0001"
"""The newest migration. A fresh database is made at this revision directly."""

VERSION_TABLE: Final = "alembic_version"
HEAD_TABLE: Final = "store_head"

_TYPES: Final = {int: "INTEGER", bool: "INTEGER", str: "TEXT", bytes: "BLOB"}


def create_statements(tables: Iterable[AnyTable]) -> Iterator[str]:
    """All statements of a fresh database, in a stable order."""
    yield f"CREATE TABLE {HEAD_TABLE} (id INTEGER PRIMARY KEY CHECK (id = 0), version INTEGER NOT NULL) STRICT"
    yield f"INSERT INTO {HEAD_TABLE} (id, version) VALUES (0, 0)"
    for table in sorted(tables, key=lambda table: table.name):
        yield create_table(table)
        for columns in table.indexes:
            yield create_index(table, columns)


def frozen(tables: Iterable[AnyTable]) -> str:
    """The text of a migration that makes a fresh database."""
    return "".join(f"{statement};\n\n" for statement in create_statements(tables))


def create_table(table: AnyTable) -> str:
    """The statement that makes a table."""
    columns = ",\n  ".join(_column(column) for column in table.columns)
    key = _names(table.key)
    return f'CREATE TABLE "{table.name}" (\n  {columns},\n  PRIMARY KEY ({key})\n) STRICT, WITHOUT ROWID'


def create_index(table: AnyTable, columns: tuple[str, ...]) -> str:
    """The statement that makes an index of a table."""
    name = "_".join((table.name, "by", *columns))
    return f'CREATE INDEX "{name}" ON "{table.name}" ({_names(columns)})'


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _column(column: Column) -> str:
    """Integers beyond 64 bits are decimal text, so their columns take any type; STRICT keeps it as given."""
    null = "" if column.optional else " NOT NULL"
    if column.big:
        # Not a list of the allowed types: SQLite would build an index of it for each row.
        kind = f'typeof("{column.name}")'
        return f"\"{column.name}\" ANY{null} CHECK ({kind} <> 'real' AND {kind} <> 'blob')"
    return f'"{column.name}" {_TYPES[column.type]}{null}'


def create(connection: sqlite3.Connection, tables: Iterable[AnyTable]) -> None:
    """Make the whole schema in one transaction, marked as being at REVISION."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in create_statements(tables):
            connection.execute(statement)
        connection.execute(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.execute(f"INSERT INTO {VERSION_TABLE} VALUES (?)", (REVISION,))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def revision(connection: sqlite3.Connection) -> str | None:
    """The schema revision of a database; None if it is empty. Raises StoreUnusable if it is not ours."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not names:
        return None
    if VERSION_TABLE not in names or HEAD_TABLE not in names:
        raise StoreUnusable("this database was not made by Bursar: name another file")
    found = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return "none" if found is None else str(found[0])
