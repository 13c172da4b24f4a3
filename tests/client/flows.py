"""Runs a flow on prepared answers, without any I/O, and keeps what it asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bursar.client import Flow, Invoke, Sleep
from bursar.client.effects import Ask, Join, Send
from bursar.contract import Headers, Response
from tests.client.clock import FakeClock

T = TypeVar("T")
Step = Response | Exception | Callable[[], Response]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Response:
    return Response(status, Headers((k.replace("_", "-"), v) for k, v in headers.items()), body)


class Play:
    """`asked` holds the effects in order. A pause moves the clock; a `Send` takes the next prepared step."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[Send | Sleep | Join | Ask | Invoke] = []

    @property
    def sent(self) -> list[Send]:
        return [effect for effect in self.asked if isinstance(effect, Send)]

    @property
    def pauses(self) -> list[float]:
        return [effect.seconds for effect in self.asked if isinstance(effect, Sleep)]

    def run(self, flow: Flow[T], *steps: Step) -> T:
        """Run to the end. Every step must be used."""
        ahead = list(steps)
        try:
            effect = next(flow)
            while True:
                self.asked.append(effect)
                effect = self._advance(flow, effect, ahead)
        except StopIteration as stop:
            assert not ahead, f"{len(ahead)} answers were never asked for"
            value: T = stop.value
            return value
        finally:
            flow.close()

    def _advance(self, flow: Flow[Any], effect: object, ahead: list[Step]) -> Any:
        if isinstance(effect, Sleep):
            self.clock.advance(effect.seconds)
            return flow.send(None)
        assert isinstance(effect, (Send, Invoke)), f"{effect} cannot be played"
        step = ahead.pop(0)
        if isinstance(step, Exception):
            return flow.throw(step)
        return flow.send(step() if callable(step) else step)
