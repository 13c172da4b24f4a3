"""Amounts between the wire and the ledger: ISO 4217 minor units inside, decimals outside (B3, PS28).

Answers show at least two decimals, also for currencies without any, as Piaxis does (E18). Whether thousands are
separated is a matter of the contract's models (PS40).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from bursar.engine import currency as iso
from bursar.engine.errors import InvalidInput
from bursar.engine.piaxis.errors import Loc, invalid

_SHOWN_DECIMALS: Final = 2
_PLAIN: Final = re.compile(r"[0-9]{1,40}(\.[0-9]{1,20})?")


def check_currency(code: str, loc: Loc) -> str:
    """Return a currency that amounts can be in. Raises `InvalidRequest` (PS29)."""
    try:
        iso.digits(code)
    except InvalidInput as error:
        raise invalid(loc, error.message, "value_error.currency") from None
    return code


def minor(amount: Decimal | int | str, currency: str, loc: Loc) -> int:
    """Return an amount above zero in minor units, exactly.

    Raises `InvalidRequest`: not above zero, NaN, grouped digits, more decimals than the currency has (PS27, PS28, E17).
    """
    value = _decimal(amount, loc)
    try:
        units = iso.to_minor(value, currency)
    except InvalidInput as error:
        raise invalid(loc, error.message, "value_error.amount") from None
    if units <= 0:
        raise invalid(loc, "the amount must be greater than 0", "greater_than")
    if units >= 2**63:
        raise invalid(loc, "the amount is too large", "less_than")
    return units


def _decimal(amount: Decimal | int | str, loc: Loc) -> Decimal:
    if not isinstance(amount, str):
        return Decimal(amount)
    if not _PLAIN.fullmatch(amount):
        hint = ": leave the thousands separators out" if "," in amount else ""
        raise invalid(loc, f"an amount is a plain decimal number{hint}", "decimal_parsing")
    return Decimal(amount)


def shown(units: int, currency: str) -> Decimal:
    """Return an amount as answers show it, with at least two decimals (E18): 50000 UGX is 50000.00."""
    value = iso.to_decimal(units, currency)
    places = max(iso.digits(currency), _SHOWN_DECIMALS)
    return value.quantize(Decimal(1).scaleb(-places), context=iso.EXACT)


def plain(units: int, currency: str) -> str:
    """Return the same as text: "50000.00"."""
    return f"{shown(units, currency):f}"


def show(units: int, currency: str) -> str:
    """Return an amount as messages show it: "50000.00 UGX"."""
    return f"{plain(units, currency)} {currency}"
