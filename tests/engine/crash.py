"""Kill a busy writer with SIGKILL, again and again: no acknowledged transaction may be lost or doubled (invariant 6).

`python -m tests.engine.crash --cycles 1000` kills writers on a SQLite file. With `--postgres` they write to a
PostgreSQL, which is killed as well in every fourth cycle (all of its processes, then recovery), and in every fourth
there are two writers. A killed writer's keys are repeated by the next one: each must be answered with the same log. All
books are verified after each cycle; they start afresh every 25 cycles. The suite runs a few cycles of each.

SIGKILL does not lose what the operating system holds: this tests the program, not the disk. What a torn disk does is
in `tests.engine.torn`.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
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
LIVES_OF_BOOKS = 25
REPEATED = 20


async def write(url: str, life: str, again: list[str]) -> None:
    """The victim: repeats keys, then posts without end; writes a line with key and log for each acknowledgement."""
    core = await Core.open(url)
    ledger = LedgerService(core, Flags().settings)
    numbers = iter(range(10**9))

    async def pay(key: str) -> None:
        account = f"a:{hash(key) % 50}"
        postings = [Posting("world", account, 10, USD), Posting(account, "b", 4, USD)]
        while True:
            try:
                made = await ledger.write(BOOK, CreateTransaction(postings=postings), Options(key))
            except Unavailable:  # not written, or not known: the key tells which
                await asyncio.sleep(0.01)
            else:
                os.write(1, f"{key} {made.id}\n".encode())
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
        command = [
            sys.executable,
            "-m",
            "tests.engine.crash",
            "--write",
            url,
            "--life",
            life,
            "--again",
            *again,
        ]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}  # an account for a key, whoever pays
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        self.lines: list[bytes] = []

    def acknowledge(self, count: int) -> None:
        """Wait for so many acknowledgements."""
        assert self.process.stdout is not None
        for _ in range(count):
            line = self.process.stdout.readline()
            assert line, "the writer ended"
            self.lines.append(line)

    def kill(self) -> dict[str, int]:
        """End it; all keys that it acknowledged, with their logs."""
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGKILL)
        self.lines += self.process.stdout.readlines()
        self.process.stdout.close()
        self.process.wait()
        whole = (line.decode().split() for line in self.lines if line.endswith(b"\n"))
        return {key: int(log) for key, log in whole}


async def stored(url: str) -> dict[str, int]:
    """The logs of all keys in the books, which must be sound."""
    reader = await open_reader(url)
    try:
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
        found = asyncio.run(stored(url))
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
    parser.add_argument("--write")
    parser.add_argument("--life", default="")
    parser.add_argument("--again", nargs="*", default=[])
    given = parser.parse_args()
    if given.write:
        logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # it tells of each kill
        asyncio.run(write(given.write, given.life, given.again))
        sys.exit()
    if given.postgres:
        with postgres.server(), own_server() as killed:  # the first makes the user that servers run as
            total = on_postgres(killed, given.cycles, given.seed)
    else:
        with tempfile.TemporaryDirectory() as books:
            total = on_sqlite(Path(books), given.cycles, given.seed)
    sys.stdout.write(f"{given.cycles} kills: {total} acknowledged, none lost or doubled, all books sound\n")
