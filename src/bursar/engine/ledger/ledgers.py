"""Commands on ledgers and buckets (sections 8.2, 8.3, 11.1)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import json
from msgspec.structs import replace

from bursar.engine.books import HEADS, encode
from bursar.engine.kernel import Head
from bursar.engine.ledger import features, names
from bursar.engine.ledger.errors import BadMetadata, LedgerError, LedgerExists, LedgerNotFound
from bursar.engine.registry import DEFAULT_BUCKET, IDS, LEDGERS, RAIL_LEDGERS, LedgerRow
from bursar.engine.view import View


def check_text(values: Mapping[str, str] | None) -> None:
    """NUL cannot be kept (section 24.2). Raises BadMetadata."""
    if values and any("\0" in key or "\0" in value for key, value in values.items()):
        raise BadMetadata("metadata cannot hold the character NUL")


def find(view: View, name: str) -> LedgerRow:
    """The live ledger of this name. Raises LedgerNotFound."""
    row = view.get(LEDGERS, name)
    if row is None or row.deleted_at is not None:
        raise LedgerNotFound
    return row


def create(
    view: View,
    name: str,
    bucket: str = DEFAULT_BUCKET,
    metadata: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    *,
    experimental: bool = False,
) -> LedgerError | None:
    """Make a ledger. An existing name is returned as a refusal, since it uses up a ledger id."""
    chosen = features.complete(given or {}, experimental=experimental)
    names.check_ledger(name)
    names.check_bucket(bucket)
    check_text(metadata)
    number = view.next_id(IDS)
    if view.get(LEDGERS, name) is not None:
        return LedgerExists(f"ledger {name!r} exists already")
    row = LedgerRow(
        name, number, bucket, encode(metadata or {}), encode(chosen), view.now, deleted_at=None, in_use=False
    )
    view.put(LEDGERS, row)
    head = Head(
        name,
        hashed=chosen[features.HASH] == "SYNC",
        effective=chosen[features.MOVES] == "ON" and chosen[features.EFFECTIVE] == "SYNC",
    )
    view.put(HEADS, head)
    return None


def set_metadata(view: View, name: str, metadata: Mapping[str, str]) -> None:
    """Merge metadata; an unknown name is no fault (section 24.4)."""
    names.check_not_a_rails(name)
    check_text(metadata)
    row = view.get(LEDGERS, name)
    if row is not None:
        merged = {**json.decode(row.metadata, type=dict[str, str]), **metadata}
        view.put(LEDGERS, replace(row, metadata=encode(merged)))


def delete_metadata(view: View, name: str, key: str) -> None:
    """Remove a key; unknown names and keys are no fault."""
    names.check_not_a_rails(name)
    row = view.get(LEDGERS, name)
    if row is not None:
        kept = json.decode(row.metadata, type=dict[str, str])
        kept.pop(key, None)
        view.put(LEDGERS, replace(row, metadata=encode(kept)))


def delete_bucket(view: View, bucket: str) -> None:
    """Hide the live ledgers of a bucket, all as of one moment; a rail's book stays."""
    for row in view.scan(LEDGERS):
        if row.bucket == bucket and row.deleted_at is None and row.name not in RAIL_LEDGERS:
            view.put(LEDGERS, replace(row, deleted_at=view.now))


def restore_bucket(view: View, bucket: str) -> None:
    """Show all ledgers of a bucket again."""
    for row in view.scan(LEDGERS):
        if row.bucket == bucket and row.deleted_at is not None:
            view.put(LEDGERS, replace(row, deleted_at=None))
