"""Ledgers and schemas as lists (sections 8.2, 8.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Raw, structs

from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import fields
from bursar.engine.ledger.query.expression import Test
from bursar.engine.ledger.query.fields import Field, Fields
from bursar.engine.ledger.query.pages import Column, Listing, Page, Source, run, shown_time
from bursar.engine.registry import LedgerRow
from bursar.engine.store.base import Sql
from bursar.engine.view import ReadView

COLUMNS: Final[Mapping[str, Column]] = {"id": Column("g.id", "number")}
SCHEMA_COLUMNS: Final[Mapping[str, Column]] = {
    "created_at": Column("s.created_at", "date"),
    "version": Column("s.version", "text"),
}
_COLUMNS: Final = "g.name, g.id, g.bucket, g.metadata, g.features, g.added_at, g.deleted_at"


def page(view: ReadView, listing: Listing) -> Page:
    """A page of ledgers. Raises Validation."""
    condition = fields.compile_filter(listing.expression(), FIELDS)
    alive = "" if listing.options.get("includeDeleted") else " AND g.deleted_at IS NULL"
    body = Sql(f"FROM ledgers g WHERE ({condition.text}){alive}", condition.values)
    rows, shape = run(view, listing, Source(_COLUMNS, body, "g.id"), COLUMNS[listing.column])
    return structs.replace(shape, data=[_shown(*row[:7]) for row in rows])


def shown(row: LedgerRow) -> dict[str, Any]:
    """A ledger as the API writes it."""
    return _shown(row.name, row.id, row.bucket, row.metadata, row.features, row.added_at, row.deleted_at)


def schema_page(view: ReadView, ledger: LedgerRow, listing: Listing) -> Page:
    """A page of schemas. Raises Validation."""
    condition = fields.compile_filter(listing.expression(), SCHEMA_FIELDS)
    seen = f" AND s.created_at <= {listing.pit}" if listing.pit is not None else ""
    body = Sql(
        f"FROM schemas s WHERE s.ledger = ?{seen} AND ({condition.text})", (ledger.name, *condition.values)
    )
    rows, shape = run(view, listing, Source("s.data", body, "s.version"), SCHEMA_COLUMNS[listing.column])
    return structs.replace(shape, data=[Raw(row[0]) for row in rows])


def _shown(
    name: str, id: int, bucket: str, metadata: str, features: str, added_at: int, deleted_at: int | None
) -> dict[str, Any]:
    out: dict[str, Any] = {
        "bucket": bucket,
        "metadata": Raw(metadata),
        "features": Raw(features),
        "id": id,
        "name": name,
        "addedAt": shown_time(added_at),
    }
    if deleted_at is not None:
        out["deletedAt"] = shown_time(deleted_at)
    return out


def _bucket() -> Field:
    def sql(test: Test) -> Sql:
        return fields.FALSE if test.operator == "$in" else Sql("g.bucket = ?", (test.value,))

    return Field("bucket", "string", sql)


def _features() -> Field:
    def sql(test: Test) -> Sql:
        if test.index is None:
            raise Validation("unknown key 'features' when building query: name a feature in brackets")
        if test.operator == "$in":
            return fields.FALSE
        return Sql("coalesce(member(g.features, ?) = ?, FALSE)", (test.index, test.value))

    return Field("features", "strings", sql)


def _unfilterable() -> Field:
    def sql(test: Test) -> Sql:
        raise Validation("unknown key 'id' when building query")

    return Field("id", "number", sql)


def single_text(name: str, column: str) -> Field:
    """A text that can be matched, but not be one of several (24.2)."""
    plain = fields.text(name, column)

    def sql(test: Test) -> Sql:
        if test.operator == "$in":
            raise Validation(f"operator '$in' is not allowed for property '{name}'")
        return plain.sql(test)

    return Field(name, "string", sql)


FIELDS: Final[Fields] = {
    "id": _unfilterable(),
    "bucket": _bucket(),
    "name": single_text("name", "g.name"),
    "features": _features(),
    "metadata": fields.members("metadata", "g.metadata"),
}
SCHEMA_FIELDS: Final[Fields] = {
    "version": single_text("version", "s.version"),
    "created_at": fields.date("created_at", "s.created_at"),
}
