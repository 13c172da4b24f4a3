"""Load generator for the ledger API: writes and reads over many keep-alive connections; prints one JSON line.

A process of its own, built on the parts of `bench.load`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
from collections.abc import Callable, Iterator

from bench.load import Payments, run
from bench.report import median, percentile

LEDGER = "/formance/api/ledger/v2/bench"
BULK = 50
PAGE = 100
SCRIPT = """vars {
  account $to
  monetary $amount
}
send $amount (
  source = @world
  destination = $to
)"""
Parts = tuple[str, str, str]
"""Method, path below the ledger, body."""


def posting(account: str) -> str:
    """Return the JSON of one posting."""
    return f'{{"source":"world","destination":"{account}","amount":100,"asset":"USD/2"}}'


def account(number: int, accounts: int) -> str:
    """Return the address that the request of this number credits."""
    return f"customers:{number % accounts:06d}"


def create(number: int, accounts: int) -> Parts:
    """One transaction of one posting."""
    return "POST", "/transactions", f'{{"postings":[{posting(account(number, accounts))}],"metadata":{{}}}}'


def script(number: int, accounts: int) -> Parts:
    """The same by Numscript."""
    values = {"to": account(number, accounts), "amount": "USD/2 100"}
    return "POST", "/transactions", json.dumps({"script": {"plain": SCRIPT, "vars": values}, "metadata": {}})


def bulk(number: int, accounts: int) -> Parts:
    """Many transactions in one request."""
    first = number * BULK
    elements = (create(first + index, accounts)[2] for index in range(BULK))
    data = ",".join(f'{{"action":"CREATE_TRANSACTION","data":{element}}}' for element in elements)
    return "POST", "/_bulk", f"[{data}]"


def read(number: int, accounts: int) -> Parts:
    """One transaction, a different one each time."""
    return "GET", f"/transactions/{1 + number % accounts}", ""


def page(number: int, accounts: int) -> Parts:
    """The newest transactions."""
    return "GET", f"/transactions?pageSize={PAGE}", ""


KINDS: dict[str, Callable[[int, int], Parts]] = {
    "create": create,
    "script": script,
    "bulk": bulk,
    "read": read,
    "page": page,
}


def requests(kind: str, accounts: int) -> Iterator[bytes]:
    """All requests there are, again and again: made before the clock starts."""
    distinct = min(accounts, 1000)
    made = []
    for number in range(distinct):
        method, path, body = KINDS[kind](number, accounts)
        head = f"{method} {LEDGER}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        made.append(f"{head}\r\n{body}".encode())
    return itertools.cycle(made)


class Requests(Payments):
    """Requests without keys; an answer of status 200 counts."""

    def __init__(self, made: Iterator[bytes], count: int, seconds: float) -> None:
        super().__init__(b"", b"", "", count, seconds, None)
        self.made = made

    def request(self) -> tuple[str, bytes] | None:
        """See `Payments`."""
        given = super().request()
        return None if given is None else ("", next(self.made))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the fastest loop that is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", choices=KINDS, default="create")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--accounts", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--count", type=int, default=10_000_000)
    chosen = parser.parse_args()
    sent = Requests(requests(chosen.kind, chosen.accounts), chosen.count, chosen.seconds)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        seconds = runner.run(run(sent, chosen.port, chosen.connections))
    taken = [1000 * latency for latency in sent.latencies] or [0.0]
    result = {"seconds": seconds, "statuses": sent.statuses, "answered": len(sent.latencies)}
    print(json.dumps({**result, "p50_ms": median(taken), "p99_ms": percentile(taken, 0.99)}))


if __name__ == "__main__":
    main()
