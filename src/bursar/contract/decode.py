"""Reading answers: strict and in C when they have the documented form, tolerant and in Python when they do not.

The tolerant reader keeps unknown members in `Model.extra`, keeps unknown enum values, reads a missing nullable
member as None and a number given as text as that number. It never invents a value: a missing member that is not
nullable is an error.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import msgspec

from .digits import AmountForm, amount
from .errors import UnreadableAnswer
from .json import elements, is_decimal, loads, members, number
from .model import Model

T = TypeVar("T")


@cache
def decoder(kind: Any) -> Callable[[bytes], Any]:
    """Return a function from JSON bytes to `kind`, compiled once. It raises `UnreadableAnswer`."""
    strict = _strict(kind)
    careful = _holds_decimals(kind)

    def decode(body: bytes) -> Any:
        try:
            if strict is not None and not (careful and _is_odd(body)):
                return strict(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        return tolerant(loads(body), kind)

    return decode


@cache
def strict_list(kind: Any) -> Callable[[bytes], list[Any]] | None:
    """Return the fast decoder of an array of `kind`; None where only the tolerant one will do."""
    return None if _holds_decimals(kind) else _strict(types.GenericAlias(list, (kind,)))


def _strict(kind: Any) -> Callable[[bytes], Any] | None:
    try:
        return msgspec.json.Decoder(kind, float_hook=Decimal).decode
    except TypeError:
        # A union of models without tags: the tolerant reader tries one after the other.
        return None


def _holds_decimals(kind: Any) -> bool:
    try:
        return "'decimal'" in str(msgspec.json.schema(kind))
    except TypeError:
        return True


_HUGE = re.compile(rb"[eE][+-]?[0-9]{4}")


def _is_odd(body: bytes) -> bool:
    """True when the fast decoder might make a NaN, an infinity or an endless number out of the body."""
    small = body.lower()
    return b"nan" in small or b"inf" in small or b"\\u00" in small or _HUGE.search(body) is not None


def tolerant(value: Any, kind: type[T], pointer: str = "") -> T:
    """Read a decoded JSON value as `kind`, keeping what is unknown. Raises `UnreadableAnswer` naming the place."""
    result: T = _read(value, kind, pointer)
    return result


def _read(value: Any, kind: Any, pointer: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _read(value, typing.get_args(kind)[0], pointer)
    if origin in (typing.Union, types.UnionType):
        return _union(value, typing.get_args(kind), pointer)
    if isinstance(kind, type) and issubclass(kind, Model):
        return _model(value, kind, pointer)
    items = elements(value)
    if origin in (list, tuple, Sequence) and items is not None:
        item = typing.get_args(kind)[0]
        read = [_read(entry, item, f"{pointer}/{index}") for index, entry in enumerate(items)]
        return tuple(read) if origin is tuple else read
    inside = members(value)
    if origin in (dict, Mapping) and inside is not None:
        member = typing.get_args(kind)[1]
        return {name: _read(entry, member, f"{pointer}/{name}") for name, entry in inside.items()}
    return _leaf(value, kind, pointer)


def _model(value: Any, kind: type[Model], pointer: str) -> Model:
    inside = members(value)
    if inside is None:
        raise UnreadableAnswer(f"expected an object at {pointer or 'the top'}", pointer)
    rest = dict(inside)
    tag = kind.tag_name()
    if tag is not None and rest.get(tag) == kind.tag_value():
        del rest[tag]
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        place = f"{pointer}/{field.encode_name}"
        if field.encode_name in rest:
            fields[field.name] = _member(rest.pop(field.encode_name), field.type, place, kind.amounts)
        elif field.required:
            if type(None) not in typing.get_args(field.type):
                raise UnreadableAnswer(f"{place} is missing", place)
            fields[field.name] = None
    model = kind(**fields)
    if rest:
        model.keep_extra(rest)
    return model


def _member(value: Any, kind: Any, pointer: str, form: AmountForm) -> Any:
    """Read a model's member; an amount that is grouped text is no number to the codec."""
    if form is AmountForm.GROUPED and isinstance(value, str) and is_decimal(kind):
        try:
            return amount(value)
        except ValueError as error:
            raise UnreadableAnswer(f"{pointer}: {error}", pointer) from None
    return _read(value, kind, pointer)


def _union(value: Any, kinds: tuple[Any, ...], pointer: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    variant = _variant(value, kinds)
    if variant is not None:
        return _model(value, variant, pointer)
    failure: UnreadableAnswer | None = None
    for kind in kinds:
        if kind in (type(None), msgspec.UnsetType):
            continue
        try:
            return _read(value, kind, pointer)
        except UnreadableAnswer as error:
            failure = error
    raise failure or UnreadableAnswer(f"unexpected value at {pointer or 'the top'}", pointer)


def _variant(value: Any, kinds: tuple[Any, ...]) -> type[Model] | None:
    """Return the model that a tagged object means: the one with its tag, else the one for unknown tags (``""``)."""
    inside = members(value)
    if inside is None:
        return None
    spare: type[Model] | None = None
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Model)):
            continue
        name = kind.tag_name()
        if name is None or not isinstance(inside.get(name), str):
            continue
        if inside[name] == kind.tag_value():
            return kind
        if kind.tag_value() == "":
            spare = kind
    return spare


def _leaf(value: Any, kind: Any, pointer: str) -> Any:
    if kind is Decimal and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Decimal(value)
    if kind is int and isinstance(value, Decimal) and value == value.to_integral_value():
        # An integer written with a fraction of zeros or an exponent.
        return int(value)
    try:
        # Not strict: an integer or a decimal given as text is still that number.
        leaf = msgspec.convert(value, kind, strict=isinstance(value, bool))
        if isinstance(leaf, Decimal):
            number(leaf)
        return leaf
    except (msgspec.ValidationError, ValueError) as error:
        raise UnreadableAnswer(f"{pointer or 'the answer'}: {error}", pointer) from None
