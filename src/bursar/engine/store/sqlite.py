"""The store on SQLite: a file with WAL and an fsync per commit, or memory.

The writer's connection belongs to the event loop's thread. Statements run there; only the COMMIT, which waits for the
disk, runs in a worker thread, so that the loop keeps accepting. Queries have a connection of their own.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from msgspec import Struct
from msgspec.structs import astuple

from bursar.engine.errors import CommitFailed, Outcome, StoreUnusable
from bursar.engine.store import schema
from bursar.engine.store.base import Changes, Loaded, QueryRefused, Range, Rows, Sql, Wanted, Where
from bursar.engine.store.functions import define
from bursar.engine.store.lock import FileLock
from bursar.engine.store.sql import TableSql
from bursar.engine.store.table import AnyTable, Key, Scalar, Table

R = TypeVar("R", bound=Struct)
T = TypeVar("T")

MEMORY_URL: Final = "sqlite://"
_PREFIX: Final = "sqlite:///"
_PAGE_BYTES: Final = 8192
"""Of a new database. A row of up to a quarter of a page needs none of its own: a log has 1 kB and more."""
_AUTOCHECKPOINT_PAGES: Final = 5_000
_UNFIT: Final = (OverflowError, UnicodeEncodeError)
"""What `sqlite3` raises for an integer beyond 64 bits, and for a text with a lone surrogate."""


def database_path(url: str) -> Path | None:
    """`sqlite:///relative.db`, `sqlite:////absolute.db`; None for memory. Raises StoreUnusable."""
    if url in (MEMORY_URL, _PREFIX, _PREFIX + ":memory:"):
        return None
    if not url.startswith(_PREFIX):
        raise StoreUnusable(
            f"cannot open {url!r}: write sqlite:///file.db, or sqlite:// for a database in memory"
        )
    return Path(url.removeprefix(_PREFIX))


@lru_cache(maxsize=256)
def _sql(table: AnyTable) -> TableSql:
    return TableSql(table)


class SqliteRows:
    """Queries on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """See `Rows`."""
        sql = _sql(table)
        found = self._connection.execute(sql.get, key).fetchone()
        return None if found is None else cast(R, sql.decode(found))

    def select(
        self,
        table: Table[R],
        where: Where | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[R]:
        """See `Rows`."""
        sql = _sql(table)
        return [sql.decode(values) for values in self._connection.execute(*sql.select(where, order, limit))]

    def count(self, table: AnyTable, where: Where | None = None) -> int:
        """See `Rows`."""
        return cast(int, self._connection.execute(*_sql(table).count(where)).fetchone()[0])

    def scan(self, table: Table[R], *prefix: Scalar) -> Iterator[R]:
        """See `Rows`."""
        sql = _sql(table)
        for values in self._connection.execute(*sql.in_range(Range(table, prefix))):
            yield sql.decode(values)

    def query(self, statement: Sql) -> list[tuple[Any, ...]]:
        """See `Rows.query`."""
        try:
            return self._connection.execute(*statement).fetchall()
        except sqlite3.OperationalError as error:
            if "user-defined function" in str(error):
                raise QueryRefused from error
            raise


class SqliteReader:
    """A database opened only to be read, also while a server writes to it."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise StoreUnusable(f"there is no database {path}")
        try:
            self._connection = _connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            found = schema.revision(self._connection)
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot read {path}: {error}") from error
        if found != schema.REVISION:
            self._connection.close()
            raise StoreUnusable(
                f"{path} is at schema revision {found}, not {schema.REVISION}: open it for writing once"
            )

    async def read(self, query: Callable[[Rows], T]) -> T:
        """See `Store`."""
        return _in_snapshot(self._connection, query)

    async def close(self) -> None:
        """See `Store`."""
        self._connection.close()


class SqliteStore:
    """See `Store`."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, lock: FileLock | None) -> None:
        self._connection = connection
        self._lock = lock
        self._reads = connection if path is None else _connect(str(path))
        self._committing = None if path is None else ThreadPoolExecutor(1, "bursar-commit")
        self._version = self._stored_version()

    @classmethod
    def open(cls, url: str, tables: Sequence[AnyTable]) -> SqliteStore:
        """Open, and create or migrate if needed. Raises StoreUnusable or StoreInUse."""
        path = database_path(url)
        if path is None:
            connection = _connect(":memory:")
            connection.deserialize(_template(tuple(tables)))
            return cls(connection, None, None)
        if not path.parent.is_dir():
            raise StoreUnusable(f"cannot make {path}: there is no directory {path.parent}")
        try:
            lock = FileLock(path)
        except OSError as error:
            raise StoreUnusable(f"cannot lock {path}: {error.strerror}") from error
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            return cls(_prepared(path, tables), path, lock)
        except (sqlite3.Error, OSError) as error:
            lock.release()
            raise StoreUnusable(f"cannot open {path}: {error}") from error
        except BaseException:
            lock.release()
            raise

    @property
    def exclusive(self) -> bool:
        """See `Store`."""
        return True

    @property
    def version(self) -> int:
        """See `Store`."""
        return self._version

    async def fetch(self, wanted: Wanted) -> Loaded:
        """See `Store`."""
        rows = SqliteRows(self._connection)
        keys = [(table, key, rows.get(table, *key)) for table, key in wanted.keys]
        ranges = [(want, self._range(want)) for want in wanted.ranges]
        return Loaded(keys, ranges)

    async def commit(self, expected: int, changes: Changes) -> bool:
        """See `Store`."""
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            moved = execute(
                f"UPDATE {schema.HEAD_TABLE} SET version = ? WHERE id = 0 AND version = ?",
                (expected + 1, expected),
            )
            if moved.rowcount != 1:
                execute("ROLLBACK")
                self._version = self._stored_version()
                return False
            for table, rows in changes.items():
                self._write(table, rows)
        except (sqlite3.Error, *_UNFIT) as error:
            self._roll_back()
            raise CommitFailed(f"the database refused to write: {error}", "rejected") from error
        await self._commit(expected + 1)
        return True

    async def confirm(self, expected: int) -> bool:
        """See `Store`. Nobody else writes to the file."""
        return True

    async def read(self, query: Callable[[Rows], T]) -> T:
        """See `Store`."""
        return _in_snapshot(self._reads, query)

    async def close(self) -> None:
        """See `Store`."""
        if self._committing is not None:
            self._committing.shutdown()
            self._reads.close()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def _write(self, table: AnyTable, rows: dict[Key, Any] | Any) -> None:
        sql, execute_all = _sql(table), self._connection.executemany
        puts = [row for row in rows.values() if row is not None]
        if len(puts) < len(rows):
            execute_all(sql.delete, [key for key, row in rows.items() if row is None])
        try:
            execute_all(sql.put, map(sql.encode if table.append_only else astuple, puts))
        except OverflowError:
            # Integers beyond 64 bits are rare: only a batch that has some looks at each. Rows that were written before
            # the first of them are replaced by themselves.
            execute_all(sql.put, map(sql.encode, puts))

    async def _commit(self, version: int) -> None:
        """Wait for the disk. After a failure the stored version tells whether the commit happened all the same."""
        try:
            if self._committing is None:
                self._connection.execute("COMMIT")
            else:
                begun = threading.Event()
                commit = partial(self._commit_in_thread, begun)
                waiting = asyncio.get_running_loop().run_in_executor(self._committing, commit)
                begun.wait()  # or the thread would get Python's lock only when the loop has nothing left to do
                await waiting
        except sqlite3.Error as error:
            self._roll_back()
            if self._stored_version() != version:
                # An I/O error may have come after the bytes: a crash now could still bring them back.
                input_output = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR
                outcome: Outcome = "unknown" if input_output else "rejected"
                raise CommitFailed(f"the database could not commit: {error}", outcome) from error
        self._version = version

    def _commit_in_thread(self, begun: threading.Event) -> None:
        begun.set()
        self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _range(self, wanted: Range) -> list[Any]:
        sql = _sql(wanted.table)
        return [sql.decode(values) for values in self._connection.execute(*sql.in_range(wanted))]

    def _stored_version(self) -> int:
        query = f"SELECT version FROM {schema.HEAD_TABLE}"
        return cast(int, self._connection.execute(query).fetchone()[0])


def _connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        database, isolation_level=None, check_same_thread=False, cached_statements=512, uri=uri
    )
    define(connection)
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_AUTOCHECKPOINT_PAGES}")
    return connection


def _in_snapshot(connection: sqlite3.Connection, query: Callable[[Rows], T]) -> T:
    """Run a query inside one read transaction."""
    connection.execute("BEGIN")
    try:
        return query(SqliteRows(connection))
    finally:
        connection.execute("ROLLBACK")


def _prepared(path: Path, tables: Sequence[AnyTable]) -> sqlite3.Connection:
    """A connection to a database file whose schema is the newest."""
    connection = _connect(str(path))
    try:
        found = schema.revision(connection)
        if found is None:
            connection.execute("PRAGMA journal_mode = WAL")
            schema.create(connection, tables)
        elif found != schema.REVISION:
            from bursar.engine.store.migrate import migrate  # only old databases pay for Alembic's import

            migrate(path)
    except BaseException:
        connection.close()
        raise
    return connection


@lru_cache(maxsize=8)
def _template(tables: tuple[AnyTable, ...]) -> bytes:
    """The image of an empty database: making one from it takes microseconds."""
    with closing(_connect(":memory:")) as connection:
        schema.create(connection, tables)
        return connection.serialize()
