"""Bring an old database to the newest schema. Imported only when one is met: Alembic takes a third of a second.

Both stores run the same revision scripts. A migration is one transaction that keeps writers out from its first
statement, and on PostgreSQL moves the fence, so that a server of the old release finds out before it writes again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bursar.engine.errors import StoreUnusable
from bursar.engine.store.schema import HEAD_TABLE

MIGRATIONS: Final = Path(__file__).parent / "migrations"
VERSIONS: Final = (MIGRATIONS / "versions",)

PATIENCE_SECONDS: Final = 60.0
"""How long to try again while readers hold a table that changes."""
LOCK_MILLISECONDS: Final = 500
"""How long one try waits for a lock. Whoever comes later queues behind it, so it is short."""
PAUSE_SECONDS: Final = 1.0
"""Between two tries, for those who queued."""
_MIGRATING: Final = 0x6275727361720002
_IN_THE_WAY: Final = {"55P03", "40P01"}
"""SQLSTATEs of a lock that did not come in time, and of a deadlock."""


def migrate(path: Path, *, versions: Sequence[Path] = VERSIONS) -> None:
    """Run all missing migrations in one transaction: they succeed together or change nothing.

    Raises StoreUnusable. `versions` are the directories of the migration scripts.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            _upgrade(connection, versions)
    except (CommandError, SQLAlchemyError) as error:
        raise _unusable(str(path), error) from error
    finally:
        engine.dispose()


async def migrate_postgres(
    name: str,
    connect: Callable[[], Awaitable[Any]],
    *,
    versions: Sequence[Path] = VERSIONS,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Run all missing migrations of the database that `connect` reaches, as `migrate` does; raises StoreUnusable.

    A try that cannot get a lock at once gives up all it has, and another follows, for `patience` seconds.
    """
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(_upgrade_fenced, versions)
                return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
    except (CommandError, SQLAlchemyError) as error:
        raise _unusable(name, error) from error
    finally:
        await engine.dispose()


def _upgrade_fenced(connection: Connection, versions: Sequence[Path]) -> None:
    """Upgrade while nobody writes; who built on the commit before must look at the schema again."""
    run = connection.exec_driver_sql
    run(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
    run(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
    run(f"LOCK TABLE {HEAD_TABLE} IN SHARE ROW EXCLUSIVE MODE")
    run(f"UPDATE {HEAD_TABLE} SET version = version + 1, writer = ''")
    _upgrade(connection, versions)


def _upgrade(connection: Connection, versions: Sequence[Path]) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(directory) for directory in versions))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _unusable(name: str, error: Exception) -> StoreUnusable:
    if isinstance(error, CommandError):
        return StoreUnusable(f"{name} was made by a newer Bursar ({error}): upgrade Bursar")
    return StoreUnusable(f"{name} could not be migrated and was left as it was: {error}")


def _leave_transactions_to_us(connection: DBAPIConnection, _record: object) -> None:
    """Python's sqlite3 would commit before DDL; SQLite itself rolls DDL back like anything else."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """Take the write lock first, so that two processes cannot migrate at once."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
