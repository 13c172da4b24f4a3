"""Variables of a script as texts (section 9.3)."""

from __future__ import annotations

import math
from typing import Any, Final, cast

from bursar.engine.ledger import wire
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.wire import Literal, Members

_TOO_LARGE: Final = 2**63


def of_v2(value: Any) -> dict[str, str]:
    """The variables of version 2, which takes any JSON and prints it as Go does. Raises Validation."""
    out: dict[str, str] = {}
    for name, variable in _members(value).items():
        text = (
            _amount_of_v2(cast("dict[str, Any]", variable))
            if isinstance(variable, dict)
            else printed(variable)
        )
        if text is not None:
            out[name] = text
    return out


def of_v1(value: Any) -> dict[str, str]:
    """The variables of version 1: texts, or an asset with an exact amount. Raises Validation."""
    return {name: _of_v1(name, variable) for name, variable in _members(value).items()}


def _members(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Validation("'script.vars' must be an object")
    return cast("dict[str, Any]", value)


def _of_v1(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise Validation(f"the variable '{name}' must be a text or an asset with an amount")
    members = Members(value, name)
    amount = members.raw("amount")
    if not members.has("asset") or not members.given("amount"):
        raise Validation(f"the variable '{name}' needs an asset and an amount")
    if amount is None:
        amount = 0
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise Validation(f"the amount of the variable '{name}' must be a whole number")
    return f"{members.text('asset')} {amount}"


def _amount_of_v2(value: dict[str, Any]) -> str | None:
    """An asset with an amount; None when the amount is of no use. A number loses digits as in the real service."""
    amount = value.get("amount")
    if isinstance(amount, (int, Literal)) and not isinstance(amount, bool):
        try:
            double = float(amount)
        except OverflowError:
            return None
        amount = str(_int64(double)) if math.isfinite(double) else None
    return f"{_as_text(value.get('asset'))} {amount}" if isinstance(amount, str) else None


def _int64(double: float) -> int:
    """A double cut to 64 bits: what does not fit is the least of them, which no posting takes."""
    whole = int(double)
    return whole if -_TOO_LARGE <= whole < _TOO_LARGE else -_TOO_LARGE


def _as_text(value: Any) -> str:
    """A JSON value as Go prints it where a text is wanted: what is none stands with its kind."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(_part, wire.items(value)))}]"
    if isinstance(value, dict):
        items = sorted(cast("dict[str, Any]", value).items())
        return f"map[{' '.join(f'{key}:{_part(item)}' for key, item in items)}]"
    kind = "" if value is None else "bool=" if isinstance(value, bool) else "float64="
    return f"%!s({kind}{printed(value)})"


def _part(value: Any) -> str:
    return printed(None) if value is None else _as_text(value)


def printed(value: Any) -> str:
    """A JSON value as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Literal)):
        return _double(value)
    if isinstance(value, list):
        return f"[{' '.join(printed(item) for item in wire.items(value))}]"
    if isinstance(value, dict):
        items = sorted(cast("dict[str, Any]", value).items())
        return f"map[{' '.join(f'{key}:{printed(item)}' for key, item in items)}]"
    return str(value)


def _double(value: int | Literal) -> str:
    """The shortest digits of a double, with an exponent from a million on."""
    try:
        double = float(value)
    except OverflowError:
        raise Validation(f"the number {value} is too large for a variable: write it as a text") from None
    if double == 0:
        return "0"
    digits, _, exponent = f"{double!r}".partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    power = int(exponent or 0) + len(whole) - 1
    significant = (whole + fraction).lstrip("0")
    if whole == "0":
        power = int(exponent or 0) - (len(fraction) - len(fraction.lstrip("0"))) - 1
    significant = significant.rstrip("0") or "0"
    sign = "-" if double < 0 else ""
    if -4 <= power < 6:
        return sign + _positional(significant, power)
    mantissa = significant[0] + (f".{significant[1:]}" if len(significant) > 1 else "")
    return f"{sign}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _positional(digits: str, power: int) -> str:
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    if len(digits) <= power + 1:
        return digits + "0" * (power + 1 - len(digits))
    return f"{digits[: power + 1]}.{digits[power + 1 :]}"
