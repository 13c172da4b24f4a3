"""Long campaigns: streams of operations on fresh ledgers of fresh databases, again and again.

`python -m tests.model --operations 1000000` does so many on SQLite and on PostgreSQL, in process, and a tenth of it
over HTTP and in each of two kinds of histories: many submitters on one ledger, on SQLite, and through two servers on
one PostgreSQL. An episode is one database with some ledgers. Equal episodes have equal seeds on all stores, so that the
head hashes of their ledgers must be equal, but for histories, whose order is not the seed's.
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
from tests.model import histories, operations, stream
from tests.model.systems import opened, together

LEDGERS = 32
OPERATIONS = 250
"""On each ledger, besides those that compare all that it holds."""
SUBMITTERS = 16
EACH = 20
HISTORIES = 25
EXPECTED = LEDGERS * OPERATIONS
"""Operations of an episode, roughly."""
SMALLER = 10
"""How much less is done on the stores after the first two."""
STORES = ("sqlite", "postgres", "http", "histories-sqlite", "histories-postgres")
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
    ledgers: int = 0
    heads: tuple[bytes, ...] = ()
    divergence: str = ""


def episode(task: Task) -> Episode:
    """Do an episode, in a process of the pool."""
    try:
        with _database(task) as url:
            return asyncio.run(_histories(task, url) if _is_concurrent(task) else _streams(task, url))
    except AssertionError as error:
        return Episode(task, divergence=f"seed {task.seed}, episode {task.number}: {error}")


async def _streams(task: Task, url: str) -> Episode:
    numbers = range(LEDGERS)
    generators = [operations.Generator(Random(f"{task.seed}/{task.number}/{number}")) for number in numbers]
    async with opened(task.store, url, http=task.store == "http") as system:
        ledgers = await stream.run([system], [f"book-{number}" for number in numbers], generators, OPERATIONS)
    done = [operation for ledger in ledgers for _, operation in ledger.done]
    return Episode(task, len(done), _in_bulks(done), len(ledgers), tuple(ledger.head() for ledger in ledgers))


async def _histories(task: Task, url: str) -> Episode:
    done: list[operations.Operation] = []
    async with together(url, 2 if _on_postgres(task) else 1) as systems:
        for number in range(HISTORIES):
            name, seed = f"book-{number}", f"{task.seed}/{task.number}/{number}"
            await systems[0].create(name)
            calls = await histories.record(systems, name, SUBMITTERS, EACH, seed)
            histories.check(calls, (await systems[-1].logs(name))[1], systems[0].now())
            done += [call.operation for call in calls]
        await systems[0].check()
    return Episode(task, len(done), _in_bulks(done), HISTORIES)


def _is_concurrent(task: Task) -> bool:
    return task.store.startswith("histories")


def _on_postgres(task: Task) -> bool:
    return task.store.endswith("postgres")


def _in_bulks(done: list[operations.Operation]) -> int:
    return sum(len(each.elements) for each in done if isinstance(each, operations.Bulk))


@contextlib.contextmanager
def _database(task: Task) -> Generator[str]:
    if _on_postgres(task):
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
        self.ledgers[store] += done.ledgers
        if not done.heads:
            return
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
        expected = tally.requests[store] + running[store] * EXPECTED
        if expected < number:
            share[store] = expected / number
    return min(share, key=lambda store: share[store]) if share else None


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", default=",".join(STORES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    wanted = {
        store: given.operations // (1 if store in STORES[:2] else SMALLER)
        for store in given.stores.split(",")
    }
    with (
        postgres.server()
        if any(store.endswith("postgres") for store in wanted)
        else contextlib.nullcontext() as server
    ):
        tally = campaign(wanted, given.seed, given.jobs, "" if server is None else server.database())
    for line in (*tally.faults, *tally.lines()):
        sys.stdout.write(f"{line}\n")
    return 1 if tally.faults else 0
