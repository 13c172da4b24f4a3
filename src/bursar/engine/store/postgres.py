"""The store on PostgreSQL: each batch is one fenced statement, and several processes may serve one database.

`store_head` holds the number of the last commit and who made it. A commit names the number that it builds on: when
another process was faster it changes nothing, and the writer runs its commands again on what the other wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from typing import Any, Final, TypeVar, cast

import asyncpg
from msgspec import Struct

from bursar.engine.errors import CommitFailed, StoreUnusable, Unavailable
from bursar.engine.store import postgres_schema, schema
from bursar.engine.store.base import Changes, Loaded, QueryRefused, Range, Rows, Sql, Wanted, Where
from bursar.engine.store.opening import shown
from bursar.engine.store.postgres_sql import commit, numbered, stored, table_sql
from bursar.engine.store.stepping import step, wait_for
from bursar.engine.store.table import AnyTable, Key, Scalar, Table

R = TypeVar("R", bound=Struct)
T = TypeVar("T")

READERS: Final = 8
"""Most connections for queries; one more is the writer's."""
CONNECT_SECONDS: Final = 10.0
COMMIT_SECONDS: Final = 60.0
FIND_OUT_SECONDS: Final = 30.0
"""How long to look for a server that can tell what became of a commit, before it is unknown."""
RETRY_SECONDS: Final = 0.2
SCANNED_AT_ONCE: Final = 1_000
_CREATING: Final = 0x6275727361720001
"""The lock that a process holds while it makes the schema."""
_LOST: Final = (
    OSError,
    EOFError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
_REVISION: Final = f"SELECT version_num FROM {schema.VERSION_TABLE}"
_HEAD: Final = f"SELECT version, writer, ({_REVISION}) AS revision FROM {schema.HEAD_TABLE}"
_GAVE_WAY: Final = ("40P01", "55P03")
"""SQLSTATEs of a statement that was ended because of locks, those of a migration: nothing of it is stored."""
_SHUTTING_DOWN: Final = "57P"
"""SQLSTATEs of a server that ends sessions."""

Connection = Any
"""Of asyncpg, which has no types."""


class PostgresRows:
    """Queries in one read transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """See `Rows`."""
        sql = table_sql(table)
        found = self._fetch(sql.get, stored(key))
        return cast(R, sql.decode(found[0])) if found else None

    def select(
        self,
        table: Table[R],
        where: Where | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[R]:
        """See `Rows`."""
        sql = table_sql(table)
        return [sql.decode(values) for values in self._fetch(*sql.select(where, order, limit))]

    def count(self, table: AnyTable, where: Where | None = None) -> int:
        """See `Rows`."""
        return cast(int, self._fetch(*table_sql(table).count(where))[0][0])

    def scan(self, table: Table[R], *prefix: Scalar) -> Iterator[R]:
        """See `Rows`."""
        sql = table_sql(table)
        text, values = sql.in_range(Range(table, prefix))
        cursor: Any = wait_for(self._connection.cursor(text, *values))
        while found := wait_for(cursor.fetch(SCANNED_AT_ONCE)):
            yield from map(sql.decode, found)

    def query(self, statement: Sql) -> list[tuple[Any, ...]]:
        """See `Rows.query`."""
        try:
            return [tuple(row) for row in self._fetch(numbered(statement.text), stored(statement.values))]
        except asyncpg.PostgresError as error:
            if error.sqlstate == postgres_schema.REFUSED:
                raise QueryRefused from error
            raise

    def _fetch(self, text: str, values: Sequence[Scalar]) -> Sequence[Sequence[Any]]:
        return wait_for(self._connection.fetch(text, *values))


class PostgresReader:
    """A database opened only to be read."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> PostgresReader:
        """Open a database whose schema is the newest. Raises StoreUnusable."""
        pool = await _pool(url)
        async with pool.acquire() as connection:
            found = await _revision(connection)
        if found == schema.REVISION:
            return cls(pool)
        pool.terminate()
        raise _other_revision(shown(url), found)

    async def read(self, query: Callable[[Rows], T]) -> T:
        """See `Store`."""
        return await _in_snapshot(self._pool, query)

    async def close(self) -> None:
        """See `Store`."""
        await self._pool.close()


class PostgresStore:
    """See `Store`."""

    def __init__(self, url: str, connection: Connection, pool: Any, version: int) -> None:
        self._url = url
        self._connection: Connection | None = connection
        self._pool = pool
        self._version = version
        self._me = secrets.token_hex(8)
        """Tells this store's commits from those of others, whose numbers may be the same."""

    @classmethod
    async def open(cls, url: str, tables: Sequence[AnyTable]) -> PostgresStore:
        """Connect, and create the schema if needed. Raises StoreUnusable."""
        with _explained(url):
            connection = await _connect(url)
        try:
            with _explained(url):
                await _prepare(connection, tables)
                version = await connection.fetchval(_HEAD)
            return cls(url, connection, await _pool(url), version)
        except BaseException:
            connection.terminate()
            raise

    @property
    def exclusive(self) -> bool:
        """See `Store`."""
        return False

    @property
    def version(self) -> int:
        """See `Store`."""
        return self._version

    async def fetch(self, wanted: Wanted) -> Loaded:
        """See `Store`. What others write between two of its queries, the fence of the commit finds."""
        with _unreachable():
            connection = await self._writer()
            keys: dict[AnyTable, list[Key]] = {}
            for table, key in wanted.keys:
                keys.setdefault(table, []).append(key)
            rows: list[tuple[AnyTable, Key, Any]] = []
            for table, wanted_keys in keys.items():
                rows += await _fetch_keys(connection, table, wanted_keys)
            ranges = [(want, await _fetch_range(connection, want)) for want in wanted.ranges]
            return Loaded(rows, ranges)

    async def commit(self, expected: int, changes: Changes) -> bool:
        """See `Store`."""
        text, values = commit(expected, self._me, changes)
        try:
            connection = await self._writer()
        except _LOST as error:
            raise CommitFailed(f"the database cannot be reached: {error}", "rejected") from error
        try:
            moved = await connection.fetchval(text, *values, timeout=COMMIT_SECONDS)
        except (asyncpg.DataError, ValueError, TypeError, OverflowError) as error:
            # The library's words would show the rows.
            raise CommitFailed("a row does not fit its columns", "rejected") from error
        except asyncpg.PostgresError as error:
            if isinstance(error, asyncpg.PostgresConnectionError) or error.sqlstate.startswith(
                _SHUTTING_DOWN
            ):
                return await self._find_out(expected)
            if error.sqlstate in _GAVE_WAY:
                await self.confirm(expected)
                return False
            raise CommitFailed(f"the database refused to write: {error}", "rejected") from error
        except _LOST:
            return await self._find_out(expected)
        if not moved:
            await self.confirm(expected)
            return False
        self._version = expected + 1
        return True

    async def confirm(self, expected: int) -> bool:
        """See `Store`."""
        with _unreachable():
            connection = await self._writer()
            self._version, _ = await _head(connection)
        return self._version == expected

    async def read(self, query: Callable[[Rows], T]) -> T:
        """See `Store`."""
        return await _in_snapshot(self._pool, query)

    async def close(self) -> None:
        """See `Store`."""
        await self._pool.close()
        if self._connection is not None:
            await self._connection.close()

    async def _writer(self) -> Connection:
        """The connection of the writer, made anew after it was lost."""
        if self._connection is None or self._connection.is_closed():
            with _refused():
                self._connection = await _connect(self._url)
        return self._connection

    async def _find_out(self, expected: int) -> bool:
        """What became of a commit whose answer was lost, perhaps with the server that got it. Raises CommitFailed.

        The fence is moved first: then a commit that has not happened never will, and its commands can run again.
        """
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        try:
            async with asyncio.timeout(FIND_OUT_SECONDS):
                return await self._fenced_off(expected)
        except TimeoutError:
            raise CommitFailed("the connection was lost during a commit", "unknown") from None

    async def _fenced_off(self, expected: int) -> bool:
        self._version, writer = await self._move_fence(expected)
        if self._version > expected + 1:
            raise CommitFailed(
                "the connection was lost during a commit, and others have written since", "unknown"
            )
        return writer == self._me

    async def _move_fence(self, expected: int) -> tuple[int, str]:
        """Number and writer of the last commit, once nobody can build on `expected` any more."""
        fence = f"UPDATE {schema.HEAD_TABLE} SET version = version + 1, writer = '' WHERE version = $1"
        while True:
            with contextlib.suppress(*_LOST, asyncpg.PostgresError):
                connection = await self._writer()
                await connection.execute(fence, expected)
                return await _head(connection)
            await asyncio.sleep(RETRY_SECONDS)


async def _head(connection: Connection) -> tuple[int, str]:
    """Number and writer of the last commit. Raises CommitFailed when a migration has moved the fence."""
    version, writer, found = await connection.fetchrow(_HEAD)
    if found != schema.REVISION:
        raise CommitFailed(
            f"the database was migrated to schema revision {found}, and this process writes {schema.REVISION}:"
            " restart it with the release that migrated",
            "rejected",
        )
    return version, writer


async def _fetch_keys(
    connection: Connection, table: AnyTable, keys: Sequence[Key]
) -> list[tuple[AnyTable, Key, Any]]:
    sql = table_sql(table)
    found: dict[Key, Any] = {}
    for values in await connection.fetch(sql.get_many(), *sql.columns(keys)):
        row = sql.decode(values)
        found[table.key_of(row)] = row
    return [(table, key, found.get(key)) for key in keys]


async def _fetch_range(connection: Connection, wanted: Range) -> list[Any]:
    sql = table_sql(wanted.table)
    text, values = sql.in_range(wanted)
    return [sql.decode(row) for row in await connection.fetch(text, *values)]


async def _connect(url: str) -> Connection:
    """A connection for writing. Plans use indexes: they are kept while tables grow from nothing."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        statement_cache_size=1_024,
        server_settings={"application_name": "bursar", "enable_seqscan": "off", "jit": "off"},
    )


async def _pool(url: str) -> Any:
    with _explained(url):
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=READERS,
            timeout=CONNECT_SECONDS,
            statement_cache_size=1_024,
            reset=_leave,
            server_settings={
                "application_name": "bursar",
                "jit": "off",
                "plan_cache_mode": "force_custom_plan",
            },
        )


async def _leave(connection: Connection) -> None:
    """Nothing to undo: queries change nothing of their session."""


async def _in_snapshot(pool: Any, query: Callable[[Rows], T]) -> T:
    """Run a query in one read transaction."""
    with _unreachable():
        with _refused():
            connection = await pool.acquire()
        try:
            async with _transaction(connection):
                return await step(lambda: query(PostgresRows(connection)))
        finally:
            await pool.release(connection)


@contextlib.asynccontextmanager
async def _transaction(connection: Connection) -> AsyncGenerator[None, None]:
    transaction = connection.transaction(isolation="repeatable_read", readonly=True)
    await transaction.start()
    try:
        yield
    finally:
        if not connection.is_closed():
            await transaction.rollback()


async def _prepare(connection: Connection, tables: Sequence[AnyTable]) -> None:
    """Make the schema if there is none; processes that start at once wait for each other."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _CREATING)
        found = await _revision(connection)
        if found is None:
            for statement in postgres_schema.create_statements(tables):
                await connection.execute(statement)
        elif found != schema.REVISION:
            raise _other_revision("the database", found)


def _other_revision(name: str, found: str | None) -> StoreUnusable:
    if found is None:
        return StoreUnusable(f"{name} has no tables: open it for writing once")
    told = f"{name} is at schema revision {found}, not {schema.REVISION}: "
    newer = found > schema.REVISION
    return StoreUnusable(told + ("upgrade Bursar" if newer else "run `bursar migrate`"))


async def migrate(url: str) -> None:
    """Bring the schema to the newest revision, also while servers run: those of the old release stop writing.

    Raises StoreUnusable; then nothing has changed.
    """
    from bursar.engine.store.migrate import migrate_postgres  # only old databases pay for Alembic's import

    found = await found_revision(url)
    if found is None:
        raise StoreUnusable(f"{shown(url)} has no tables: `bursar serve` makes them")
    if found == schema.REVISION:
        return
    with _explained(url):
        await migrate_postgres(shown(url), lambda: _connect(url))


async def found_revision(url: str) -> str | None:
    """The schema revision of a database; None if it has no tables. Raises StoreUnusable."""
    with _explained(url):
        connection = await _connect(url)
        try:
            return await _revision(connection)
        finally:
            await connection.close()


async def _revision(connection: Connection) -> str | None:
    """The schema revision; None if there are no tables. Raises StoreUnusable if the tables are not ours."""
    names = {
        row[0]
        for row in await connection.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
        )
    }
    if not names:
        return None
    if not {schema.VERSION_TABLE, schema.HEAD_TABLE} <= names:
        raise StoreUnusable("this database was not made by Bursar: name another one, or another schema")
    found = await connection.fetchval(_REVISION)
    return "none" if found is None else str(found)


@contextlib.contextmanager
def _explained(url: str) -> Generator[None, None, None]:
    try:
        yield
    except (*_LOST, asyncpg.PostgresError, ValueError) as error:
        raise StoreUnusable(f"cannot open {shown(url)}: {str(error) or type(error).__name__}") from error


@contextlib.contextmanager
def _refused() -> Generator[None, None, None]:
    """A server that takes no session now is as good as one that cannot be reached."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
        raise ConnectionError(str(error)) from error


@contextlib.contextmanager
def _unreachable() -> Generator[None, None, None]:
    try:
        yield
    except _LOST as error:
        raise Unavailable(f"the database cannot be reached: {str(error) or type(error).__name__}") from error
