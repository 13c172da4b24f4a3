"""How far each destination of events has been told."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bursar.engine.store.table import AnyTable, Table

EVERYTHING: Final = ""
"""No ledger's name: its row says that a destination is known, so that ledgers without a row are newer than it."""


class PositionRow(Struct, frozen=True, gc=False):
    """The last log of a ledger that a destination has been told of."""

    destination: str
    ledger: str
    last_log: int


POSITIONS: Final = Table("event_positions", PositionRow, ("destination", "ledger"))

TABLES: Final[tuple[AnyTable, ...]] = (POSITIONS,)
