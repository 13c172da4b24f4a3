"""Transactions per second of the engine's writer, in process: commands of two postings, durable before each reply."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.report import Report, machine
from bursar.engine.core import Core
from bursar.engine.kernel import NewTransaction, Posting, Transaction
from bursar.engine.verify import verify
from bursar.engine.view import View

ACCOUNTS = 1000


def command(number: int) -> NewTransaction:
    """Return the transaction of one command: money comes in to an account and a part goes on."""
    account = f"customers:{number % ACCOUNTS}"
    return NewTransaction(
        [Posting("world", account, 100, "USD/2"), Posting(account, "fees", 40, "USD/2")],
    )


async def rate(core: Core, submitters: int, count: int) -> tuple[float, float]:
    """Return transactions per second with so many submitters, each awaiting its reply, and CPU us of one."""
    numbers = iter(range(count))

    async def submitter() -> None:
        for number in numbers:
            new = command(number)

            def post(view: View, new: NewTransaction = new) -> Transaction:
                return view.post("bench", new)

            await core.submit(post)

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(submitter() for _ in range(submitters)))
    taken, used = time.perf_counter() - started, time.process_time() - cpu
    return count / taken, used / count * 1e6


async def measure(url: str, count: int) -> tuple[dict[str, object], float, float]:
    """Return a row of rates, the last of them, and logs verified per second."""
    core = await Core.open(url)
    await rate(core, 16, ACCOUNTS)
    row: dict[str, object] = {"store": "memory" if url == "sqlite://" else "file, fsync per commit"}
    reached = 0.0
    for submitters in (1, 32, 256):
        reached, used = await rate(core, submitters, count)
        row[f"{submitters} submitters"] = f"{reached:,.0f}/s ({used:.0f} us CPU)"
    started = time.perf_counter()
    report = await verify(core.store)
    assert report.ok
    verified = report.logs / (time.perf_counter() - started)
    await core.close()
    return row, reached, verified


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=8_000, help="transactions for each figure")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("The engine's writer, in process", machine() | {"accounts": ACCOUNTS})
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        memory, _, _ = asyncio.run(measure("sqlite://", chosen.count))
        file, reached, verified = asyncio.run(measure(f"sqlite:///{Path(place, 'books.db')}", chosen.count))
    report.tables["transactions of two postings"] = [memory, file]
    report.conditions["verify"] = f"{verified:,.0f} logs/s"
    report.goal(f"15,000/s on a file at 256 submitters: {reached:,.0f}/s", reached >= 15_000)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
