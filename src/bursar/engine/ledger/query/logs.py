"""Logs: list and export (sections 8.10, 11.6, 12.1)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Raw, json, structs

from bursar.engine.books import LOGS, LogRow
from bursar.engine.kernel import chain
from bursar.engine.kernel.model import format_time
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import fields
from bursar.engine.ledger.query.expression import Test
from bursar.engine.ledger.query.fields import Field, Fields
from bursar.engine.ledger.query.pages import Column, Listing, Page, Source, run
from bursar.engine.registry import LedgerRow
from bursar.engine.store.base import Sql
from bursar.engine.view import ReadView

COLUMNS: Final[Mapping[str, Column]] = {"id": Column("l.id", "number"), "date": Column("l.date", "date")}
TYPES: Final = (
    chain.SET_METADATA,
    chain.NEW_TRANSACTION,
    chain.REVERTED_TRANSACTION,
    chain.DELETE_METADATA,
    chain.INSERTED_SCHEMA,
)
_COLUMNS: Final = (
    "l.ledger, l.id, l.type, l.data, l.date, l.hash, l.idempotency_key, l.idempotency_hash, l.schema_version"
)
_encode: Final = json.Encoder().encode


def page(view: ReadView, ledger: LedgerRow, listing: Listing) -> Page:
    """A page of logs. Raises Validation."""
    condition = fields.compile_filter(listing.expression(), FIELDS)
    window = ""
    if listing.oot is not None:
        window += f" AND l.date >= {listing.oot}"
    if listing.pit is not None:
        window += f" AND l.date < {listing.pit}"
    body = Sql(
        f"FROM logs l WHERE l.ledger = ?{window} AND ({condition.text})", (ledger.name, *condition.values)
    )
    rows, shape = run(view, listing, Source(_COLUMNS, body, "l.id"), COLUMNS[listing.column])
    return structs.replace(shape, data=[shown(LogRow(*row[:9])) for row in rows])


def exported(view: ReadView, ledger: LedgerRow) -> Iterator[bytes]:
    """Every log as a line of JSON, oldest first."""
    for row in view.scan(LOGS, ledger.name):
        yield _encode(shown(row)) + b"\n"


def exported_after(view: ReadView, ledger: str, after: int, limit: int) -> tuple[bytes, int | None]:
    """The next lines of an export, and the last log id among them; None at the end."""
    rows = view.select(LOGS, {"ledger": ledger, "id >": after}, order=("id",), limit=limit)
    lines = b"".join(_encode(shown(row)) + b"\n" for row in rows)
    return lines, rows[-1].id if rows else None


def shown(row: LogRow) -> dict[str, Any]:
    """A log as the API writes it."""
    out: dict[str, Any] = {
        "type": row.type,
        "data": Raw(row.data),
        "date": format_time(row.date),
        "idempotencyKey": row.idempotency_key,
        "idempotencyHash": row.idempotency_hash,
        "id": row.id,
        "hash": b64encode(row.hash).decode() if row.hash else None,
    }
    if row.schema_version:
        out["schemaVersion"] = row.schema_version
    return out


def _type() -> Field:
    def sql(test: Test) -> Sql:
        if test.operator != "$match" or test.value not in TYPES:
            raise Validation(f"invalid value '{test.value}' for property 'type': $match takes a type of log")
        return Sql("l.type = ?", (test.value,))

    return Field("type", "string", sql)


FIELDS: Final[Fields] = {
    "id": fields.number("id", "l.id"),
    "date": fields.date("date", "l.date"),
    "type": _type(),
}
