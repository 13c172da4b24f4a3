"""Faults on demand (sandbox only): what a client must survive, made to happen (MS69).

A rule matches requests by method and path and says what goes wrong: a status of its own, a delay, a connection
that drops before or after the work is done, an answer that drips. Rules never touch ``/_bursar``, so a sandbox
can always be repaired.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.contract.http import Headers, Response
from bursar.server import limits
from bursar.server.exchange import answer

CONTROL_MOUNT = "/_bursar"
ABORT = "bursar.abort"
"""Name of the ASGI extension that can cut the connection: its member ``abort`` is a function without arguments."""

# RFC 9110 sections 5.1 and 5.5.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\x20-\x7e\t]*")
_BODILESS = (204, 304)

Seconds = Annotated[float, Meta(ge=0, le=limits.FAULT_DELAY_SECONDS)]
Sleep = Callable[[float], Awaitable[None]]


class Drip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Send the body `bytes` bytes at a time with `interval` seconds between the pieces."""

    bytes: Annotated[int, Meta(ge=1)] = 1
    interval: Seconds = 0.1


class FaultRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What goes wrong, and for which requests.

    Attributes:
        method: an HTTP method, or ``*`` for all.
        path: glob over the whole path, for example ``/milkyway/payments/*``.
        times: how many requests it hits; None: all.
        skip: how many matching requests go unharmed first.
        probability: the chance that a matching request is hit, drawn from the engine's randomness, so that a seed
            repeats it.
        delay: seconds of real time to wait before anything else happens.
        status: answer with this status, `headers` and `body`.
        after_work: with `status`: do the work, then answer with the status in place of the true answer.
        drop: cut the connection ``before`` the work is done (nothing happened) or ``after`` (it did).
        drip: send the answer slowly.
    """

    method: str = "*"
    path: str = "*"
    times: Annotated[int, Meta(ge=1)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    delay: Seconds = 0.0
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    headers: dict[str, str] = {}
    body: str | None = None
    after_work: bool = False
    drop: Literal["before", "after"] | None = None
    drip: Drip | None = None

    def __post_init__(self) -> None:
        if not (self.delay or self.status or self.drop or self.drip):
            raise ValueError("a rule needs a delay, a status, a drop or a drip")
        if self.status is not None and self.drop is not None:
            raise ValueError("a dropped connection has no status")
        for name, value in self.headers.items():
            if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
                raise ValueError("header names and values must be visible ASCII")

    def matches(self, method: str, path: str) -> bool:
        """Return whether the rule is about this request."""
        return self.method.upper() in ("*", method) and _glob(self.path).fullmatch(path) is not None


class FaultState(msgspec.Struct, frozen=True):
    """A rule that is in force, with how often it matched a request and how often it hit one."""

    id: str
    rule: FaultRule
    seen: int
    hits: int


class _Armed:
    """A rule with its counters."""

    def __init__(self, name: str, rule: FaultRule) -> None:
        self.name = name
        self.rule = rule
        self.seen = 0
        self.hits = 0

    @property
    def spent(self) -> bool:
        return self.rule.times is not None and self.hits >= self.rule.times

    def state(self) -> FaultState:
        return FaultState(self.name, self.rule, self.seen, self.hits)


class TooManyFaults(ValueError):
    """More rules than `limits.FAULT_RULES`."""


class Faults:
    """The rules in force. The first rule that matches a request, and is not spent, decides.

    `random` returns numbers in [0, 1); `sleep` waits for real seconds.
    """

    def __init__(self, random: Callable[[], float], sleep: Sleep = asyncio.sleep) -> None:
        self._random = random
        self.sleep = sleep
        self._rules: list[_Armed] = []
        self._made = 0

    def add(self, rule: FaultRule) -> FaultState:
        """Put a rule in force, after those that are. Raises `TooManyFaults`."""
        if len(self._rules) >= limits.FAULT_RULES:
            raise TooManyFaults(f"there are {limits.FAULT_RULES} fault rules already")
        self._made += 1
        armed = _Armed(f"fault-{self._made}", rule)
        self._rules.append(armed)
        return armed.state()

    def list(self) -> list[FaultState]:
        """Return the rules in force, spent ones too, in order."""
        return [armed.state() for armed in self._rules]

    def clear(self) -> None:
        """End all rules."""
        self._rules.clear()

    def take(self, method: str, path: str) -> FaultRule | None:
        """Return the rule that hits this request, and count it."""
        for armed in self._rules:
            if armed.spent or not armed.rule.matches(method, path):
                continue
            armed.seen += 1
            if armed.seen <= armed.rule.skip:
                continue
            if armed.rule.probability < 1 and self._random() >= armed.rule.probability:
                continue
            armed.hits += 1
            return armed.rule
        return None


class FaultyApp:
    """ASGI middleware that lets the rules hit requests."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, badly if a rule says so."""
        path: str = scope["path"]
        exempt = path == CONTROL_MOUNT or path.startswith(CONTROL_MOUNT + "/")
        rule = None if exempt else self._faults.take(scope["method"], path)
        if rule is None:
            await self._app(scope, receive, send)
            return
        if rule.delay:
            await self._faults.sleep(rule.delay)
        await self._hit(rule, scope, receive, send)

    async def _hit(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.drip is not None:
            send = _dripping(send, rule.drip, self._faults.sleep)
        does_work = rule.drop == "after" or (rule.after_work and rule.status is not None)
        if does_work:
            await self._app(scope, receive, _discard)
        if rule.drop is not None:
            await _drop(scope, receive)
        elif rule.status is not None:
            await answer(send, _made_up(rule, rule.status))
        else:
            await self._app(scope, receive, send)


async def _discard(message: Message) -> None:
    """Swallow an answer."""


async def _drop(scope: Scope, receive: Receive) -> None:
    """Cut the connection; without a real one, raise what a cut connection raises."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is None:
        raise ConnectionResetError("the connection was dropped by a fault rule")
    extension["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass  # the server must know that the connection is gone before this call ends, or it answers 500


def _made_up(rule: FaultRule, status: int) -> Response:
    body = '{"error": "fault injected by the sandbox"}' if rule.body is None else rule.body
    fields = {name.lower(): value for name, value in rule.headers.items()}
    fields.setdefault("content-type", "application/json")
    return Response(status, Headers(fields.items()), b"" if status in _BODILESS else body.encode())


def _dripping(send: Send, drip: Drip, sleep: Sleep) -> Send:
    async def slow_send(message: Message) -> None:
        body: bytes = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= drip.bytes:
            await send(message)
            return
        for start in range(0, len(body), drip.bytes):
            if start:
                await sleep(drip.interval)
            last = start + drip.bytes >= len(body)
            piece = body[start : start + drip.bytes]
            await send({**message, "body": piece, "more_body": not last or message.get("more_body", False)})

    return slow_send


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
