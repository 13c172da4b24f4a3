"""What carries a request to a server and brings its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, runtime_checkable

from msgspec.structs import replace

from bursar.contract import Request, Response
from bursar.contract.http import StreamedResponse


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


@runtime_checkable
class StreamingTransport(Transport, Protocol):
    """A transport that also carries bodies piece by piece: `Request.pieces`, and answers by `open`.

    Where a body is streamed there is no bound on the whole: `timeout` bounds each write and each read.
    """

    def open(self, request: Request, timeout: float) -> StreamedResponse:
        """Return the head of the answer; its `pieces` bring the body. Raises `TransportError`."""
        ...


@runtime_checkable
class AsyncStreamingTransport(AsyncTransport, Protocol):
    """The asynchronous twin of `StreamingTransport`."""

    async def open(self, request: Request, timeout: float) -> StreamedResponse:
        """Return the head of the answer; its `pieces` bring the body. Raises `TransportError`."""
        ...


class WholePieces:
    """A body that is all there, as `Pieces` and `AsyncPieces`."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        """Nothing is held."""

    async def aclose(self) -> None:
        """Nothing is held."""


def gathered(request: Request, body: bytes) -> Request:
    """Return the request with a whole body in place of its pieces."""
    return replace(request, body=body, pieces=None)


def as_stream(response: Response, pieces: Any) -> Response:
    """Return a successful answer with its body as pieces; any other as it is."""
    if not response.is_success:
        return response
    return StreamedResponse(response.status, response.headers, b"", pieces)
