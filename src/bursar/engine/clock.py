"""Engine time: microseconds since the Unix epoch, UTC. The clock is injected; nothing else may ask what time it is."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, Protocol

_LONGEST_SLEEP_S: Final = 3600.0
"""A system clock may be set at any time: look again at least this often."""


class Clock(Protocol):
    """What the engine knows about time."""

    def now(self) -> int:
        """Engine time in microseconds."""
        ...

    async def wait_until(self, at: int) -> None:
        """Return when `now() >= at`, or earlier when the clock was changed: the caller looks again."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Engine time in microseconds."""
        return time.time_ns() // 1000

    async def wait_until(self, at: int) -> None:
        """See `Clock`."""
        await asyncio.sleep(min(max(at - self.now(), 0) / 1e6, _LONGEST_SLEEP_S))


class SandboxClock:
    """A clock that can be frozen, moved and resumed. It runs with the machine's time until frozen.

    `at` freezes it from the start, which tests want.
    """

    def __init__(self, at: int | None = None) -> None:
        self._offset = 0
        self._frozen = at
        self._changed = asyncio.Event()

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen is not None

    def now(self) -> int:
        """Engine time in microseconds."""
        return time.time_ns() // 1000 + self._offset if self._frozen is None else self._frozen

    def freeze(self, at: int | None = None) -> None:
        """Stop at the present moment, or at `at`. Raises ValueError if that is in the past."""
        if at is not None:
            self.set(at)
        self._frozen = self.now()
        self._wake()

    def set(self, at: int) -> None:
        """Jump to `at`; a frozen clock stays frozen. Raises ValueError if that is in the past."""
        self.advance(at - self.now())

    def advance(self, us: int) -> None:
        """Move on by `us` microseconds; a frozen clock stays frozen. Raises ValueError if negative."""
        if us < 0:
            raise ValueError("engine time never goes back")
        if self._frozen is None:
            self._offset += us
        else:
            self._frozen += us
        self._wake()

    def resume(self) -> None:
        """Run again from the present engine time."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time_ns() // 1000
            self._frozen = None
            self._wake()

    async def wait_until(self, at: int) -> None:
        """See `Clock`."""
        if self.now() >= at:
            return
        delay_s = None if self.frozen else min((at - self.now()) / 1e6, _LONGEST_SLEEP_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), delay_s)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
