"""From a call's arguments to a request: the client's half of an endpoint's description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import msgspec

from .amounts import misplaced
from .decode import tolerant
from .effect import Effect
from .endpoint import BaseEndpoint
from .errors import InvalidRequestError, UnreadableAnswer
from .json import dumps, loads, moment, number
from .model import Model
from .params import Param, Place
from .url import query, segment


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call ready to be sent, made once: every attempt sends the same bytes and the same key."""

    operation: str
    verb: str
    target: str = field(repr=False)
    """Path and query, relative to the API's base URL."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    effect: Effect
    """A keyed endpoint called without a key counts as `Effect.ONCE`."""
    key: str | None


def prepare(endpoint: BaseEndpoint, arguments: Mapping[str, Any]) -> Prepared:
    """Encode a call's arguments. Raises `InvalidRequestError` before anything leaves."""
    target = endpoint.description.path
    pairs: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    members: dict[str, Any] = {}
    body: bytes | None = None
    key: str | None = None
    for param in endpoint.params:
        value = _given(arguments, param)
        if param.key is not None:
            key = _key(value, param)
        elif param.place is Place.BODY:
            body = _body(value, param)
        elif value is None:
            continue
        elif param.place is Place.PATH:
            target = target.replace("{" + param.name + "}", segment(_text(value, param), what=param.name))
        elif param.place is Place.QUERY:
            pairs.extend((param.wire_name, text) for text in _texts(value, param))
        elif param.place is Place.HEADER:
            headers.append((param.wire_name, _header(_text(value, param), param.name)))
        else:
            members[param.wire_name] = _checked(value, param)
    if members:
        body = dumps(members)
    if key is not None:
        headers.append((_key_header(endpoint), key))
    if pairs:
        target = f"{target}?{query(pairs)}"
    effect = endpoint.description.effect
    if effect is Effect.KEYED and key is None:
        effect = Effect.ONCE
    return Prepared(endpoint.name, endpoint.description.verb, target, tuple(headers), body, effect, key)


def _given(arguments: Mapping[str, Any], param: Param) -> Any:
    value = arguments[param.name]
    if value is None and param.required:
        raise InvalidRequestError(f"{param.name} is required", param.name)
    return value


def _key_header(endpoint: BaseEndpoint) -> str:
    return next(param.wire_name for param in endpoint.params if param.key is not None)


def _key(value: Any, param: Param) -> str | None:
    if value is None or value == "":
        return str(uuid4()) if param.key is not None and param.key.mint else None
    return _header(_text(value, param), param.name)


# RFC 9110 section 5.5: visible ASCII and blanks; never a line break.
_HEADER_TEXT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")


def _header(text: str, what: str) -> str:
    if not _HEADER_TEXT.fullmatch(text):
        raise InvalidRequestError(f"{what} must be visible ASCII without line breaks", what)
    return text


def _texts(value: Any, param: Param) -> list[str]:
    if isinstance(value, (list, tuple)):
        items: Sequence[Any] = value
        return [_text(item, None) for item in items]
    return [_text(value, param)]


def _text(value: Any, param: Param | None) -> str:
    """Return a path, query or header value as text."""
    checked = value if param is None else _checked(value, param)
    if isinstance(checked, Enum):
        checked = checked.value
    if isinstance(checked, bool):
        return "true" if checked else "false"
    if isinstance(checked, (Decimal, int)):
        return number(checked).decode()
    if isinstance(checked, datetime):
        return moment(checked)
    if isinstance(checked, (str, UUID, date)):
        return str(checked)
    raise InvalidRequestError(f"a {type(checked).__name__} cannot go into a URL or header")


def _checked(value: Any, param: Param) -> Any:
    """Check one value against the parameter's type and constraints."""
    if isinstance(value, Model):
        return value
    for _, wrong in misplaced(value, param.kind):
        number(wrong, param.name)
    try:
        return msgspec.convert(value, param.kind, strict=True)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidRequestError(f"{param.name}: {explain(error)[0]}", param.name) from None


def _body(value: Any, param: Param) -> bytes | None:
    if value is None and not param.required:
        return None
    if isinstance(value, Model):
        body = dumps(value)
        _check_body(body, type(value), tolerate=bool(value.extra))
        return body
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{param.name} must be a {_name(param.kind)} or a mapping", param.name)
    mapping: Mapping[str, Any] = value
    for pointer, wrong in misplaced(mapping, param.kind):
        number(wrong, pointer)
    body = dumps(mapping)
    _check_body(body, param.kind, tolerate=False)
    return body


def _check_body(body: bytes, kind: Any, *, tolerate: bool) -> None:
    """Prove that what is about to be sent has the documented form, with the rules the server will apply."""
    try:
        model = tolerant(loads(body), kind) if tolerate else _strict(kind).decode(body)
    except msgspec.ValidationError as error:
        message, pointer = explain(error)
        raise InvalidRequestError(f"{pointer or 'the body'}: {message}", pointer) from None
    except UnreadableAnswer as error:
        raise InvalidRequestError(str(error), error.pointer) from None
    if isinstance(model, Model):
        model.validate()


@cache
def _strict(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, float_hook=Decimal)


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


_PLACE = re.compile(r" - at `\$?([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `([^`]*)`")


def explain(error: Exception) -> tuple[str, str]:
    """Return a validation error as (plain words, JSON pointer)."""
    text = str(error)
    place = _PLACE.search(text)
    pointer = _pointer(place.group(1)) if place else ""
    text = _PLACE.sub("", text)
    for pattern, words in ((_MISSING, "is required"), (_UNKNOWN, "is not a known member")):
        found = pattern.match(text)
        if found:
            return words, f"{pointer}/{found.group(1)}"
    if r"matching regex '\\S'" in text or text.endswith("of length >= 1"):
        return "must not be blank", pointer
    if "matching regex '^[A-Z]{3}$'" in text:
        return "must be three capital letters (ISO 4217)", pointer
    return text[:1].lower() + text[1:], pointer


def _pointer(path: str) -> str:
    return re.sub(r"\[(\d+)\]", r"/\1", path).replace(".", "/")
