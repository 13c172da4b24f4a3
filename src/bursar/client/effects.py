"""What a call asks its driver to do. A call is a generator that yields these and is sent the results.

So the whole of a call (tokens, attempts, pauses, reading the answer) is written once, without I/O, and two small
drivers run it: `bursar.client.drivers`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, ClassVar, TypeVar

from bursar.contract import BaseEndpoint, Request
from bursar.contract.record import Record

T = TypeVar("T")


class Send(Record, frozen=True):
    """Send a request; the result is its `Response`, a `TransportError` is thrown in."""

    request: Request
    timeout: float
    """Seconds for everything: waiting for a connection, connecting, sending, reading the whole answer."""
    transport: Any = None
    """Another transport than the client's own, of the driver's colour; None for the client's own."""
    streamed: bool = False
    """True for a `StreamedResponse` when the answer is 2xx; then `timeout` also bounds each read of its body."""

    hidden: ClassVar[frozenset[str]] = frozenset({"transport"})


class Sleep(Record, frozen=True):
    """Pause for so many seconds."""

    seconds: float


class Join(Record, frozen=True):
    """Wait at most `timeout` seconds for what another call has under way. The result is True when it is done."""

    flight: Future[Any]
    timeout: float


class Ask(Record, frozen=True):
    """Call a function of the caller's; an awaitable result is awaited on an asynchronous client."""

    function: Callable[[], Any]

    hidden: ClassVar[frozenset[str]] = frozenset({"function"})


class Invoke(Record, frozen=True):
    """Make a whole call of the same client, within at most `timeout` seconds; its error is thrown in."""

    endpoint: BaseEndpoint
    arguments: dict[str, Any]
    timeout: float

    hidden: ClassVar[frozenset[str]] = frozenset({"arguments"})


Flow = Generator[Send | Sleep | Join | Ask | Invoke, Any, T]
"""A piece of a call that ends with a `T`."""
