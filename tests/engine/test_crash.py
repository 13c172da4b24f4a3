"""What survives a kill and a power cut: every acknowledged commit, and never a part of one (invariant 6)."""

import asyncio
import shutil

import pytest

from bursar.engine.books import LOGS
from bursar.engine.core import Core
from bursar.engine.store.sqlite import SqliteReader
from bursar.engine.verify import verify
from tests.engine.crash import on_postgres, on_sqlite, own_server
from tests.engine.scene import BOOK, pay, run


@pytest.mark.crash
def test_kill_9_loses_and_doubles_no_acknowledged_transaction(tmp_path):
    assert on_sqlite(tmp_path, cycles=6) >= 6


@pytest.mark.crash
def test_kill_9_of_writers_and_of_the_server_they_write_to(postgres):
    """`postgres` makes the user as whom servers run."""
    with own_server() as server:
        assert on_postgres(server, cycles=4) >= 4


def test_a_torn_write_ahead_log_leaves_whole_commits(tmp_path):
    """A power cut at any byte: the books are sound and hold every commit whose last byte was written, none in part."""
    path, wal = tmp_path / "books.db", tmp_path / "books.db-wal"

    async def grow():
        """Size of the log after each commit, each of two transactions."""
        core, ends = await Core.open(f"sqlite:///{path}"), []
        for number in range(12):
            pair = [pay("world", f"a:{number}", 5), pay(f"a:{number}", "b", 3)]
            await asyncio.gather(*(core.submit(lambda v, new=new: v.post(BOOK, new)) for new in pair))
            ends.append(wal.stat().st_size)
        shutil.copy(path, tmp_path / "copy.db")
        shutil.copy(wal, tmp_path / "copy.wal")
        await core.close()
        return ends

    ends = run(grow())
    whole = (tmp_path / "copy.wal").read_bytes()
    for end in ends:
        for cut in (end - 4096, end - 1, end, end + 1, end + 4000):
            torn = tmp_path / f"torn{cut}.db"
            shutil.copy(tmp_path / "copy.db", torn)
            torn.with_name(torn.name + "-wal").write_bytes(whole[:cut])
            assert run(transactions(torn)) == 2 * sum(done <= cut for done in ends)


async def transactions(path):
    reader = SqliteReader(path)
    report = await verify(reader)
    assert report.ok, [str(damage) for damage in report.damages]
    count = await reader.read(lambda view: view.count(LOGS))
    await reader.close()
    return count
