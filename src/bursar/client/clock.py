"""Time and chance as a client sees them; tests put their own in place."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

from bursar.contract.record import Record


async def _asleep(seconds: float) -> None:
    import asyncio  # a third of what a blocking client would load, and it never waits like this

    await asyncio.sleep(seconds)


class Clock(Record, frozen=True):
    """Sources of time in seconds, of pauses and of jitter."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    """Seconds since the epoch, for a ``Retry-After`` that is a date."""
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = _asleep
    chance: Callable[[], float] = random.random
    """Uniform in [0, 1)."""


SYSTEM = Clock()
