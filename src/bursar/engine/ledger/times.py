"""Times on the wire: RFC 3339 as the API reads it (section 2.5). Engine time is microseconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from bursar.engine.ledger.errors import Validation

# The real service takes an hour of one digit too.
_SHAPE: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
UNSET: Final = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""0001-01-01T00:00:00Z, which counts as no time."""
_LATEST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def parse(text: str) -> int:
    """Microseconds of a time, rounded half up. Raises Validation."""
    found = _SHAPE.fullmatch(text)
    if found is None or not text.isascii():
        raise Validation(
            f"invalid date {text!r}: write RFC 3339 with an offset, such as 2024-01-02T03:04:05Z"
        )
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        whole = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise Validation(f"invalid date {text!r}: there is no such time") from None
    if sign and (int(hours) > 24 or int(minutes) > 59):
        raise Validation(f"invalid date {text!r}: there is no such offset")
    at = (whole - _EPOCH) // _MICROSECOND
    if fraction:
        at += (int(fraction[:7].ljust(7, "0")) + 5) // 10
    if sign:
        away = (int(hours) * 60 + int(minutes)) * 60_000_000
        at += away if sign == "-" else -away
    if not UNSET <= at <= _LATEST:
        raise Validation(f"invalid date {text!r}: years are 0001 to 9999")
    return at


def parse_optional(text: str) -> int | None:
    """The same; None for the time that counts as none."""
    at = parse(text)
    return None if at == UNSET else at
