"""Which ledgers there are, and how each was set up. A ledger that nobody set up registers with its first posting."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

from msgspec import Struct

from bursar.engine.store.table import Scalar, Table

R = TypeVar("R", bound=Struct)

DEFAULT_BUCKET: Final = "_default"
DEFAULT_FEATURES: Final = (
    '{"ACCOUNT_METADATA_HISTORY":"SYNC","HASH_LOGS":"SYNC","MOVES_HISTORY":"ON",'
    '"MOVES_HISTORY_POST_COMMIT_EFFECTIVE_VOLUMES":"SYNC","TRANSACTION_METADATA_HISTORY":"SYNC"}'
)
"""JSON with sorted keys."""

RAIL_LEDGERS: Final = frozenset({"milkyway", "piaxis"})
"""Books that the engine's rails keep: through the ledger API they can be read, not changed."""

IDS: Final = "ledger_ids"
"""The sequence that numbers ledgers, from 1 on."""


class LedgerRow(Struct, frozen=True, gc=False):
    """A ledger. `metadata` and `features` are JSON maps with sorted keys.

    `in_use` becomes true with the first ordinary write; until then logs can be imported. `imported_log` and
    `imported_transaction` are the largest ids that imports brought, None for none.
    """

    name: str
    id: int
    bucket: str
    metadata: str
    features: str
    added_at: int
    deleted_at: int | None
    in_use: bool
    imported_log: int | None = None
    imported_transaction: int | None = None


LEDGERS: Final = Table("ledgers", LedgerRow, ("name",), cached=True)


class View(Protocol):
    """The part of `bursar.engine.view.View` that the registry needs."""

    now: int

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """The row at a key."""
        ...

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row."""
        ...

    def next_id(self, sequence: str, *, start: int = 1) -> int:
        """The next number of a sequence."""
        ...


def register(view: View, name: str) -> None:
    """Note the ledger of a rail, unless it is known."""
    if view.get(LEDGERS, name) is None:
        number = view.next_id(IDS)
        view.put(
            LEDGERS,
            LedgerRow(name, number, DEFAULT_BUCKET, "{}", DEFAULT_FEATURES, view.now, None, in_use=True),
        )
