"""An `aiohttp` session as an asynchronous transport."""

from __future__ import annotations

import os

import aiohttp
import yarl

from bursar.contract import Headers, Request, Response, TransportError

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


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
            async with self._session.request(
                request.method,
                yarl.URL(request.url, encoded=True),
                headers=list(request.headers),
                data=request.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as response:
                body = await response.read()
                return Response(response.status, Headers(response.headers.items()), body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransportError(
                str(error) or type(error).__name__,
                sent=not isinstance(error, _NOT_SENT),
                timed_out=isinstance(error, TimeoutError),
            ) from error

    async def aclose(self) -> None:
        """The session is the caller's: nothing is closed."""
