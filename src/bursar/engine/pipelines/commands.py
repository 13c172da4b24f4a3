"""What may happen to exporters and pipelines (section 15; answers of the real service's faults by section 24.2)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bursar.engine.ledger import ledgers
from bursar.engine.ledger.errors import NotFound, Validation
from bursar.engine.pipelines.tables import EXPORTERS, PIPELINES, ExporterRow, PipelineRow
from bursar.engine.view import View

_NUMBERS: Final = "exporters-and-pipelines"


def create_exporter(view: View, driver: str, config: str) -> ExporterRow:
    """Make a destination; two may be the same."""
    row = ExporterRow(view.ids.uuid(), view.next_id(_NUMBERS), driver, config, view.now)
    view.put(EXPORTERS, row)
    return row


def update_exporter(view: View, id: str, driver: str, config: str) -> None:
    """Change a destination; its pipelines go on there from where they are. Raises NotFound."""
    view.put(EXPORTERS, replace(exporter(view, id), driver=driver, config=config))


def delete_exporter(view: View, id: str) -> None:
    """Remove a destination with its pipelines. Raises NotFound."""
    exporter(view, id)
    view.delete(EXPORTERS, id)
    for row in view.scan(PIPELINES):
        if row.exporter == id:
            view.delete(PIPELINES, row.id)


def exporter(view: View, id: str) -> ExporterRow:
    """The destination. Raises NotFound."""
    row = view.get(EXPORTERS, id)
    if row is None:
        raise NotFound(f"exporter '{id}' not found")
    return row


def create_pipeline(view: View, ledger: str, exporter: str) -> PipelineRow:
    """Send a ledger's logs to an exporter, all of them and from now on. Raises LedgerNotFound or Validation."""
    ledgers.find(view, ledger)
    if view.get(EXPORTERS, exporter) is None:
        raise Validation(f"exporter '{exporter}' not found")
    if any((row.ledger, row.exporter) == (ledger, exporter) for row in view.scan(PIPELINES)):
        raise Validation(f"pipeline '{ledger}/{exporter}' already exists")
    number = view.next_id(_NUMBERS)
    row = PipelineRow(view.ids.uuid(), number, ledger, exporter, view.now, True, None, 0, "")
    view.put(PIPELINES, row)
    return row


def start(view: View, id: str) -> None:
    """Let a stopped pipeline go on. Raises NotFound (also for one of a deleted ledger) or Validation."""
    row = pipeline(view, id)
    if row.running:
        raise Validation(f"pipeline '{id}' already started")
    ledgers.find(view, row.ledger)
    view.put(PIPELINES, replace(row, running=True))


def stop(view: View, id: str) -> None:
    """Hold a pipeline until it is started again. Raises NotFound, also when it is stopped."""
    view.put(PIPELINES, replace(_running(view, id), running=False))


def delete_pipeline(view: View, id: str) -> None:
    """Remove a running pipeline. Raises NotFound, also when it is stopped."""
    _running(view, id)
    view.delete(PIPELINES, id)


def reset(view: View, id: str) -> None:
    """Send all logs again. Raises NotFound."""
    row = pipeline(view, id)
    view.put(PIPELINES, replace(row, last_log=None, resets=row.resets + 1, error=""))


def pipeline(view: View, id: str) -> PipelineRow:
    """The pipeline. Raises NotFound."""
    row = view.get(PIPELINES, id)
    if row is None:
        raise NotFound(f"pipeline '{id}' not found")
    return row


def arrived(view: View, sent: PipelineRow, last_log: int) -> None:
    """Move the position after a delivery, unless the pipeline was reset or removed meanwhile."""
    row = view.get(PIPELINES, sent.id)
    if row is not None and row.resets == sent.resets:
        view.put(PIPELINES, replace(row, last_log=last_log, error=""))


def failed(view: View, sent: PipelineRow, error: str) -> None:
    """Remember why a delivery failed."""
    row = view.get(PIPELINES, sent.id)
    if row is not None and row.resets == sent.resets and row.error != error:
        view.put(PIPELINES, replace(row, error=error))


def _running(view: View, id: str) -> PipelineRow:
    row = pipeline(view, id)
    if not row.running:
        raise NotFound(f"pipeline '{id}' not found")
    return row
