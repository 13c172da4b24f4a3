"""The caller's own `httpx2` client as a transport, with its proxies, certificates and event hooks.

Its redirects, default authentication and cookies are left out. The deadline bounds each socket operation and is looked
at between them, so a server that drips its header can hold a blocking call longer; Bursar's own pool does not have
that gap.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2

from bursar.contract import Headers, Request, Response, TransportError
from bursar.contract.http import StreamedResponse

_NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)


def _failure(error: Exception) -> TransportError:
    return TransportError(
        str(error) or type(error).__name__,
        sent=not isinstance(error, _NOT_SENT),
        timed_out=isinstance(error, httpx2.TimeoutException),
    )


def _refuse_after_fork(pid: int) -> None:
    if pid != os.getpid():
        raise TransportError(
            "this httpx2 client was opened before a fork and may share sockets with the parent: "
            "make a new one in the child",
            sent=False,
        )


def _answer(response: httpx2.Response, body: bytes) -> Response:
    return Response(response.status_code, Headers(response.headers.multi_items()), body)


def _opened(response: httpx2.Response, pieces: Any) -> StreamedResponse:
    return StreamedResponse(response.status_code, Headers(response.headers.multi_items()), b"", pieces)


def _message(client: httpx2.Client | httpx2.AsyncClient, request: Request, timeout: float) -> httpx2.Request:
    content: Any = request.body
    if request.pieces is not None:
        content = aiter(request.pieces) if isinstance(client, httpx2.AsyncClient) else iter(request.pieces)
    message = client.build_request(
        request.method, request.url, headers=list(request.headers), content=content, timeout=timeout
    )
    # What the client took from earlier answers is none of this call's business.
    message.headers.pop("Cookie", None)
    return message


class _Pieces:
    """The body of a blocking client's answer."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._response.iter_bytes()
        except httpx2.HTTPError as error:
            raise _failure(error) from error

    def close(self) -> None:
        self._response.close()


class _AsyncPieces:
    """The body of an asynchronous client's answer."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except httpx2.HTTPError as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        await self._response.aclose()


class Httpx2Transport:
    """Sends through an `httpx2.Client`, which stays the caller's to close."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._pid = os.getpid()

    def send(self, request: Request, timeout: float) -> Response:
        """See `Transport`."""
        _refuse_after_fork(self._pid)
        deadline = time.monotonic() + timeout
        message = _message(self._client, request, timeout)
        try:
            response = self._client.send(message, stream=True, auth=None, follow_redirects=False)
            try:
                if request.pieces is not None:
                    return _answer(response, response.read())
                return _answer(response, self._read(response, deadline))
            finally:
                response.close()
        except httpx2.HTTPError as error:
            raise _failure(error) from error

    def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `StreamingTransport`."""
        _refuse_after_fork(self._pid)
        try:
            response = self._client.send(
                _message(self._client, request, timeout), stream=True, auth=None, follow_redirects=False
            )
        except httpx2.HTTPError as error:
            raise _failure(error) from error
        return _opened(response, _Pieces(response))

    @staticmethod
    def _read(response: httpx2.Response, deadline: float) -> bytes:
        chunks: list[bytes] = []
        for chunk in response.iter_bytes():
            if time.monotonic() > deadline:
                raise TransportError("timed out", sent=True, timed_out=True)
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """The client is the caller's: nothing is closed."""


class AsyncHttpx2Transport:
    """Sends through an `httpx2.AsyncClient`, which stays the caller's to close."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._pid = os.getpid()

    async def send(self, request: Request, timeout: float) -> Response:
        """See `AsyncTransport`."""
        _refuse_after_fork(self._pid)
        message = _message(self._client, request, timeout)
        try:
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                response: Any = await self._client.send(
                    message, stream=True, auth=None, follow_redirects=False
                )
                try:
                    body = await response.aread()
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except httpx2.HTTPError as error:
            raise _failure(error) from error
        return _answer(response, body)

    async def open(self, request: Request, timeout: float) -> StreamedResponse:
        """See `AsyncStreamingTransport`."""
        _refuse_after_fork(self._pid)
        message = _message(self._client, request, timeout)
        try:
            async with asyncio.timeout(timeout + 0.02 if request.pieces is None else None):
                response = await self._client.send(message, stream=True, auth=None, follow_redirects=False)
        except TimeoutError as error:
            raise TransportError("timed out", sent=True, timed_out=True) from error
        except httpx2.HTTPError as error:
            raise _failure(error) from error
        return _opened(response, _AsyncPieces(response))

    async def aclose(self) -> None:
        """The client is the caller's: nothing is closed."""
