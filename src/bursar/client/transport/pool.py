"""The default blocking transport: connection pools of httpcore2, the pool under httpx2.

Used directly, for one exact deadline over every socket operation and a smaller cost per call than a full HTTP client.
A pool never crosses a fork: the child gets its own. The asyncio twin is in `async_pool`.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self

import httpcore2

from bursar.contract import Request, Response
from bursar.contract.http import StreamedResponse

from .messages import FAILURES, KEEPALIVE_S, MAX_CONNECTIONS, failure_of, has_more, headers_of, message_of

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


def _release(answer: httpcore2.Response) -> None:
    if has_more(answer):
        answer.extensions["network_stream"].close()
    answer.close()


class _Pieces:
    """The body of an answer of the blocking pool."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except FAILURES as error:
            raise failure_of(error) from error

    def close(self) -> None:
        _release(self._answer)


class PoolTransport:
    """A blocking transport over pooled connections; safe to share between threads and across forks."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """`ssl_context`: None trusts what the operating system trusts."""
        self._ssl_context = ssl_context
        self._pools: dict[int, httpcore2.ConnectionPool] = {}
        """By process. Another one's is kept, not closed: closing could write to a socket that it still uses."""

    def send(self, request: Request, timeout: float) -> Response:
        """See `Transport`."""
        message = message_of(request, Budget(timeout) if request.pieces is None else timeout)
        try:
            answer = self._own_pool().handle_request(message)
            try:
                body = answer.read()
            finally:
                _release(answer)
        except FAILURES as error:
            raise failure_of(error) from error
        return Response(answer.status, headers_of(answer), body)

    def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `StreamingTransport`."""
        message = message_of(request, Budget(timeout) if request.pieces is None else timeout)
        try:
            answer = self._own_pool().handle_request(message)
        except FAILURES as error:
            raise failure_of(error) from error
        # The head is here: from now on each read has that long for itself.
        message.extensions["timeout"]["read"] = timeout
        return StreamedResponse(answer.status, headers_of(answer), b"", _Pieces(answer))

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
