"""The escrow-disbursements group as methods: each takes who calls, then its endpoint's parameters in the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bursar.engine.core import Core
from bursar.engine.piaxis import escrow_batches, escrow_disbursements, money
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.escrow_disbursements import Acted
from bursar.engine.piaxis.escrow_tables import ESCROW_BATCHES, ESCROW_ITEMS, ESCROWS, EscrowBatch
from bursar.engine.piaxis.escrow_tables import EscrowItem as ItemRow
from bursar.engine.piaxis.keys import keyed
from bursar.engine.piaxis.pages import asked_page, page_of
from bursar.engine.piaxis.times import moment
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.disbursements import CancelDisbursement, DisbursementStatus, DisbursementSummary
from bursar.piaxis.models.escrow_disbursements import (
    BulkItem,
    EscrowDisbursement,
    EscrowDisbursementCancelled,
    EscrowDisbursementItem,
    EscrowDisbursementPage,
    EscrowDisbursementReleased,
    EscrowItem,
    NewEscrowDisbursement,
    ReleaseEscrowDisbursement,
)

_PAGE: Final = 20
_ROUTE: Final = "POST /escrow-disbursements"


class EscrowDisbursementsService:
    """Serves merchants. A method returns when its effect is durable."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create_escrow_disbursement(
        self, caller: Caller, payload: NewEscrowDisbursement, *, idempotency_key: str | None = None
    ) -> EscrowDisbursement:
        """Open and fund an escrow for each recipient. Raises `InvalidRequest` and `Refusal` (PS90)."""

        def act(view: View) -> EscrowDisbursement:
            batch, items, rows = escrow_disbursements.create(view, caller, payload)
            return _detail(batch, items, [row.shown for row in rows])

        return await keyed(self._core, caller, _ROUTE, idempotency_key, payload, act, EscrowDisbursement)

    async def get_escrow_disbursement(self, caller: Caller, disbursement_id: str) -> EscrowDisbursement:
        """Return a batch of the caller's. Raises `Refusal`."""

        def query(view: ReadView) -> EscrowDisbursement:
            batch = escrow_disbursements.own(view, caller, disbursement_id)
            items = list(view.scan(ESCROW_ITEMS, batch.id))
            return _detail(batch, items, [_status(view, item) for item in items])

        return await self._core.read(query)

    async def list_escrow_disbursements(
        self,
        caller: Caller,
        *,
        status: DisbursementStatus | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> EscrowDisbursementPage:
        """Return a page of the caller's batches, newest first. Raises `InvalidRequest`."""
        page = asked_page(limit, offset, default=_PAGE)
        where: dict[str, Scalar] = {"merchant": caller.merchant}
        if status is not None:
            where["status"] = status.value

        def query(view: ReadView) -> EscrowDisbursementPage:
            rows, total = page_of(view, ESCROW_BATCHES, where, page)
            results = [_listed(row) for row in rows]
            return EscrowDisbursementPage(total=total, offset=page.offset, limit=page.limit, results=results)

        return await self._core.read(query)

    async def release_escrow_disbursement(
        self,
        caller: Caller,
        disbursement_id: str,
        payload: ReleaseEscrowDisbursement,
        *,
        idempotency_key: str | None = None,
    ) -> EscrowDisbursementReleased:
        """Release escrows of a batch, each for itself. Raises `InvalidRequest` and `Refusal` (PS91-PS94)."""

        def act(view: View) -> EscrowDisbursementReleased:
            _, acted = escrow_disbursements.release(
                view,
                caller,
                disbursement_id,
                force=payload.force,
                reason=payload.reason,
                escrow_ids=payload.escrow_ids,
            )
            return _released(disbursement_id, payload, acted)

        asked, kind = [disbursement_id, payload], EscrowDisbursementReleased
        return await keyed(self._core, caller, f"{_ROUTE}/release", idempotency_key, asked, act, kind)

    async def cancel_escrow_disbursement(
        self,
        caller: Caller,
        disbursement_id: str,
        payload: CancelDisbursement,
        *,
        idempotency_key: str | None = None,
    ) -> EscrowDisbursementCancelled:
        """Give back what a batch's escrows hold. Raises `Refusal` (PS95)."""

        def act(view: View) -> EscrowDisbursementCancelled:
            batch = escrow_disbursements.cancel(view, caller, disbursement_id, payload.reason)
            return EscrowDisbursementCancelled(
                **_figures(batch),
                cancelled_at=moment(batch.cancelled_at),
                cancellation_reason=batch.cancellation_reason,
            )

        asked, kind = [disbursement_id, payload], EscrowDisbursementCancelled
        return await keyed(self._core, caller, f"{_ROUTE}/cancel", idempotency_key, asked, act, kind)


def _figures(batch: EscrowBatch) -> dict[str, Any]:
    summary = DisbursementSummary(
        disbursement_id=batch.id,
        status=DisbursementStatus(batch.status),
        total_amount=money.shown(batch.total, batch.currency),
        currency=batch.currency,
        recipient_count=batch.count,
        successful_count=batch.released,
        failed_count=0,
        pending_count=escrow_batches.pending_count(batch),
    )
    return {name: getattr(summary, name) for name in summary.__struct_fields__}


def _listed(batch: EscrowBatch) -> EscrowDisbursementItem:
    return EscrowDisbursementItem(
        **_figures(batch), description=batch.description, created_at=moment(batch.created_at)
    )


def _detail(batch: EscrowBatch, items: Sequence[ItemRow], statuses: Sequence[str]) -> EscrowDisbursement:
    return EscrowDisbursement(
        **_figures(batch),
        escrow_items=[
            EscrowItem(
                recipient_id=item.recipient,
                email=item.email,
                phone_number=item.phone,
                amount=money.shown(item.amount, batch.currency),
                escrow_id=item.escrow,
                status=status,
                terms_count=item.terms,
                reference=item.reference,
            )
            for item, status in zip(items, statuses, strict=True)
        ],
        description=batch.description,
        created_at=moment(batch.created_at),
    )


def _status(view: ReadView, item: ItemRow) -> str:
    row = view.get(ESCROWS, item.escrow)
    assert row is not None
    return row.shown


def _released(
    id: str, payload: ReleaseEscrowDisbursement, acted: Sequence[Acted]
) -> EscrowDisbursementReleased:
    lists = {name: _bulk(acted, name) for name in ("released", "skipped", "failed")}
    return EscrowDisbursementReleased(
        disbursement_id=id,
        force=payload.force,
        reason=payload.reason,
        released_count=len(lists["released"]),
        skipped_count=len(lists["skipped"]),
        failed_count=len(lists["failed"]),
        **lists,
    )


def _bulk(acted: Sequence[Acted], outcome: str) -> list[BulkItem]:
    return [
        BulkItem(item_id=one.item.id, escrow_id=one.item.escrow, status=one.status, reason=one.reason)
        for one in acted
        if one.outcome == outcome
    ]
