"""Where an endpoint's parameters go: path, query, header, form, or the JSON body."""

from __future__ import annotations

import functools
import inspect
import operator
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from .model import Model
from .record import Record


class Place(Enum):
    """Where a parameter goes on the wire."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"
    """The parameter is the whole body."""
    MEMBER = "member"
    """The parameter is one member of a JSON object body."""
    FORM = "form"
    """The parameter is the whole body, as a form."""


class Absent(Enum):
    """What is no argument at all, see `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""In place of an argument that the contract requires: nothing is sent, and the server refuses."""


class Query(Record, frozen=True):
    """Marks a query parameter and gives its wire name; the parameter's own name when empty.

    A list repeats the name; a mapping is written as ``name[key]=value`` for each of its members.
    """

    name: str = ""


class Header(Record, frozen=True):
    """Marks a parameter that travels as a header field."""

    name: str


class IdempotencyKey(Header, frozen=True):
    """Marks the header that carries the idempotency key.

    With `mint`, a call without a key gets a fresh UUID, the same on each attempt.
    """

    mint: bool = False


class Member(Record, frozen=True):
    """Marks one member of a JSON object body; the parameter's own name when empty."""

    name: str = ""


class Body(Record, frozen=True):
    """Marks the parameter that is the whole JSON body, of any type and under any verb.

    A model needs no mark where the verb usually has a body.
    """


class Form(Record, frozen=True):
    """Marks the parameter, a model of texts, that is the whole body as ``application/x-www-form-urlencoded``."""


class StreamBody(Record, frozen=True):
    """Marks the parameter that is a body sent as it comes: bytes, or an iterable of pieces.

    A piece is bytes, sent as they are, or an item that `frame` turns into bytes.
    """

    media: str
    """The body's ``Content-Type``."""
    frame: Callable[[Any], bytes]


class Param(Record, frozen=True):
    """One parameter of an endpoint, resolved."""

    name: str
    place: Place
    wire_name: str
    kind: Any
    """Its type, `Annotated` markers of this module removed but msgspec constraints kept."""
    required: bool
    default: Any = None
    key: IdempotencyKey | None = None
    stream: StreamBody | None = None


_MARKERS = (Query, Header, Member, Body, Form, StreamBody)
_BODY_VERBS = frozenset({"POST", "PUT", "PATCH"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholders(path: str) -> list[str]:
    """Return the names in braces of a path template, in order."""
    return _PLACEHOLDER.findall(path)


def resolve(function: Callable[..., Any], verb: str, path: str) -> tuple[tuple[Param, ...], Any]:
    """Return an endpoint function's parameters (without self) and its return type."""
    hints = typing.get_type_hints(function, include_extras=True)
    in_path = set(placeholders(path))
    signature = inspect.signature(function)
    params = tuple(
        _param(parameter, hints[name], verb, name in in_path)
        for name, parameter in list(signature.parameters.items())[1:]
    )
    missing = in_path - {param.name for param in params}
    if missing:
        raise TypeError(f"{function.__qualname__}: the path names {sorted(missing)}, the signature does not")
    return params, hints["return"]


def _param(parameter: inspect.Parameter, hint: Any, verb: str, in_path: bool) -> Param:
    kind, marker = _strip(hint)
    place, wire_name = _place(parameter.name, kind, marker, verb, in_path)
    if place is Place.BODY:
        kind = _written(kind)
    required = parameter.default is inspect.Parameter.empty
    return Param(
        name=parameter.name,
        place=place,
        wire_name=wire_name,
        kind=kind,
        required=required,
        default=None if required else parameter.default,
        key=marker if isinstance(marker, IdempotencyKey) else None,
        stream=marker if isinstance(marker, StreamBody) else None,
    )


def _strip(hint: Any) -> tuple[Any, object]:
    """Split a type hint into the type with its constraints and this module's marker, if any: the outermost."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint, None
    kind, *extras = typing.get_args(hint)
    marker = next((extra for extra in reversed(extras) if isinstance(extra, _MARKERS)), None)
    kept = [extra for extra in extras if not isinstance(extra, _MARKERS)]
    return (typing.Annotated[(kind, *kept)] if kept else kind), marker


def _place(name: str, kind: Any, marker: object, verb: str, in_path: bool) -> tuple[Place, str]:
    if in_path:
        return Place.PATH, name
    if isinstance(marker, Header):
        return Place.HEADER, marker.name
    if isinstance(marker, Query):
        return Place.QUERY, marker.name or name
    if isinstance(marker, Member):
        return Place.MEMBER, marker.name or name
    if isinstance(marker, Form):
        return Place.FORM, name
    if isinstance(marker, (Body, StreamBody)):
        return Place.BODY, name
    if verb in _BODY_VERBS and is_model(kind):
        return Place.BODY, name
    return Place.QUERY, name


def _written(kind: Any) -> Any:
    """Return what a body must decode to: a signature that takes a model or a plain mapping means the model."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = [_written(option) for option in typing.get_args(kind)]
        if any(is_model(option) for option in options):
            options = [option for option in options if typing.get_origin(option) is not Mapping]
        return functools.reduce(operator.or_, options)
    if origin in (list, Sequence):
        return types.GenericAlias(list, (_written(typing.get_args(kind)[0]),))
    return kind


def is_model(kind: Any) -> bool:
    """True for a model type, or a union with one."""
    options = typing.get_args(kind) or (kind,)
    return any(isinstance(option, type) and issubclass(option, Model) for option in options)
