"""Bring an old database to the newest schema. Imported only when one is met: Alembic takes a third of a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from bursar.engine.errors import StoreUnusable

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def migrate(path: Path, *, versions: Sequence[Path] = (MIGRATIONS / "versions",)) -> None:
    """Run all missing migrations in one transaction: they succeed together or change nothing.

    Raises StoreUnusable. `versions` are the directories of the migration scripts.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(directory) for directory in versions))
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnusable(f"{path} was made by a newer Bursar ({error}): upgrade Bursar") from error
    except SQLAlchemyError as error:
        raise StoreUnusable(f"{path} could not be migrated and was left as it was: {error}") from error
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: DBAPIConnection, _record: object) -> None:
    """Python's sqlite3 would commit before DDL; SQLite itself rolls DDL back like anything else."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """Take the write lock first, so that two processes cannot migrate at once."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
