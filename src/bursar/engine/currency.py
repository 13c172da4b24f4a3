"""ISO 4217 currencies and their minor units: between the wire's decimals and the ledger's integers.

Inside the rail an amount is an `int` of minor units (cents); only the wire shows decimals. Nothing here rounds: an
amount that is not a whole number of minor units is refused (MS20).
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import cache

from iso4217 import Currency

from bursar.engine.errors import FieldError, InvalidInput
from bursar.engine.limits import AMOUNT_DIGITS

EXACT = Context(prec=200, traps=[InvalidOperation, Overflow, Inexact])
"""Arithmetic that never rounds: losing a digit raises `decimal.Inexact`."""


@cache
def digits(currency: str) -> int:
    """Return how many decimals a currency's minor unit has (ISO 4217 exponent): USD 2, JPY 0, KWD 3.

    Raises `InvalidInput` for a code that ISO 4217 does not list or that has no minor unit, such as XAU (MS22).
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise InvalidInput(f"{currency} is not an ISO 4217 currency that payments can be made in")
    return exponent


@cache
def asset(currency: str) -> str:
    """Return the ledger's name of a currency: ``USD/2``, ``JPY``."""
    places = digits(currency)
    return f"{currency}/{places}" if places else currency


def to_minor(amount: Decimal, currency: str, pointer: str = "") -> int:
    """Return an amount of zero or more in minor units, exactly.

    Raises `InvalidInput` when the amount is negative or not finite, has more decimals than the currency (MS20) or
    more than `AMOUNT_DIGITS` digits (MS21).
    """
    name = pointer.removeprefix("/") or "the amount"
    if not amount.is_finite() or amount < 0:
        raise _refused(f"{name} must be a number of at least 0", pointer)
    places = digits(currency)
    if amount and amount.adjusted() + places >= AMOUNT_DIGITS:
        raise _refused(f"{name} is too large: at most {AMOUNT_DIGITS} digits in minor units", pointer)
    try:
        return int(amount.quantize(Decimal(1).scaleb(-places), context=EXACT).scaleb(places, context=EXACT))
    except (Inexact, InvalidOperation):
        raise _refused(f"{name} has too many decimals: {currency} has {places}", pointer) from None


def to_decimal(minor: int, currency: str) -> Decimal:
    """Return minor units as the wire shows them, with all of the currency's decimals (D19): 150 USD -> 1.50."""
    return Decimal(minor).scaleb(-digits(currency), context=EXACT)


def show(minor: int, currency: str) -> str:
    """Return an amount as texts show it: ``1.50 USD``."""
    return f"{to_decimal(minor, currency):f} {currency}"


def _refused(message: str, pointer: str) -> InvalidInput:
    return InvalidInput(message, errors=[FieldError(pointer, message)])
