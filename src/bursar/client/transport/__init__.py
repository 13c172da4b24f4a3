"""Transports. None of them is imported before it is needed: importing a client loads no HTTP library."""

from __future__ import annotations

from typing import Any

from .base import AsyncTransport, Transport


def blocking(session: object | None) -> Transport:
    """Return a blocking transport: a new pool for None, or an adapter of the caller's transport or `httpx2.Client`."""
    if session is None:
        from .pool import PoolTransport

        return PoolTransport()
    library = _library(session)
    if library == ("httpx2", "Client"):
        from .httpx2 import Httpx2Transport

        return Httpx2Transport(_any(session))
    if library is None and isinstance(session, Transport):
        return session
    raise TypeError(f"session must be a Transport or an httpx2.Client, not {type(session).__qualname__}")


def asynchronous(session: object | None) -> AsyncTransport:
    """Return an asynchronous transport.

    A new pool for None, or an adapter of the caller's transport, `httpx2.AsyncClient` or `aiohttp.ClientSession`.
    """
    if session is None:
        from .async_pool import AsyncPoolTransport

        return AsyncPoolTransport()
    library = _library(session)
    if library == ("httpx2", "AsyncClient"):
        from .httpx2 import AsyncHttpx2Transport

        return AsyncHttpx2Transport(_any(session))
    if library == ("aiohttp", "ClientSession"):
        from .aiohttp import AiohttpTransport

        return AiohttpTransport(_any(session))
    if library is None and isinstance(session, AsyncTransport):
        return session
    raise TypeError(
        "session must be an AsyncTransport, an httpx2.AsyncClient or an aiohttp.ClientSession, "
        f"not {type(session).__qualname__}"
    )


def _library(session: object) -> tuple[str, str] | None:
    """Return (library, class) for a client of a known library, subclasses included, without importing any."""
    for kind in type(session).__mro__:
        package = kind.__module__.partition(".")[0]
        if package in ("httpx2", "aiohttp"):
            return package, kind.__name__
    return None


def _any(session: object) -> Any:
    return session


__all__ = ["AsyncTransport", "Transport", "asynchronous", "blocking"]
