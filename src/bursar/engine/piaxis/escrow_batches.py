"""Figures of an escrow disbursement as its escrows end."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bursar.engine.piaxis.escrow_states import State
from bursar.engine.piaxis.escrow_tables import ESCROW_BATCHES, EscrowBatch
from bursar.engine.view import View

PENDING: Final = "pending"
COMPLETED: Final = "completed"
PARTLY: Final = "partially_completed"
CANCELLED: Final = "cancelled"


def count(view: View, id: str, state: State) -> EscrowBatch:
    """Take note that an escrow of a batch is final; the batch is when all are."""
    batch = view.get(ESCROW_BATCHES, id)
    assert batch is not None
    changed = replace(batch, final=batch.final + 1, released=batch.released + (state is State.RELEASED))
    changed = replace(changed, status=status_of(changed))
    view.put(ESCROW_BATCHES, changed)
    return changed


def status_of(batch: EscrowBatch) -> str:
    """Return a batch's status: pending while one of its escrows holds money."""
    if batch.final < batch.count:
        return PENDING
    if batch.released == batch.count:
        return COMPLETED
    return PARTLY if batch.released else CANCELLED


def pending_count(batch: EscrowBatch) -> int:
    """Return how many escrows are not final; reversed ones are in no counter, as the fixture has it (B6)."""
    return batch.count - batch.final
