"""The default asyncio transport: connection pools of httpcore2, one for each event loop and process.

In a module of its own: loading asyncio takes a blocking client longer than its own endpoints do.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator

import httpcore2

from bursar.contract import Request, Response, TransportError
from bursar.contract.http import StreamedResponse

from .messages import FAILURES, KEEPALIVE_S, MAX_CONNECTIONS, failure_of, has_more, headers_of, message_of


async def _release(answer: httpcore2.Response) -> None:
    if has_more(answer):
        await answer.extensions["network_stream"].aclose()
    await answer.aclose()


class _Pieces:
    """The body of an answer of the asyncio pool."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.aiter_stream():
                yield piece
        except FAILURES as error:
            raise failure_of(error) from error

    async def aclose(self) -> None:
        await _release(self._answer)


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
        message = message_of(request, timeout)
        try:
            # A little later than the pool's own timeouts, which know whether anything was sent.
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                answer = await self._own_pool().handle_async_request(message)
                try:
                    body = await answer.aread()
                finally:
                    await _release(answer)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except FAILURES as error:
            raise failure_of(error) from error
        return Response(answer.status, headers_of(answer), body)

    async def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `AsyncStreamingTransport`."""
        message = message_of(request, timeout)
        try:
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                answer = await self._own_pool().handle_async_request(message)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except FAILURES as error:
            raise failure_of(error) from error
        return StreamedResponse(answer.status, headers_of(answer), b"", _Pieces(answer))

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
