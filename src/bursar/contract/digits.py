"""How a model's exact numbers are written: as JSON numbers, or as text in one of two forms."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


class AmountForm(Enum):
    """How the `Decimal` fields of a model stand on the wire; the digits are kept in each form."""

    NUMBER = "number"
    """A JSON number: ``15000.00``."""
    TEXT = "text"
    """A text: ``"15000.00"``."""
    GROUPED = "grouped"
    """A text with a comma between thousands: ``"15,000.00"``."""

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self is AmountForm.NUMBER:
            return "must be a JSON number"
        return 'must be a plain decimal such as "15000.00", without separators between thousands'

    def text(self, digits: str) -> str:
        """Return plain digits in this form."""
        if self is not AmountForm.GROUPED:
            return digits
        whole, point, fraction = digits.partition(".")
        sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        return f"{sign}{int(whole):,}{point}{fraction}"


def is_plain(text: str) -> bool:
    """True for digits with at most one point and a sign, nothing else."""
    return _PLAIN.fullmatch(text) is not None


def amount(text: str) -> Decimal:
    """Read an amount in either text form. Raises `ValueError` for anything else, ``15.000,00`` included."""
    if not (_PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)):
        raise ValueError(f'{text[:40]!r} is not an amount such as "15000.00" or "15,000.00"')
    return Decimal(text.replace(",", ""))
