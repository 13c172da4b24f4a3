"""A log as the event that the real service publishes (section 16)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Raw, Struct, json

from bursar.engine.books import LogRow
from bursar.engine.kernel import chain
from bursar.engine.kernel.model import format_time

TYPES: Final = {
    chain.NEW_TRANSACTION: "COMMITTED_TRANSACTIONS",
    chain.REVERTED_TRANSACTION: "REVERTED_TRANSACTION",
    chain.SET_METADATA: "SAVED_METADATA",
    chain.DELETE_METADATA: "DELETED_METADATA",
    chain.INSERTED_SCHEMA: "INSERTED_SCHEMA",
}
"""The type of an event by that of its log."""

_members: Final = json.Decoder(dict[str, Raw]).decode
_encode: Final = json.Encoder().encode


class Event(Struct, frozen=True):
    """`id` is the same whenever the event is sent, so that a receiver can tell repetitions."""

    id: str
    type: str
    body: bytes


def event_of(row: LogRow) -> Event:
    """The event of a log. Its date is the log's."""
    kind = TYPES[row.type]
    envelope = {
        "idempotency_key": "",
        "date": format_time(row.date),
        "app": "ledger",
        "version": "v2",
        "type": kind,
        "payload": {"ledger": row.ledger, **_payload(row)},
    }
    return Event(f"{row.ledger}/{row.id}", kind, _encode(envelope))


def _payload(row: LogRow) -> dict[str, Any]:
    data = _members(row.data)
    match row.type:
        case chain.NEW_TRANSACTION:
            return {"transactions": [data["transaction"]], "accountMetadata": data["accountMetadata"]}
        case chain.REVERTED_TRANSACTION:
            return {
                "revertedTransaction": data["revertedTransaction"],
                "revertTransaction": data["transaction"],
            }
        case chain.INSERTED_SCHEMA:
            return {"schema": data["schema"]}
        case _:
            target = json.decode(data["targetId"], type=int | str)
            return {**data, "targetId": str(target)}
