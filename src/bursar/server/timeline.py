"""Time travel for a sandbox: the engine's clock moves, and what becomes due on the way is done on time, in order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.limits import SECOND_US


class ClockState(msgspec.Struct, frozen=True):
    """What a sandbox's clock says.

    `now` and `next_due` (when the next durable work is due; None: there is none) are RFC 3339 texts in UTC, `now_us`
    is microseconds since the epoch. `work_done` counts the items of work that the request carried out.
    """

    now: str
    now_us: int
    frozen: bool
    next_due: str | None
    work_done: int = 0


LATEST_US = 253_370_764_800 * SECOND_US
"""The year 9999, where texts for times end."""


class NotAhead(ValueError):
    """A clock was to be moved to where it cannot go: back, or beyond the year 9999."""


class Timeline:
    """Moves a core's sandbox clock.

    While it moves, work is carried out one item after another, each at its due time, so that the outcome depends on
    nothing but the steps.
    """

    def __init__(self, core: Core, clock: SandboxClock) -> None:
        self._core = core
        self._clock = clock
        self._moving = asyncio.Lock()

    async def state(self, work_done: int = 0) -> ClockState:
        """Return what the clock says."""
        now, due = self._clock.now(), await self._core.worker.next_due()
        next_due = None if due is None else rfc3339(due)
        return ClockState(rfc3339(now), now, self._clock.frozen, next_due, work_done)

    async def freeze(self, at_us: int | None = None) -> ClockState:
        """Stop the clock, at the present moment or at `at_us`, which must not be earlier. Raises `NotAhead`.

        Work that becomes due is done as by `advance`.
        """
        async with self._moving:
            if at_us is not None:
                return await self.state(await self._freeze_at(at_us))
            self._clock.freeze()
            return await self.state()

    async def resume(self) -> ClockState:
        """Let the clock run on from where it is."""
        async with self._moving:
            self._clock.resume()
            return await self.state()

    async def advance(self, us: int) -> ClockState:
        """Move on by `us` microseconds, stopping at each moment at which work is due. Raises `NotAhead`."""
        async with self._moving:
            target = self._clock.now() + us
            self._check(target)
            return await self.state(await self._move(target))

    async def run_to_next(self) -> ClockState:
        """Move on to the next moment at which work is due, and do it; nothing happens when there is none."""
        async with self._moving:
            due = await self._core.worker.next_due()
            done = 0 if due is None else await self._move(due)
            return await self.state(done)

    async def _freeze_at(self, at_us: int) -> int:
        self._check(at_us)
        self._clock.freeze()
        return await self._move(at_us)

    def _check(self, target: int) -> None:
        if not self._clock.now() <= target < LATEST_US:
            raise NotAhead(f"the clock moves ahead only, and not beyond {rfc3339(LATEST_US)}")

    def _reach(self, at: int) -> None:
        ahead = at - self._clock.now()
        if ahead > 0:  # a running clock may be there by itself
            self._clock.advance(ahead)

    async def _move(self, target: int) -> int:
        worker = self._core.worker
        await worker.stop()
        try:
            done = await worker.run_due()
            while (due := await worker.next_due()) is not None and due <= target:
                self._reach(due)
                ran = await worker.run_due()
                if not ran:
                    break  # claimed by somebody else
                done += ran
            self._reach(target)
            return done + await worker.run_due()
        finally:
            worker.start()


def rfc3339(us: int) -> str:
    """Return microseconds since the epoch as RFC 3339 text in UTC."""
    seconds, fraction = divmod(us, SECOND_US)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=fraction)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
