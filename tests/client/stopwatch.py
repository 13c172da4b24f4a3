"""Measuring how long a call takes on a machine that may be busy with other things."""

from __future__ import annotations

import time
from collections.abc import Callable


def lasts(call: Callable[[], object], least: float, most: float, tries: int = 3) -> bool:
    """True when one of a few runs of `call` takes between `least` and `most` seconds."""
    for _ in range(tries):
        started = time.monotonic()
        call()
        if least <= time.monotonic() - started <= most:
            return True
    return False
