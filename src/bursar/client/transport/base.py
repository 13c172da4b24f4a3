"""What carries a request to a server and brings its answer."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bursar.contract import Request, Response


@runtime_checkable
class Transport(Protocol):
    """Carries requests and blocks meanwhile. Follows no redirect, adds no credentials, retries nothing."""

    def send(self, request: Request, timeout: float) -> Response:
        """Return the answer, read whole, within `timeout` seconds. Raises `TransportError`."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class AsyncTransport(Protocol):
    """The asynchronous twin of `Transport`."""

    async def send(self, request: Request, timeout: float) -> Response:
        """Return the answer, read whole, within `timeout` seconds. Raises `TransportError`."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
