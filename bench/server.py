"""Payments per second over HTTP with every answer after fsync, time to the first payment, and memory."""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench import load
from bench.funding import fund
from bench.processes import await_port, cpu_seconds, free_port, pin, rss_mb, serve, serving, stop
from bench.report import Report, machine, median, percentile

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = (1, 32, 256)


def generate(port: int, connections: int, seconds: float, prefix: str) -> dict[str, Any]:
    """Run the load generator as a process of its own, on the second core; returns what it printed."""
    command = [sys.executable, "-m", "bench.load", "--port", str(port), "--connections", str(connections)]
    command += ["--seconds", str(seconds), "--prefix", prefix, "--amount", "1.00"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    pin(process.pid, 1)
    output, _ = process.communicate(timeout=seconds * 3 + 30)
    return json.loads(output)


def throughput(report: Report, seconds: float) -> None:
    """Measure payments per second at several numbers of connections, on one server core."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        with serving(f"sqlite:///{place}/bench.db") as (process, port):
            pinned = pin(process.pid, 0)
            fund(port)
            at_rest = rss_mb(process.pid)
            generate(port, 32, min(1.0, seconds), "warm")
            for connections in CONNECTIONS:
                before = cpu_seconds(process.pid)
                result = generate(port, connections, seconds, f"c{connections}")
                used = cpu_seconds(process.pid) - before
                rate = result["acknowledged"] / result["seconds"]
                rows.append(_row(connections, rate, used, result))
                if connections == CONNECTIONS[-1]:
                    report.goal(
                        f"{rate:,.0f} payments/s at {connections} connections (goal: 2,000)", rate >= 2000
                    )
            settled, accepted = _settled(f"{place}/bench.db")
            loaded = rss_mb(process.pid)
        size = sum(file.stat().st_size for file in Path(place).iterdir())
    report.tables["POST /milkyway/payments/v1, keyed"] = rows
    report.tables["memory of the server, resident"] = [
        {"when": "after start", "MB": f"{at_rest:.0f}"},
        {"when": "after the load", "MB": f"{loaded:.0f}"},
    ]
    report.goal(f"{at_rest:.0f} MB after start (goal: under 80)", at_rest < 80)
    report.conditions |= {
        "server": f"bursar serve --sandbox, one process, {'pinned to one core' if pinned else 'not pinned'}",
        "durability": "SQLite WAL, synchronous=FULL: each answer after an fsync; group commit, batch = what arrived",
        "load": f"{seconds:g} s per row, one payment per request, one request in flight per connection, same machine",
        "accounts": "one sending institution, one recipient bank: every payment touches the same hot accounts",
        "checks": "JWT, JSON Schema of `data`, FX quote, exposure limit, idempotency key, hash chain",
        "simulated banks": f"settle payments meanwhile, posted too: {settled:,} of {accepted:,} when the load ended",
        "opening": f"the first {load.OPENING_S:g} s, when all connections come at once; the rest is steady",
        "files after the run": f"{size / 1e6:.0f} MB",
    }


def _settled(database: str) -> tuple[int, int]:
    """Return how many payments are DONE, and how many there are."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        query = "SELECT count(*) FILTER (WHERE status = 1), count(*) FROM milkyway_payments"
        return connection.execute(query).fetchone()


def _row(connections: int, rate: float, cpu: float, result: dict[str, Any]) -> dict[str, object]:
    taken = [1000 * value for value in result["latencies"]]
    steady = taken[result["opening"] :] or taken
    other = {status: count for status, count in result["statuses"].items() if status != "200"}
    return {
        "connections": connections,
        "payments/s": f"{rate:,.0f}",
        "p50 ms": f"{median(taken):.2f}",
        "p99 ms": f"{percentile(taken, 0.99):.2f}",
        "steady p99 ms": f"{percentile(steady, 0.99):.2f}",
        "server CPU us": f"{cpu / max(len(taken), 1) * 1e6:.0f}",
        "not 200": other or "none",
    }


def first_payment(report: Report, starts: int) -> None:
    """Measure from process start to the first accepted payment, database file included."""
    taken = []
    for _ in range(starts):
        with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
            port = free_port()
            started = time.perf_counter()
            process = serve(f"sqlite:///{place}/first.db", port)
            try:
                await_port(port, process)
                pay_once(port)
                taken.append((time.perf_counter() - started) * 1000)
            finally:
                stop(process)
    figure = median(taken)
    report.tables["from process start to the first accepted payment"] = [
        {"starts": starts, "median ms": f"{figure:.0f}", "best ms": f"{min(taken):.0f}"}
    ]
    report.goal(f"{figure:.0f} ms to the first accepted payment (goal: under 500)", figure < 500)


def pay_once(port: int) -> int:
    """Make one payment, token included; returns its id."""
    bearer = load.token(port, "bank-alpha", "alpha-secret")
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/milkyway/payments/v1", load.body("1.00"), headers
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["transaction_id"]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each row")
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("Engine over HTTP", machine())
    first_payment(report, chosen.starts)
    throughput(report, chosen.seconds)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
