"""Sockets for `sender`: connections to addresses that the guard has seen, never to names.

Timeouts are the sender's, one for the whole try, so nothing here keeps time; that makes a delivery a third cheaper.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore2

from bursar.server.webhooks.guard import Guard

_BUFFERED_BYTES: Final = 64 * 1024
"""Above this, writing waits for the network."""


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that takes the connection. Raises OSError."""
        failure: OSError = OSError("the host name has no address")
        for address in await self._guard.addresses(host, port):
            try:
                return Stream(*await asyncio.open_connection(address, port))
            except OSError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """See `AsyncNetworkBackend`."""
        await asyncio.sleep(seconds)


class Stream(httpcore2.AsyncNetworkStream):
    """An open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `AsyncNetworkStream`."""
        return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `AsyncNetworkStream`."""
        self._writer.write(buffer)
        if len(buffer) > _BUFFERED_BYTES:
            await self._writer.drain()

    async def aclose(self) -> None:
        """See `AsyncNetworkStream`. Waits for nobody: the other side may be gone."""
        self._writer.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """See `AsyncNetworkStream`. The certificate must be the host name's, not the address's."""
        await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        """See `AsyncNetworkStream`."""
        if info == "is_readable":  # which an idle connection is when its other side closed it
            return self._reader.at_eof() or self._writer.is_closing()
        return self._writer.get_extra_info(info)
