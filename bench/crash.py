"""Kill the server under load, again and again; no acknowledged payment may be lost, every invariant must hold.

Each cycle: start on the same database, ask for every payment that was acknowledged before the last kill, repeat some of
them under their keys (the same id must come back), load it with keyed payments, `kill -9` at a random moment, and let
`bursar verify` recompute the books of what is on the disk. `kill -9` does not lose what the operating system holds, so
this tests the program, not the disk's promises.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench import load
from bench.funding import fund
from bench.processes import await_port, free_port, serve, stop
from bench.report import Report, machine, median

ROOT = Path(__file__).resolve().parent.parent
REPEATED = 20
Acknowledged = dict[str, int]


class Violation(Exception):
    """A promise was broken."""


class Caller:
    """One keep-alive connection to the API, as bank-alpha."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.headers = {"Authorization": f"Bearer {load.token(port, 'bank-alpha', 'alpha-secret')}"}

    def exists(self, payment: int) -> bool:
        """Return whether the payment is known."""
        self.connection.request(
            "GET", f"/milkyway/payments/v1/postcheck?transaction_id={payment}", headers=self.headers
        )
        answer = self.connection.getresponse()
        answer.read()
        return answer.status == 200

    def pay(self, key: str, amount: str = "1.00") -> int:
        """Pay under a key; returns the payment's id."""
        body = load.body(amount)
        headers = {**self.headers, "Content-Type": "application/json", "Idempotency-Key": key}
        self.connection.request("POST", "/milkyway/payments/v1", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Violation(f"repeating {key} was answered with {answer.status}: {text.decode()}")
        return json.loads(text)["transaction_id"]


def check(port: int, acknowledged: Acknowledged, chance: random.Random) -> None:
    """Raise `Violation` unless every acknowledged payment exists and its key still names it."""
    caller = Caller(port)
    lost = [payment for payment in acknowledged.values() if not caller.exists(payment)]
    if lost:
        raise Violation(f"{len(lost)} acknowledged payments are lost, the first is {lost[0]}")
    for key in chance.sample(sorted(acknowledged), min(REPEATED, len(acknowledged))):
        if (again := caller.pay(key)) != acknowledged[key]:
            raise Violation(f"{key} was payment {acknowledged[key]} and became {again}")


def cycle(
    database: str, log: Path, number: int, last: Acknowledged, chance: random.Random
) -> tuple[Acknowledged, float]:
    """Run one cycle; returns what was acknowledged in it and how long the start took in seconds."""
    port = free_port()
    started = time.perf_counter()
    server = serve(database, port)
    try:
        await_port(port, server)
        start = time.perf_counter() - started
        if number == 0:
            fund(port)
        check(port, last, chance)
        log.unlink(missing_ok=True)
        loader = [sys.executable, "-m", "bench.load", "--port", str(port), "--connections", "32"]
        loader += ["--seconds", "5", "--prefix", f"crash-{number}", "--log", str(log)]
        with subprocess.Popen(loader, stdout=subprocess.DEVNULL, cwd=ROOT) as generator:
            while not log.exists() or log.stat().st_size == 0:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.4))
            server.kill()
            server.wait()
            generator.wait(20)
    finally:
        stop(server)
    return dict(_acknowledged(log.read_text().splitlines())), start


def _acknowledged(lines: Iterable[str]) -> Iterable[tuple[str, int]]:
    for line in lines:
        key, _, payment = line.partition(" ")
        yield key, int(payment)


def verify(database: str) -> None:
    """Raise `Violation` unless `bursar verify` finds the books in order."""
    command = [sys.executable, "-m", "bursar.cli", "verify", "--database", database]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if run.returncode:
        raise Violation(f"bursar verify: exit {run.returncode}\n{run.stdout}{run.stderr}")


def main() -> int:
    """Entry point; exit code 1 on a violation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument(
        "--seed", type=int, default=1, help="decides the moments of the kills and the keys repeated"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    everything: Acknowledged = {}
    last: Acknowledged = {}
    starts: list[float] = []
    begun = time.perf_counter()
    broken = None
    with tempfile.TemporaryDirectory(prefix="bursar-crash-") as place:
        database = f"sqlite:///{place}/crash.db"
        try:
            for number in range(chosen.cycles):
                last, start = cycle(database, Path(place) / "acknowledged", number, last, chance)
                everything |= last
                starts.append(start)
                verify(database)
            port = free_port()
            server = serve(database, port)
            try:
                await_port(port, server)
                check(port, everything, chance)
            finally:
                stop(server)
            verify(database)
        except Violation as violation:
            broken = violation
    report = Report("kill -9 under load", machine())
    report.tables["result"] = [
        {
            "kills": len(starts),
            "acknowledged": len(everything),
            "lost": "see below" if broken else 0,
            "start after a kill, median ms": f"{median(starts) * 1000:.0f}" if starts else "-",
            "seconds": f"{time.perf_counter() - begun:.0f}",
        }
    ]
    report.conditions |= {
        "load": "32 connections, keyed payments of 1.00 USD; killed 0 to 0.4 s after the first acknowledgement",
        "checked each cycle": "every payment acknowledged in the cycle before, 20 keys repeated, bursar verify",
        "checked at the end": "every payment acknowledged in any cycle, bursar verify",
        "seed": chosen.seed,
    }
    report.goal(f"violation: {broken}" if broken else f"no violation in {len(starts)} kills", broken is None)
    report.show(chosen.json)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
