"""Between Bursar's plain requests and answers and those of httpcore2: what both pools share."""

from __future__ import annotations

from typing import Any, Final

import httpcore2

from bursar.contract import Headers, Request, TransportError

MAX_CONNECTIONS: Final = 100
KEEPALIVE_S: Final = 30.0
"""An idle connection is kept so long; servers commonly close theirs after 60 s or more."""

_NOT_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpcore2.LocalProtocolError,
)
FAILURES = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, *_NOT_SENT)
"""What httpcore2 raises when a request or its answer did not get through."""


def failure_of(error: Exception) -> TransportError:
    """Return one of `FAILURES` as the error that says whether anything was sent."""
    timed_out = isinstance(error, httpcore2.TimeoutException)
    words = str(error) or type(error).__name__
    if isinstance(error, httpcore2.PoolTimeout):
        words = f"no free connection in the pool of {MAX_CONNECTIONS}: close answers or use fewer threads"
    elif timed_out:
        words = "timed out"
    return TransportError(words, sent=not isinstance(error, _NOT_SENT), timed_out=timed_out)


def _outgoing(request: Request) -> list[tuple[bytes, bytes]]:
    fields = [(b"Host", request.url.split("/", 3)[2].encode("ascii"))]
    if request.pieces is not None:
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif request.body is not None:
        fields.append((b"Content-Length", str(len(request.body)).encode("ascii")))
    fields.extend((name.encode("ascii"), value.encode("latin-1")) for name, value in request.headers)
    return fields


def headers_of(answer: httpcore2.Response) -> Headers:
    """Return the header fields of an answer."""
    return Headers((name.decode("ascii"), value.decode("latin-1")) for name, value in answer.headers)


def _extensions(timeout: float) -> dict[str, Any]:
    return {"timeout": {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}}


def message_of(request: Request, timeout: float) -> httpcore2.Request:
    """Return a request in httpcore2's form; `timeout` seconds bound each of its operations."""
    return httpcore2.Request(
        request.method,
        request.url,
        headers=_outgoing(request),
        content=request.body if request.pieces is None else request.pieces,
        extensions=_extensions(timeout),
    )


def has_more(answer: httpcore2.Response) -> bool:
    """Return True when more bytes came than belong to the answer.

    On a connection that is used again they would be taken for the next request's answer. httpcore2 does not look at
    them, and there is no public way to what its parser holds.
    """
    stream: Any = answer.stream
    return bool(stream._stream._connection._h11_state.trailing_data[0])
