"""Schemas of a ledger: chart, transaction templates, query templates; immutable, each write names one (section 14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, json

from bursar.engine.kernel import Posting
from bursar.engine.kernel.model import format_time
from bursar.engine.ledger import chart, wire
from bursar.engine.ledger.chart import Node
from bursar.engine.ledger.errors import NotFound, OutsideChart, SchemaNotSpecified, Validation
from bursar.engine.ledger.requests import CreateTransaction, InsertSchema, Write
from bursar.engine.ledger.settings import Settings
from bursar.engine.ledger.tables import SCHEMA_COUNTS, SCHEMAS, SchemaCount, SchemaRow
from bursar.engine.registry import LedgerRow
from bursar.engine.view import View

_PARSED_KEPT: Final = 256


class Template(Struct, frozen=True):
    """A script of a schema."""

    script: str
    runtime: str = ""
    description: str = ""


class Schema(Struct, frozen=True):
    """A schema, ready for use."""

    version: str
    chart: Node
    transactions: Mapping[str, Template] = {}
    queries: Mapping[str, Mapping[str, Any]] = {}

    def check_postings(self, postings: Sequence[Posting], *, strict: bool) -> None:
        """Refuse accounts that the chart does not have; in audit mode they are let through. Raises OutsideChart."""
        if strict:
            for posting in postings:
                for address in (posting.source, posting.destination):
                    try:
                        chart.find(self.chart, address)
                    except OutsideChart as error:
                        raise OutsideChart(f"schema version [{self.version}]: {error.message}") from None

    def defaults(self, addresses: Iterable[str]) -> dict[str, dict[str, str]]:
        """What accounts with these addresses start with."""
        found: dict[str, dict[str, str]] = {}
        for address in addresses:
            try:
                defaults = chart.find(self.chart, address).defaults
            except OutsideChart:
                continue
            if defaults:
                found[address] = defaults
        return found

    def template(self, name: str) -> Template:
        """The script of this name. Raises Validation."""
        try:
            return self.transactions[name]
        except KeyError:
            raise Validation(
                f"schema version `{self.version}` has no transaction template `{name}`"
            ) from None


def for_write(view: View, row: LedgerRow, request: Write, version: str, settings: Settings) -> Schema | None:
    """The schema that a write names, and whether the write may go without one (section 14.3).

    Raises NotFound, SchemaNotSpecified or Validation.
    """
    if version:
        schema = get(view, row.name, version)
        if schema is None:
            raise _unknown(view, row.name, version)
        if isinstance(request, CreateTransaction) and schema.transactions and not request.template:
            raise Validation(f"schema version `{version}` allows only its transaction templates")
        if isinstance(request, CreateTransaction) and request.template:
            schema.template(request.template)
        return schema
    if isinstance(request, InsertSchema):
        return None
    if settings.strict and view.get(SCHEMA_COUNTS, row.name) is not None:
        raise SchemaNotSpecified("this ledger has schemas: name one with schemaVersion")
    if isinstance(request, CreateTransaction) and request.template:
        raise Validation("a transaction template needs a schemaVersion")
    return None


def _unknown(view: View, ledger: str, version: str) -> NotFound:
    count = view.get(SCHEMA_COUNTS, ledger)
    known = (
        "this ledger doesn't have a schema"
        if count is None
        else f"latest available version is `{count.latest}`"
    )
    return NotFound(f"schema version `{version}` not found, {known}")


def get(view: View, ledger: str, version: str) -> Schema | None:
    """A version of a ledger's schema."""
    row = view.get(SCHEMAS, ledger, version)
    return None if row is None else of_text(row.data)


@lru_cache(_PARSED_KEPT)
def of_text(text: str) -> Schema:
    """The schema of its stored text."""
    data = wire.value_at(text, 0)[0]
    templates = {
        name: Template(entry["script"], entry.get("runtime", ""), entry.get("description", ""))
        for name, entry in data.get("transactions", {}).items()
    }
    return Schema(data["version"], chart.parse(data["chart"]), templates, data.get("queries", {}))


def stored_text(request: InsertSchema, now: int) -> str:
    """The read-back form as JSON."""
    return text_of(request.stored, request.version, format_time(now))


def text_of(stored: Mapping[str, object], version: str, created: str) -> str:
    """The same of its parts. Members stand in the order in which the hash chain has them (section 12.2)."""
    return json.encode({**stored, "version": version, "createdAt": created}).decode()


def keep(view: View, ledger: str, version: str, now: int, text: str) -> None:
    """Store a version."""
    view.put(SCHEMAS, SchemaRow(ledger, version, now, text))
    count = view.get(SCHEMA_COUNTS, ledger)
    view.put(SCHEMA_COUNTS, SchemaCount(ledger, 1 if count is None else count.count + 1, version))


def created_at(text: str) -> str:
    """When the schema of a stored text was made."""
    return str(json.decode(text)["createdAt"])
