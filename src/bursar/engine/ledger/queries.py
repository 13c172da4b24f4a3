"""Query templates of a schema: checked when inserted, filled in when run (section 14.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, cast

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.ledger import times, wire
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import accounts, expression, fields, logs, transactions, volumes
from bursar.engine.ledger.query.expression import All, Expression, Not, Some, Test
from bursar.engine.ledger.query.fields import Field, Fields
from bursar.engine.ledger.query.pages import Column, Listing, Page, listing_of, sort_of
from bursar.engine.ledger.schemas import Schema
from bursar.engine.ledger.settings import Settings
from bursar.engine.limits import LEDGER_AMOUNT_DIGITS
from bursar.engine.registry import DEFAULT_FEATURES, LedgerRow
from bursar.engine.view import ReadView

_WHOLE: Final = re.compile(r"\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}")
_INSIDE: Final = re.compile(r"\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}|\$([a-zA-Z_][a-zA-Z0-9_]*)")
_INDEX: Final = re.compile(r"[A-Za-z0-9_/]+")
_TYPES: Final = ("boolean", "date", "int", "string")
_COMMON: Final = frozenset({"endTime", "startTime", "expand", "sort", "pageSize", "resource"})
_OF_VOLUMES: Final = _COMMON | {"groupBy", "insertionDate"}
_KINDS: Final[Mapping[str, str]] = {
    "string": "string",
    "strings": "string",
    "date": "date",
    "number": "int",
    "numbers": "int",
    "boolean": "boolean",
}
_ANY_LEDGER: Final = LedgerRow("", 0, "", "{}", DEFAULT_FEATURES, 0, None, in_use=True)

PageOf = Callable[[ReadView, LedgerRow, Listing], Page]


class Kind(Struct, frozen=True):
    """A resource that templates can ask for."""

    columns: Mapping[str, Column]
    default: str
    descending: bool
    fields: Fields
    page: PageOf


KINDS: Final[Mapping[str, Kind]] = {
    "accounts": Kind(accounts.COLUMNS, "address", False, accounts.filters(_ANY_LEDGER, None), accounts.page),
    "transactions": Kind(
        transactions.COLUMNS, "id", True, transactions.filters(_ANY_LEDGER, None), transactions.page
    ),
    "logs": Kind(logs.COLUMNS, "id", True, logs.FIELDS, logs.page),
    "volumes": Kind(volumes.COLUMNS, "account", False, volumes.FIELDS, volumes.page),
}


class Params(Struct, frozen=True):
    """Parameters of a run; None for what was not given."""

    pit: int | None = None
    oot: int | None = None
    expand: tuple[str, ...] = ()
    sort: str = ""
    page_size: int = 0
    group_by: int = 0
    insertion_date: bool = False


# Checks at insertion.


def check(name: str, query: Mapping[str, Any]) -> None:
    """Refuse a template that could not be run. Raises Validation."""
    resource = query["resource"]
    kind = KINDS.get(resource)
    if kind is None:
        raise Validation(f"invalid schema: unknown resource kind: {resource}")
    variables: Mapping[str, Any] = query.get("vars", {})
    for variable, declared in variables.items():
        if declared["type"] not in _TYPES:
            raise Validation(f"invalid type `{declared['type']}`, expected one of {', '.join(_TYPES)}")
        if "default" in declared:
            _typed(variable, declared["default"], declared["type"])
    _check_params(kind, resource, query.get("params"))
    body = query.get("body")
    if body is not None and body != {}:
        parsed = expression.parse(body)
        if parsed is not None:
            _check_filter(parsed, kind, variables)


def _check_params(kind: Kind, resource: str, given: object) -> None:
    if given is None:
        return
    if not isinstance(given, dict):
        raise Validation("invalid schema: params must be an object")
    known = _OF_VOLUMES if resource == "volumes" else _COMMON
    for name in cast("dict[str, Any]", given):
        if name not in known:
            raise Validation(f"invalid schema: invalid params: unknown field: `{name}`")
    params = _params(given, Params())
    if params.sort:
        _sort(kind, params.sort)


def _check_filter(part: Expression, kind: Kind, variables: Mapping[str, Any]) -> None:
    match part:
        case All(parts=parts) | Some(parts=parts):
            for inner in parts:
                _check_filter(inner, kind, variables)
        case Not(part=inner):
            _check_filter(inner, kind, variables)
        case Test():
            _check_test(part, kind, variables)


def _check_test(test: Test, kind: Kind, variables: Mapping[str, Any]) -> None:
    field = kind.fields.get(test.field)
    if field is None:
        raise Validation(f"invalid schema: unknown key '{test.field}' when building query")
    is_map = field.kind in ("strings", "numbers")
    if test.index is not None and (not is_map or not _INDEX.fullmatch(test.index)):
        raise Validation(f"invalid schema: invalid key '{test.field}[{test.index}]'")
    if is_map and test.index is None and test.operator != "$exists":
        raise Validation(f"invalid schema: '{test.field}' needs an index")
    fields.check_operator(test, field)
    values = wire.items(test.value) if isinstance(test.value, list) else [test.value]
    for value in values:
        _check_value(test, field, value, variables)


def _check_value(test: Test, field: Field, value: object, variables: Mapping[str, Any]) -> None:
    """A literal of the field's type, or a variable of that type; dates are never literal."""
    wanted = _KINDS[field.kind]
    whole = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    if whole is not None:
        declared = variables.get(whole[1])
        if declared is None:
            raise Validation(f"invalid schema: variable `{whole[1]}` is not declared")
        if declared["type"] != wanted:
            raise Validation(
                f"invalid schema: variable `{whole[1]}` is of type `{declared['type']}`, not `{wanted}`"
            )
        return
    if isinstance(value, str) and wanted == "string":
        for found in _INSIDE.finditer(value):
            name = found[1] or found[2]
            if name not in variables:
                raise Validation(f"invalid schema: variable `{name}` is not declared")
        return
    if wanted == "date" or not _is_of(value, wanted):
        raise Validation(f"invalid schema: invalid value '{value}' for property '{field.name}'")


# Runs.


def start(schema: Schema, name: str, given: wire.Members, settings: Settings) -> tuple[str, Listing]:
    """The resource and the list that a run asks for. Raises Validation."""
    query = schema.queries.get(name)
    if query is None:
        raise Validation(f"query template `{name}` not found")
    resource = str(query["resource"])
    kind = KINDS[resource]
    if given.has("cursor"):
        return resource, listing_of(given.text("cursor"), resource, kind.columns)
    params = Params()
    for source in (query.get("params"), given.raw("params")):
        if source is not None:
            # Absent members of a params object reset what came before, but for `sort` (14.5).
            params = _params(source, Params(sort=params.sort))
    column, descending = kind.default, kind.descending
    if params.sort:
        column, descending = _sort(kind, params.sort)
    options = {"groupBy": max(params.group_by, 0), "insertionDate": int(params.insertion_date)}
    listing = Listing(
        resource=resource,
        size=min(params.page_size or settings.default_page_size, settings.max_page_size),
        column=column,
        descending=descending,
        filter=_filled(query, given.raw("vars")),
        pit=params.pit,
        oot=params.oot,
        expand=params.expand,
        options={name: value for name, value in options.items() if value} if resource == "volumes" else {},
    )
    return resource, listing if resource != "logs" else replace(listing, pit=None, oot=None)


def page(view: ReadView, ledger: LedgerRow, resource: str, listing: Listing) -> Page:
    """A page of the resource. Raises Validation."""
    if listing.expand and resource in ("logs", "volumes"):
        raise Validation("there is nothing to expand here")
    return KINDS[resource].page(view, ledger, listing)


def _params(value: object, before: Params) -> Params:
    members = wire.Members(value, "params")
    expand = members.array("expand")
    if not all(isinstance(name, str) for name in expand):
        raise Validation("'params.expand' must be an array of texts")
    group_by = members.raw("groupBy")
    if group_by is not None and (not isinstance(group_by, int) or isinstance(group_by, bool)):
        raise Validation("'params.groupBy' must be a whole number")
    return Params(
        pit=members.time("endTime"),
        oot=members.time("startTime"),
        expand=tuple(expand),
        sort=members.text("sort") or before.sort,
        page_size=members.natural("pageSize") or 0,
        group_by=group_by or 0,
        insertion_date=members.flag("insertionDate"),
    )


def _sort(kind: Kind, text: str) -> tuple[str, bool]:
    if not text.partition(":")[0]:
        raise Validation(f"invalid sort column: {text!r}")
    return sort_of(text, kind.columns, kind.default, descending=kind.descending)


def _filled(query: Mapping[str, Any], given: object) -> str:
    """The filter's JSON with all variables filled in; "" for none."""
    values = _values(query.get("vars", {}), given)
    body = query.get("body")
    if body is None or body == {}:
        return ""
    return wire.encoded(_fill(body, values))


def _values(declared: Mapping[str, Any], given: object) -> dict[str, Any]:
    """The variables' values; unknown ones are ignored, a null is kept to be refused where it is used."""
    if given is not None and not isinstance(given, dict):
        raise Validation("'vars' must be an object")
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        if isinstance(given, dict) and name in given:
            value = cast("dict[str, Any]", given)[name]
            values[name] = None if value is None else _typed(name, value, declaration["type"])
        elif "default" in declaration:
            values[name] = _typed(name, declaration["default"], declaration["type"])
    return values


def _fill(part: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(part, str):
        whole = _WHOLE.fullmatch(part)
        if whole is not None:
            return _value(whole[1], values)
        return _INSIDE.sub(lambda found: _text(_value(found[1] or found[2], values)), part)
    if isinstance(part, list):
        return [_fill(item, values) for item in wire.items(part)]
    if isinstance(part, dict):
        return {key: _fill(item, values) for key, item in cast("dict[str, Any]", part).items()}
    return part


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise Validation(f"missing variable: {name}")
    if values[name] is None:
        raise Validation(f"the variable {name} must not be null")
    return values[name]


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _is_whole(value: Decimal) -> bool:
    return value.adjusted() < LEDGER_AMOUNT_DIGITS and value == value.to_integral_value()


def _typed(name: str, value: Any, kind: str) -> Any:
    """The value, if it is of the type. A whole number may be written with a fraction of zeros. Raises Validation."""
    if kind == "int" and isinstance(value, Decimal) and _is_whole(value):
        return int(value)
    if not _is_of(value, kind):
        raise Validation(f"invalid value `{value}` for type `{kind}` of variable `{name}`")
    return value


def _is_of(value: object, kind: str) -> bool:
    match kind:
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            if not isinstance(value, str):
                return False
            times.parse(value)
            return True
        case _:
            return isinstance(value, str)
