"""An OpenAPI 3.1 document made from a contract: the same description that the client and the server read."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import msgspec.inspect

from .digits import AmountForm
from .endpoint import BaseEndpoint, Resource
from .model import Model
from .params import Param, Place
from .record import Record

OPENAPI: Final = "3.1.0"
_REFERENCES: Final = "#/components/schemas/{name}"

Schema = dict[str, Any]


class Tag(Record, frozen=True):
    """A group of endpoints with one heading, called by bearers of one security scheme."""

    name: str
    endpoints: Sequence[BaseEndpoint]
    errors: Mapping[int, str] = msgspec.field(default_factory=dict[int, str])
    """Answers that every endpoint of the group may give."""
    security: str = ""
    """Name of the scheme in `Service.security` that callers need; "" for none."""


class Service(Record, frozen=True):
    """One API as a document describes it."""

    title: str
    version: str
    description: str
    url: str
    """Where the paths start: absolute, or relative to the document."""
    error: Any
    """Type of every JSON error answer."""
    tags: Sequence[Tag]
    security: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict[str, Mapping[str, Any]])
    """OpenAPI security schemes by name."""


BODY_ERRORS: Final = {413: "The body is too large.", 415: "The body is not application/json."}
"""Answers that every endpoint with a body may give."""


def endpoints(resource: type[Resource[Any]]) -> list[BaseEndpoint]:
    """Return the endpoints of a contract, in its order."""
    return [member for member in vars(resource).values() if isinstance(member, BaseEndpoint)]


def document(service: Service) -> dict[str, Any]:
    """Return the document as JSON-like values."""
    schemas = _Schemas(_types(service))
    paths: dict[str, dict[str, Any]] = {}
    for tag in service.tags:
        for endpoint in tag.endpoints:
            verb = endpoint.description.verb.lower()
            operations = paths.setdefault(endpoint.description.path, {})
            operations[verb] = _operation(endpoint, tag, service, schemas)
    return {
        "openapi": OPENAPI,
        "info": {"title": service.title, "version": service.version, "description": service.description},
        "servers": [{"url": service.url}],
        "tags": [{"name": tag.name} for tag in service.tags],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {name: dict(scheme) for name, scheme in service.security.items()},
        },
    }


class _Schemas:
    """JSON Schemas of the types of a document, models as references to its components."""

    def __init__(self, types: Iterable[Any]) -> None:
        kinds = list(types)
        found, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCES)
        forms = _amount_forms(kinds)
        self._by_type = {_name(kind): _exact(schema) for kind, schema in zip(kinds, found, strict=True)}
        self.components: dict[str, Schema] = {
            name: _exact(schema, forms.get(name, AmountForm.NUMBER)) for name, schema in components.items()
        }

    def of(self, kind: Any) -> Schema:
        return dict(self._by_type[_name(kind)])


def _name(kind: Any) -> str:
    # Annotated types compare by their metadata, which need not be hashable.
    return repr(kind)


def _types(service: Service) -> list[Any]:
    types = {_name(service.error): service.error}
    for tag in service.tags:
        for endpoint in tag.endpoints:
            for kind in (*(param.kind for param in endpoint.params), _answer_type(endpoint)):
                types[_name(kind)] = kind
    return list(types.values())


def _answer_type(endpoint: BaseEndpoint) -> Any:
    return type(None) if endpoint.returns is None else endpoint.returns


def _amount_forms(kinds: Iterable[Any]) -> dict[str, AmountForm]:
    """Return how the amounts of each model stand on the wire, by the model's name."""
    forms: dict[str, AmountForm] = {}
    ahead: list[Any] = list(msgspec.inspect.multi_type_info(kinds))
    seen: set[int] = set()
    while ahead:
        node = ahead.pop()
        if isinstance(node, (tuple, list)):
            ahead += node
        elif isinstance(node, (msgspec.inspect.Type, msgspec.inspect.Field)) and id(node) not in seen:
            seen.add(id(node))
            if isinstance(node, msgspec.inspect.StructType) and issubclass(node.cls, Model):
                forms[node.cls.__name__] = node.cls.amounts
            ahead += [getattr(node, name) for name in node.__struct_fields__]
    return forms


_WRITTEN: Final[Mapping[AmountForm, Schema]] = {
    AmountForm.NUMBER: {"type": "number"},
    AmountForm.TEXT: {"type": ["string", "number"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    AmountForm.GROUPED: {"type": "string", "pattern": r"^-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$"},
}
"""How amounts are written in each form. Where text is meant, a number is understood as well."""


def _exact(schema: Any, form: AmountForm = AmountForm.NUMBER) -> Any:
    """Say how amounts are written where the schema maker, which knows of quoted decimals only, says a decimal text."""
    if isinstance(schema, list):
        items: list[Any] = schema
        return [_exact(item, form) for item in items]
    if not isinstance(schema, dict):
        return schema
    given: Schema = schema
    members = {name: _exact(value, form) for name, value in given.items()}
    if members.get("format") == "decimal":
        del members["format"]
        members.update(_WRITTEN[form])
    return members


def _operation(endpoint: BaseEndpoint, tag: Tag, service: Service, schemas: _Schemas) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(endpoint.__doc__ or endpoint.name).partition("\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": summary.rstrip("."),
        "tags": [tag.name],
        "responses": _responses(endpoint, tag, service, schemas),
    }
    if rest.strip():
        operation["description"] = rest.strip()
    parameters = [_parameter(param, schemas) for param in endpoint.params if param.place in _LOCATIONS]
    if parameters:
        operation["parameters"] = parameters
    body = _request_body(endpoint, schemas)
    if body is not None:
        operation["requestBody"] = body
    if tag.security:
        operation["security"] = [{tag.security: []}]
    return operation


_LOCATIONS: Final = {Place.PATH: "path", Place.QUERY: "query", Place.HEADER: "header"}


def _parameter(param: Param, schemas: _Schemas) -> dict[str, Any]:
    return {
        "name": param.wire_name,
        "in": _LOCATIONS[param.place],
        "required": param.required,
        "schema": _described(param, schemas),
    }


def _described(param: Param, schemas: _Schemas) -> Schema:
    """Return a parameter's schema; one that may be left out is never sent as null."""
    schema = schemas.of(param.kind)
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        schema = {**{name: value for name, value in schema.items() if name != "anyOf"}, **options[0]}
    if isinstance(param.default, (str, int)):
        schema["default"] = param.default
    return schema


def _request_body(endpoint: BaseEndpoint, schemas: _Schemas) -> dict[str, Any] | None:
    whole = next((param for param in endpoint.params if param.place is Place.BODY), None)
    members = [param for param in endpoint.params if param.place is Place.MEMBER]
    if whole is not None:
        return {"required": whole.required, "content": _json(schemas.of(whole.kind))}
    if not members:
        return None
    schema: Schema = {
        "type": "object",
        "properties": {param.wire_name: schemas.of(param.kind) for param in members},
        "required": [param.wire_name for param in members if param.required],
        "additionalProperties": False,
    }
    return {"required": any(param.required for param in members), "content": _json(schema)}


def _responses(endpoint: BaseEndpoint, tag: Tag, service: Service, schemas: _Schemas) -> dict[str, Any]:
    description = endpoint.description
    has_body = any(param.place in (Place.BODY, Place.MEMBER) for param in endpoint.params)
    errors = {**tag.errors, **(BODY_ERRORS if has_body else {}), **description.errors}
    content = _json(schemas.of(service.error))
    if description.media == "text":
        content["text/plain"] = {"schema": {"type": "string"}}
    answers: dict[str, Any] = {str(description.status): _success(endpoint, schemas)}
    for status, meaning in sorted(errors.items()):
        answers[str(status)] = {"description": meaning, "content": content}
    return answers


def _success(endpoint: BaseEndpoint, schemas: _Schemas) -> dict[str, Any]:
    description = endpoint.description
    answer: dict[str, Any] = {"description": "Success."}
    if endpoint.returns in (None, type(None)):
        return answer
    if description.media == "text":
        return {**answer, "content": {"text/plain": {"schema": {"type": "string"}}}}
    schema = schemas.of(_answer_type(endpoint))
    if description.unwrap is not None:
        schema = {
            "type": "object",
            "properties": {description.unwrap: schema},
            "required": [description.unwrap],
            "additionalProperties": False,
        }
    return {**answer, "content": _json(schema)}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
