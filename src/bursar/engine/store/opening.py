"""Which store a database URL names. A store's library is imported only when a URL asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol, TypeVar

from bursar.engine.errors import StoreUnusable
from bursar.engine.store.base import Rows, Store
from bursar.engine.store.table import AnyTable

T = TypeVar("T")

POSTGRES: Final = ("postgresql://", "postgres://")


class Reader(Protocol):
    """A database opened only to be read."""

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run a query on one snapshot."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


async def open_store(url: str, tables: Sequence[AnyTable]) -> Store:
    """Open `sqlite:///file.db`, `sqlite://` (memory) or `postgresql://...`; create if needed.

    An older file is migrated; an older PostgreSQL database only by `migrate`, because other servers may be using it.
    Raises StoreUnusable, or StoreInUse when another process writes to the file.
    """
    if url.startswith(POSTGRES):
        from bursar.engine.store.postgres import PostgresStore

        return await PostgresStore.open(url, tables)
    from bursar.engine.store.sqlite import SqliteStore

    return SqliteStore.open(url, tables)


async def migrate(url: str) -> None:
    """Bring an existing database to the newest schema.

    Raises StoreUnusable, or StoreInUse for a file that is served.
    """
    if url.startswith(POSTGRES):
        from bursar.engine.store.postgres import migrate as migrate_postgres

        await migrate_postgres(url)
        return
    from bursar.engine.store.lock import FileLock
    from bursar.engine.store.migrate import migrate as migrate_file

    path = _file(url)
    lock = FileLock(path)
    try:
        migrate_file(path)
    finally:
        lock.release()


async def found_revision(url: str) -> str | None:
    """The schema revision of a database; None if it has no tables. Raises StoreUnusable."""
    if url.startswith(POSTGRES):
        from bursar.engine.store import postgres

        return await postgres.found_revision(url)
    from bursar.engine.store.backup import file_revision

    return file_revision(_file(url))


def _file(url: str) -> Path:
    """The existing file that a URL names."""
    from bursar.engine.store.sqlite import database_path

    path = database_path(url)
    if path is None or not path.is_file():
        raise StoreUnusable(
            f"there is no database {path or 'in memory that outlives its process: name a file'}"
        )
    return path


async def open_reader(url: str) -> Reader:
    """Open a database only to read it, also beside a running server. Raises StoreUnusable."""
    if url.startswith(POSTGRES):
        from bursar.engine.store.postgres import PostgresReader

        return await PostgresReader.open(url)
    from bursar.engine.store.sqlite import SqliteReader, database_path

    path = database_path(url)
    if path is None:
        raise StoreUnusable("a database in memory ends with its process: name a file")
    return SqliteReader(path)


def shown(url: str) -> str:
    """A URL without its password."""
    if not url.startswith(POSTGRES):
        return url
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{login.partition(':')[0]}{at}{place}"
