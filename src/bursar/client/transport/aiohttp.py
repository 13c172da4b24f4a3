"""An `aiohttp` session as an asynchronous transport."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import aiohttp
import yarl

from bursar.contract import Headers, Request, Response, TransportError
from bursar.contract.http import StreamedResponse

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


_FAILURES = (aiohttp.ClientError, TimeoutError)


def _failure(error: Exception) -> TransportError:
    return TransportError(
        str(error) or type(error).__name__,
        sent=not isinstance(error, _NOT_SENT),
        timed_out=isinstance(error, TimeoutError),
    )


class _Pieces:
    """The body of an answer as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except _FAILURES as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        self._response.close()


class AiohttpTransport:
    """Sends through an `aiohttp.ClientSession`, which stays the caller's to close."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._pid = os.getpid()

    async def send(self, request: Request, timeout: float) -> Response:
        """See `AsyncTransport`."""
        if self._pid != os.getpid():
            raise TransportError(
                "this session was opened before a fork: make a new one in the child", sent=False
            )
        try:
            streamed = request.pieces is not None
            async with await self._begin(request, timeout, streamed=streamed) as response:
                body = await response.read()
                return Response(response.status, Headers(response.headers.items()), body)
        except _FAILURES as error:
            raise _failure(error) from error

    async def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `AsyncStreamingTransport`."""
        try:
            response = await self._begin(request, timeout, streamed=True)
        except _FAILURES as error:
            raise _failure(error) from error
        return StreamedResponse(response.status, Headers(response.headers.items()), b"", _Pieces(response))

    async def _begin(self, request: Request, timeout: float, *, streamed: bool) -> aiohttp.ClientResponse:
        each = aiohttp.ClientTimeout(connect=timeout, sock_read=timeout)
        return await self._session.request(
            request.method,
            yarl.URL(request.url, encoded=True),
            headers=list(request.headers),
            data=request.body if request.pieces is None else aiter(request.pieces),
            allow_redirects=False,
            timeout=each if streamed else aiohttp.ClientTimeout(total=timeout),
        )

    async def aclose(self) -> None:
        """The session is the caller's: nothing is closed."""
