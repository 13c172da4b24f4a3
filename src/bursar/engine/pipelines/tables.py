"""Where logs go, and how far they got."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bursar.engine.store.table import AnyTable, Table


class ExporterRow(Struct, frozen=True, gc=False):
    """A destination. `config` is JSON as it was given; `number` counts exporters in the order of their making."""

    id: str
    number: int
    driver: str
    config: str
    created_at: int


class PipelineRow(Struct, frozen=True, gc=False):
    """A ledger's way to an exporter. `last_log` is the last log that arrived; None: none yet.

    `resets` counts resets, so that a delivery that began before one does not move the position after it. `error` is why
    the last delivery failed; "" when it did not.
    """

    id: str
    number: int
    ledger: str
    exporter: str
    created_at: int
    running: bool
    last_log: int | None
    resets: int
    error: str


EXPORTERS: Final = Table("exporters", ExporterRow, ("id",))
PIPELINES: Final = Table("pipelines", PipelineRow, ("id",))

TABLES: Final[tuple[AnyTable, ...]] = (EXPORTERS, PIPELINES)
