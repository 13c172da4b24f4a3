"""Webhooks over the network: kept connections, one deadline for each try, no redirects, answers read within bounds."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterable
from functools import lru_cache
from typing import Final

import httpcore2

from bursar.engine import limits
from bursar.engine.webhooks.sending import NO_ANSWER, Answer, Outgoing
from bursar.server.webhooks.guard import Guard, Refused
from bursar.server.webhooks.streams import PinnedBackend

_KEEPALIVE_S: Final = 15.0
_IDLE_PER_HOST: Final = 8 * limits.WEBHOOK_IN_FLIGHT
"""Many endpoints may be at one host, such as that of a service which passes webhooks on."""
_URLS: Final = 1024
"""So many URLs are kept parsed."""
_FAILURES: Final = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    OSError,
)


class HttpSender:
    """See `Sender`. Belongs to the event loop that first sends."""

    def __init__(self, guard: Guard, ssl_context: ssl.SSLContext | None = None) -> None:
        """`ssl_context`: None trusts what the operating system trusts."""
        self._objection = lru_cache(_URLS)(guard.objection)
        self._backend = PinnedBackend(guard)
        self._ssl_context = ssl_context
        self._idle: defaultdict[str, list[httpcore2.AsyncHTTPConnection]] = defaultdict(list)

    def objection(self, url: str) -> str | None:
        """See `Sender`."""
        return self._objection(url)

    async def send(self, outgoing: Outgoing, timeout_s: float) -> Answer:
        """See `Sender`."""
        began = time.perf_counter()
        answer = await self._answer(outgoing, timeout_s)
        return Answer(
            answer.status_code,
            answer.error,
            answer.retry_after,
            answer.excerpt,
            round((time.perf_counter() - began) * 1_000_000),
        )

    async def aclose(self) -> None:
        """See `Sender`."""
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()

    async def _answer(self, outgoing: Outgoing, timeout_s: float) -> Answer:
        objection = self._objection(outgoing.url)
        if objection is not None:  # the endpoint is of a time when it was allowed
            return Answer(NO_ANSWER, objection)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(_request(outgoing))
        except TimeoutError:
            return Answer(NO_ANSWER, f"no answer within {timeout_s:g} s")
        except Refused as error:
            return Answer(NO_ANSWER, str(error))
        except _FAILURES as error:
            return Answer(NO_ANSWER, _words(error))

    async def _post(self, request: httpcore2.Request) -> Answer:
        """Send over a kept connection; over a new one when there is none, or when it was closed meanwhile."""
        origin = request.url.origin
        kept = await self._kept(origin)
        if kept is not None:
            try:
                return await self._over(kept, origin, request)
            except (
                OSError,
                httpcore2.NetworkError,
                httpcore2.ProtocolError,
                httpcore2.ConnectionNotAvailable,
            ):
                await kept.aclose()
        return await self._over(self._connection(origin), origin, request)

    async def _over(
        self, connection: httpcore2.AsyncHTTPConnection, origin: httpcore2.Origin, request: httpcore2.Request
    ) -> Answer:
        try:
            response = await connection.handle_async_request(request)
            try:
                body = await _beginning(response)
            finally:
                await response.aclose()
        except BaseException:
            await connection.aclose()
            raise
        if connection.is_idle() and len(self._idle[str(origin)]) < _IDLE_PER_HOST:
            self._idle[str(origin)].append(connection)
        else:
            await connection.aclose()
        fields = {name.lower(): value for name, value in response.headers}
        retry_after = fields.get(b"retry-after")
        return Answer(
            response.status,
            None if 200 <= response.status <= 299 else f"answered {response.status}",
            None if retry_after is None else retry_after.decode("latin-1"),
            body.decode("utf-8", "replace")[: limits.WEBHOOK_TEXT_CHARS],
        )

    async def _kept(self, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection | None:
        idle = self._idle.get(str(origin), [])
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        self._idle.pop(str(origin), None)
        return None

    def _connection(self, origin: httpcore2.Origin) -> httpcore2.AsyncHTTPConnection:
        if self._ssl_context is None and origin.scheme == b"https":
            self._ssl_context = ssl.create_default_context()
        return httpcore2.AsyncHTTPConnection(
            origin, self._ssl_context, keepalive_expiry=_KEEPALIVE_S, network_backend=self._backend
        )


_url = lru_cache(_URLS)(httpcore2.URL)


def _request(outgoing: Outgoing) -> httpcore2.Request:
    fields = [
        (b"host", outgoing.url.split("/", 3)[2].partition("?")[0].encode("ascii")),
        (b"content-length", str(len(outgoing.body)).encode("ascii")),
        *((name.encode("ascii"), value.encode("latin-1")) for name, value in outgoing.headers),
    ]
    return httpcore2.Request("POST", _url(outgoing.url), headers=fields, content=outgoing.body)


async def _beginning(response: httpcore2.Response) -> bytes:
    """The body; of one that is too long its beginning, and its connection is closed."""
    body = b""
    pieces: AsyncIterable[bytes] = response.aiter_stream()
    async for piece in pieces:
        body += piece
        if len(body) >= limits.WEBHOOK_ANSWER_BYTES:
            break
    return body


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
