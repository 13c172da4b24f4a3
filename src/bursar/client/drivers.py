"""Run a call's generator: one driver that blocks, one that awaits."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from bursar.contract import BursarError

from .clock import Clock
from .effects import Ask, Flow, Invoke, Join, Send, Sleep
from .transport import AsyncTransport, Transport

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
            case Send(request, timeout, transport):
                return (transport or self.transport).send(request, timeout)
            case Sleep(seconds):
                return self._clock.sleep(seconds)
            case Join(flight, timeout):
                return _wait(flight, timeout)
            case Ask(function):
                return function()
            case Invoke(endpoint, arguments, timeout):
                return self._invoke(endpoint, arguments, timeout)


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
            case Send(request, timeout, transport):
                return await (transport or self.transport).send(request, timeout)
            case Sleep(seconds):
                return await self._clock.asleep(seconds)
            case Join(flight, timeout):
                return await _wait_async(flight, timeout)
            case Ask(function):
                answer = function()
                return await answer if inspect.isawaitable(answer) else answer
            case Invoke(endpoint, arguments, timeout):
                return await self._invoke(endpoint, arguments, timeout)


async def _wait_async(flight: Future[Any], timeout: float) -> bool:
    # `wait` neither cancels the flight nor raises its error: the flow looks at the flight itself.
    done, _ = await asyncio.wait([asyncio.wrap_future(flight)], timeout=max(0.0, timeout))
    for future in done:
        future.exception()
    return bool(done)
