"""Time to a fresh in-process sandbox, as the pytest plugin gives one to each test."""

from __future__ import annotations

import argparse
import time
from decimal import Decimal

from bench.report import Report, machine, median, percentile
from bursar.embedded import Engine
from bursar.milkyway import PayRequest

REQUEST = PayRequest(
    third_party_id_debit="bank-beta",
    service_id="card-payout",
    sender_id="sender-0001",
    recipient_id="recipient-9999",
    amount_credit=Decimal("1.00"),
    currency_credit="USD",
    data={"passport": "AA1234567"},
)


def opened() -> float:
    """Return the seconds it takes to open a seeded sandbox."""
    started = time.perf_counter()
    engine = Engine.sandbox(seed=1)
    taken = time.perf_counter() - started
    engine.close()
    return taken


def whole_test() -> float:
    """Return the seconds of what a small test does: open, get a client, pay, run to the outcome, close."""
    started = time.perf_counter()
    with Engine.sandbox(seed=1) as engine:
        client = engine.milkyway("bank-alpha", "alpha-secret")
        payment = client.pay(REQUEST)
        engine.clock.advance(60)
        assert client.postcheck(payment).status.name == "DONE"
    return time.perf_counter() - started


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = Report("In-process sandbox", machine())
    rows = []
    figures = {}
    for name, measure in {"open": opened, "open, pay, settle, close": whole_test}.items():
        first = measure() * 1000
        taken = [measure() * 1000 for _ in range(chosen.count)]
        figures[name] = median(taken)
        rows.append(
            {
                "what": name,
                "first ms": f"{first:.1f}",
                "median ms": f"{median(taken):.2f}",
                "p99 ms": f"{percentile(taken, 0.99):.2f}",
            }
        )
    report.tables["fresh sandbox in memory, modules imported"] = rows
    report.conditions |= {
        "count": chosen.count,
        "what is fresh": "database, ids, clock, loop and thread, credentials",
    }
    report.goal(f"{figures['open']:.2f} ms for a fresh sandbox (goal: under 5)", figures["open"] < 5)
    report.show(chosen.json)


if __name__ == "__main__":
    main()
