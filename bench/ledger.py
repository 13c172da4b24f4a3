"""The ledger API: writes and reads per second over HTTP, bulks in process, bytes per transaction, memory."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from bench.ledger_load import BULK, LEDGER, PAGE
from bench.processes import cpu_seconds, pin, rss_mb, serving
from bench.report import Report, machine

ROOT = Path(__file__).resolve().parent.parent
HOT, MANY = 1, 1000


class Load(NamedTuple):
    """A row of the table: what is sent, by how many connections, to how many accounts."""

    title: str
    kind: str
    connections: int
    accounts: int
    each: int = 1
    """Transactions that one request writes or reads."""
    goal: float = 0
    unit: str = "tx/s"


LOADS = (
    Load("create, hot account", "create", 1, HOT),
    Load("create, hot account", "create", 32, HOT),
    Load("create, hot account", "create", 256, HOT, goal=8_000),
    Load("create, 1,000 accounts", "create", 1, MANY),
    Load("create, 1,000 accounts", "create", 32, MANY),
    Load("create, 1,000 accounts", "create", 256, MANY, goal=8_000),
    Load("create by Numscript, 1,000 accounts", "script", 256, MANY),
    Load(f"bulk of {BULK}, 1,000 accounts", "bulk", 32, MANY, BULK, goal=35_000),
    Load("read one transaction", "read", 32, MANY, unit="reads/s", goal=3_300),
    Load(f"page of {PAGE}", "page", 32, MANY, unit="pages/s", goal=620),
)


class Measured(NamedTuple):
    """What a load came to."""

    rate: float
    cpu_us: float
    """CPU of the server per transaction, read or page."""
    result: dict[str, Any]


def generate(port: int, load: Load, seconds: float) -> dict[str, Any]:
    """Run the load generator as a process of its own, on the second core; returns what it printed."""
    command = [sys.executable, "-m", "bench.ledger_load", "--port", str(port), "--kind", load.kind]
    command += ["--connections", str(load.connections), "--accounts", str(load.accounts)]
    process = subprocess.Popen([*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, cwd=ROOT)
    pin(process.pid, 1)
    output, _ = process.communicate(timeout=seconds * 3 + 30)
    return json.loads(output)


def measure(pid: int, port: int, load: Load, seconds: float) -> Measured:
    """Put one load on the server."""
    before = cpu_seconds(pid)
    result = generate(port, load, seconds)
    used = cpu_seconds(pid) - before
    done = result["answered"] * load.each
    return Measured(done / result["seconds"], used / max(done, 1) * 1e6, result)


def row(load: Load, measured: Measured) -> dict[str, object]:
    """Return a load's row."""
    other = {status: count for status, count in measured.result["statuses"].items() if status != "200"}
    return {
        "load": load.title,
        "connections": load.connections,
        "rate": f"{measured.rate:,.0f} {load.unit}",
        "server CPU us": f"{measured.cpu_us:.0f}",
        "p50 ms": f"{measured.result['p50_ms']:.2f}",
        "p99 ms": f"{measured.result['p99_ms']:.2f}",
        "not 200": other or "none",
    }


def over_http(report: Report, seconds: float, only: str) -> None:
    """Measure every load on one server core, and what the transactions take on disk and in memory."""
    rows, rates = [], dict[Load, float]()
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        with serving(f"sqlite:///{place}/bench.db") as (process, port):
            pinned = pin(process.pid, 0)
            urllib.request.urlopen(f"http://127.0.0.1:{port}{LEDGER}", b"{}", timeout=10).close()
            at_rest, written = rss_mb(process.pid), 0
            written += _written(
                LOADS[4], measure(process.pid, port, LOADS[4], min(1.5, seconds))
            )  # warm, fills
            for load in LOADS:
                if only and only not in load.title:
                    continue
                measured = measure(process.pid, port, load, seconds)
                written += _written(load, measured)
                rates[load] = measured.rate
                rows.append(row(load, measured))
            loaded = rss_mb(process.pid)
        size = sum(file.stat().st_size for file in Path(place).iterdir())
    report.tables["ledger v2 over HTTP"] = rows
    report.tables["memory of the server, resident"] = [
        {"when": "after start", "MB": f"{at_rest:.0f}"},
        {"when": f"after {written:,} transactions and the reads", "MB": f"{loaded:.0f}"},
    ]
    report.tables["disk"] = [{"transactions": f"{written:,}", "bytes each": f"{size / written:,.0f}"}]
    _goals(report, rates)
    report.conditions |= {
        "server": f"bursar serve --sandbox, one process, {'pinned to one core' if pinned else 'not pinned'}",
        "durability": "SQLite WAL, synchronous=FULL: each answer after an fsync; group commit, batch = what arrived",
        "load": f"{seconds:g} s per row, one request in flight per connection, generator on the other core",
        "transactions": "one posting world -> customers:N, no idempotency key, hash chain on, all default features",
    }


def _written(load: Load, measured: Measured) -> int:
    reads = load.kind in ("read", "page")
    return 0 if reads else int(measured.result["answered"]) * load.each


def _goals(report: Report, rates: dict[Load, float]) -> None:
    for load, rate in rates.items():
        if load.goal:
            text = (
                f"{load.title}, {load.connections} connections: {rate:,.0f} {load.unit} (goal: {load.goal:,})"
            )
            report.goal(text, rate >= load.goal)
    plain, script = rates.get(LOADS[5]), rates.get(LOADS[6])
    if plain and script:
        report.goal(f"Numscript at {script / plain:.2f} of the plain rate (goal: 0.50)", script >= plain / 2)


async def in_process(url: str, count: int, submitters: int) -> tuple[float, float]:
    """Return transactions per second by bulks through the writer, and CPU microseconds of one."""
    from bursar.engine.core import Core
    from bursar.engine.kernel import Posting
    from bursar.engine.ledger.bulk import Element, Mode
    from bursar.engine.ledger.requests import CreateTransaction
    from bursar.engine.ledger.service import LedgerService
    from bursar.server.ledger.flags import Flags

    core = await Core.open(url)
    service = LedgerService(core, Flags().settings)
    await service.create_ledger("bench")
    numbers = iter(range(0, count, BULK))

    async def submitter() -> None:
        for first in numbers:
            postings = [
                Posting("world", f"customers:{(first + index) % MANY}", 100, "USD/2") for index in range(BULK)
            ]
            requests = [CreateTransaction(postings=[posting], metadata={}) for posting in postings]
            outcomes = await service.bulk(
                "bench", [Element("CREATE_TRANSACTION", request) for request in requests], Mode()
            )
            assert all(outcome.error is None for outcome in outcomes)

    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(submitter() for _ in range(submitters)))
    taken, used = time.perf_counter() - started, time.process_time() - used
    await core.close()
    return count / taken, used / count * 1e6


def bulks(report: Report, count: int, submitters: int) -> None:
    """Measure bulks without HTTP, on a file and in memory."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        for store, url in (
            ("memory", "sqlite://"),
            ("file, fsync per commit", f"sqlite:///{place}/books.db"),
        ):
            rate, cpu = asyncio.run(in_process(url, count, submitters))
            rows.append({"store": store, "rate": f"{rate:,.0f} tx/s", "CPU us": f"{cpu:.1f}"})
    title = f"bulks of {BULK} in process, {submitters} callers, {MANY:,} accounts"
    report.tables[title] = rows
    report.goal(f"in-process bulk, on a file: {rate:,.0f} tx/s (goal: 50,000)", rate >= 50_000)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each row")
    parser.add_argument("--count", type=int, default=50_000, help="transactions of the in-process bulks")
    parser.add_argument("--only", default="", help="only the rows whose title has this text")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("Ledger API", machine())
    over_http(report, chosen.seconds, chosen.only)
    bulks(report, chosen.count, 8)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
