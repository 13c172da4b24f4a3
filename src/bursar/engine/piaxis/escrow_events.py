"""What webhooks tell about an escrow (E22): no personal data."""

from __future__ import annotations

from typing import Any

from bursar.engine.piaxis import money
from bursar.engine.piaxis.escrow_tables import EscrowRow
from bursar.engine.view import View
from bursar.engine.webhooks.outbox import emit


def tell(view: View, escrow: EscrowRow, type: str, /, **more: Any) -> None:
    """Write the event "escrow.<type>" with the escrow as it is now."""
    emit(
        view,
        source="piaxis",
        owner=escrow.merchant,
        type=f"escrow.{type}",
        object=f"escrow:{escrow.id}",
        data=event(escrow) | more,
    )


def event(escrow: EscrowRow) -> dict[str, Any]:
    """Return what each of an escrow's events says."""
    return {
        "escrow_id": escrow.id,
        "status": escrow.shown,
        "amount": money.plain(escrow.amount, escrow.currency),
        "currency": escrow.currency,
        "payment_method": escrow.method,
        "released_amount": money.plain(escrow.released, escrow.currency),
        "reversed_amount": money.plain(escrow.reversed, escrow.currency),
        "held_amount": money.plain(escrow.held, escrow.currency),
        "external_order_id": escrow.external_order_id,
        "disbursement_id": escrow.batch,
    }
