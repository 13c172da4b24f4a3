"""The sandbox's control API, below ``/_bursar``: its clock and its faults. Not there without ``--sandbox``.

It takes no credentials: a sandbox listens on loopback and holds nothing worth having.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from bursar.contract.errors import UnreadableAnswer
from bursar.contract.http import Headers, Response
from bursar.contract.json import loads
from bursar.engine.limits import SECOND_US
from bursar.server import limits
from bursar.server.api import Api
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure
from bursar.server.faults import FaultRule, Faults, TooManyFaults
from bursar.server.replies import json_reply, render_plain
from bursar.server.timeline import NotAhead, Timeline

T = TypeVar("T")


class Freeze(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to stop the clock: an RFC 3339 time with zone; the present moment when left out."""

    at: Annotated[datetime, Meta(tz=True)] | None = None


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far to move the clock, in seconds; fractions down to a microsecond."""

    seconds: Annotated[float, Meta(ge=0, le=limits.ADVANCE_SECONDS)]


class Control:
    """Handlers of the control API."""

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        self._timeline = timeline
        self._faults = faults

    def api(self) -> Api:
        """Return the API."""
        api = Api(render=render_plain, translate=_translate)
        api.add("GET", "/clock", self.clock)
        api.add("POST", "/clock/freeze", self.freeze)
        api.add("POST", "/clock/advance", self.advance)
        api.add("POST", "/clock/run-to-next", self.run_to_next)
        api.add("POST", "/clock/resume", self.resume)
        api.add("GET", "/faults", self.faults)
        api.add("POST", "/faults", self.add_fault)
        api.add("DELETE", "/faults", self.clear_faults)
        return api

    async def clock(self, exchange: Exchange) -> Response:
        """Say what time it is."""
        return json_reply(await self._timeline.state())

    async def freeze(self, exchange: Exchange) -> Response:
        """Stop the clock."""
        at = (await _optional(exchange, Freeze) or Freeze()).at
        return json_reply(await self._timeline.freeze(None if at is None else _microseconds(at)))

    async def advance(self, exchange: Exchange) -> Response:
        """Move the clock; due work is done before the answer leaves."""
        step = await _required(exchange, Advance)
        return json_reply(await self._timeline.advance(round(step.seconds * SECOND_US)))

    async def run_to_next(self, exchange: Exchange) -> Response:
        """Move the clock to the next due work and do it."""
        return json_reply(await self._timeline.run_to_next())

    async def resume(self, exchange: Exchange) -> Response:
        """Let the clock run."""
        return json_reply(await self._timeline.resume())

    async def faults(self, exchange: Exchange) -> Response:
        """List the rules in force."""
        return json_reply({"faults": self._faults.list()})

    async def add_fault(self, exchange: Exchange) -> Response:
        """Put a rule in force."""
        try:
            return json_reply(self._faults.add(await _required(exchange, FaultRule)), status=201)
        except TooManyFaults as error:
            raise Failure(409, str(error)) from None

    async def clear_faults(self, exchange: Exchange) -> Response:
        """End all rules."""
        self._faults.clear()
        return Response(204, Headers(), b"")


def _translate(error: Exception) -> Failure | None:
    return Failure(400, str(error)) if isinstance(error, NotAhead) else None


def _microseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


async def _optional(exchange: Exchange, kind: type[T]) -> T | None:
    """Read a JSON body that may be left out."""
    body = await exchange.body()
    return _decoded(body, kind) if body.strip() else None


async def _required(exchange: Exchange, kind: type[T]) -> T:
    return _decoded(await exchange.body(), kind)


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        loads(body)  # as strict as the APIs: no key twice
        return msgspec.json.decode(body, type=kind)
    except (UnreadableAnswer, msgspec.MsgspecError) as error:
        raise Failure(400, f"the body: {error}") from None
