"""An ASGI application in this process as an asynchronous transport: no socket, no port, same requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from bursar.contract import Headers, Request, Response, TransportError

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class ConnectionDropped(ConnectionError):
    """Raised by the application to play a connection that breaks; becomes a `TransportError`."""


class AsgiTransport:
    """Calls an ASGI application directly, on the running event loop."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def send(self, request: Request, timeout: float) -> Response:
        """See `AsyncTransport`."""
        exchange = _Exchange(request)
        try:
            async with asyncio.timeout(timeout):
                await self._application(_scope(request), exchange.receive, exchange.send)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except ConnectionDropped as error:
            raise TransportError(str(error) or "the connection was dropped", sent=True) from error
        return exchange.response()

    async def aclose(self) -> None:
        """The application is the caller's: nothing is closed."""


class _Exchange:
    """One request and what the application sends back."""

    def __init__(self, request: Request) -> None:
        self._body: bytes | None = request.body or b""
        self._start: Message | None = None
        self._chunks: list[bytes] = []
        self._complete = asyncio.Event()

    async def receive(self) -> Message:
        """Give the whole body once; the client goes away when it has its answer, not before."""
        if self._body is None:
            await self._complete.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Collect the answer."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._complete.set()

    def response(self) -> Response:
        """Return the answer. Raises `TransportError` when the application gave none."""
        if self._start is None:
            raise TransportError("the application sent no answer", sent=True)
        if not self._complete.is_set():
            raise TransportError("the application broke off its answer", sent=True)
        fields = ((name.decode("ascii"), value.decode("latin-1")) for name, value in self._start["headers"])
        return Response(self._start["status"], Headers(fields), b"".join(self._chunks))


def _scope(request: Request) -> Message:
    parts = urlsplit(request.url)
    host = parts.netloc.encode("ascii")
    fields = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in request.headers]
    length = [] if request.body is None else [(b"content-length", str(len(request.body)).encode())]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", host), *length, *fields],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname, parts.port or 443),
        "extensions": {},
        "state": {},
    }
