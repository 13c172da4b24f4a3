"""Money on its way: the queue between sources and destinations, and the splitting among shares (7.4, 8.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple, TypeAlias

from bursar.engine.numscript.errors import Fault, fail
from bursar.engine.numscript.limits import PORTION_BITS
from bursar.engine.numscript.values import ratio_text


class Posting(NamedTuple):
    """One movement; the amount is in the asset's minor units, a color is empty or capitals."""

    source: str
    destination: str
    asset: str
    amount: int
    color: str = ""


class Piece(NamedTuple):
    """Money pulled from one account."""

    account: str
    color: str
    amount: int


class Queue:
    """Money pulled from sources, first in first out."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: deque[Piece] = deque()

    def put(self, account: str, color: str, amount: int) -> None:
        """Add what was pulled; nothing if that is 0."""
        if amount:
            self.pieces.append(Piece(account, color, amount))

    def take(self, amount: int) -> list[Piece]:
        """Pieces that make up the amount, fewer if the queue runs dry. Neighbours of one account and color are one."""
        pieces = self.pieces
        taken: list[Piece] = []
        while amount and pieces:
            account, color, available = pieces.popleft()
            while pieces and pieces[0].account == account and pieces[0].color == color:
                available += pieces.popleft().amount
            if available > amount:
                pieces.appendleft(Piece(account, color, available - amount))
                available = amount
            taken.append(Piece(account, color, available))
            amount -= available
        return taken


Share: TypeAlias = tuple[int, int]
"""A share as numerator and denominator, not reduced: integers are several times faster than Fractions."""


def complete(shares: Sequence[Fraction | None]) -> list[Share]:
    """Shares with `remaining` (None) filled in: of several, only the last one gets what is left of 1.

    Without `remaining` they must sum to exactly 1.
    """
    numerator, denominator = 0, 1
    filled: list[Share] = []
    last = -1
    for share in shares:
        if share is None:
            last = len(filled)
            filled.append((0, 1))
            continue
        part, whole = share.numerator, share.denominator
        common = lcm(denominator, whole)
        if common.bit_length() > PORTION_BITS:
            raise fail(Fault.LIMIT, limit="the portions of an allotment have no small enough denominator")
        numerator = numerator * (common // denominator) + part * (common // whole)
        denominator = common
        filled.append((part, whole))
    if last >= 0:
        filled[last] = (denominator - numerator, denominator)
    elif numerator != denominator:
        raise fail(Fault.ALLOTMENT_SUM, actual_sum=ratio_text(Fraction(numerator, denominator)))
    return filled


def split(amount: int, shares: Sequence[Share]) -> list[int]:
    """Whole parts of the amount: each share rounded down, then the missing units one each from the first part on."""
    parts = [numerator * amount // denominator for numerator, denominator in shares]
    for index in range(min(amount - sum(parts), len(parts))):
        parts[index] += 1
    return parts
