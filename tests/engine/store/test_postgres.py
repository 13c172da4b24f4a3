"""PostgreSQL: several processes, lost connections, a server that is away. Each test has a database of its own."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from bursar.engine.books import HEADS
from bursar.engine.errors import CommitFailed, InsufficientFunds, StoreUnusable, Unavailable
from bursar.engine.store import postgres as module
from bursar.engine.store.opening import open_reader, open_store, shown
from bursar.engine.verify import verify_database
from tests.engine.scene import BOOK, USD, opened, pay, post, run
from tests.engine.store.things import TABLES


@pytest.fixture
def url(postgres):
    return postgres.database()


@asynccontextmanager
async def session(url):
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def balance(core, account="a"):
    return core.read(lambda view: view.volumes(BOOK, account, USD).balance)


def head(core):
    return core.read(lambda view: view.get(HEADS, BOOK))


def writers(name):
    """Ends the sessions of engines, not those of their queries."""
    return (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        f" AND application_name = '{name}' AND pid <> pg_backend_pid()"
    )


def test_processes_that_write_at_once_make_one_ledger(url):
    async def scenario():
        async with opened(url) as one, opened(url) as two:

            async def use(core, start):
                return [
                    (await core.submit(post(pay("world", f"a{number % 3}", 1)))).id
                    for number in range(start, start + 20)
                ]

            made = await asyncio.gather(*(use(core, 20 * n) for n, core in enumerate([one, two] * 4)))
            ids = sorted(number for numbers in made for number in numbers)
            assert ids == list(range(1, 161))
            assert sum([await balance(one, f"a{n}") for n in range(3)]) == 160
        report = await verify_database(url)
        assert (report.ok, report.logs) == (True, 160)

    run(scenario())


def test_nobody_overdraws_an_account_that_another_process_emptied(url):
    async def scenario():
        async with opened(url) as one, opened(url) as two:
            await one.submit(post(pay("world", "a", 10)))
            assert await balance(two) == 10
            await two.submit(post(pay("a", "b", 10)))
            with pytest.raises(InsufficientFunds):
                await one.submit(post(pay("a", "b", 1)))
            await two.submit(post(pay("b", "a", 5)))
            await one.submit(post(pay("a", "b", 5)))  # refused on what `one` knew, right on what is true

    run(scenario())


def test_a_connection_lost_before_the_commit_is_made_good(url):
    """The server ends the session while it waits for the fence: the commands run again, once."""

    async def scenario():
        async with opened(url) as core, session(url) as other:
            await core.submit(post(pay("world", "a", 1)))
            blocking = other.transaction()
            await blocking.start()
            await other.execute("UPDATE store_head SET version = version")
            submitted = asyncio.create_task(core.submit(post(pay("world", "a", 2))))
            while not await other.fetchval(  # noqa: ASYNC110 - a server tells no other way that somebody waits
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ):
                await asyncio.sleep(0.01)
            await other.execute(writers("bursar"))
            await blocking.rollback()
            assert (await submitted).id == 2
            assert await balance(core) == 3
        assert (await verify_database(url)).ok

    run(scenario())


@pytest.mark.parametrize("others", [False, True])
def test_an_answer_lost_after_the_commit_is_found_out(url, others, monkeypatch):
    """Done is done once; when others wrote meanwhile nobody can tell, and that is what is said."""
    original = asyncpg.Connection.fetchval

    async def lost(self, query, *args, **options):
        answer = await original(self, query, *args, **options)
        if query.startswith("WITH fence"):
            monkeypatch.undo()
            if others:
                async with opened(url) as other:
                    await other.submit(post(pay("world", "b", 1)))
            raise ConnectionResetError
        return answer

    async def scenario():
        async with opened(url) as core:
            await core.submit(post(pay("world", "a", 1)))
            monkeypatch.setattr(asyncpg.Connection, "fetchval", lost)
            if others:
                with pytest.raises(CommitFailed) as failure:
                    await core.submit(post(pay("world", "a", 2)))
                assert failure.value.outcome == "unknown"
            else:
                assert (await core.submit(post(pay("world", "a", 2)))).id == 2
            assert await balance(core) == 3
            await core.submit(post(pay("world", "a", 4)))
        assert (await verify_database(url)).ok

    run(scenario())


def test_a_server_that_is_away_is_said_and_comes_back(url, postgres):
    name = urlsplit(url).path[1:]
    elsewhere = postgres.database()

    async def scenario():
        async with opened(url) as core, session(elsewhere) as other:
            await core.submit(post(pay("world", "a", 1)))
            await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await other.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            with pytest.raises(Unavailable):
                await balance(core)
            with pytest.raises(Unavailable):
                await core.submit(post(pay("world", "b", 2)))
            await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            assert (await core.submit(post(pay("world", "a", 4)))).id == 2
            assert await balance(core) == 5
        assert (await verify_database(url)).ok

    run(scenario())


def test_what_nobody_can_tell_in_time_is_unknown(url, postgres, monkeypatch):
    monkeypatch.setattr(module, "FIND_OUT_SECONDS", 0.1)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    name, elsewhere = urlsplit(url).path[1:], postgres.database()
    original = asyncpg.Connection.fetchval

    async def cut(self, query, *args, **options):
        if query.startswith("WITH fence"):
            async with session(elsewhere) as other:
                await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            raise ConnectionResetError
        return await original(self, query, *args, **options)

    async def scenario():
        async with opened(url) as core:
            with monkeypatch.context() as patch:
                patch.setattr(asyncpg.Connection, "fetchval", cut)
                with pytest.raises(CommitFailed) as failure:
                    await core.submit(post(pay("world", "a", 1)))
            assert failure.value.outcome == "unknown"
            async with session(elsewhere) as other:
                await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    run(scenario())


def test_the_same_inputs_make_the_same_chain_on_every_store(url):
    async def chain(place):
        async with opened(place) as core:
            for number in range(30):
                await core.submit(
                    post(pay("world", f"a{number % 4}", number + 1, metadata={"n": str(number)}))
                )
            return await head(core)

    assert run(chain(url)) == run(chain("sqlite://"))


def test_databases_that_cannot_be_used_are_explained(url):
    async def scenario():
        with pytest.raises(StoreUnusable, match="has no tables"):
            await open_reader(url)
        async with session(url) as other:
            await other.execute("CREATE TABLE theirs (x int)")
        with pytest.raises(StoreUnusable, match="not made by Bursar"):
            await open_store(url, TABLES)
        with pytest.raises(StoreUnusable, match="cannot open postgresql://user@localhost:1/x"):
            await open_store("postgresql://user:secret@localhost:1/x", TABLES)

    run(scenario())
    assert shown("postgresql://user:secret@localhost/x") == "postgresql://user@localhost/x"


def test_processes_that_start_at_once_make_one_schema(url):
    async def scenario():
        stores = await asyncio.gather(*(open_store(url, TABLES) for _ in range(4)))
        assert {store.version for store in stores} == {0}
        for store in stores:
            await store.close()

    run(scenario())
