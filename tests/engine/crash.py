"""Kill a busy writer with SIGKILL, again and again: no acknowledged transaction may be lost or doubled (invariant 6).

`python -m tests.engine.crash --cycles 1000` kills writers on a SQLite file. With `--postgres` they write to a
PostgreSQL, which is killed as well in every fourth cycle (all of its processes, then recovery), and in every fourth
there are two writers. A killed writer's keys are repeated by the next one: each must be answered with the same log.
After each cycle every acknowledged key must have its log; every twentieth the books are verified, and others begun. The
suite runs a few cycles of each.

SIGKILL does not lose what the operating system holds: this tests the program, not the disk. What a torn disk does is
in `tests.engine.torn`.
"""

import argparse
import asyncio
import contextlib
import logging
import multiprocessing
import random
import sys
import tempfile
import zlib
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from pathlib import Path

from rich.progress import track

from bursar.engine.books import LOGS
from bursar.engine.core import Core
from bursar.engine.errors import Unavailable
from bursar.engine.kernel import Posting
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.requests import CreateTransaction
from bursar.engine.ledger.service import LedgerService
from bursar.engine.store.opening import open_reader
from bursar.engine.verify import verify
from bursar.server.ledger.flags import Flags
from bursar.testing import postgres
from tests.engine.postgres_server import Server, directory

BOOK, USD = "main", "USD/2"
SUBMITTERS = 16
LIVES_OF_BOOKS = 20
VERIFIED_EVERY = 20
REPEATED = 20


PROCESSES = multiprocessing.get_context("forkserver")
"""Victims are forks of a process that has imported everything: their starts cost next to nothing."""
PROCESSES.set_forkserver_preload(
    [
        "bursar.engine.checks",
        "bursar.engine.ledger.service",
        "bursar.engine.store.postgres",
        "bursar.engine.store.sqlite",
        "bursar.engine.verify",
        "bursar.server.ledger.flags",
        "bursar.testing.postgres",
    ]
)


def victim(url: str, life: str, again: list[str], told: Connection) -> None:
    """What a victim's process runs."""
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # it tells of each kill
    asyncio.run(write(url, life, again, told))


async def write(url: str, life: str, again: list[str], told: Connection) -> None:
    """The victim: repeats keys, then posts without end; tells key and log of each acknowledgement."""
    core = await Core.open(url)
    ledger = LedgerService(core, Flags().settings)
    numbers = iter(range(10**9))

    async def pay(key: str) -> None:
        account = f"a:{zlib.crc32(key.encode()) % 50}"  # the same, whoever pays
        postings = [Posting("world", account, 10, USD), Posting(account, "b", 4, USD)]
        while True:
            try:
                made = await ledger.write(BOOK, CreateTransaction(postings=postings), Options(key))
            except Unavailable:  # not written, or not known: the key tells which
                await asyncio.sleep(0.01)
            else:
                told.send((key, made.id))
                return

    async def submitter() -> None:
        for number in numbers:
            await pay(f"{life}-{number}")

    for key in again:
        await pay(key)
    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))


class Writer:
    """A victim, and what it acknowledged."""

    def __init__(self, url: str, life: str, again: list[str]) -> None:
        self._heard, told = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=victim, args=(url, life, again, told), daemon=True)
        self._process.start()
        told.close()
        self._acknowledged: dict[str, int] = {}

    def acknowledge(self, count: int) -> None:
        """Wait for so many acknowledgements."""
        for _ in range(count):
            key, log = self._heard.recv()
            self._acknowledged[key] = log

    def kill(self) -> dict[str, int]:
        """End it; all keys that it acknowledged, with their logs."""
        self._process.kill()
        with contextlib.suppress(EOFError, OSError):  # the last may have been cut in its middle
            while True:
                self.acknowledge(1)
        self._process.join()
        self._heard.close()
        return self._acknowledged


async def stored(url: str, *, verified: bool) -> dict[str, int]:
    """The logs of all keys in the books, which must be sound if they are verified."""
    reader = await open_reader(url)
    try:
        if verified:
            report = await verify(reader)
            assert report.ok, [str(damage) for damage in report.damages]
        rows = await reader.read(lambda view: view.select(LOGS))
    finally:
        await reader.close()
    found = {row.idempotency_key: row.id for row in rows if row.idempotency_key}
    assert len(found) == len(rows), "a key has two logs"
    return found


Attack = Callable[[str, int, list[str], random.Random], dict[str, int]]
"""A cycle on the books at a URL: what was acknowledged."""


def kill_one(url: str, cycle: int, again: list[str], chance: random.Random) -> dict[str, int]:
    """A writer is killed."""
    writer = Writer(url, str(cycle), again)
    writer.acknowledge(len(again) + chance.randint(1, 300))
    return writer.kill()


def kill_both(url: str, cycle: int, again: list[str], chance: random.Random) -> dict[str, int]:
    """Of two writers one is killed, and some writes later the other."""
    one, other = Writer(url, f"{cycle}a", again), Writer(url, f"{cycle}b", [])
    one.acknowledge(len(again) + chance.randint(1, 50))
    other.acknowledge(chance.randint(1, 50))
    acknowledged = one.kill()
    other.acknowledge(chance.randint(1, 50))
    return acknowledged | other.kill()


def kill_server(server: Server) -> Attack:
    """The PostgreSQL is killed under a writer, and recovers; the writer goes on, and is killed."""

    def attack(url: str, cycle: int, again: list[str], chance: random.Random) -> dict[str, int]:
        writer = Writer(url, str(cycle), again)
        writer.acknowledge(len(again) + chance.randint(1, 150))
        server.kill()
        server.start()
        writer.acknowledge(chance.randint(20, 150))
        return writer.kill()

    return attack


def torment(fresh: Callable[[int], str], attacks: list[Attack], cycles: int, seed: int = 1) -> int:
    """Number of acknowledged writes after so many cycles; raises AssertionError when one is lost or doubled."""
    chance, acknowledged, count, url = random.Random(seed), dict[str, int](), 0, ""
    for cycle in track(range(cycles), "killing", transient=True, disable=cycles < 20):
        if cycle % LIVES_OF_BOOKS == 0:
            url, acknowledged = fresh(cycle), {}
            asyncio.run(make(url))
        again = chance.sample(sorted(acknowledged), min(REPEATED, len(acknowledged)))
        told = attacks[cycle % len(attacks)](url, cycle, again, chance)
        moved = [key for key in again if told[key] != acknowledged[key]]
        assert not moved, f"written twice: {moved[:5]}"
        count += len(told) - len(again)
        acknowledged |= told
        verified = (cycle + 1) % VERIFIED_EVERY == 0 or cycle + 1 == cycles
        found = asyncio.run(stored(url, verified=verified))
        lost = [key for key, log in acknowledged.items() if found.get(key) != log]
        assert not lost, f"lost: {sorted(lost)[:5]}"
    return count


async def make(url: str) -> None:
    """Begin books."""
    core = await Core.open(url)
    await LedgerService(core, Flags().settings).create_ledger(BOOK)
    await core.close()


def on_sqlite(place: Path, cycles: int, seed: int = 1) -> int:
    """`torment` on files in a directory."""
    return torment(lambda cycle: f"sqlite:///{place}/books{cycle}.db", [kill_one], cycles, seed)


def on_postgres(server: Server, cycles: int, seed: int = 1) -> int:
    """`torment` on databases of a server."""

    def fresh(cycle: int) -> str:
        server.sql(f"CREATE DATABASE books{cycle}")
        return server.url.replace("/postgres?", f"/books{cycle}?")

    attacks: list[Attack] = [kill_one, kill_server(server), kill_one, kill_both]
    return torment(fresh, attacks, cycles, seed)


@contextlib.contextmanager
def own_server() -> Generator[Server]:
    """A PostgreSQL to be killed."""
    with directory() as place:
        server = Server(place / "a", fsync=True)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    if given.postgres:
        with postgres.server(), own_server() as killed:  # the first makes the user that servers run as
            total = on_postgres(killed, given.cycles, given.seed)
    else:
        with tempfile.TemporaryDirectory() as books:
            total = on_sqlite(Path(books), given.cycles, given.seed)
    sys.stdout.write(f"{given.cycles} kills: {total} acknowledged, none lost or doubled, all books sound\n")
