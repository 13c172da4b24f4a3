"""The machine's variables from text (13.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from bursar.engine.numscript.errors import RunError
from bursar.engine.numscript.limits import DIGITS
from bursar.engine.numscript.syntax import Declaration
from bursar.engine.numscript.values import (
    ACCOUNT_PATTERN,
    Account,
    Asset,
    Monetary,
    Value,
    is_account,
    is_asset,
    is_number,
    parse_portion,
)

_ASSET_RULE: Final = r"asset should respect pattern '[A-Z][A-Z0-9]{0,16}(_[A-Z]{1,16})?(\/\d{1,6})?'"
_JSON_BLANKS: Final = " \t\r\n"
_JSON_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_JSON_NUMBER: Final = re.compile(rf"{_JSON_INTEGER.pattern}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def read_variables(declarations: tuple[Declaration, ...], given: Mapping[str, str]) -> dict[str, Value]:
    """The values of the variables without origin; raises RunError (ErrInvalidVars), also for superfluous ones."""
    values: dict[str, Value] = {}
    for declaration in declarations:
        if declaration.origin is not None:
            continue
        name, type_name = declaration.name, declaration.type_name
        if name not in given:
            raise _invalid(f"missing variable ${name}")
        try:
            values[name] = read_value(type_name, given[name])
        except ValueError as reason:
            message = f"invalid JSON value for variable ${name} of type {type_name}: {reason}"
            raise _invalid(message) from None
    for name in given:
        if name not in values:
            raise _invalid(f"extraneous variable ${name}")
    return values


def _invalid(message: str) -> RunError:
    return RunError("ErrInvalidVars", message, stage="vars")


def read_value(type_name: str, text: str) -> Value:
    """A value from text; raises ValueError with the reason."""
    match type_name:
        case "account":
            if not is_account(text):
                raise ValueError(f"value {text}: accounts should respect pattern ^{ACCOUNT_PATTERN}$")
            return Account(text)
        case "asset":
            if not is_asset(text):
                raise ValueError(f"value {text}: {_ASSET_RULE}")
            return Asset(text)
        case "number":
            return _number(text)
        case "monetary":
            return _monetary(text)
        case "portion":
            return parse_portion(text)
        case _:
            return text


def _monetary(text: str) -> Monetary:
    asset, space, amount = text.partition(" ")
    if not space:
        raise ValueError("monetary must have two parts")
    if not is_number(amount) or len(amount) > DIGITS:
        raise ValueError("invalid monetary int")
    value = Monetary(asset, int(amount))
    shown = f"value [{asset} {value.amount}]: "
    if not is_asset(asset):
        raise ValueError(f"{shown}asset '{asset}': {_ASSET_RULE}")
    if value.amount < 0:
        raise ValueError(f"{shown}negative amount")
    return value


def _number(text: str) -> int:
    """A JSON integer."""
    body = text.strip(_JSON_BLANKS)
    if _JSON_INTEGER.fullmatch(body):
        if len(body) > DIGITS:
            raise ValueError(f"a number has at most {DIGITS} digits")
        return int(body)
    if fault := _json_fault(body):
        raise ValueError(fault)
    quoted = json.dumps(body, ensure_ascii=False)
    raise ValueError(f"math/big: cannot unmarshal {quoted} into a *big.Int")


def _json_fault(body: str) -> str | None:
    """What a JSON reader says about text that is no JSON; None if it is some."""
    if not body:
        return "unexpected end of JSON input"
    if body[0] not in '-0123456789"[{tfn':
        return f"invalid character {_shown(body[0])} looking for beginning of value"
    if body[0] in "-0123456789":
        number = _JSON_NUMBER.match(body)
        if number is None:
            return _number_fault(body)
        rest = body[number.end() :].lstrip(_JSON_BLANKS)
        if rest and number.end() < len(body) and body[number.end()] in ".eE":
            return _number_fault(body[number.end() :])
        return f"invalid character {_shown(rest[0])} after top-level value" if rest else None
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "invalid JSON value"
    return None


def _number_fault(text: str) -> str:
    """`text` starts with the `-`, `.` or `e` after which a digit is missing."""
    sign = len(text) > 1 and text[0] in "eE" and text[1] in "+-"
    wrong = text[2:3] if sign else text[1:2]
    if not wrong:
        return "unexpected end of JSON input"
    place = {"-": "in numeric literal", ".": "after decimal point in numeric literal"}
    return f"invalid character {_shown(wrong)} {place.get(text[0], 'in exponent of numeric literal')}"


def _shown(char: str) -> str:
    """A character as Go's JSON reader shows it: the first byte of its UTF-8."""
    if char in "'\"":
        return "'\\''" if char == "'" else "'\"'"
    first = chr(char.encode("utf-8", "replace")[0])
    return f"'{first}'" if first.isprintable() else f"'\\x{ord(first):02x}'"
