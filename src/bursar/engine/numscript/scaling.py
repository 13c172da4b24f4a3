"""Asset scaling: one unit of money in several precisions, `USD` (scale 0) and `USD/2` (scale 2) (7.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bursar.engine.numscript.errors import Fault, fail
from bursar.engine.numscript.limits import SCALE

_SCALED: Final = re.compile(r"([^/]*)(?:/([0-9]{1,9}))?").fullmatch


def base_and_scale(asset: str) -> tuple[str, int]:
    """`USD/2` is USD at scale 2."""
    base, _, scale = asset.partition("/")
    return base, int(scale[:9] or 0)


def scaled(base: str, scale: int) -> str:
    """The asset's name at a scale."""
    return f"{base}/{scale}" if scale else base


def scales_of(base: str, rows: Iterable[tuple[str, int]]) -> dict[int, int]:
    """The balances of an asset by scale; of two names for one scale the later one counts."""
    found: dict[int, int] = {}
    for asset, amount in rows:
        match = _SCALED(asset)
        if match and match[1] == base:
            found[int(match[2] or 0)] = amount
    return found


def convert(
    scales: Mapping[int, int], wanted_scale: int, need: int | None
) -> tuple[list[tuple[int, int]], int]:
    """What to give in each scale so as to get what is needed (None: all that can be had), and what that makes.

    Smallest units first; they are only broken into whole wanted units, while a larger unit may bring too much.
    """
    if any(abs(wanted_scale - scale) > SCALE for scale in scales):
        raise fail(Fault.LIMIT, limit=f"scales may differ by {SCALE} digits")
    given: list[tuple[int, int]] = []
    total = 0
    for scale, balance in sorted(scales.items(), reverse=True):
        if need is not None and total >= need:
            break
        # One unit given is up/down units wanted; one of the two is 1.
        up, down = 10 ** max(0, wanted_scale - scale), 10 ** max(0, scale - wanted_scale)
        convertible = balance * up // down
        taken = convertible if need is None else min(convertible, need - total)
        give = -(-taken * down // up)
        if give:
            given.append((scale, give))
            total += give * up // down
    return given, total
