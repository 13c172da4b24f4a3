"""Callers: what an endpoint of a resource calls through, one for each colour."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from msgspec.structs import replace

from bursar.contract import (
    AsyncListing,
    AsyncPage,
    BaseEndpoint,
    CursorPaging,
    InvalidRequestError,
    Page,
    Reply,
)
from bursar.contract.params import Place
from bursar.contract.stream import AsyncItemStream, Incoming, ItemStream

from .call import Session, call
from .drivers import AsyncDriver, Driver
from .effects import Flow
from .transport import AsyncTransport, Transport

T = TypeVar("T")


class SyncCaller:
    """Makes blocking calls."""

    def __init__(self, session: Session, transport: Transport) -> None:
        self.session = session
        self._driver = Driver(transport, session.clock, self._within)

    @property
    def transport(self) -> Transport:
        """What carries the requests."""
        return self._driver.transport

    def invoke(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Any:
        """Return the value, or the first page of a listing."""
        value = self.reply(endpoint, arguments).value
        if endpoint.paging is None:
            return value
        return Page(value, lambda following: self.invoke(endpoint, _turned(endpoint, arguments, following)))

    def reply(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Reply[Any]:
        """Return the value with its answer."""
        reply = self.run(call(self.session, endpoint, arguments))
        return replace(reply, value=ItemStream(reply.value)) if endpoint.streams else reply

    def run(self, flow: Flow[T]) -> T:
        """Run any flow of this client."""
        return self._driver.run(flow)

    def _within(self, endpoint: BaseEndpoint, arguments: dict[str, Any], timeout: float) -> Any:
        return self.run(call(_hurried(self.session, timeout), endpoint, arguments)).value


class AsyncCaller:
    """Makes awaitable calls."""

    def __init__(self, session: Session, transport: AsyncTransport) -> None:
        self.session = session
        self._driver = AsyncDriver(transport, session.clock, self._within)

    @property
    def transport(self) -> AsyncTransport:
        """What carries the requests."""
        return self._driver.transport

    def invoke(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Any:
        """Return an awaitable of the value, a listing, or a stream."""
        if endpoint.streams:
            return AsyncItemStream(lambda: self._incoming(endpoint, arguments))
        if endpoint.paging is None:
            return self._value(endpoint, arguments)
        return AsyncListing(lambda: self._page(endpoint, arguments))

    async def reply(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Reply[Any]:
        """Return the value with its answer."""
        reply = await self.run(call(self.session, endpoint, arguments))
        if not endpoint.streams:
            return reply
        incoming: Incoming[Any] = reply.value

        async def begun() -> Incoming[Any]:
            return incoming

        return replace(reply, value=AsyncItemStream(begun))

    async def run(self, flow: Flow[T]) -> T:
        """Run any flow of this client."""
        return await self._driver.run(flow)

    async def _value(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Any:
        return (await self.reply(endpoint, arguments)).value

    async def _incoming(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Incoming[Any]:
        incoming: Incoming[Any] = (await self.run(call(self.session, endpoint, arguments))).value
        return incoming

    async def _page(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> AsyncPage[Any]:
        held = (await self.reply(endpoint, arguments)).value

        def turn(following: dict[str, Any]) -> Coroutine[Any, Any, AsyncPage[Any]]:
            return self._page(endpoint, _turned(endpoint, arguments, following))

        return AsyncPage(held, turn)

    async def _within(self, endpoint: BaseEndpoint, arguments: dict[str, Any], timeout: float) -> Any:
        return (await self.run(call(_hurried(self.session, timeout), endpoint, arguments))).value


class RawCaller:
    """Makes calls of either colour that give a `Reply` instead of the value."""

    def __init__(self, reply: Callable[[BaseEndpoint, dict[str, Any]], Any]) -> None:
        self._reply = reply

    def invoke(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Any:
        """Return the reply, or an awaitable of it."""
        return self._reply(endpoint, arguments)


_CURSOR_HOLDS = (Place.QUERY, Place.MEMBER, Place.BODY)


def _turned(endpoint: BaseEndpoint, arguments: dict[str, Any], following: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the following page. A cursor holds the whole query, so the rest of it is left out."""
    if isinstance(endpoint.paging, CursorPaging):
        query = {p.name: None for p in endpoint.params if p.place in _CURSOR_HOLDS and not p.required}
        return {**arguments, **query, **following}
    return {**arguments, **following}


def _hurried(session: Session, timeout: float) -> Session:
    if timeout <= 0:
        raise InvalidRequestError("no time is left for the call")
    policy = session.policy
    return replace(session, policy=replace(policy, timeout=min(policy.timeout, timeout)))
