"""A server that always gives the same MilkyWay answers, so that a benchmark of clients measures only them."""

from __future__ import annotations

import asyncio
import sys

ANSWERS = {
    b"POST /realms": b'{"access_token":"t0k3n","expires_in":3600,"token_type":"Bearer"}',
    b"GET /payments/v1/postcheck": b'{"transaction_id":1,"status":1}',
    b"POST /payments/v1 ": b'{"transaction_id":1}',
}


class Answerer(asyncio.Protocol):
    """Answers each request by the start of its first line."""

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            at = self.received.lower().find(b"content-length:", 0, end)
            length = int(self.received[at + 15 : self.received.index(b"\r\n", at)]) if at >= 0 else 0
            if len(self.received) < end + 4 + length:
                return
            body = next(
                (answer for start, answer in ANSWERS.items() if self.received.startswith(start)), b"{}"
            )
            self.received = self.received[end + 4 + length :]
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            self.transport.write(head + body)


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Answerer, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
