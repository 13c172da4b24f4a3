"""What the caller's own HTTP client must have. `httpx.Client` has it, and `httpx2.Client`."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class HttpClient(Protocol):
    """A blocking client."""

    def build_request(self, method: str, url: Any, **parts: Any) -> Any:
        """Return a request; `parts` are ``headers``, ``content`` and ``timeout`` (seconds)."""
        ...

    def send(self, request: Any, *, stream: bool = False) -> Any:
        """Return the answer to a request."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class AsyncHttpClient(Protocol):
    """An asynchronous client."""

    def build_request(self, method: str, url: Any, **parts: Any) -> Any:
        """Return a request; `parts` are ``headers``, ``content`` and ``timeout`` (seconds)."""
        ...

    async def send(self, request: Any, *, stream: bool = False) -> Any:
        """Return the answer to a request."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
