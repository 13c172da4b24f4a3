"""The six types of values, their text forms, and the reading of values from text (specification 3 and 5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

from bursar.engine.numscript.errors import Fault, fail
from bursar.engine.numscript.limits import DIGITS


class Account(str):
    """The name of an account, without `@`."""

    __slots__ = ()


class Asset(str):
    """The name of an asset."""

    __slots__ = ()


class Monetary(NamedTuple):
    """An amount of an asset, in its minor units."""

    asset: str
    amount: int


Value: TypeAlias = int | str | Account | Asset | Monetary | Fraction
"""number, string, account, asset, monetary, portion; told apart by their exact Python type."""

TYPE_NAMES: Final[dict[type, str]] = {
    Monetary: "monetary",
    Account: "account",
    Fraction: "portion",
    Asset: "asset",
    int: "number",
    str: "string",
}

ACCOUNT_PATTERN: Final = r"[a-zA-Z0-9_-]+(:[a-zA-Z0-9_-]+)*"
ASSET_PATTERN: Final = r"[A-Z][A-Z0-9]{0,16}(_[A-Z]{1,16})?(\/[0-9]{1,6})?"

is_account: Final = re.compile(ACCOUNT_PATTERN).fullmatch
is_asset: Final = re.compile(ASSET_PATTERN).fullmatch
is_color: Final = re.compile(r"[A-Z]*").fullmatch
is_number: Final = re.compile(r"[+-]?[0-9]+").fullmatch
_percentage: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?%").fullmatch
_ratio: Final = re.compile(r"([0-9]+)[ \t\r\n\f]?/[ \t\r\n\f]?([0-9]+)").fullmatch


class BadPortion(ValueError):
    """Text that is no portion; the reason is the message."""


def text_of(value: Value) -> str:
    """The text form: `ASSET AMOUNT`, `num/den` in lowest terms, or the plain text."""
    if isinstance(value, Monetary):
        return f"{value.asset} {value.amount}"
    if isinstance(value, Fraction):
        return ratio_text(value)
    return str(value)


def ratio_text(ratio: Fraction) -> str:
    """`num/den`, also for whole numbers."""
    return f"{ratio.numerator}/{ratio.denominator}"


def type_of(value: Value) -> str:
    """The name of a value's type."""
    return TYPE_NAMES[type(value)]


def percentage(text: str) -> Fraction:
    """The portion that a PERCENT token stands for, exactly."""
    whole, _, decimals = text[:-1].partition(".")
    return Fraction(int(whole + decimals), 100 * 10 ** len(decimals))


def parse_portion(text: str) -> Fraction:
    """`50%`, `33.3%` or `1/3`, between 0 and 1. Raises BadPortion."""
    if len(text) > 2 * DIGITS:
        raise BadPortion("too many digits")
    if _percentage(text):
        portion = percentage(text)
    elif match := _ratio(text):
        numerator, denominator = int(match[1]), int(match[2])
        if denominator == 0:
            raise BadPortion("invalid fractional format")
        portion = Fraction(numerator, denominator)
    else:
        raise BadPortion("invalid format")
    if portion > 1:
        raise BadPortion("portion must be between 0% and 100% inclusive")
    return portion


def parse_number(text: str) -> int:
    """An optional sign and ASCII digits, nothing else."""
    if not is_number(text):
        raise fail(Fault.INVALID_NUMBER, source=text)
    if len(text) > DIGITS:
        raise fail(Fault.LIMIT, limit=f"a number has at most {DIGITS} digits")
    return int(text)


def make_account(name: str) -> Account:
    """An account of this name; raises RunError for an impossible one."""
    if not is_account(name):
        raise fail(Fault.INVALID_ACCOUNT, name=name)
    return Account(name)


def make_asset(name: str) -> Asset:
    """An asset of this name; raises RunError for an impossible one."""
    if not is_asset(name):
        raise fail(Fault.INVALID_ASSET, name=name)
    return Asset(name)


def parse_monetary(text: str) -> Monetary:
    """`ASSET AMOUNT` with exactly one space; the amount is looked at before the asset."""
    parts = text.split(" ")
    if len(parts) != 2:
        raise fail(Fault.INVALID_MONETARY, source=text)
    amount = parse_number(parts[1])
    return Monetary(make_asset(parts[0]), amount)


def _portion(text: str) -> Fraction:
    try:
        return parse_portion(text)
    except BadPortion as reason:
        raise fail(Fault.BAD_PORTION, reason=str(reason), source=text) from None


_PARSERS: Final[dict[str, Callable[[str], Value]]] = {
    "monetary": parse_monetary,
    "account": make_account,
    "portion": _portion,
    "asset": make_asset,
    "number": parse_number,
    "string": str,
}


def parse_value(type_name: str, text: str) -> Value | None:
    """A variable's or a metadata entry's text as a value of the declared type; None if there is no such type."""
    parser = _PARSERS.get(type_name)
    return None if parser is None else parser(text)
