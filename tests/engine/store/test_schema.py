"""The schema of a fresh database and of a migrated one are the same, and no migration leaves a half."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bursar.engine.errors import StoreUnusable
from bursar.engine.store import schema
from bursar.engine.store.migrate import MIGRATIONS, migrate
from bursar.engine.store.sqlite import SqliteReader, SqliteStore
from bursar.engine.tables import all_tables
from tests.engine.scene import BOOK, USD, opened, pay, post, run

OURS = MIGRATIONS / "versions"


def shape(path):
    with closing(sqlite3.connect(path)) as connection:
        statements = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        ).fetchall()
        head = connection.execute("SELECT * FROM store_head").fetchall()
        revision = connection.execute("SELECT * FROM alembic_version").fetchall()
    return (
        {name: " ".join(sql.split()) for name, sql in statements if name != "alembic_version"},
        head,
        revision,
    )


def test_a_fresh_schema_is_the_migrated_one(tmp_path):
    """If this fails after a table was changed: scripts/freeze_schema.py before the first release, else a migration."""
    fresh, migrated = tmp_path / "fresh.db", tmp_path / "migrated.db"
    run(SqliteStore.open(f"sqlite:///{fresh}", all_tables()).close())
    migrate(migrated)
    assert shape(migrated) == shape(fresh)


def test_every_table_has_its_own_name():
    names = [table.name for table in all_tables()]
    assert len(names) == len(set(names))


def write_migration(directory, body):
    directory.mkdir()
    Path(directory, "r0002.py").write_text(
        "from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n"
        f"def upgrade():\n    for text in {body!r}:\n        op.execute(text)\n"
    )
    return [OURS, directory]


@pytest.fixture
def books(tmp_path):
    """A database of today with one transaction."""
    path = tmp_path / "books.db"

    async def scenario():
        async with opened(f"sqlite:///{path}") as core:
            await core.submit(post(pay("world", "a", 5)))

    run(scenario())
    return path


def test_an_old_database_is_migrated_when_it_is_opened(books, tmp_path, monkeypatch):
    versions = write_migration(tmp_path / "new", ["CREATE TABLE added (x INTEGER) STRICT"])
    monkeypatch.setattr(schema, "REVISION", "0002")
    monkeypatch.setattr(migrate, "__kwdefaults__", {"versions": versions})
    with pytest.raises(StoreUnusable, match="revision 0001"):
        SqliteReader(books)

    async def scenario():
        async with opened(f"sqlite:///{books}") as core:
            assert await core.read(lambda view: view.volumes(BOOK, "a", USD).balance) == 5

    run(scenario())
    assert "added" in shape(books)[0]
    assert shape(books)[2] == [("0002",)]


def test_a_failing_migration_leaves_the_old_schema_and_data(books, tmp_path):
    before = shape(books)
    body = ["CREATE TABLE added (x INTEGER) STRICT", "DELETE FROM logs", "INSERT INTO nowhere VALUES (1)"]
    with pytest.raises(StoreUnusable, match="left as it was"):
        migrate(books, versions=write_migration(tmp_path / "bad", body))
    assert shape(books) == before
    with closing(sqlite3.connect(books)) as connection:
        assert connection.execute("SELECT count(*) FROM logs").fetchone() == (1,)


def test_a_database_of_a_newer_release_is_refused(books):
    with closing(sqlite3.connect(books)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match="newer Bursar"):
        SqliteStore.open(f"sqlite:///{books}", all_tables())


def test_opening_today_s_database_does_not_load_alembic(tmp_path):
    """Start-up is fast because migrations are loaded only when one is due."""
    program = (
        "import asyncio, sys\nfrom bursar.engine.core import Core\n"
        f"async def main():\n    await (await Core.open('sqlite:///{tmp_path}/a.db')).close()\n"
        "asyncio.run(main())\nasyncio.run(main())\nprint(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
