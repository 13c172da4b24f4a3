"""Clients of the toy API, of either colour, over any transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bursar.client import AsyncCaller, Policy, RawCaller, Session, SyncCaller
from bursar.contract import Async, RawAsync, RawSync, Request, Response, Sync
from tests.client.clock import FakeClock
from tests.contract.shop import FAMILY, Shop

Script = Callable[[Request], Response]


class Scripted:
    """A hand-written transport of both colours: what a user writes for a test of their own."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.closed = False

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        return self.script(request)

    def close(self) -> None:
        self.closed = True


class AsyncScripted:
    """The asynchronous twin."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []

    async def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        await asyncio.sleep(0)
        return self.script(request)

    async def aclose(self) -> None:
        pass


def session(**policy: Any) -> Session:
    return Session(Policy("https://shop.example", **policy), FAMILY, FakeClock().clock)


def shop(script: Script, **policy: Any) -> tuple[Shop[Sync], Shop[RawSync], Scripted]:
    transport = Scripted(script)
    caller = SyncCaller(session(**policy), transport)
    return Shop[Sync](caller), Shop[RawSync](RawCaller(caller.reply)), transport


def async_shop(script: Script, **policy: Any) -> tuple[Shop[Async], Shop[RawAsync], AsyncScripted]:
    transport = AsyncScripted(script)
    caller = AsyncCaller(session(**policy), transport)
    return Shop[Async](caller), Shop[RawAsync](RawCaller(caller.reply)), transport
