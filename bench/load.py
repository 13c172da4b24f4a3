"""Load generator: keyed MilkyWay payments over many keep-alive connections, as cheaply as Python allows.

A process of its own, so that it does not share the server's interpreter. It prints one JSON line:
payments acknowledged, seconds, latencies, statuses; with `--log` it appends "key id" to a file for each
acknowledged payment, which is what a caller of a payments API would keep.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time
import urllib.parse
import urllib.request
from collections import Counter
from typing import IO, cast

TOKEN_PATH = "/milkyway/realms/sandbox/protocol/openid-connect/token"
BODY = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "sender-0001",
    "recipient_id": "recipient-9999",
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}
KEY_DIGITS = 10
OPENING_S = 1.0


def token(port: int, client: str, secret: str) -> str:
    """Fetch an access token of the sandbox."""
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    url = f"http://127.0.0.1:{port}{TOKEN_PATH}"
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=10) as answer:
        return json.load(answer)["access_token"]


def body(amount: str) -> bytes:
    """Return a payment's JSON; the amount is written as it is, because a float would not keep its zeros."""
    return json.dumps(BODY)[:-1].encode() + b', "amount_credit": ' + amount.encode() + b"}"


class Payments:
    """What all connections share: the request's bytes, the count and time left, and what came back."""

    def __init__(
        self, head: bytes, tail: bytes, prefix: str, count: int, seconds: float, log: IO[str] | None
    ) -> None:
        self.head = head
        self.tail = tail
        self.prefix = prefix
        self.left = count
        self.sent = 0
        self.ends = time.perf_counter() + seconds
        self.log = log
        self.latencies: list[float] = []
        self.steady_from = time.perf_counter() + OPENING_S
        self.opening = 0
        """How many of the first latencies belong to the opening, when all connections come at once."""
        self.statuses: Counter[str] = Counter()

    def request(self) -> tuple[str, bytes] | None:
        """Return the next key and request, None when the run is over."""
        if self.left <= 0 or time.perf_counter() >= self.ends:
            return None
        self.left -= 1
        self.sent += 1
        key = f"{self.prefix}-{self.sent:0{KEY_DIGITS}d}"
        return key, self.head + key.encode() + self.tail

    def answered(self, key: str, head: bytes, body: bytes, seconds: float) -> None:
        """Record an answer."""
        status = head[9:12].decode()
        self.statuses[status] += 1
        if status == "200":
            self.latencies.append(seconds)
            self.opening += time.perf_counter() < self.steady_from
            if self.log:
                self.log.write(f"{key} {json.loads(body)['transaction_id']}\n")


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    def __init__(self, payments: Payments, over: asyncio.Future[None]) -> None:
        self.payments = payments
        self.over = over
        self.received = b""
        self.key = ""
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.send()

    def send(self) -> None:
        """Send the next payment, or close."""
        following = self.payments.request()
        if following is None:
            self.transport.close()
            return
        self.key, request = following
        self.started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer; when it is whole, go on."""
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.received.lower().find(b"content-length:", 0, end)
        length = int(self.received[at + 15 : self.received.index(b"\r\n", at)])
        whole = end + 4 + length
        if len(self.received) < whole:
            return
        answer, self.received = self.received, b""
        self.payments.answered(
            self.key, answer[:end], answer[end + 4 : whole], time.perf_counter() - self.started
        )
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server went away, or the run is over."""
        if not self.over.done():
            self.over.set_result(None)


async def run(payments: Payments, port: int, connections: int) -> float:
    """Send until the count or the time is used up; returns the seconds taken."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    ends: list[asyncio.Future[None]] = []
    for _ in range(connections):
        over: asyncio.Future[None] = loop.create_future()
        with contextlib.suppress(OSError):
            await loop.create_connection(lambda over=over: Connection(payments, over), "127.0.0.1", port)
            ends.append(over)
    await asyncio.gather(*ends)
    return time.perf_counter() - started


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--client", default="bank-alpha")
    parser.add_argument("--secret", default="alpha-secret")
    parser.add_argument("--amount", default="1.00")
    parser.add_argument("--prefix", default="load", help="start of the idempotency keys; unique for each run")
    parser.add_argument("--log", help="file that gets one line for each acknowledged payment")
    chosen = parser.parse_args()

    payload = body(chosen.amount)
    bearer = token(chosen.port, chosen.client, chosen.secret)
    head = f"POST /milkyway/payments/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bearer}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\nIdempotency-Key: "
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(chosen.log, "a", buffering=1)) if chosen.log else None  # noqa: PTH123 - line buffered
        payments = Payments(
            head.encode(), b"\r\n\r\n" + payload, chosen.prefix, chosen.count, chosen.seconds, log
        )
        seconds = asyncio.run(run(payments, chosen.port, chosen.connections))
    result = {"seconds": seconds, "statuses": payments.statuses, "latencies": payments.latencies}
    result["opening"] = payments.opening
    print(json.dumps({**result, "acknowledged": len(payments.latencies), "sent": payments.sent}))


if __name__ == "__main__":
    main()
