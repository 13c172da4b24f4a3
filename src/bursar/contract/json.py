"""JSON whose numbers are exact (RFC 8259), both ways.

Out: `Decimal` and `int` go as number literals with every digit they have; NaN, infinities, and floats where money
belongs are refused. In: numbers with a fraction or exponent become `Decimal`; duplicate keys, NaN, bad UTF-8 and
excessive nesting are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from .digits import AmountForm, amount
from .errors import InvalidRequestError, UnreadableAnswer
from .model import Model

MAX_DEPTH: Final = 64
"""Objects and arrays may be nested this deep."""
MAX_DIGITS: Final = 4000
"""A number may have this many digits; Python itself stops a little further on."""

_encode = msgspec.json.Encoder().encode


def number(value: object, pointer: str = "") -> bytes:
    """Return the digits of an exact number as JSON, exponents written out. Refuses NaN, infinities, bool and float."""
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise InvalidRequestError(
            f"{_place(pointer)} must be a Decimal or an int, not {type(value).__name__}: "
            'write Decimal("0.10") to keep the digits',
            pointer,
        )
    if isinstance(value, int):
        if value.bit_length() > MAX_DIGITS * 10 // 3:
            raise InvalidRequestError(f"{_place(pointer)} has too many digits", pointer)
        return str(int(value)).encode()
    if not value.is_finite():
        raise InvalidRequestError(f"{_place(pointer)} must be finite, not {value}", pointer)
    _, digits, exponent = value.as_tuple()
    if abs(int(exponent)) + len(digits) > MAX_DIGITS:
        raise InvalidRequestError(f"{_place(pointer)} has too many digits", pointer)
    return format(value, "f").encode()


def dumps(value: object) -> bytes:
    """Encode a model, a mapping or any JSON-like value. Raises `InvalidRequestError` naming the place."""
    try:
        return _encode(_plain(value, "", 0))
    except UnicodeEncodeError:
        raise InvalidRequestError("a text holds a lone surrogate, which cannot be sent as UTF-8") from None


def loads(body: bytes | str) -> Any:
    """Decode strictly: exact numbers, no duplicate keys, no NaN, bounded nesting. Raises `UnreadableAnswer`."""
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
    except UnicodeDecodeError as error:
        raise UnreadableAnswer(f"not UTF-8 at byte {error.start}") from None
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise UnreadableAnswer("nested too deep") from None
    except json.JSONDecodeError as error:
        raise UnreadableAnswer(f"not JSON: {error.msg} at character {error.pos}") from None
    except ValueError as error:
        raise UnreadableAnswer(str(error)) from None
    # Brackets inside texts are counted, too: that only costs a look at what they are.
    if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(value, MAX_DEPTH):
        raise UnreadableAnswer(f"nested deeper than {MAX_DEPTH}")
    if _SURROGATE.search(text) and not _is_text(value):
        raise UnreadableAnswer("a text holds a lone surrogate")
    return value


# Escapes of the range that RFC 8259 section 8.2 warns of; harmless in pairs.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _is_text(value: object) -> bool:
    """True when every text in a decoded value can be encoded."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def members(value: object) -> dict[str, Any] | None:
    """Return a decoded JSON object as a dict, None for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def elements(value: object) -> list[Any] | None:
    """Return a decoded JSON array as a list, None for anything else."""
    if not isinstance(value, list):
        return None
    array: list[Any] = value
    return array


def _place(pointer: str) -> str:
    return pointer or "the number"


def _plain(value: object, pointer: str, depth: int) -> object:
    """Return `value` in forms that the encoder writes exactly."""
    if value is None or isinstance(value, bool):
        return value
    handler = _HANDLERS.get(type(value))
    if handler is None:
        handler = next((h for kind, h in _HANDLERS.items() if isinstance(value, kind)), None)
    if handler is None:
        raise InvalidRequestError(
            f"{_place(pointer)}: a {type(value).__name__} cannot be sent as JSON", pointer
        )
    return handler(value, pointer, depth)


def _enum(value: Enum, pointer: str, depth: int) -> object:
    return _plain(value.value, pointer, depth)


def _text(value: str, pointer: str, depth: int) -> object:
    return str(value)


def _number(value: Decimal | int, pointer: str, depth: int) -> object:
    return msgspec.Raw(number(value, pointer))


def _float(value: float, pointer: str, depth: int) -> object:
    if not math.isfinite(value):
        raise InvalidRequestError(f"{_place(pointer)} must be finite, not {value}", pointer)
    return value


def _model(value: Model, pointer: str, depth: int) -> object:
    exact = exact_fields(type(value))
    payload = value.to_payload()
    for name in exact & payload.keys():
        if payload[name] is not None and not isinstance(payload[name], (list, tuple, Mapping)):
            payload[name] = _amount(payload[name], value.amounts, f"{pointer}/{name}")
    return _mapping(payload, pointer, depth)


def _amount(value: object, form: AmountForm, pointer: str) -> object:
    """Return an amount as its model writes it."""
    if form is AmountForm.NUMBER:
        return msgspec.Raw(number(value, pointer))
    if isinstance(value, str):
        try:
            value = amount(value)
        except ValueError as error:
            raise InvalidRequestError(f"{_place(pointer)}: {error}", pointer) from None
    return form.text(number(value, pointer).decode())


def _mapping(value: Mapping[Any, object], pointer: str, depth: int) -> object:
    _bounded(depth, pointer)
    members: dict[str, object] = {}
    for name, member in value.items():
        if not isinstance(name, str):
            raise InvalidRequestError(f"{_place(pointer)}: member names must be text, not {name!r}", pointer)
        members[name] = _plain(member, f"{pointer}/{name}", depth + 1)
    return members


def _sequence(value: list[object] | tuple[object, ...], pointer: str, depth: int) -> object:
    _bounded(depth, pointer)
    return [_plain(item, f"{pointer}/{index}", depth + 1) for index, item in enumerate(value)]


def _bounded(depth: int, pointer: str) -> None:
    if depth >= MAX_DEPTH:
        raise InvalidRequestError(f"nested deeper than {MAX_DEPTH}", pointer)


def _moment(value: datetime, pointer: str, depth: int) -> object:
    if value.tzinfo is None:
        raise InvalidRequestError(
            f"{_place(pointer)}: a time needs a zone, for example datetime.now(UTC)", pointer
        )
    return moment(value)


def moment(value: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC, its fraction without zeros at the end."""
    text = value.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text.rstrip('0') if value.microsecond else text}Z"


_HANDLERS: dict[Any, Callable[[Any, str, int], object]] = {
    Enum: _enum,
    str: _text,
    int: _number,
    Decimal: _number,
    dict: _mapping,
    list: _sequence,
    tuple: _sequence,
    float: _float,
    msgspec.Raw: lambda value, pointer, depth: value,
    Model: _model,
    Mapping: _mapping,
    datetime: _moment,
    date: lambda value, pointer, depth: value.isoformat(),
    UUID: lambda value, pointer, depth: str(value),
}

_exact_cache: dict[type[Model], frozenset[str]] = {}


def exact_fields(model: type[Model]) -> frozenset[str]:
    """Return the wire names of a model's `Decimal` fields, which must be number literals."""
    known = _exact_cache.get(model)
    if known is None:
        known = frozenset(
            field.encode_name for field in msgspec.structs.fields(model) if is_decimal(field.type)
        )
        _exact_cache[model] = known
    return known


def is_decimal(kind: Any) -> bool:
    """Return True for the type of an exact number, or of one that may be absent."""
    return kind is Decimal or any(arg is Decimal for arg in getattr(kind, "__args__", ()))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has the same key twice")
    return members


def _literal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        # Its exponent is beyond what `decimal` can hold.
        raise ValueError("a number has too many digits") from None
    _, digits, exponent = value.as_tuple()
    if abs(int(exponent)) + len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_literal, parse_int=_integer, parse_constant=_refuse
)


def _too_deep(value: object, left: int) -> bool:
    level: list[Any] = [value]
    while level:
        if left < 0:
            return True
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        left -= 1
    return False


def _children(value: object) -> Iterable[Any]:
    inside = members(value)
    return (elements(value) or ()) if inside is None else inside.values()
