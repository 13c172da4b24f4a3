"""The ledger without HTTP: postings onto one hot account, and single writes of many callers on PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from bench.report import Report, machine
from bursar.engine.core import Core
from bursar.engine.kernel import Posting
from bursar.engine.ledger.bulk import Element, Mode
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.requests import CreateTransaction
from bursar.engine.ledger.service import LedgerService
from bursar.server.ledger.flags import Flags

LEDGER = "bench"
BULK = 50
POSTINGS = 100
MANY = 1_000
HOT_GOAL, POSTGRES_GOAL = 100_000, 20_000


class Rate(NamedTuple):
    """Per second, and CPU microseconds of this process for each."""

    rate: float
    cpu_us: float


Submit = Callable[[LedgerService, int], Awaitable[int]]
"""Submits a request of this number, and returns how many it wrote."""


def transaction(account: str, postings: int = 1) -> CreateTransaction:
    """Return a transaction of equal postings from world."""
    return CreateTransaction(postings=[Posting("world", account, 100, "USD/2")] * postings, metadata={})


async def bulk(service: LedgerService, number: int) -> int:
    """Write a bulk of transactions of one posting onto the hot account."""
    elements = [Element("CREATE_TRANSACTION", transaction("hot")) for _ in range(BULK)]
    outcomes = await service.bulk(LEDGER, elements, Mode())
    assert all(outcome.error is None for outcome in outcomes)
    return BULK


async def wide(service: LedgerService, number: int) -> int:
    """Write one transaction of many postings onto the hot account."""
    await service.write(LEDGER, transaction("hot", POSTINGS), Options())
    return POSTINGS


async def single(service: LedgerService, number: int) -> int:
    """Write one transaction of one posting, to one of many accounts."""
    await service.write(LEDGER, transaction(f"customers:{number % MANY}"), Options())
    return 1


async def rate(url: str, submit: Submit, callers: int, seconds: float) -> Rate:
    """Keep callers busy, each of whom awaits the commit of what it wrote."""
    core = await Core.open(url)
    service = LedgerService(core, Flags().settings)
    await service.create_ledger(LEDGER)
    await asyncio.gather(*(submit(service, number) for number in range(callers)))
    numbers, written = iter(range(10**9)), 0
    started, used = time.perf_counter(), time.process_time()

    async def caller(numbers: Iterator[int]) -> None:
        nonlocal written
        while time.perf_counter() - started < seconds:
            more = await submit(service, next(numbers))
            written += more  # read after the others have added theirs

    await asyncio.gather(*(caller(numbers) for _ in range(callers)))
    taken, used = time.perf_counter() - started, time.process_time() - used
    await core.close()
    return Rate(written / taken, used / written * 1e6)


def hot(report: Report, seconds: float) -> None:
    """Measure the hot account on a file."""
    rows = []
    for title, submit, callers in (
        (f"bulks of {BULK} transactions of one posting", bulk, 8),
        (f"transactions of {POSTINGS} postings", wide, 64),
    ):
        with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
            found = asyncio.run(rate(f"sqlite:///{place}/books.db", submit, callers, seconds))
        rows.append(_row(title, callers, found, "postings/s"))
        report.goal(
            f"hot account, {title}: {found.rate:,.0f} postings/s (goal: {HOT_GOAL:,})", found.rate >= HOT_GOAL
        )
    report.tables["one hot account, SQLite file, fsync per commit"] = rows


def on_postgres(report: Report, seconds: float) -> None:
    """Measure single writes that are committed together on PostgreSQL."""
    from bursar.testing import postgres

    rows = []
    with postgres.server() as server:
        for callers in (1, 32, 256):
            found = asyncio.run(rate(server.database(), single, callers, seconds))
            rows.append(_row("single transactions of one posting", callers, found, "tx/s"))
    report.tables[f"PostgreSQL, {MANY:,} accounts"] = rows
    text = f"PostgreSQL, grouped, 256 callers: {found.rate:,.0f} tx/s (goal: {POSTGRES_GOAL:,})"
    report.goal(text, found.rate >= POSTGRES_GOAL)
    report.conditions["PostgreSQL"] = (
        "over a local socket, fsync off if it is the wheel's (BURSAR_TEST_POSTGRES names another server); "
        "a commit takes what arrived meanwhile, at most 256 commands or 1,500 rows"
    )


def _row(title: str, callers: int, found: Rate, unit: str) -> dict[str, object]:
    return {
        "load": title,
        "callers": callers,
        "rate": f"{found.rate:,.0f} {unit}",
        "CPU us": f"{found.cpu_us:.1f}",
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each row")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report(
        "Ledger in process", machine() | {"ledger": "all default features, hash chain on, no keys"}
    )
    hot(report, chosen.seconds)
    on_postgres(report, chosen.seconds)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
