"""The caller's own HTTP client as a transport: `httpx.Client`, `httpx2.Client`, or whatever builds and sends like them.

It is the caller's to configure and to close. What it raises is told to Bursar, which decides about retries, and raised
as it is in the end. The deadline bounds what the client bounds with its `timeout`.
"""

from __future__ import annotations

from typing import Any, Final

from bursar.client.transport import AsyncTransport, Transport, asynchronous, blocking
from bursar.contract import Headers, Request, Response, TransportError

from .httpclient import AsyncHttpClient, HttpClient

_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    }
)
"""Names of errors after which httpx has sent nothing."""


class BorrowedClientError(TransportError):
    """The caller's client raised `original`."""

    def __init__(self, original: Exception) -> None:
        name = type(original).__name__
        super().__init__(
            str(original) or name, sent=name not in _NOT_SENT, timed_out=name.endswith("Timeout")
        )
        self.original = original


def transport(client: object | None) -> Transport:
    """Return a transport of a client; one with its own connections for None. Raises `TypeError`."""
    known = client is None or not hasattr(client, "build_request") or _is_httpx2(client)
    return blocking(client) if known else BorrowedClient(client)  # type: ignore[arg-type] # it builds and sends


def async_transport(client: object | None) -> AsyncTransport:
    """Return an asynchronous transport of a client; one with its own connections for None. Raises `TypeError`."""
    known = client is None or not hasattr(client, "build_request") or _is_httpx2(client)
    return asynchronous(client) if known else AsyncBorrowedClient(client)  # type: ignore[arg-type] # as above


def _is_httpx2(client: object) -> bool:
    return any(kind.__module__.partition(".")[0] == "httpx2" for kind in type(client).__mro__)


def _parts(request: Request) -> dict[str, Any]:
    # A body that is made while it is sent has been collected before: these transports know whole bodies only.
    return {"headers": dict(request.headers), "content": request.body}


def _response(answer: Any) -> Response:
    return Response(answer.status_code, Headers(answer.headers.items()), answer.content)


class BorrowedClient:
    """See the module; blocking."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def send(self, request: Request, timeout: float) -> Response:
        """See `Transport`."""
        message = self._client.build_request(request.method, request.url, timeout=timeout, **_parts(request))
        try:
            return _response(self._client.send(message, stream=False))
        except Exception as error:
            raise BorrowedClientError(error) from error

    def close(self) -> None:
        """The client is the caller's: nothing is closed."""


class AsyncBorrowedClient:
    """See the module; asynchronous."""

    def __init__(self, client: AsyncHttpClient) -> None:
        self._client = client

    async def send(self, request: Request, timeout: float) -> Response:
        """See `AsyncTransport`."""
        message = self._client.build_request(request.method, request.url, timeout=timeout, **_parts(request))
        try:
            return _response(await self._client.send(message, stream=False))
        except Exception as error:
            raise BorrowedClientError(error) from error

    async def aclose(self) -> None:
        """The client is the caller's: nothing is closed."""
