"""How the ledger fares as it grows: reads, writes, memory, disk and start of a server.

The ledger is filled in process by bulks, on an SQLite file with an fsync for each commit. At each size the file is
copied and a server measured on the copy, so that what is measured does not add to what is filled.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import shutil
import sqlite3
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.ledger import Load, generate
from bench.ledger_data import BULK, LEDGER, Data, shown_time
from bench.ledger_load import LEDGER as ROOT_PATH
from bench.processes import pin, rss_mb, serving
from bench.report import Report, machine, median, percentile

SUBMITTERS = 8
SAMPLES = 200
ROW_SECONDS = 4.0
"""No row is measured for longer than this, but for one sample."""
SIZES = (10_000, 100_000)
"""Sizes to stop at on the way."""
LISTING_MS, PIT_MS = 20.0, 2.0
BYTES_EACH, MEMORY_MB = 400, 400


class Read(NamedTuple):
    """A row of the table: how the path of its n-th request is made, and the goal for its p99 in ms."""

    title: str
    path: Callable[[int], str]
    goal: float = 0.0
    method: str = "GET"


class Times(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float


def listing(resource: str, filter: Mapping[str, Any] | None = None, size: int = 15, **more: Any) -> str:
    """Return the path of a list."""
    parameters: dict[str, Any] = {"pageSize": size, **more}
    if filter is not None:
        parameters["query"] = json.dumps(filter)
    return f"{ROOT_PATH}/{resource}?{urllib.parse.urlencode(parameters)}"


def matching(field: str, value: object) -> dict[str, Any]:
    """Return a filter."""
    return {"$match": {field: value}}


def between(field: str, start: int, end: int) -> dict[str, Any]:
    """Return a filter of microseconds."""
    return {"$and": [{"$gte": {field: shown_time(start)}}, {"$lt": {field: shown_time(end)}}]}


def reads(data: Data) -> list[Read]:
    """All reads, with parameters that differ from request to request."""
    account, moment, number = data.account, data.moment, data.number

    def transactions(title: str, filter: Callable[[int], Mapping[str, Any]], size: int = 15) -> Read:
        return Read(
            f"transactions, {title}, {size}",
            lambda n: listing("transactions", filter(n), size),
            LISTING_MS,
        )

    def accounts(title: str, filter: Callable[[int], Mapping[str, Any]], size: int = 15) -> Read:
        return Read(f"accounts, {title}, {size}", lambda n: listing("accounts", filter(n), size), LISTING_MS)

    def day(n: int) -> Mapping[str, Any]:
        return between("timestamp", moment(n), moment(n) + 6 * 3600 * 1_000_000)

    def balance_at(account: str, n: int, expand: str) -> str:
        query = urllib.parse.urlencode({"pit": shown_time(moment(n)), "expand": expand})
        return f"{ROOT_PATH}/accounts/{account}?{query}"

    return [
        Read(
            "balance then, by effective date", lambda n: balance_at(account(n), n, "effectiveVolumes"), PIT_MS
        ),
        Read("balance then, by insertion date", lambda n: balance_at(account(n), n, "volumes"), PIT_MS),
        Read(
            "balance then of world, effective", lambda n: balance_at("world", n, "effectiveVolumes"), PIT_MS
        ),
        Read("balance then of world, inserted", lambda n: balance_at("world", n, "volumes")),
        Read("one transaction", lambda n: f"{ROOT_PATH}/transactions/{number(n)}"),
        Read("transactions, newest, 15", lambda n: listing("transactions"), LISTING_MS),
        Read("transactions, newest, 100", lambda n: listing("transactions", size=100), LISTING_MS),
        Read(
            "transactions then, newest, 15",
            lambda n: listing("transactions", pit=shown_time(moment(n))),
            LISTING_MS,
        ),
        transactions("account", lambda n: matching("account", account(n))),
        transactions("account", lambda n: matching("account", account(n)), 100),
        transactions("account world", lambda n: matching("account", "world")),
        transactions("source world", lambda n: matching("source", "world"), 100),
        transactions("destination", lambda n: matching("destination", account(n))),
        transactions("account a:b:", lambda n: matching("account", account(n).rpartition(":")[0] + ":")),
        transactions("account users:...", lambda n: matching("account", "users:...")),
        transactions("account ::sales", lambda n: matching("account", "::sales")),
        transactions("account :b:", lambda n: matching("account", f":{account(n).split(':')[1]}:")),
        transactions("reference", lambda n: matching("reference", data.reference(n))),
        transactions("metadata, one has it", lambda n: matching("metadata[order]", data.order(n))),
        transactions("metadata, many have it", lambda n: matching("metadata[channel]", "app"), 100),
        transactions("6 hours of a year", day),
        transactions("6 hours of a year", day, 100),
        transactions("reverted", lambda n: matching("reverted", True)),
        transactions("account and hours", lambda n: {"$and": [matching("account", "world"), dict(day(n))]}),
        accounts("prefix", lambda n: matching("address", "merchants:"), 15),
        accounts("a:b:", lambda n: matching("address", account(n).rpartition(":")[0] + ":")),
        accounts(":b:", lambda n: matching("address", f":{account(n).split(':')[1]}:")),
        accounts("metadata, one has it", lambda n: matching("metadata[owner]", data.owner(n))),
        accounts("metadata, many have it", lambda n: matching("metadata[tier]", "gold"), 100),
        accounts("balance < 0", lambda n: {"$lt": {"balance[USD/2]": 0}}),
        accounts("balance > 9,000", lambda n: {"$gt": {"balance[USD/2]": 9000}}, 100),
        Read("volumes, 15", lambda n: listing("volumes"), LISTING_MS),
        Read("volumes then, 15", lambda n: listing("volumes", endTime=shown_time(moment(n)))),
        Read(
            "volumes then of a:b:",
            lambda n: listing(
                "volumes",
                matching("account", account(n).rpartition(":")[0] + ":"),
                endTime=shown_time(moment(n)),
            ),
            LISTING_MS,
        ),
        Read("aggregated balances of a:b:", lambda n: aggregated(account(n).rpartition(":")[0] + ":")),
        Read(
            "aggregated balances then of a:b:",
            lambda n: aggregated(account(n).rpartition(":")[0] + ":", pit=shown_time(moment(n))),
            LISTING_MS,
        ),
        Read("aggregated balances", lambda n: aggregated("")),
        Read("aggregated balances then", lambda n: aggregated("", pit=shown_time(moment(n)))),
        Read("count of transactions", lambda n: listing("transactions"), method="HEAD"),
        Read(
            "count, account",
            lambda n: listing("transactions", matching("account", account(n))),
            method="HEAD",
        ),
        Read("count of accounts", lambda n: listing("accounts"), method="HEAD"),
        Read("logs, newest, 100", lambda n: listing("logs", size=100), LISTING_MS),
    ]


def aggregated(address: str, **more: str) -> str:
    """Return the path of aggregated balances."""
    query = {"query": json.dumps(matching("address", address))} if address else {}
    return f"{ROOT_PATH}/aggregate/balances?{urllib.parse.urlencode({**query, **more})}"


def timed(call: Callable[[int], None], samples: int) -> Times:
    """Call with 0, 1, ... and take the times; the first call does not count, unless it took too long."""
    started = time.perf_counter()
    call(0)
    taken = [time.perf_counter() - started]
    for n in range(1, samples):
        if time.perf_counter() - started > ROW_SECONDS:
            break
        before = time.perf_counter()
        call(n)
        taken.append(time.perf_counter() - before)
    counted = taken[1:] or taken
    return Times(median(counted) * 1000, percentile(counted, 0.99) * 1000)


def over_http(port: int, chosen: Iterable[Read], samples: int) -> dict[str, Times]:
    """Measure reads one after another over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(read: Read) -> Callable[[int], None]:
        def call(n: int) -> None:
            connection.request(read.method, read.path(n))
            answer = connection.getresponse()
            body = answer.read()
            if answer.status not in (200, 204):
                raise RuntimeError(f"{read.title}: {answer.status} {body[:200]!r}")

        return call

    found = {read.title: timed(ask(read), samples) for read in chosen}
    connection.close()
    return found


class Size(NamedTuple):
    """What was measured at one number of transactions; None stands for what does not exist there."""

    transactions: int
    fill: float | None
    reads: Mapping[str, Times]
    in_process: Times | None
    figures: Mapping[str, float]


async def fill(url: str, data: Data, to: int, progress: Callable[[int], None]) -> float:
    """Add transactions up to a number by bulks in process; returns transactions per second."""
    from bursar.engine.core import Core
    from bursar.engine.ledger.bulk import Mode
    from bursar.engine.ledger.service import LedgerService
    from bursar.server.ledger.flags import Flags

    core = await Core.open(url)
    service = LedgerService(core, Flags().settings)
    first = data.made

    async def submitter() -> None:
        while data.made < to:
            elements = data.bulk(min(BULK, to - data.made))
            for outcome in await service.bulk(LEDGER, elements, Mode()):
                assert outcome.error is None, outcome.error
            progress(len(elements))

    started = time.perf_counter()
    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))
    rate = (to - first) / (time.perf_counter() - started)
    await core.close()
    return rate


async def in_process(url: str, data: Data) -> tuple[float, Times]:
    """Return the ms it takes to open the store, and the times of an account's balance at a point in time."""
    from bursar.engine.core import Core
    from bursar.engine.ledger.query import accounts
    from bursar.engine.ledger.service import LedgerService
    from bursar.server.ledger.flags import Flags

    started = time.perf_counter()
    core = await Core.open(url)
    opened = (time.perf_counter() - started) * 1000
    service = LedgerService(core, Flags().settings)
    taken: list[float] = []
    for n in range(SAMPLES * 5):
        before = time.perf_counter()
        await service.read(
            LEDGER,
            lambda view, row, n=n: accounts.one(
                view, row, data.account(n), data.moment(n), [accounts.EFFECTIVE]
            ),
        )
        taken.append((time.perf_counter() - before) * 1000)
    await core.close()
    return opened, Times(median(taken), percentile(taken, 0.99))


def measure(
    place: Path, data: Data, rate: float | None, seconds: float, samples: int, *, verify: bool
) -> Size:
    """Measure everything at the present size, on a copy of the database."""
    from bursar.engine.verify import verify_database

    figures: dict[str, float] = {}
    url, times, own = f"sqlite:///{place}/copy.db", {}, None
    shutil.copy(place / "books.db", place / "copy.db")
    if data.made:
        figures["bytes per transaction"] = (place / "books.db").stat().st_size / data.made
        figures["open in process, ms"], own = asyncio.run(in_process(url, data))
    started = time.perf_counter()
    with serving(url) as (process, port):
        figures["process start to first answer, ms"] = (time.perf_counter() - started) * 1000
        pin(process.pid, 0)
        if data.made:
            times = over_http(port, reads(data), samples)
            figures["memory after the reads, MB"] = rss_mb(process.pid)
        created = generate(port, Load("", "create", 256, 1000), seconds)
        figures["creates/s at 256 connections"] = created["answered"] / created["seconds"]
        figures["memory after the creates, MB"] = rss_mb(process.pid)
    if verify and data.made:
        started = time.perf_counter()
        report = asyncio.run(verify_database(f"sqlite:///{place}/books.db"))
        assert report.ok, report.damages[:3]
        figures["logs verified/s"] = report.logs / (time.perf_counter() - started)
    for file in place.glob("copy.db*"):
        file.unlink()
    return Size(data.made, rate, times, own, figures)


def parts(database: Path, transactions: int) -> list[Mapping[str, object]]:
    """Return bytes per transaction of each table and index; empty where SQLite cannot tell."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8"
            )
            return [{"part": name, "bytes each": f"{size / transactions:,.0f}"} for name, size in found]
        except sqlite3.Error:
            return []


def tabulate(report: Report, sizes: list[Size]) -> None:
    """Write all rows: a column for each size, and what the last is of the first with transactions."""
    filled = [size for size in sizes if size.transactions]
    small, large = filled[0], filled[-1]
    rows: list[Mapping[str, object]] = []
    titles = list(dict.fromkeys(title for size in filled for title in size.reads))
    for title in titles:
        row: dict[str, object] = {"over HTTP: p50, p99 ms": title}
        for size in filled:
            row[f"{size.transactions:,}"] = _shown(size.reads.get(title))
        row["growth of p50"] = f"{large.reads[title].p50 / small.reads[title].p50:.1f}"
        rows.append(row)
    report.tables["reads"] = rows
    own: dict[str, object] = {"in process": "balance then, by effective date"}
    own |= {f"{size.transactions:,}": _shown(size.in_process) for size in filled}
    report.tables["point in time in process: p50, p99 ms"] = [own]
    others: list[Mapping[str, object]] = [
        {"figure": "fill, tx/s"}
        | {f"{size.transactions:,}": "" if size.fill is None else f"{size.fill:,.0f}" for size in sizes}
    ]
    for name in dict.fromkeys(name for size in sizes for name in size.figures):
        values = {
            f"{s.transactions:,}": f"{s.figures[name]:,.0f}" if name in s.figures else "" for s in sizes
        }
        others.append({"figure": name} | values)
    report.tables["writes, disk, memory, start"] = others


def _shown(times: Times | None) -> str:
    return "" if times is None else f"{times.p50:.2f}, {times.p99:.2f}"


def goals(report: Report, data: Data, large: Size) -> None:
    """Compare the largest size with the goals."""
    for read in reads(data):
        if read.goal and read.title in large.reads:
            reached = large.reads[read.title].p99
            report.goal(f"{read.title}: p99 {reached:.2f} ms (goal: {read.goal:g})", reached <= read.goal)
    if large.in_process is not None:
        reached = large.in_process.p99
        report.goal(f"balance then, in process: p99 {reached:.2f} ms (goal: {PIT_MS:g})", reached <= PIT_MS)
    each, memory = large.figures["bytes per transaction"], large.figures["memory after the creates, MB"]
    report.goal(f"{each:,.0f} bytes per transaction (goal: {BYTES_EACH})", each <= BYTES_EACH)
    report.goal(f"{memory:,.0f} MB of memory (goal: {MEMORY_MB})", memory <= MEMORY_MB)


def run(report: Report, chosen: argparse.Namespace) -> None:
    """Fill and measure."""
    from rich.console import Console
    from rich.progress import Progress

    data, sizes = Data(chosen.accounts), list[Size]()
    stops = [size for size in SIZES if size < chosen.transactions] + [chosen.transactions]
    with (
        tempfile.TemporaryDirectory(prefix="bursar-bench-") as directory,
        Progress(console=Console(file=sys.stderr), transient=True) as progress,
    ):
        place = Path(directory)
        options = (chosen.seconds, chosen.samples)
        with serving(f"sqlite:///{place}/books.db") as (_, port):  # only a server makes a sandbox
            over_http(port, [Read("a ledger", lambda n: ROOT_PATH, method="POST")], 1)
        sizes.append(measure(place, data, None, *options, verify=False))
        for stop in stops:
            bar = progress.add_task(f"fill to {stop:,}", total=stop, completed=data.made)
            url = f"sqlite:///{place}/books.db"
            rate = asyncio.run(fill(url, data, stop, lambda count, bar=bar: progress.advance(bar, count)))
            progress.update(bar, description=f"filled to {stop:,}; measuring")
            sizes.append(measure(place, data, rate, *options, verify=not chosen.no_verify))
        report.tables["where the bytes are"] = parts(place / "books.db", data.made)
    tabulate(report, sizes)
    goals(report, data, sizes[-1])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each load of creates")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="requests of each row of reads")
    parser.add_argument("--no-verify", action="store_true")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report(
        "The ledger at size",
        machine()
        | {
            "accounts": f"{chosen.accounts:,}",
            "filled by": f"bulks of {BULK} in process, {SUBMITTERS} callers",
            "durability": "SQLite WAL, synchronous=FULL: an fsync for each commit",
            "data": Data.DESCRIPTION,
            "reads": f"up to {chosen.samples} requests in turn over one connection, at most {ROW_SECONDS:g} s",
            "server": "bursar serve --sandbox on one core, the bench on the others",
        },
    )
    run(report, chosen)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
