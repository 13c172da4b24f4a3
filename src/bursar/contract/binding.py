"""From a request to a handler's arguments and back: the server's half of an endpoint's description.

Bytes in, bytes out, no I/O of its own. Reading is strict: whatever does not have the documented form is a
`BadRequest` that names the place, and the handler is not called.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl

import msgspec

from .amounts import misplaced
from .arguments import explain
from .digits import AmountForm
from .endpoint import BaseEndpoint, Endpoint
from .errors import BursarError, InvalidRequestError, UnreadableAnswer
from .http import Headers, Response
from .json import dumps, loads
from .model import Model
from .params import Param, Place
from .record import Record

P = ParamSpec("P")
T = TypeVar("T")
Who = TypeVar("Who")

_encode = msgspec.json.Encoder(decimal_format="number").encode
_JSON = Headers([("content-type", "application/json")])
_TEXT = Headers([("content-type", "text/plain; charset=utf-8")])


class BadRequest(BursarError):
    """A request that does not have the documented form. `pointer` is a JSON pointer or a parameter's name."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class Incoming(Record, frozen=True):
    """A request as the server received it, path parameters already taken out and unquoted."""

    path: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Names in lower case."""
    body: bytes = b""


class Route:
    """An endpoint and the handler that serves it. The handler takes who calls, then the endpoint's parameters."""

    def __init__(self, endpoint: BaseEndpoint, handler: Callable[..., Awaitable[Any]]) -> None:
        self.endpoint = endpoint
        self._handler = handler

    async def handle(self, incoming: Incoming, caller: Any) -> Response:
        """Decode, call, encode. Raises `BadRequest`, and whatever the handler raises."""
        arguments = self.decode(incoming)
        return self.encode(await self._handler(caller, **arguments))

    def decode(self, incoming: Incoming) -> dict[str, Any]:
        """Return the handler's keyword arguments. Raises `BadRequest`."""
        arguments: dict[str, Any] = {}
        query = _single(incoming.query)
        members = self._members(incoming.body) if self._member_model is not None else None
        for param in self.endpoint.params:
            if param.place is Place.BODY:
                arguments[param.name] = _body(incoming.body, param)
            elif param.place is Place.FORM:
                arguments[param.name] = _form(incoming.body, param)
            elif param.place is Place.MEMBER:
                arguments[param.name] = getattr(members, param.wire_name)
            else:
                text = self._text(param, incoming, query)
                arguments[param.name] = param.default if text is None else _convert_text(text, param)
        return arguments

    def encode(self, value: Any) -> Response:
        """Return the successful answer for a handler's value."""
        description = self.endpoint.description
        if value is None:
            return Response(description.status, Headers(), b"")
        if description.media == "text":
            return Response(description.status, _TEXT, str(value).encode())
        if description.unwrap is not None:
            value = {description.unwrap: value}
        return Response(description.status, _JSON, _written(value))

    @cached_property
    def _member_model(self) -> type[msgspec.Struct] | None:
        """A model of the body for endpoints whose parameters are its members."""
        fields: list[Any] = [
            (p.wire_name, p.kind) if p.required else (p.wire_name, p.kind, p.default)
            for p in self.endpoint.params
            if p.place is Place.MEMBER
        ]
        if not fields:
            return None
        return msgspec.defstruct(f"{self.endpoint.name}_body", fields, bases=(Model,))

    def _members(self, body: bytes) -> Any:
        return _convert_body(body, self._member_model)

    @staticmethod
    def _text(param: Param, incoming: Incoming, query: Mapping[str, str]) -> str | None:
        if param.place is Place.PATH:
            return incoming.path[param.wire_name]
        source = query if param.place is Place.QUERY else incoming.headers
        name = param.wire_name if param.place is Place.QUERY else param.wire_name.lower()
        text = source.get(name)
        if text is None and param.required:
            raise BadRequest(f"{param.wire_name} is required", param.wire_name)
        return text


def route(endpoint: Endpoint[P, T], handler: Callable[Concatenate[Who, P], Awaitable[T]]) -> Route:
    """Bind an endpoint to its handler; the type checker proves that their signatures agree."""
    return Route(endpoint, handler)


def _written(value: Any) -> bytes:
    if isinstance(value, Model) and value.amounts is not AmountForm.NUMBER:
        return dumps(value)
    return _encode(value)


def _single(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("a parameter is repeated")
    return found


def _convert_text(text: str, param: Param) -> Any:
    try:
        value = msgspec.convert(text, param.kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadRequest(f"{param.wire_name}: {explain(error)[0]}", param.wire_name) from None
    form = _FORMS.get(type(value))
    if value is None or (form is not None and not form.fullmatch(text)):
        raise BadRequest(f"{param.wire_name}: must be a number in decimal digits", param.wire_name)
    return value


# Conversion takes "1e3" for an integer and "NaN" for a decimal.
_FORMS = {int: re.compile("-?[0-9]+"), Decimal: re.compile(r"-?[0-9]+(\.[0-9]+)?")}


def _body(body: bytes, param: Param) -> Any:
    if not body.strip() and not param.required:
        return param.default
    return _convert_body(body, param.kind)


def _form(body: bytes, param: Param) -> Any:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
        return msgspec.convert(_single(pairs), param.kind, strict=True)
    except ValueError as error:
        message, pointer = explain(error)
        raise BadRequest(f"{pointer or 'the form'}: {message}", pointer) from None


def _convert_body(body: bytes, kind: Any) -> Any:
    if not body.strip():
        raise BadRequest("a JSON body is required")
    try:
        value = loads(body)
        for pointer, _, form in misplaced(value, kind):
            raise BadRequest(f"{pointer}: {form.expected}", pointer)
        model = msgspec.convert(value, kind, strict=True)
        if isinstance(model, Model):
            model.validate()
    except UnreadableAnswer as error:
        raise BadRequest(f"the body: {error}", error.pointer) from None
    except InvalidRequestError as error:
        raise BadRequest(str(error), error.pointer) from None
    except msgspec.ValidationError as error:
        message, pointer = explain(error)
        raise BadRequest(f"{pointer or 'the body'}: {message}", pointer) from None
    return model
