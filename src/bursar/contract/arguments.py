"""From a call's arguments to a request: the client's half of an endpoint's description."""

from __future__ import annotations

import re
import typing
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID, uuid4

import msgspec

from .amounts import misplaced, written
from .decode import tolerant
from .digits import AmountForm
from .effect import Effect
from .endpoint import BaseEndpoint
from .errors import InvalidRequestError, UnreadableAnswer
from .json import dumps, loads, moment, number
from .model import Model
from .params import ABSENT, Param, Place, StreamBody, is_model
from .record import Record
from .stream import Outgoing, framed
from .url import query, segment

FORM_MEDIA = "application/x-www-form-urlencoded"


class Prepared(Record, frozen=True):
    """A call ready to be sent, made once: every attempt sends the same bytes and the same key."""

    operation: str
    verb: str
    target: str
    """Path and query, relative to the API's base URL."""
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    effect: Effect
    """A keyed endpoint called without a key counts as `Effect.ONCE`."""
    key: str | None
    media: str = "application/json"
    """The body's ``Content-Type``."""
    pieces: Outgoing | None = None
    """A body that is made while it is sent, in place of `body`."""

    hidden: ClassVar[frozenset[str]] = frozenset({"body", "headers", "pieces", "target"})


def prepare(endpoint: BaseEndpoint, arguments: Mapping[str, Any]) -> Prepared:
    """Encode a call's arguments. Raises `InvalidRequestError` before anything leaves."""
    parts = _Parts(endpoint.description.path)
    for param in endpoint.params:
        parts.add(param, _given(arguments, param))
    if parts.key is not None:
        parts.headers.append((_key_header(endpoint), parts.key))
    effect = endpoint.description.effect
    if effect is Effect.KEYED and parts.key is None and not _carries_keys(endpoint, arguments):
        effect = Effect.ONCE
    return Prepared(
        endpoint.name,
        endpoint.description.verb,
        f"{parts.target}?{query(parts.pairs)}" if parts.pairs else parts.target,
        tuple(parts.headers),
        parts.body if parts.members is None else dumps(parts.members),
        effect,
        parts.key,
        parts.media,
        parts.pieces,
    )


class _Parts:
    """What the arguments of a call amount to so far."""

    __slots__ = ("body", "headers", "key", "media", "members", "pairs", "pieces", "target")

    def __init__(self, target: str) -> None:
        self.target = target
        self.pairs: list[tuple[str, str]] = []
        self.headers: list[tuple[str, str]] = []
        self.members: dict[str, Any] | None = None
        self.body: bytes | None = None
        self.media = "application/json"
        self.pieces: Outgoing | None = None
        self.key: str | None = None

    def add(self, param: Param, value: Any) -> None:
        """Put one argument where it belongs."""
        if value is ABSENT:
            return
        if param.place is Place.BODY:
            self._add_body(param, value)
        elif param.place is Place.FORM:
            self.media = FORM_MEDIA
            self.body = _form(value, param)
        elif param.place is Place.MEMBER:
            self.members = {} if self.members is None else self.members
            if value is not None:
                self.members[param.wire_name] = _checked(value, param)
        elif param.key is not None:
            self.key = _key(value, param)
        elif value is None:
            return
        elif param.place is Place.PATH:
            place = "{" + param.name + "}"
            self.target = self.target.replace(place, segment(_text(value, param), what=param.name))
        elif param.place is Place.QUERY:
            self.pairs.extend(_pairs(value, param))
        else:
            self.headers.append((param.wire_name, header_text(_text(value, param), param.name)))

    def _add_body(self, param: Param, value: Any) -> None:
        if param.stream is None:
            self.body = _body(value, param)
        else:
            self.media = param.stream.media
            self.body, self.pieces = _stream(value, param.stream, param.name)


def _carries_keys(endpoint: BaseEndpoint, arguments: Mapping[str, Any]) -> bool:
    keyed_by = endpoint.description.keyed_by
    return keyed_by is not None and keyed_by(arguments)


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
    return header_text(_text(value, param), param.name)


# RFC 9110 section 5.5: visible ASCII and blanks; never a line break.
_HEADER_TEXT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")


def header_text(text: str, what: str) -> str:
    """Return a header field's value if it can travel as one. Raises `InvalidRequestError`."""
    if not _HEADER_TEXT.fullmatch(text):
        raise InvalidRequestError(f"{what} must be visible ASCII without line breaks", what)
    return text


def _stream(value: Any, stream: StreamBody, what: str) -> tuple[bytes | None, Outgoing | None]:
    """Return a body that can be sent again, or one that is made while it is sent."""
    if isinstance(value, str):
        return value.encode(), None
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), None
    if isinstance(value, (list, tuple)):
        items: Sequence[Any] = value
        return b"".join(framed(item, stream.frame) for item in items), None
    if isinstance(value, (Iterable, AsyncIterable)) and not isinstance(value, (Mapping, Model)):
        return None, Outgoing(value, stream.frame)
    raise InvalidRequestError(f"{what} must be bytes or an iterable of pieces", what)


def _pairs(value: Any, param: Param) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        entries: Mapping[str, Any] = value
        return [(f"{param.wire_name}[{name}]", _text(entry, None)) for name, entry in entries.items()]
    return [(param.wire_name, text) for text in _texts(value, param)]


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
        if checked.tzinfo is None:
            raise InvalidRequestError("a time needs a zone, for example datetime.now(UTC)")
        return moment(checked)
    if isinstance(checked, (str, UUID, date)):
        return str(checked)
    raise InvalidRequestError(f"a {type(checked).__name__} cannot go into a URL or header")


def _checked(value: Any, param: Param) -> Any:
    """Check one value against the parameter's type and constraints."""
    if isinstance(value, Model):
        return value
    for _, wrong, _ in misplaced(value, param.kind):
        number(wrong, param.name)
    try:
        return msgspec.convert(value, param.kind, strict=True)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidRequestError(f"{param.name}: {explain(error)[0]}", param.name) from None


def _body(value: Any, param: Param) -> bytes | None:
    if value is None and not param.required:
        return None
    if isinstance(value, msgspec.Raw):  # JSON that goes as it is
        return bytes(value)
    if isinstance(value, Model):
        body = dumps(value)
        _check_body(body, type(value), tolerate=bool(value.extra))
        return body
    listed = isinstance(value, (list, tuple)) and typing.get_origin(param.kind) is list
    if not listed and not isinstance(value, Mapping):
        raise InvalidRequestError(f"{param.name} must be a {_name(param.kind)} or a mapping", param.name)
    value = written(value, param.kind)
    for pointer, wrong, form in misplaced(value, param.kind):
        if isinstance(wrong, str) and form is not AmountForm.NUMBER:
            raise InvalidRequestError(f"{pointer} {form.expected}", pointer)
        number(wrong, pointer)
    body = dumps(value)
    _check_body(body, param.kind, tolerate=_any_extra(value) if listed else _is_open(param.kind))
    return body


def _form(value: Any, param: Param) -> bytes:
    """Return a model of texts as a form; what is None is left out."""
    model = value if isinstance(value, Model) else tolerant(loads(dumps(value)), param.kind)
    pairs = [(name, text) for name, text in model.to_payload().items() if text is not None]
    return query([(name, _text(text, None)) for name, text in pairs]).encode("ascii")


def _any_extra(items: Any) -> bool:
    return any(isinstance(item, Model) and item.extra for item in items)


@cache
def _is_open(kind: Any) -> bool:
    """True for a union with a model for tags that this version does not know: a mapping may say more than it names."""
    models = [option for option in typing.get_args(kind) if is_model(option)]
    return any(model.tag_name() is not None and model.tag_value() == "" for model in models)


def _check_body(body: bytes, kind: Any, *, tolerate: bool) -> None:
    """Prove that what is about to be sent has the documented form, with the rules the server will apply."""
    try:
        model = tolerant(loads(body), kind) if tolerate else _strict(kind).decode(body)
    except msgspec.ValidationError as error:
        message, pointer = explain(error)
        raise InvalidRequestError(f"{pointer or 'the body'}: {message}", pointer) from None
    except UnreadableAnswer as error:
        raise InvalidRequestError(str(error), error.pointer) from None
    for part in model if isinstance(model, list) else (model,):
        if isinstance(part, Model):
            part.validate()


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
