"""Times, as the vendor's users write them."""

from __future__ import annotations

from datetime import datetime


def parse_datetime(datetime_string: str) -> datetime:
    """Return the time of an ISO 8601 text such as ``2026-01-02T03:04:05.1Z``. Raises `ValueError`."""
    return datetime.fromisoformat(datetime_string)
