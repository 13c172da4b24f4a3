"""The default transports: connection pools of httpcore2, the pool under httpx2.

Used directly, for one exact deadline over every socket operation and a smaller cost per call than a full HTTP client.
A pool never crosses a fork or an event loop: the child of a fork, and each new loop, gets its own.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final, Self

import httpcore2

from bursar.contract import Headers, Request, Response, TransportError
from bursar.contract.http import StreamedResponse

MAX_CONNECTIONS: Final = 100
KEEPALIVE_S: Final = 30.0
"""An idle connection is kept so long; servers commonly close theirs after 60 s or more."""

WRITE_BYTES: Final = 16_384


class Budget(float):
    """A timeout that counts down, so that many socket operations share one deadline."""

    deadline: float

    def __new__(cls, seconds: float) -> Self:
        """`seconds` from now."""
        budget = super().__new__(cls, max(0.0, seconds))
        budget.deadline = time.monotonic() + seconds
        return budget

    def left(self, late: type[httpcore2.TimeoutException] = httpcore2.ReadTimeout) -> float:
        """Return the seconds left. Raises `late` when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late("the deadline has passed")
        return left


def _left(
    timeout: float | None, late: type[httpcore2.TimeoutException] = httpcore2.ReadTimeout
) -> float | None:
    return timeout.left(late) if isinstance(timeout, Budget) else timeout


class _Stream(httpcore2.NetworkStream):
    """A socket each of whose operations gets what is left of the budget."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In parts: within one write every bit of progress would start the timeout anew.
        for start in range(0, len(buffer), WRITE_BYTES):
            self._stream.write(buffer[start : start + WRITE_BYTES], _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    """Opens sockets that keep to a budget."""

    def __init__(self) -> None:
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._backend.connect_tcp(host, port, left, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


_NOT_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpcore2.LocalProtocolError,
)
_FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, *_NOT_SENT)


def _failure(error: Exception) -> TransportError:
    timed_out = isinstance(error, httpcore2.TimeoutException)
    words = str(error) or type(error).__name__
    if isinstance(error, httpcore2.PoolTimeout):
        words = f"no free connection in the pool of {MAX_CONNECTIONS}: close answers or use fewer threads"
    elif timed_out:
        words = "timed out"
    return TransportError(words, sent=not isinstance(error, _NOT_SENT), timed_out=timed_out)


def _outgoing(request: Request) -> list[tuple[bytes, bytes]]:
    fields = [(b"Host", request.url.split("/", 3)[2].encode("ascii"))]
    if request.pieces is not None:
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif request.body is not None:
        fields.append((b"Content-Length", str(len(request.body)).encode("ascii")))
    fields.extend((name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers)
    return fields


def _headers(answer: httpcore2.Response) -> Headers:
    return Headers((name.decode("ascii"), value.decode("latin-1")) for name, value in answer.headers)


def _extensions(timeout: float) -> dict[str, Any]:
    return {"timeout": {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}}


def _message(request: Request, timeout: float) -> httpcore2.Request:
    return httpcore2.Request(
        request.method,
        request.url,
        headers=_outgoing(request),
        content=request.body if request.pieces is None else request.pieces,
        extensions=_extensions(timeout),
    )


def _has_more(answer: httpcore2.Response) -> bool:
    """Return True when more bytes came than belong to the answer.

    On a connection that is used again they would be taken for the next request's answer. httpcore2 does not look at
    them, and there is no public way to what its parser holds.
    """
    stream: Any = answer.stream
    return bool(stream._stream._connection._h11_state.trailing_data[0])


def _release(answer: httpcore2.Response) -> None:
    if _has_more(answer):
        answer.extensions["network_stream"].close()
    answer.close()


async def _release_async(answer: httpcore2.Response) -> None:
    if _has_more(answer):
        await answer.extensions["network_stream"].aclose()
    await answer.aclose()


class _Pieces:
    """The body of an answer of the blocking pool."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except _FAILURES as error:
            raise _failure(error) from error

    def close(self) -> None:
        _release(self._answer)


class _AsyncPieces:
    """The body of an answer of the asyncio pool."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.aiter_stream():
                yield piece
        except _FAILURES as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        await _release_async(self._answer)


class PoolTransport:
    """A blocking transport over pooled connections; safe to share between threads and across forks."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """`ssl_context`: None trusts what the operating system trusts."""
        self._ssl_context = ssl_context
        self._pools: dict[int, httpcore2.ConnectionPool] = {}
        """By process. Another one's is kept, not closed: closing could write to a socket that it still uses."""

    def send(self, request: Request, timeout: float) -> Response:
        """See `Transport`."""
        message = _message(request, Budget(timeout) if request.pieces is None else timeout)
        try:
            answer = self._own_pool().handle_request(message)
            try:
                body = answer.read()
            finally:
                _release(answer)
        except _FAILURES as error:
            raise _failure(error) from error
        return Response(answer.status, _headers(answer), body)

    def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `StreamingTransport`."""
        message = _message(request, Budget(timeout) if request.pieces is None else timeout)
        try:
            answer = self._own_pool().handle_request(message)
        except _FAILURES as error:
            raise _failure(error) from error
        # The head is here: from now on each read has that long for itself.
        message.extensions["timeout"]["read"] = timeout
        return StreamedResponse(answer.status, _headers(answer), b"", _Pieces(answer))

    def close(self) -> None:
        """See `Transport`."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _own_pool(self) -> httpcore2.ConnectionPool:
        pool = self._pools.get(os.getpid())
        # All threads that come first, also in a fresh child, get the one that was set first.
        return pool or self._pools.setdefault(os.getpid(), self._open_pool())

    def _open_pool(self) -> httpcore2.ConnectionPool:
        return httpcore2.ConnectionPool(
            self._ssl_context,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_S,
            network_backend=_Backend(),
        )


_Pools = dict[asyncio.AbstractEventLoop, httpcore2.AsyncConnectionPool]


class AsyncPoolTransport:
    """An asyncio transport over pooled connections; each event loop has its own pool."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """`ssl_context`: None trusts what the operating system trusts."""
        self._ssl_context = ssl_context
        self._pools: dict[int, _Pools] = {}
        """By process, then by loop. Another process's are kept, not closed, as in `PoolTransport`."""

    async def send(self, request: Request, timeout: float) -> Response:
        """See `AsyncTransport`."""
        message = _message(request, timeout)
        try:
            # A little later than the pool's own timeouts, which know whether anything was sent.
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                answer = await self._own_pool().handle_async_request(message)
                try:
                    body = await answer.aread()
                finally:
                    await _release_async(answer)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except _FAILURES as error:
            raise _failure(error) from error
        return Response(answer.status, _headers(answer), body)

    async def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `AsyncStreamingTransport`."""
        message = _message(request, timeout)
        try:
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                answer = await self._own_pool().handle_async_request(message)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except _FAILURES as error:
            raise _failure(error) from error
        return StreamedResponse(answer.status, _headers(answer), b"", _AsyncPieces(answer))

    async def aclose(self) -> None:
        """See `AsyncTransport`. Closes the running loop's pool."""
        pools = self._pools.get(os.getpid(), _Pools())
        pool = pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    def _own_pool(self) -> httpcore2.AsyncConnectionPool:
        pools = self._pools.get(os.getpid())
        if pools is None:
            pools = self._pools.setdefault(os.getpid(), _Pools())
        loop = asyncio.get_running_loop()
        pool = pools.get(loop)
        if pool is None:
            # Loops that were closed without `aclose` take their connections along.
            for ended in [known for known in list(pools) if known.is_closed()]:
                pools.pop(ended, None)
            pool = pools[loop] = httpcore2.AsyncConnectionPool(
                self._ssl_context, max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE_S
            )
        return pool
