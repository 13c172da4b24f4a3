"""Migrations of both stores: with data, at once, failing, under load and behind a long reader."""

import asyncio
import contextlib

import asyncpg
import pytest

from bursar.engine.books import TRANSACTIONS
from bursar.engine.errors import CommitFailed, StoreUnusable
from bursar.engine.store import migrate as module
from bursar.engine.store import schema
from bursar.engine.store.migrate import MIGRATIONS
from bursar.engine.store.opening import found_revision, migrate, open_store
from bursar.engine.tables import all_tables
from bursar.engine.verify import verify_database
from bursar.server.health import trouble
from tests.engine.scene import BOOK, opened, pay, post, run

ADD = ["ALTER TABLE logs ADD COLUMN added INTEGER"]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/books.db"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """Makes this process one of a release with a second revision."""

    def become(statements):
        directory = tmp_path / "newer"
        directory.mkdir()
        (directory / "r0002.py").write_text(
            "from alembic import op\nrevision = '0002'\ndown_revision = '0001'\n"
            f"def upgrade():\n    for text in {statements!r}:\n        op.execute(text)\n"
        )
        defaults = {"versions": (MIGRATIONS / "versions", directory)}
        monkeypatch.setattr(module.migrate, "__kwdefaults__", defaults)
        monkeypatch.setattr(module.migrate_postgres, "__kwdefaults__", {"patience": 20.0, **defaults})
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.05)

    return become


async def write_some(url):
    async with opened(url) as core:
        for _ in range(3):
            await core.submit(post(pay("world", "a", 5)))


def kept(core):
    return core.read(lambda view: {row.id for row in view.select(TRANSACTIONS, {"ledger": BOOK})})


def test_a_database_with_data_is_migrated_once(url, newer, monkeypatch):
    run(write_some(url))
    newer(ADD)
    monkeypatch.setattr(schema, "REVISION", "0002")

    async def scenario():
        assert await found_revision(url) == "0001"
        await migrate(url)
        await migrate(url)
        assert await found_revision(url) == "0002"
        async with opened(url) as core:
            await core.submit(post(pay("world", "a", 5)))
            assert len(await kept(core)) == 4
        assert (await verify_database(url)).ok

    run(scenario())


def test_a_migration_that_fails_changes_nothing(url, newer, monkeypatch):
    run(write_some(url))
    newer([*ADD, "DELETE FROM logs", "INSERT INTO nowhere VALUES (1)"])
    with monkeypatch.context() as patch:
        patch.setattr(schema, "REVISION", "0002")
        with pytest.raises(StoreUnusable, match="left as it was"):
            run(migrate(url))
    assert run(found_revision(url)) == "0001"
    assert run(verify_database(url)).ok
    run(write_some(url))


def test_migrations_at_once_are_done_once(postgres, newer, monkeypatch):
    """The others wait for the first, and find nothing left to do."""
    url = postgres.database()
    run(write_some(url))
    newer(ADD)
    monkeypatch.setattr(schema, "REVISION", "0002")

    async def scenario():
        await asyncio.gather(*(migrate(url) for _ in range(3)))
        assert await found_revision(url) == "0002"

    run(scenario())


def test_a_server_of_the_old_release_stops_writing_when_others_migrate(postgres, newer, monkeypatch):
    """Under load: what was acknowledged is there, what was refused is not, and health says what to do."""
    url = postgres.database()
    newer(ADD)
    acknowledged, refused, enough = set(), [], asyncio.Event()

    async def load(core):
        while not refused:
            try:
                acknowledged.add((await core.submit(post(pay("world", "a", 1)))).id)
                if len(acknowledged) == 20:
                    enough.set()
            except CommitFailed as error:
                refused.append(error)

    async def scenario():
        async with opened(url) as core:
            loads = [asyncio.create_task(load(core)) for _ in range(8)]
            await enough.wait()
            await module.migrate_postgres("it", lambda: asyncpg.connect(url))
            await asyncio.gather(*loads)
            assert {error.outcome for error in refused} == {"rejected"}
            assert "restart it with the release that migrated" in refused[0].message
            assert await trouble(core) is not None
            with pytest.raises(CommitFailed):
                await core.submit(post(pay("world", "a", 1)))
            assert await kept(core) == acknowledged
        with pytest.raises(StoreUnusable, match="upgrade Bursar"):
            await open_store(url, all_tables())
        monkeypatch.setattr(schema, "REVISION", "0002")
        assert (await verify_database(url)).ok

    run(scenario())


def test_an_answer_lost_over_a_migration_is_not_written_by_the_old_release(postgres, newer):
    """The commit's fence is moved by the migration; who finds that out must not run it again."""
    url = postgres.database()
    newer(ADD)

    async def scenario():
        async with opened(url) as core:
            await core.submit(post(pay("world", "a", 1)))
            await module.migrate_postgres("it", lambda: asyncpg.connect(url))
            with pytest.raises(CommitFailed, match="migrated"):
                await core.store._find_out(core.store.version)

    run(scenario())


def test_a_migration_behind_a_long_reader_blocks_nobody_for_long(postgres, newer):
    """It tries, gives way to the writers, tries again, and is done when the reader has ended."""
    url = postgres.database()
    newer(ADD)
    tries = []

    async def connect():
        tries.append(1)
        return await asyncpg.connect(url)

    async def scenario():
        async with opened(url) as core:
            await core.submit(post(pay("world", "a", 1)))
            reader = await asyncpg.connect(url)
            async with reader.transaction():
                await reader.fetch("SELECT * FROM logs")
                migration = asyncio.create_task(module.migrate_postgres("it", connect))
                while len(tries) < 2:
                    await core.submit(post(pay("world", "a", 1)))
                assert await found_revision(url) == "0001"
            await reader.close()
            await migration
            with contextlib.suppress(CommitFailed):
                await core.submit(post(pay("world", "a", 1)))
        assert await found_revision(url) == "0002"

    run(scenario())


def test_an_older_database_on_postgresql_waits_for_migrate(postgres, monkeypatch):
    url = postgres.database()
    run(write_some(url))
    monkeypatch.setattr(schema, "REVISION", "0002")
    with pytest.raises(StoreUnusable, match="run `bursar migrate`"):
        run(open_store(url, all_tables()))
