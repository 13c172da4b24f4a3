"""A schema as it was sent: checked, and in the form in which it is read back (section 14.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, json

from bursar.engine.ledger import chart, queries, wire
from bursar.engine.ledger.errors import LedgerError, Validation
from bursar.engine.ledger.requests import INTERPRETER, InsertSchema
from bursar.engine.ledger.settings import Settings


def read_back(members: wire.Members) -> dict[str, Any]:
    """Chart, transaction templates and queries of a schema. Raises Validation."""
    if not members.given("chart"):
        raise Validation("invalid schema: missing chart of accounts")
    given = members.raw("chart")
    out: dict[str, Any] = {"chart": chart.shown(chart.parse({} if given is None else given))}
    for name, read in (("transactions", _template), ("queries", _query)):
        found = members.mapping(name, read)
        if found:
            out[name] = dict(sorted(found.items()))
    return out


def insertion(version: str, members: wire.Members, settings: Settings) -> InsertSchema:
    """The schema, with all that it holds checked. Raises Validation."""
    stored = read_back(members)
    for name, template in stored.get("transactions", {}).items():
        _check_template(name, template, settings)
    for name, query in stored.get("queries", {}).items():
        queries.check(name, query)
    plain = wire.plain(stored)
    return InsertSchema(version, Raw(json.encode(plain)), plain)


def _check_template(name: str, template: Mapping[str, str], settings: Settings) -> None:
    runtime = template.get("runtime", "")
    if runtime not in ("", "machine", INTERPRETER):
        raise Validation(f"unexpected runtime `{runtime}`: should be `machine` or `{INTERPRETER}`")
    interprets = runtime == INTERPRETER or (not runtime and settings.interpreter)
    try:
        from bursar.engine.ledger.scripts import check_script  # only a server with scripts pays for Numscript

        check_script(template["script"], interprets=interprets)
    except LedgerError as error:
        raise Validation(f"invalid schema: invalid template {name}: {error.message}") from None


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
        out["params"] = members.raw("params")
    variables = members.mapping("vars", _variable)
    if variables:
        out["vars"] = dict(sorted(variables.items()))
    if members.given("body"):
        out["body"] = members.raw("body")
    return out


def _variable(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"type": value}
    members = wire.Members(value, place)
    out: dict[str, Any] = {"type": members.text("type")}
    if members.has("default"):
        out["default"] = members.raw("default")
    return out
