"""The caller's own `httpx2` client as a transport, with its proxies, certificates and event hooks.

Its redirects, default authentication and cookies are left out. The deadline bounds each socket operation and is looked
at between them, so a server that drips its header can hold a blocking call longer; Bursar's own pool does not have
that gap.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import httpx2

from bursar.contract import Headers, Request, Response, TransportError

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


class Httpx2Transport:
    """Sends through an `httpx2.Client`, which stays the caller's to close."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._pid = os.getpid()

    def send(self, request: Request, timeout: float) -> Response:
        """See `Transport`."""
        _refuse_after_fork(self._pid)
        deadline = time.monotonic() + timeout
        message = self._client.build_request(
            request.method, request.url, headers=list(request.headers), content=request.body, timeout=timeout
        )
        try:
            response = self._client.send(message, stream=True, auth=None, follow_redirects=False)
            try:
                return _answer(response, self._read(response, deadline))
            finally:
                response.close()
        except httpx2.HTTPError as error:
            raise _failure(error) from error

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
        message = self._client.build_request(
            request.method, request.url, headers=list(request.headers), content=request.body, timeout=timeout
        )
        try:
            async with asyncio.timeout(timeout + 0.02):
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

    async def aclose(self) -> None:
        """The client is the caller's: nothing is closed."""
