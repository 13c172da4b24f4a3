"""The SQLite store: exact values, one writing process, honest failures, reading beside a writer."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from msgspec import Struct

from bursar.engine.errors import CommitFailed, StoreInUse, StoreUnusable
from bursar.engine.store.sqlite import SqliteReader, SqliteStore, database_path
from bursar.engine.store.table import Table
from bursar.engine.verify import verify_database
from tests.engine.scene import BOOK, USD, opened, pay, post, run
from tests.engine.store.things import TABLES, THINGS, changes, thing


def opening(path, tables=TABLES):
    return SqliteStore.open(f"sqlite:///{path}", tables)


@pytest.mark.parametrize(
    ("columns", "key", "words"),
    [
        ({"a": float}, ("a",), "a column holds"),
        ({"a": dict}, ("a",), "a column holds"),
        ({"a": int, "b": str}, ("b",), "first columns"),
        ({"a": int}, ("c",), "first columns"),
    ],
)
def test_a_table_that_no_store_can_hold_is_refused(columns, key, words):
    row = type("Row", (Struct,), {"__annotations__": columns})
    with pytest.raises(TypeError, match=words):
        Table("rows", row, key)


def test_files_are_private(tmp_path):
    """The database, its WAL and its lock are for their owner only."""

    async def scenario():
        store = opening(tmp_path / "a.db")
        await store.commit(0, changes(thing(1)))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("a.db", "a.db-wal", "a.db-shm", "a.db.lock"), 0o600)
        await store.close()

    old = os.umask(0)
    try:
        run(scenario())
    finally:
        os.umask(old)


def test_a_commit_is_on_the_disk_before_it_is_answered(tmp_path):
    """Invariant 6: WAL and an fsync per commit."""

    async def scenario():
        store = opening(tmp_path / "a.db")
        pragmas = {
            name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2}
        await store.close()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("sqlite:///books.db", "books.db"),
        ("sqlite:////var/lib/books.db", "/var/lib/books.db"),
    ],
)
def test_urls(url, path):
    found = database_path(url)
    assert (None if found is None else str(found)) == path


@pytest.mark.parametrize(
    "url", ["postgresql://x/y", "books.db", "sqlite:/books.db", "sqlite:///no/such/place/a.db"]
)
def test_a_bad_url_is_explained(url):
    with pytest.raises(StoreUnusable):
        SqliteStore.open(url, TABLES)


def test_a_file_of_something_else_is_left_alone(tmp_path):
    other, text = tmp_path / "other.db", tmp_path / "notes.txt"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    text.write_text("not a database, but long enough to be looked at " * 20)
    for path in (other, text):
        before = path.read_bytes()
        with pytest.raises(StoreUnusable, match=r"not made by Bursar|not a database"):
            opening(path)
        assert path.read_bytes() == before


SECOND_PROCESS = """
import asyncio, sys
from bursar.engine.core import Core
from bursar.engine.errors import StoreInUse
async def main():
    try:
        await Core.open(sys.argv[1])
    except StoreInUse as error:
        print(error.message)
asyncio.run(main())
"""


def test_a_second_process_on_one_file_is_refused_but_may_verify(tmp_path):
    path = tmp_path / "books.db"

    async def scenario():
        async with opened(f"sqlite:///{path}") as core:
            await core.submit(post(pay("world", "a", 5)))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", SECOND_PROCESS, f"sqlite:///{path}", stdout=subprocess.PIPE
            )
            told, _ = await process.communicate()
            assert f"in use by another Bursar process (pid {os.getpid()})" in told.decode()
            assert "bursar verify" in told.decode()
            report = await verify_database(f"sqlite:///{path}")
            assert (report.ok, report.logs) == (True, 1)
        assert (await verify_database(f"sqlite:///{path}")).ok
        async with opened(f"sqlite:///{path}") as again:
            assert (await again.submit(post(pay("world", "a", 5)))).id == 2

    run(scenario())


def test_two_stores_of_one_process_on_one_file_are_refused(tmp_path):
    async def scenario():
        store = opening(tmp_path / "a.db")
        with pytest.raises(StoreInUse):
            opening(tmp_path / "a.db")
        await store.close()
        await opening(tmp_path / "a.db").close()

    run(scenario())


def test_a_reader_sees_one_moment_while_a_writer_writes(tmp_path):
    path = tmp_path / "a.db"

    async def scenario():
        store = opening(path)
        await store.commit(0, changes(thing(1)))
        reader = SqliteReader(path)

        def count_twice(rows):
            first = rows.count(THINGS)
            with closing(sqlite3.connect(path, isolation_level=None)) as raw:
                raw.execute("DELETE FROM things")
            return first, rows.count(THINGS)

        assert await reader.read(count_twice) == (1, 1)
        assert await reader.read(lambda rows: rows.count(THINGS)) == 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._connection.execute("DELETE FROM things")
        await reader.close()
        await store.close()

    run(scenario())


def test_there_is_nothing_to_read_where_there_is_no_database(tmp_path):
    with pytest.raises(StoreUnusable, match="no database"):
        SqliteReader(tmp_path / "a.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_full_disk_rejects_the_batch_and_keeps_the_books(tmp_path, place):
    """A real SQLITE_FULL, by a bound on the number of pages: nothing of the batch is there, and work goes on."""

    async def scenario():
        url = "sqlite://" if place == "memory" else f"sqlite:///{tmp_path}/a.db"
        async with opened(url) as core:
            await core.submit(post(pay("world", "a", 1)))
            connection = core.store._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            big = pay("world", "a", 1, metadata={"k": "x" * 100_000})
            with pytest.raises(CommitFailed) as failure:
                await core.submit(post(big))
            assert failure.value.outcome == "rejected"
            connection.execute("PRAGMA max_page_count = 1000000")
            assert (await core.submit(post(big))).id == 2
            assert await core.read(lambda v: v.volumes(BOOK, "a", USD).balance) == 2

    run(scenario())


class Failing:
    """A connection whose COMMIT fails with an error code, before or after it took effect."""

    def __init__(self, inner, code, after):
        self.inner, self.code, self.after = inner, code, after

    def execute(self, text, *values):
        if text == "COMMIT":
            if self.after:
                self.inner.execute(text)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.code
            raise error
        return self.inner.execute(text, *values)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize(
    ("code", "after", "outcome"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, False, "unknown"),
        (sqlite3.SQLITE_FULL, False, "rejected"),
        (sqlite3.SQLITE_BUSY, False, "rejected"),
        (sqlite3.SQLITE_IOERR_FSYNC, True, None),
    ],
)
def test_a_failed_commit_says_what_may_be_assumed(tmp_path, code, after, outcome):
    async def scenario():
        async with opened(f"sqlite:///{tmp_path}/a.db") as core:
            await core.submit(post(pay("world", "a", 1)))
            inner = core.store._connection
            core.store._connection = Failing(inner, code, after)
            if outcome is None:
                await core.submit(post(pay("world", "a", 1)))
            else:
                with pytest.raises(CommitFailed) as failure:
                    await core.submit(post(pay("world", "a", 1)))
                assert failure.value.outcome == outcome
            core.store._connection = inner
            expected = 3 if after else 2
            assert (await core.submit(post(pay("world", "a", 1)))).id == expected

    run(scenario())


def test_memory_opens_at_once():
    """A sandbox per test: the schema is copied, not made. Allows 5 ms where 0.2 are usual."""
    import time

    async def scenario():
        async with opened():
            pass
        times = []
        for _ in range(5):
            started = time.perf_counter()
            async with opened():
                pass
            times.append(time.perf_counter() - started)
        assert min(times) < 0.005

    run(scenario())
