"""Terms that the engine's clock meets: nobody calls (PS71)."""

from __future__ import annotations

from typing import ClassVar, Final

from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis.errors import Loc
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import ByItself, Data, Opened

DAY_US: Final = 24 * 3600 * SECOND_US
_YEARS_S: Final = 100 * 366 * 24 * 3600


class TimeLock(ByItself):
    """`release_after`: an ISO time, or whole seconds counted from funding."""

    action: ClassVar[str] = "Funds unlock when the time lock ends"
    done: ClassVar[str] = "Time lock ended"
    why: ClassVar[str] = "a time lock ends by the clock; nobody fulfils it"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check `release_after`."""
        _wait_or_time(data, at)
        return Opened(dict(data))

    def due_at(self, data: Data, funded_at: int) -> int:
        """Return when it ends."""
        value, relative = _wait_or_time(data, ())
        return funded_at + value if relative else value


class ReturnPeriod(ByItself):
    """`days`: how long after funding goods can be returned."""

    action: ClassVar[str] = "Funds wait for the end of the return period"
    done: ClassVar[str] = "Return period ended"
    why: ClassVar[str] = "a return period ends by the clock; nobody fulfils it"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check `days`."""
        fields.whole(data, "days", at, 0, 36_500)
        return Opened(dict(data))

    def due_at(self, data: Data, funded_at: int) -> int:
        """Return when it ends."""
        return funded_at + fields.whole(data, "days", (), 0, 36_500) * DAY_US


def _wait_or_time(data: Data, at: Loc) -> tuple[int, bool]:
    """Return microseconds, and whether they count from funding."""
    if isinstance(data.get("release_after"), str):
        return fields.time(data, "release_after", at), False
    return fields.whole(data, "release_after", at, 0, _YEARS_S) * SECOND_US, True
