"""A schema as it was sent: checked, and in the form in which it is read back (section 14.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, json

from bursar.engine.ledger import chart, wire
from bursar.engine.ledger.errors import Validation


def read_back(members: wire.Members) -> dict[str, Any]:
    """Chart, transaction templates and queries of a schema. Raises Validation."""
    if not members.has("chart"):
        raise Validation("invalid schema: missing chart of accounts")
    out: dict[str, Any] = {"chart": chart.shown(chart.parse(members.raw("chart")))}
    for name, read in (("transactions", _template), ("queries", _query)):
        found = members.mapping(name, read)
        if found:
            out[name] = dict(sorted(found.items()))
    return out


def data_json(stored: Mapping[str, Any]) -> Raw:
    """What the hash of an idempotency key covers (section 10.3)."""
    return Raw(json.encode(stored))


def _template(value: Any, place: str) -> dict[str, Any]:
    members = wire.Members(value, place)
    out: dict[str, Any] = {"description": members.text("description"), "script": members.text("script")}
    if members.text("runtime"):
        out["runtime"] = members.text("runtime")
    return out


def _query(value: Any, place: str) -> dict[str, Any]:
    members = wire.Members(value, place)
    out: dict[str, Any] = {}
    if members.text("description"):
        out["description"] = members.text("description")
    out["resource"] = members.text("resource")
    if members.given("params"):
        out["params"] = wire.plain(members.raw("params"))
    variables = members.mapping("vars", _variable)
    if variables:
        out["vars"] = dict(sorted(variables.items()))
    if members.given("body"):
        out["body"] = wire.plain(members.raw("body"))
    return out


def _variable(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": value}
    members = wire.Members(value, place)
    out: dict[str, Any] = {"type": members.text("type")}
    if members.has("default"):
        out["default"] = wire.plain(members.raw("default"))
    return out
