"""Long campaigns: streams of operations on fresh ledgers of fresh databases, again and again.

`python -m tests.model --operations 1000000` does so many on SQLite and on PostgreSQL, in process, and a tenth of it
over HTTP. An episode is one database with some ledgers used at the same time. Equal episodes have equal seeds on all
stores, so that the head hashes of their ledgers must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bursar.testing import postgres
from tests.model import operations, stream
from tests.model.systems import opened

LEDGERS = 32
OPERATIONS = 250
"""On each ledger, besides those that compare all that it holds."""
HTTP_SHARE = 10
LIVES = 20
"""Episodes of a process: what a process may leak ends with it."""
TMPFS = Path("/dev/shm")


@dataclass(frozen=True)
class Task:
    """An episode to be done."""

    store: str
    number: int
    seed: int
    server: str
    """URL of a database of a PostgreSQL server."""


@dataclass(frozen=True)
class Episode:
    """An episode as it went."""

    task: Task
    requests: int = 0
    in_bulks: int = 0
    heads: tuple[bytes, ...] = ()
    divergence: str = ""


def episode(task: Task) -> Episode:
    """Do an episode, in a process of the pool."""
    generators = [
        operations.Generator(Random(f"{task.seed}/{task.number}/{index}")) for index in range(LEDGERS)
    ]
    try:
        with _database(task) as url:
            ledgers = asyncio.run(_run(task, url, generators))
    except AssertionError as error:
        return Episode(task, divergence=f"seed {task.seed}, episode {task.number}: {error}")
    done = [operation for ledger in ledgers for _, operation in ledger.done]
    in_bulks = sum(len(each.elements) for each in done if isinstance(each, operations.Bulk))
    return Episode(task, len(done), in_bulks, tuple(ledger.head() for ledger in ledgers))


async def _run(task: Task, url: str, generators: list[operations.Generator]) -> list[stream.Ledger]:
    names = [f"book-{index}" for index in range(LEDGERS)]
    async with opened(task.store, url, http=task.store == "http") as system:
        return await stream.run([system], names, generators, OPERATIONS)


@contextlib.contextmanager
def _database(task: Task) -> Generator[str]:
    if task.store == "postgres":
        server = postgres.Postgres(task.server)
        try:
            yield server.database()
        finally:
            server.drop()
    else:
        with tempfile.TemporaryDirectory(dir=TMPFS if TMPFS.is_dir() else None) as place:
            yield f"sqlite:///{place}/books.db"


class Tally:
    """What was checked so far."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self.wanted = wanted
        self.requests: Counter[str] = Counter()
        self.in_bulks: Counter[str] = Counter()
        self.ledgers: Counter[str] = Counter()
        self.heads: dict[int, tuple[bytes, ...]] = {}
        self.compared = 0
        self.faults: list[str] = []
        self.stopped = False
        self.started = time.monotonic()

    def stop(self) -> None:
        """Begin no more episodes."""
        self.stopped = True

    def add(self, done: Episode) -> None:
        """Count an episode, and compare its heads with those of the same episode on another store."""
        store, number = done.task.store, done.task.number
        if done.divergence:
            self.faults.append(done.divergence)
            self.stop()
            return
        self.requests[store] += done.requests
        self.in_bulks[store] += done.in_bulks
        self.ledgers[store] += len(done.heads)
        known = self.heads.setdefault(number, done.heads)
        if known is not done.heads:
            self.compared += len(known)
            if known != done.heads:
                self.faults.append(f"episode {number}: the heads on {store} are not those on another store")

    def lines(self) -> Iterator[str]:
        """What to print."""
        for store in self.wanted:
            yield (
                f"{store}: {self.requests[store]:,} operations checked, {self.in_bulks[store]:,} more in bulks, "
                f"on {self.ledgers[store]:,} ledgers"
            )
        seconds = time.monotonic() - self.started
        total = self.requests.total()
        yield (
            f"{total:,} operations, {len(self.faults)} divergences, {self.compared:,} head hashes equal on two "
            f"stores, all books verified, {seconds:.0f} s ({total / seconds:.0f}/s)"
        )


def campaign(wanted: dict[str, int], seed: int, jobs: int, server: str) -> Tally:
    """Do so many operations on each store, some episodes at a time; the first divergence and SIGTERM end it early."""
    tally = Tally(wanted)
    spawn = multiprocessing.get_context("spawn")
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ProcessPoolExecutor(jobs, spawn, max_tasks_per_child=LIVES) as pool,
    ):
        signal.signal(signal.SIGTERM, lambda number, frame: tally.stop())
        bars = {store: progress.add_task(store, total=number) for store, number in wanted.items()}
        waiting: set[Future[Episode]] = set()
        numbers = dict.fromkeys(wanted, 0)
        running: Counter[str] = Counter()
        told = 0
        while True:
            while len(waiting) < jobs and not tally.stopped and (store := _next(tally, running)):
                task = Task(store, numbers[store], seed, server)
                numbers[store] += 1
                running[store] += 1
                waiting.add(pool.submit(episode, task))
            if not waiting:
                return tally
            done = next(as_completed(waiting))
            waiting.remove(done)
            tally.add(done.result())
            running[done.result().task.store] -= 1
            for store, bar in bars.items():
                progress.update(bar, completed=tally.requests[store])
            percent = tally.requests.total() * 100 // sum(wanted.values())
            if percent > told and not console.is_terminal:
                told = percent
                console.print(f"{percent} %", *tally.lines(), sep="\n", soft_wrap=True)


def _next(tally: Tally, running: Counter[str]) -> str | None:
    """The store that is furthest behind, counting what is under way; None when all will be done."""
    share: dict[str, float] = {}
    for store, number in tally.wanted.items():
        expected = tally.requests[store] + running[store] * LEDGERS * OPERATIONS
        if expected < number:
            share[store] = expected / number
    return min(share, key=lambda store: share[store]) if share else None


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", default="sqlite,postgres,http")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    wanted = {
        store: given.operations // (HTTP_SHARE if store == "http" else 1) for store in given.stores.split(",")
    }
    with postgres.server() if "postgres" in wanted else contextlib.nullcontext() as server:
        tally = campaign(wanted, given.seed, given.jobs, "" if server is None else server.database())
    for line in (*tally.faults, *tally.lines()):
        sys.stdout.write(f"{line}\n")
    return 1 if tally.faults else 0
