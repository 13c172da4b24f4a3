"""Sending to destinations that a user named: one pool of connections, opened when something is first sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bursar.contract import TransportError
from bursar.contract.http import Request

if TYPE_CHECKING:
    from bursar.client.transport.async_pool import AsyncPoolTransport

TIMEOUT_SECONDS: Final = 10.0


class Outgoing:
    """POSTs bodies. Follows no redirect."""

    def __init__(self) -> None:
        self._transport: AsyncPoolTransport | None = None

    async def post(self, url: str, fields: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Send a body; the answer's status and body. Raises OSError when no answer came."""
        if self._transport is None:
            # Imported here: few servers send anything, and the pool is an HTTP client.
            from bursar.client.transport.async_pool import AsyncPoolTransport

            self._transport = AsyncPoolTransport()
        request = Request("POST", url, tuple(fields.items()), body)
        try:
            answer = await self._transport.send(request, TIMEOUT_SECONDS)
        except (TransportError, ValueError) as error:
            raise OSError(str(error)) from error
        return answer.status, answer.body

    async def start(self) -> None:
        """Connect when there is something to send."""

    async def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None
