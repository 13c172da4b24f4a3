"""Finding what stands where an exact number is due and is none.

Decoders take a text for a `Decimal`; the APIs' amounts are number literals, so a text there is a mistake.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from .model import Model


def misplaced(value: Any, kind: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Go through the places (JSON pointer and value) where `kind` wants a `Decimal` and `value` has no number."""
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if kind is Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            yield pointer, value
    elif origin is typing.Annotated:
        yield from misplaced(value, options[0], pointer)
    elif origin in (typing.Union, types.UnionType):
        if value is not None and str not in options:
            for option in options:
                yield from misplaced(value, option, pointer)
    elif isinstance(value, Mapping):
        for name, member, member_kind in _members(value, kind, origin, options):
            yield from misplaced(member, member_kind, f"{pointer}/{name}")
    elif origin is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from misplaced(item, options[0], f"{pointer}/{index}")


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
