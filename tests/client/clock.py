"""A clock that stands still until it is told to move, or somebody sleeps by it."""

from __future__ import annotations

from bursar.client import Clock


class FakeClock:
    """Time in seconds. `pauses` are the sleeps asked for; each passes at once."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.pauses: list[float] = []
        self.chance = 1.0
        """What the next random number is: 1 makes every pause its longest."""
        self.clock = Clock(
            monotonic=lambda: self.now,
            wall=lambda: self.now,
            sleep=self._sleep,
            asleep=self._asleep,
            chance=lambda: self.chance,
        )

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def _asleep(self, seconds: float) -> None:
        self._sleep(seconds)
