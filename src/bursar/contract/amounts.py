"""Finding what stands where an exact number is due and is none, and writing exact numbers in a model's form.

Decoders take any text for a `Decimal`. Where an API's amounts are number literals, a text is a mistake; where they
are texts, one that is not a plain decimal is.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from .digits import AmountForm, amount, is_plain
from .json import number
from .model import Model

_NUMBER = AmountForm.NUMBER


def misplaced(
    value: Any, kind: Any, pointer: str = "", form: AmountForm = _NUMBER
) -> Iterator[tuple[str, Any, AmountForm]]:
    """Go through the places where `kind` wants a `Decimal` and `value` has none in the form that is due.

    Yields JSON pointer, value and form.
    """
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if kind is Decimal:
        if not _is_exact(value, form):
            yield pointer, value, form
    elif origin is typing.Annotated:
        yield from misplaced(value, options[0], pointer, form)
    elif origin in (typing.Union, types.UnionType):
        if value is not None and str not in options:
            for option in options:
                yield from misplaced(value, option, pointer, form)
    elif isinstance(value, Mapping):
        inner = _form(kind, form)
        for name, member, member_kind in _members(value, kind, origin, options):
            yield from misplaced(member, member_kind, f"{pointer}/{name}", inner)
    elif origin is list and isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from misplaced(item, options[0], f"{pointer}/{index}", form)


def written(value: Any, kind: Any, form: AmountForm = _NUMBER) -> Any:
    """Return `value` with each amount that `kind` wants as text in that form; what is no amount stays as it is."""
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if kind is Decimal:
        return _as_text(value, form)
    if origin is typing.Annotated:
        return written(value, options[0], form)
    if origin in (typing.Union, types.UnionType):
        named = next((option for option in options if option not in (type(None), str)), Any)
        return value if value is None or str in options else written(value, named, form)
    if isinstance(value, Mapping):
        inner = _form(kind, form)
        changed = {
            name: written(member, member_kind, inner)
            for name, member, member_kind in _members(value, kind, origin, options)
        }
        return {**value, **changed}
    if origin is list and isinstance(value, (list, tuple)):
        return [written(item, options[0], form) for item in value]
    return value


def _as_text(value: Any, form: AmountForm) -> Any:
    if form is _NUMBER:
        return value
    try:
        exact = amount(value) if isinstance(value, str) else value
        return form.text(number(exact).decode())
    except ValueError:
        return value  # whoever checks the whole says where it is wrong


def _is_exact(value: Any, form: AmountForm) -> bool:
    if isinstance(value, str):
        return form is not _NUMBER and is_plain(value)
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _form(kind: Any, form: AmountForm) -> AmountForm:
    """Return the form inside a value of `kind`: a model has its own, a mapping that of the model it stands in."""
    return kind.amounts if isinstance(kind, type) and issubclass(kind, Model) else form


def _members(
    value: Mapping[str, Any], kind: Any, origin: Any, options: tuple[Any, ...]
) -> Iterator[tuple[str, Any, Any]]:
    """Go through the members that may hold an amount: name, value, kind."""
    if isinstance(kind, type) and issubclass(kind, Model):
        for name, member_kind in _interesting(kind):
            if name in value:
                yield name, value[name], member_kind
    elif origin in (dict, Mapping) and options[1] is not Any:
        for name, member in value.items():
            yield name, member, options[1]


@cache
def _interesting(model: type[Model]) -> tuple[tuple[str, Any], ...]:
    """Return wire name and type of the fields that may hold an amount, itself or further in."""
    return tuple(
        (field.encode_name, field.type)
        for field in msgspec.structs.fields(model)
        if _core(field.type) not in (str, int, bool, Any)
    )


def _core(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind
