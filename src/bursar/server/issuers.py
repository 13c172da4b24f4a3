"""Asking token issuers elsewhere for their keys."""

from __future__ import annotations

from typing import Final

from bursar.contract import TransportError
from bursar.contract.http import Request
from bursar.engine.auth.formance.remote import Unreachable

TIMEOUT_SECONDS: Final = 5.0


async def get(url: str) -> bytes:
    """Return what is at a URL. Follows no redirect. Raises `Unreachable`."""
    # Imported here: few servers trust others, and the pool is an HTTP client.
    from bursar.client.transport.async_pool import AsyncPoolTransport

    transport = AsyncPoolTransport()
    try:
        answer = await transport.send(Request("GET", url, (("accept", "application/json"),)), TIMEOUT_SECONDS)
    except (TransportError, ValueError) as error:
        raise Unreachable(f"{url} cannot be fetched: {error}") from None
    finally:
        await transport.aclose()
    if not answer.is_success:
        raise Unreachable(f"{url} answers with status {answer.status}")
    return answer.body
