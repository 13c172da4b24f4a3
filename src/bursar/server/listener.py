"""The application on a TCP port: uvicorn, with connections that can be cut and a stop that exits 0."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from ipaddress import IPv4Address, IPv6Address

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bursar.server import limits
from bursar.server.faults import ABORT

_TICK_SECONDS = 1.0
_LONG_HEAD = f"The head of a request may have {limits.HEAD_BYTES} bytes."
_ANYWHERE = {str(IPv4Address(0)): "127.0.0.1", str(IPv6Address(0)): "::1"}


class _Protocol(HttpToolsProtocol):
    """Bounds the heads of requests, which uvicorn keeps whole in memory whatever their size.

    Tells the application how to cut the connection, through ``scope["extensions"]``.
    """

    _in_head = True
    _received = 0
    """Bytes that came since the present head began, or a little more."""

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._received += len(data)
        super().data_received(data)
        if self._in_head and self._received > limits.HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(_LONG_HEAD)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._received > limits.HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > limits.HEAD_BYTES:
                raise ValueError(_LONG_HEAD)  # the parser stops, and uvicorn answers 400
        # A request's target has no fragment (RFC 9112 3.2): what follows a # is part of it, not to be dropped.
        self.url = self.url.replace(b"#", b"%23")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._received = True, 0
        super().on_message_complete()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=limits.CONNECTION_BACKLOG)
    listener.setblocking(False)
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a listening socket, as a caller on this machine writes it."""
    host, port = listener.getsockname()[:2]
    if host in _ANYWHERE:
        host = _ANYWHERE[host]
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class HttpServer(uvicorn.Server):
    """Serves an application on sockets until `stop`, then lets the answers under way finish.

    It takes over no signals: who runs it decides when it stops.
    """

    def __init__(self, app: ASGIApp, ready: Callable[[], None] = lambda: None) -> None:
        """`ready` is called once, when the server accepts connections."""
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=limits.DRAIN_SECONDS,
        )
        super().__init__(config)
        self._ready = ready
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Accept no more connections and end when all answers have left. Call it on the loop's thread."""
        self.should_exit = True
        self._stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone."""
        yield

    async def main_loop(self) -> None:
        """Serve until `stop`."""
        self._ready()
        tick = 0
        while not await self.on_tick(tick):
            tick += 10  # uvicorn counts tenths of seconds; each whole one renews the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_SECONDS)
