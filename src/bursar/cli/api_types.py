"""Types of parameters and members, in words."""

from __future__ import annotations

import types
import typing
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import msgspec

from bursar.contract import Model, OpenEnum, OpenIntEnum

_WORDS: Final[dict[Any, str]] = {
    Any: "any JSON",
    None: "null",
    type(None): "null",
    msgspec.UnsetType: "left out",
    str: "text",
    bytes: "bytes",
    bool: "true or false",
    int: "integer",
    float: "number",
    Decimal: "decimal",
    datetime: "time (RFC 3339)",
    date: "date",
    UUID: "UUID",
}
_MANY: Final = (list, Sequence, tuple, Iterable)


def options(kind: Any) -> list[Any]:
    """Return the types of a union, or the one type there is, without null."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return [option for option in typing.get_args(kind) if option is not type(None)]
    return [kind]


def bare(kind: Any) -> Any:
    """Return a type without its constraints."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def is_many(kind: Any) -> bool:
    """True for lists and what does as one."""
    return typing.get_origin(bare(kind)) in _MANY


def is_mapping(kind: Any) -> bool:
    """True for objects whose members have no fixed names."""
    return typing.get_origin(bare(kind)) in (dict, Mapping)


def is_class(kind: Any, base: type[Any]) -> bool:
    """True for a class below another."""
    return isinstance(kind, type) and not typing.get_args(kind) and issubclass(kind, base)


def words(kind: Any, named: Callable[[Any], str]) -> str:
    """Say what a value must be; `named` says it of models and enums."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        limits = [text for extra in inner[1:] if isinstance(extra, msgspec.Meta) for text in _limits(extra)]
        return ", ".join([words(inner[0], named), *limits])
    if origin in (typing.Union, types.UnionType):
        # What an asynchronous client takes besides is said nowhere else either.
        shown = [option for option in inner if typing.get_origin(option) is not AsyncIterable]
        return " or ".join(dict.fromkeys(words(option, named) for option in shown))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in _MANY:
        item = words(inner[0], named)
        return f"list of ({item})" if " or " in item else f"list of {item}"
    if origin in (dict, Mapping):
        return f"object {{name: {words(inner[1], named)}}}"
    if is_class(kind, Model) or is_class(kind, Enum):
        return named(kind)
    return _WORDS.get(kind, getattr(kind, "__name__", "JSON"))


def _limits(meta: msgspec.Meta) -> list[str]:
    """Say what `msgspec` checks."""
    bounds = {
        "at least {}": meta.ge,
        "more than {}": meta.gt,
        "at most {}": meta.le,
        "less than {}": meta.lt,
        "{}": _length(meta),
        "like `{}`": None if meta.pattern in (None, r"\S") else str(meta.pattern).removesuffix(r"(?!\n)"),
    }
    found = [text.format(bound) for text, bound in bounds.items() if bound is not None]
    return [*found, meta.description] if meta.description else found


def _length(meta: msgspec.Meta) -> str | None:
    """Say how many characters or items there may be."""
    if meta.min_length is None:
        return None if meta.max_length is None else f"at most {meta.max_length} long"
    if meta.max_length is None:
        return f"at least {meta.min_length} long"
    return f"{meta.min_length} to {meta.max_length} long"


def known_values(kind: type[Enum]) -> list[str]:
    """Return the values of an enum that have names; integers with them."""
    if issubclass(kind, int):
        return [f"{member.value} {member.name}" for member in kind]
    return [str(member.value) for member in kind]


def is_open(kind: type[Enum]) -> bool:
    """True when values without names are kept as well."""
    return issubclass(kind, (OpenEnum, OpenIntEnum))
