"""From the vendor's request to a contract's arguments.

A request is a mapping or one of the vendor's models, its members named in snake case or as on the wire. Members go to
the parameters of their names; the one left over is the body. The body's members get their names of the wire, guided by
the contract's types, so that names which are the caller's own (metadata, variables) stay as they are.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Raw

from bursar.contract import BaseEndpoint, InvalidRequestError, Model
from bursar.contract.decode import tolerant
from bursar.contract.json import dumps
from bursar.contract.params import ABSENT, Param, Place

from .models.likeness import Likeness, members_of, native_names
from .surface import IGNORED, RENAMED, snake
from .types import Unset
from .view import fields_of, unseen

_BODY: Final = (Place.BODY, Place.MEMBER)

_UNTYPED: Final[Mapping[str, Mapping[str, str]]] = {
    "chart": {
        "dot_metadata": ".metadata", "dot_pattern": ".pattern", "dot_rules": ".rules", "dot_self": ".self",
    },
    "params": {
        "page_size": "pageSize", "group_by": "groupBy", "insertion_date": "insertionDate", "RESOURCE": "resource",
    },
}  # fmt: skip
"""Names of the wire inside members that the contracts leave open."""

_FOREIGN: Final = {"base_url": "baseURL"}
"""Members of connectors' configurations that the contracts do not know, where camel case is not enough."""


def arguments(group: str, endpoint: BaseEndpoint, request: object) -> dict[str, Any]:
    """Return the arguments of a call. Raises `InvalidRequestError` for members that the operation does not have."""
    name = f"{group}.{endpoint.name}"
    bodies = [param for param in endpoint.params if param.place in _BODY]
    given: dict[str, Any] = {}
    bodiless = request is None
    if len(bodies) == len(endpoint.params):
        if request is not None:
            given.update(_of_body(bodies, request, name))
    else:
        rest = dict(_present(request, name))
        for member in list(rest):
            param = _parameter(endpoint, member)
            if param is not None:
                value = rest.pop(member)
                given[param.name] = dict(vars(value)) if isinstance(value, Likeness) else value
            elif member in IGNORED.get(name, ()):
                del rest[member]
        if len(rest) > 1 or (rest and not bodies):
            raise InvalidRequestError(f"{name} has no member {', '.join(sorted(rest))}", min(rest))
        bodiless = not rest
        for body in rest.values():
            given.update(_of_body(bodies, body, name))
    for param in endpoint.params:
        if param.required and given.get(param.name) is None:
            if param.place is Place.PATH or (param.place in _BODY and not bodiless):
                raise InvalidRequestError(f"{name}: {param.name} is missing", param.name)
            given[param.name] = ABSENT  # the vendor's requests need not have a body: the server refuses them
    return endpoint.bind((), given)


def _present(request: object, name: str) -> Mapping[str, Any]:
    """Return the members of a request that say something."""
    inside = {} if request is None else members_of(request)
    if inside is None:
        raise InvalidRequestError(f"{name}: the request must be a mapping, not a {type(request).__name__}")
    return {
        member: value
        for member, value in inside.items()
        if value is not None and not isinstance(value, Unset)
    }


def _parameter(endpoint: BaseEndpoint, member: str) -> Param | None:
    name = RENAMED.get(member, member)
    for param in endpoint.params:
        if param.place not in _BODY and name in (param.name, param.wire_name, snake(param.wire_name)):
            return param
    return None


def _of_body(bodies: Sequence[Param], value: Any, name: str) -> dict[str, Any]:
    """Return the arguments that a body amounts to."""
    if bodies[0].place is Place.MEMBER:
        inside = _present(value, name)
        found = {param: _member(inside, param.name, param.wire_name) for param in bodies}
        strange = sorted(inside.keys() - {key for key, _ in found.values()})
        if strange:
            raise InvalidRequestError(f"{name} has no member {', '.join(strange)}", strange[0])
        given = {
            param.name: _wired(body, param.kind, param.name)
            for param, (key, body) in found.items()
            if key in inside
        }
        if "params" in given:
            given["params"] = _query_params(given["params"])
        return given
    body = bodies[0]
    value = unseen(value)
    if body.stream is not None or isinstance(value, Model):
        return {body.name: value}
    if name == "payments.v3.update_payment_metadata":
        # The vendor's SDK wraps it, and the server wants it bare.
        inside = _present(value, name)
        value = inside.get("metadata", {}) if isinstance(inside.get("metadata"), Mapping) else inside
    wired = _wired(value, body.kind, "")
    if name == "ledger.v2.create_bulk" and any("data" not in element for element in wired):
        return {body.name: Raw(dumps(wired))}  # for the server to refuse: the vendor's elements may lack it
    return {body.name: wired}


def _query_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a query template as servers want them: `expand` a list, `endTime` in place of `pit`."""
    wanted = {name: value for name, value in params.items() if name not in ("cursor", "pit", "resource")}
    if isinstance(wanted.get("expand"), str):
        wanted["expand"] = [wanted["expand"]]
    if "pit" in params:
        wanted.setdefault("endTime", params["pit"])
    return wanted


def _member(inside: Mapping[str, Any], name: str, wire_name: str) -> tuple[str, Any]:
    """Return a member under any of its names, and that name."""
    for key in (wire_name, name, snake(wire_name), f"{name}_"):
        if key in inside:
            return key, inside[key]
    return "", None


def _wired(value: Any, kind: Any, place: str) -> Any:
    """Return a value with the names of the wire."""
    value = unseen(value)
    if isinstance(value, Model):
        return value
    inside = members_of(value)
    if inside is not None:
        model = _model(value, inside, kind)
        return _object(inside, kind, place) if model is None else _named(value, inside, model)
    if isinstance(value, (list, tuple)):
        item = next((a for a in _parts(kind) if typing.get_origin(a) in (list, tuple, Sequence)), None)
        inner = typing.get_args(item)[0] if item is not None and typing.get_args(item) else Any
        return [_wired(each, inner, place) for each in value]
    return value


def _object(inside: Mapping[str, Any], kind: Any, place: str) -> dict[str, Any]:
    """Return an object whose names are the caller's own."""
    mapping = next((a for a in _parts(kind) if typing.get_origin(a) in (dict, Mapping)), None)
    inner = typing.get_args(mapping)[1] if mapping is not None else Any
    names = _UNTYPED.get(place, {})
    return {
        names.get(name, name): _wired(value, inner, place)
        for name, value in inside.items()
        if not isinstance(value, Unset)
    }


def _named(value: object, inside: Mapping[str, Any], model: type[Model]) -> Any:
    """Return an object with the names that a model has on the wire."""
    wire: dict[str, Any] = {}
    rest = {name: member for name, member in inside.items() if not isinstance(member, Unset)}
    for field in fields_of(model):
        key, member = _member(rest, field.name, field.encode_name)
        if key:
            del rest[key]
            if member is not None or not isinstance(value, Likeness):
                wire[field.encode_name] = _wired(member, field.type, field.encode_name)
    tag = model.tag_name()
    if tag is not None and tag not in rest:
        wire[tag] = model.tag_value()
    if tag == "provider":
        # Configurations hold members that servers ignore; they go out as the vendor's SDK sends them.
        foreign = {
            _FOREIGN.get(name, _camel(name)): member for name, member in rest.items() if member is not None
        }
        return tolerant({**wire, **foreign}, model)
    return {**rest, **wire}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _model(value: object, inside: Mapping[str, Any], kind: Any) -> type[Model] | None:
    """Return the model that a value means: that of its class, that of its tag, else the one with most of its names."""
    models = [part for part in _parts(kind) if isinstance(part, type) and issubclass(part, Model)]
    if len(models) < 2:
        return models[0] if models else None
    if isinstance(value, Likeness):
        names = native_names(type(value).__name__)
        by_class = [model for model in models if model.__name__.lower() in names]
        if by_class:
            return by_class[0]
    tagged = [m for m in models if m.tag_name() and str(inside.get(str(m.tag_name()))) == m.tag_value()]
    return tagged[0] if tagged else max(models, key=lambda model: len(_known(model) & set(inside)))


def _known(model: type[Model]) -> set[str]:
    names = {f.name for f in fields_of(model)}
    return names | {f.encode_name for f in fields_of(model)}


def _parts(kind: Any) -> list[Any]:
    """Return the alternatives of a type."""
    if typing.get_origin(kind) is typing.Annotated:
        return _parts(typing.get_args(kind)[0])
    if typing.get_origin(kind) is typing.Union or type(kind).__name__ == "UnionType":
        return [part for each in typing.get_args(kind) for part in _parts(each)]
    return [kind]
