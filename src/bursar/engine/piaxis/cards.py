"""No card number is ever stored: free texts that hold one are refused (PCI DSS, requirement 3).

A card number is 15 or 16 digits, spaces and hyphens between them allowed, with the beginning of a card scheme and a
right check digit (ISO/IEC 7812). Shorter and longer ones are left alone: they would hit barcodes and references.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bursar.engine.piaxis.errors import Loc, invalid

_RUN: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9A-Za-z]-)[0-9](?:[ -]?[0-9]){14,15}(?!-?[0-9A-Za-z])")
"""Not a part of a longer word, such as a UUID."""
_SCHEME: Final = re.compile(r"3[47][0-9]{13}|(?:4[0-9]|5[1-5]|2[2-7]|35|6[05])[0-9]{14}")
"""American Express; Visa, Mastercard, JCB, Discover."""


def refuse_card_numbers(value: Any, loc: Loc) -> None:
    """Look through a text, or all texts and numbers of a JSON value. Raises `InvalidRequest` at a card number."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            refuse_card_numbers(name, loc)
            refuse_card_numbers(member, (*loc, str(name)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, member in enumerate(value):
            refuse_card_numbers(member, (*loc, index))
    elif value is not None and any(_is_card(found[0]) for found in _RUN.finditer(str(value))):
        raise invalid(loc, "this looks like a card number, which must never be sent here", "card_number")


def _is_card(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    return _SCHEME.fullmatch(digits) is not None and _luhn(digits) % 10 == 0


def _luhn(digits: str) -> int:
    """Return the sum whose last digit is 0 for a right number."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total
