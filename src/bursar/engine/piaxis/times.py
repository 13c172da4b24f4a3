"""Engine times as answers show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, overload

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@overload
def moment(us: int) -> datetime: ...
@overload
def moment(us: int | None) -> datetime | None: ...
def moment(us: int | None) -> datetime | None:
    """Return a time in microseconds of engine time as a datetime in UTC; None for None."""
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def microseconds(at: datetime) -> int:
    """Return a datetime as engine time; one without zone is UTC (E27)."""
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
