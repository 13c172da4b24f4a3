"""The receiver of `bench.webhooks`: accepts, verifies every signature, and remembers what came; SIGTERM prints it."""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import signal
from dataclasses import dataclass, field
from typing import Any

SECRET = "the-secret-of-the-bench"
_ACCEPTED = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Seen:
    """What came. `refuse`: every so many-th request is refused; 0: none."""

    count: int
    refuse: int
    arrived: bytearray = field(init=False)
    last: dict[str, int] = field(default_factory=dict[str, int])
    requests: int = 0
    refused: int = 0
    duplicates: int = 0
    disordered: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        self.arrived = bytearray(self.count)

    def take(self, head: bytes, body: bytes) -> bytes:
        """Note a request; returns its answer."""
        self.requests += 1
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        signed = fields[b"x-piaxis-signature-timestamp"] + b"." + body
        right = hmac.digest(SECRET.encode(), signed, "sha256").hex().encode()
        if fields[b"x-piaxis-signature-v2"] != right:
            self.bad += 1
        if self.refuse and self.requests % self.refuse == 0:
            self.refused += 1
            return _REFUSED
        data: dict[str, Any] = json.loads(body)["data"]
        number, name = data["n"], data["object"]
        if self.arrived[number]:
            self.duplicates += 1
            return _ACCEPTED
        self.arrived[number] = 1
        if number < self.last.get(name, -1):
            self.disordered += 1
        self.last[name] = number
        return _ACCEPTED

    def result(self) -> dict[str, int]:
        """Return the counts."""
        return {
            "arrived": sum(self.arrived),
            "lost": self.count - sum(self.arrived),
            "duplicates": self.duplicates,
            "out of order": self.disordered,
            "badly signed": self.bad,
            "refused on purpose": self.refused,
        }


class Connection(asyncio.Protocol):
    """One connection; requests may come one behind the other."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            start = head.lower().index(b"content-length: ") + 16
            size = int(head[start:].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + size:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + size], self._buffer[end + 4 + size :]
            self._transport.write(self._seen.take(head, body))


async def serve(seen: Seen) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(seen), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    print(json.dumps(seen.result()), flush=True)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--refuse", type=int, default=0)
    chosen = parser.parse_args()
    asyncio.run(serve(Seen(chosen.count, chosen.refuse)))


if __name__ == "__main__":
    main()
