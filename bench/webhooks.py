"""Webhook deliveries with the sending process killed every few seconds: none may be lost, and how fast it goes.

A process emits events into a database file and delivers them over HTTP; it is killed with SIGKILL at random moments
and started again on the same file, until everything is delivered. The receiver is another process: it verifies every
signature and counts what never came (must be 0), what came twice (at-least-once: what was under way at a kill), and
what came out of its object's order (must be 0).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT
from bench.report import Report, machine
from bursar.engine.verify import verify_database

GOAL_RATE = 2_000


@dataclass
class Outcome:
    """What a run came to."""

    seconds: float
    kills: int
    counts: dict[str, int]
    database_mb: float


def run(chosen: argparse.Namespace, place: Path) -> Outcome:
    """Deliver everything, killing the sender on the way."""
    sink = [sys.executable, "-m", "bench.webhook_sink", "--count", str(chosen.deliveries)]
    sink += ["--refuse", str(chosen.refuse)]
    receiver = subprocess.Popen(sink, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with receiver:
        assert receiver.stdout is not None
        port = receiver.stdout.readline().strip()
        command = [sys.executable, "-m", "bench.webhook_worker", "--port", port]
        command += ["--database", f"sqlite:///{place / 'hooks.db'}"]
        command += ["--count", str(chosen.deliveries), "--endpoints", str(chosen.endpoints)]
        started = time.monotonic()
        try:
            kills = deliver(command, chosen, random.Random(chosen.seed))
        finally:
            seconds = time.monotonic() - started
            receiver.terminate()
        counts = json.loads(receiver.stdout.read())
    damages = asyncio.run(verify_database(f"sqlite:///{place / 'hooks.db'}")).damages
    counts["damages"] = len(damages)
    size = sum(file.stat().st_size for file in place.iterdir()) / 1e6
    return Outcome(seconds, kills, counts, size)


def deliver(command: list[str], chosen: argparse.Namespace, chance: random.Random) -> int:
    """Start the sender again and again until one ends by itself; returns how often it was killed."""
    kills = 0
    while True:
        worker = subprocess.Popen(command, cwd=ROOT)
        may_live = chosen.kill_every == 0 or kills == chosen.kills
        try:
            if worker.wait(None if may_live else chance.uniform(0.5, 1.5) * chosen.kill_every) != 0:
                raise RuntimeError(f"the sender ended with exit code {worker.returncode}")
            return kills
        except subprocess.TimeoutExpired:
            kills += 1
        finally:
            worker.kill()
            worker.wait()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=30_000)
    parser.add_argument("--endpoints", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=4.0, help="seconds on average; 0: never")
    parser.add_argument("--kills", type=int, default=-1, help="most kills; by default without end")
    parser.add_argument("--refuse", type=int, default=0, help="the receiver refuses every so many-th request")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as place:
        outcome = run(chosen, Path(place))
    rate = chosen.deliveries / outcome.seconds
    report = Report("Webhook deliveries, from the event to the commit after the 2xx", machine())
    report.tables["result"] = [
        {
            "deliveries": chosen.deliveries,
            "kills": outcome.kills,
            **outcome.counts,
            "seconds": round(outcome.seconds, 1),
            "per second": round(rate),
            "database MB": round(outcome.database_mb),
        }
    ]
    report.conditions["endpoints"] = f"{chosen.endpoints}, one sending process, SQLite, fsync per commit"
    report.goal(f"none lost: {outcome.counts['lost']}", outcome.counts["lost"] == 0)
    report.goal(f"none out of order: {outcome.counts['out of order']}", outcome.counts["out of order"] == 0)
    report.goal(f"{GOAL_RATE:,}/s with restarts: {rate:,.0f}/s", rate >= GOAL_RATE)
    report.show(chosen.json)
    if any(outcome.counts[name] for name in ("lost", "out of order", "badly signed", "damages")):
        sys.exit(1)


if __name__ == "__main__":
    main()
