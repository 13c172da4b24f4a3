"""Run a call's generator: one driver that blocks, one that awaits."""

from __future__ import annotations

import inspect
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, TypeVar

from bursar.contract import BursarError, Request, Response

from .clock import Clock
from .effects import Ask, Flow, Invoke, Join, Send, Sleep
from .transport import AsyncTransport, Transport
from .transport.base import (
    AsyncStreamingTransport,
    StreamingTransport,
    WholePieces,
    as_stream,
    gathered,
)

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Driver:
    """Runs flows in the calling thread."""

    def __init__(self, transport: Transport, clock: Clock, invoke: Any) -> None:
        """`invoke(endpoint, arguments, timeout)` makes a whole call."""
        self.transport = transport
        self._clock = clock
        self._invoke = invoke

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = self._perform(effect)
                except BursarError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            flow.close()

    def _perform(self, effect: Send | Sleep | Join | Ask | Invoke) -> Any:
        match effect:
            case Send(request, timeout, transport, streamed):
                return _send(transport or self.transport, request, timeout, streamed=streamed)
            case Sleep(seconds):
                return self._clock.sleep(seconds)
            case Join(flight, timeout):
                return _wait(flight, timeout)
            case Ask(function):
                return function()
            case Invoke(endpoint, arguments, timeout):
                return self._invoke(endpoint, arguments, timeout)


def _send(transport: Transport, request: Request, timeout: float, *, streamed: bool) -> Response:
    if not streamed and request.pieces is None:
        return transport.send(request, timeout)
    if not isinstance(transport, StreamingTransport):
        # It knows whole bodies only, so this one has to fit into memory.
        whole = request if request.pieces is None else gathered(request, b"".join(request.pieces))
        response = transport.send(whole, timeout)
        return as_stream(response, WholePieces(response.body)) if streamed else response
    if not streamed:
        return transport.send(request, timeout)
    answer = transport.open(request, timeout)
    if answer.is_success:
        return answer
    with closing(answer.pieces) as pieces:
        return Response(answer.status, answer.headers, b"".join(pieces))


def _wait(flight: Future[Any], timeout: float) -> bool:
    try:
        flight.exception(max(0.0, timeout))
    except FutureTimeout:
        return False
    return True


class AsyncDriver:
    """Runs flows in the running event loop."""

    def __init__(self, transport: AsyncTransport, clock: Clock, invoke: Any) -> None:
        """`invoke(endpoint, arguments, timeout)` makes a whole call and is awaited."""
        self.transport = transport
        self._clock = clock
        self._invoke = invoke

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except BursarError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            flow.close()

    async def _perform(self, effect: Send | Sleep | Join | Ask | Invoke) -> Any:
        match effect:
            case Send(request, timeout, transport, streamed):
                return await _send_async(transport or self.transport, request, timeout, streamed=streamed)
            case Sleep(seconds):
                return await self._clock.asleep(seconds)
            case Join(flight, timeout):
                return await _wait_async(flight, timeout)
            case Ask(function):
                answer = function()
                return await answer if inspect.isawaitable(answer) else answer
            case Invoke(endpoint, arguments, timeout):
                return await self._invoke(endpoint, arguments, timeout)


async def _send_async(
    transport: AsyncTransport, request: Request, timeout: float, *, streamed: bool
) -> Response:
    if not streamed and request.pieces is None:
        return await transport.send(request, timeout)
    if not isinstance(transport, AsyncStreamingTransport):
        whole = request
        if request.pieces is not None:
            whole = gathered(request, b"".join([piece async for piece in request.pieces]))
        response = await transport.send(whole, timeout)
        return as_stream(response, WholePieces(response.body)) if streamed else response
    if not streamed:
        return await transport.send(request, timeout)
    answer = await transport.open(request, timeout)
    if answer.is_success:
        return answer
    async with aclosing(answer.pieces) as pieces:
        return Response(answer.status, answer.headers, b"".join([piece async for piece in pieces]))


async def _wait_async(flight: Future[Any], timeout: float) -> bool:
    import asyncio  # see `Clock.asleep`

    # `wait` neither cancels the flight nor raises its error: the flow looks at the flight itself.
    waiting = asyncio.wrap_future(flight)
    waiting.add_done_callback(_seen)
    done, _ = await asyncio.wait([waiting], timeout=max(0.0, timeout))
    return bool(done)


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at a future's error, so that asyncio does not complain of one nobody saw."""
    if not future.cancelled():
        future.exception()
