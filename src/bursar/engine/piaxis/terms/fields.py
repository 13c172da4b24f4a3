"""Reading members of term data. Each function raises `InvalidRequest` that names the place."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from bursar.engine import limits
from bursar.engine.piaxis.errors import Loc, invalid
from bursar.engine.piaxis.terms.base import Data
from bursar.engine.piaxis.times import microseconds

GIVEN: Final[Loc] = ("body", "data")
"""Where a fulfilment's data stands."""
_CHARS: Final = 255


def text(data: Data, name: str, at: Loc) -> str:
    """Return a text of 1 to 255 characters, not blank."""
    value = data.get(name)
    if value is None:
        raise invalid((*at, name), f"{name} is required", "missing")
    if not isinstance(value, str) or not value.strip() or len(value) > _CHARS:
        raise invalid((*at, name), f"{name} must be a text of 1 to {_CHARS} characters", "string_type")
    return value


def optional_text(data: Data, name: str, at: Loc) -> str | None:
    """Return a text, or None when it is absent."""
    return None if data.get(name) is None else text(data, name, at)


def number(data: Data, name: str, at: Loc, low: int, high: int) -> Decimal:
    """Return a number, low <= n <= high."""
    value = data.get(name)
    if value is None:
        raise invalid((*at, name), f"{name} is required", "missing")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise invalid((*at, name), f"{name} must be a number", "number_type")
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite() or not low <= exact <= high:
        raise invalid((*at, name), f"{name} must be {low} to {high}", "out_of_range")
    return exact


def whole(data: Data, name: str, at: Loc, low: int, high: int) -> int:
    """Return a whole number, low <= n <= high."""
    value = number(data, name, at, low, high)
    if value != value.to_integral_value():
        raise invalid((*at, name), f"{name} must be a whole number", "int_from_float")
    return int(value)


def names(data: Data, name: str, at: Loc) -> list[str]:
    """Return a list of distinct texts, at least one."""
    value = data.get(name)
    if value is None:
        raise invalid((*at, name), f"{name} is required", "missing")
    if not isinstance(value, list) or not 1 <= len(value) <= limits.ESCROW_PARTICIPANTS:
        message = f"{name} must be a list of 1 to {limits.ESCROW_PARTICIPANTS} texts"
        raise invalid((*at, name), message, "list_type")
    found = [text({str(index): each}, str(index), (*at, name)) for index, each in enumerate(value)]
    if len(set(found)) < len(found):
        raise invalid((*at, name), f"{name} names somebody twice", "unique")
    return found


def time(data: Data, name: str, at: Loc) -> int:
    """Return an ISO 8601 time in microseconds of engine time; one without zone is UTC (E27)."""
    value = text(data, name, at)
    try:
        return microseconds(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        message = f"{name} must be a time such as 2026-12-01T12:00:00Z"
        raise invalid((*at, name), message, "datetime_parsing") from None
