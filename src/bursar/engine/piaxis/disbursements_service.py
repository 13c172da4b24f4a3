"""The disbursements group as methods: each takes who calls, then the parameters of its endpoint in the contract."""

from __future__ import annotations

from datetime import datetime

from bursar.engine.core import Core
from bursar.engine.piaxis import disbursements, money
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.disbursements import Priced
from bursar.engine.piaxis.keys import keyed
from bursar.engine.piaxis.pages import asked_page, between, page_of
from bursar.engine.piaxis.submit import submit
from bursar.engine.piaxis.tables import DISBURSEMENTS, ITEMS, Item
from bursar.engine.piaxis.tables import Disbursement as Row
from bursar.engine.piaxis.times import moment
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.disbursements import (
    CancelDisbursement,
    Disbursement,
    DisbursementItem,
    DisbursementPage,
    DisbursementQuote,
    DisbursementStatus,
    DisbursementSummary,
    NewDisbursement,
    QuotedItem,
)


class DisbursementsService:
    """Serves merchants. A method returns when its effect is durable."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create_disbursement(
        self, caller: Caller, payload: NewDisbursement, *, idempotency_key: str | None = None
    ) -> DisbursementSummary:
        """Hold a batch's money and schedule it. Raises `InvalidRequest` and `Refusal` (PS79-PS82)."""

        def act(view: View) -> DisbursementSummary:
            return _summary(disbursements.create(view, caller, payload))

        route = "POST /disbursements"
        return await keyed(self._core, caller, route, idempotency_key, payload, act, DisbursementSummary)

    async def quote_disbursement(self, caller: Caller, payload: NewDisbursement) -> DisbursementQuote:
        """Price a batch; the same batch costs that until the quote expires (PS89). Raises `InvalidRequest`."""

        def command(view: View) -> DisbursementQuote:
            return _quoted(*disbursements.quote(view, caller, payload))

        return await submit(self._core, command)

    async def get_disbursement(self, caller: Caller, disbursement_id: str) -> Disbursement:
        """Return a batch of the caller's. Raises `Refusal`."""

        def query(view: ReadView) -> Disbursement:
            row = disbursements.own(view, caller, disbursement_id)
            return _detail(row, list(view.scan(ITEMS, row.id)))

        return await self._core.read(query)

    async def list_disbursements(
        self,
        caller: Caller,
        *,
        status: DisbursementStatus | None = None,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> DisbursementPage:
        """Return a page of the caller's batches. Raises `InvalidRequest` (PS88)."""
        page = asked_page(limit, offset)
        where: dict[str, Scalar] = {"merchant": caller.merchant, **between(from_date, to_date)}
        if status is not None:
            where["status"] = status.value

        def query(view: ReadView) -> DisbursementPage:
            rows, total = page_of(view, DISBURSEMENTS, where, page)
            results = [_summary(row) for row in rows]
            return DisbursementPage(total=total, offset=page.offset, limit=page.limit, results=results)

        return await self._core.read(query)

    async def cancel_disbursement(
        self,
        caller: Caller,
        disbursement_id: str,
        payload: CancelDisbursement,
        *,
        idempotency_key: str | None = None,
    ) -> DisbursementSummary:
        """Cancel a batch that is pending. Raises `Refusal` (PS86, PS87)."""

        def act(view: View) -> DisbursementSummary:
            return _summary(disbursements.cancel(view, caller, disbursement_id, payload.reason))

        route, asked = "POST /disbursements/cancel", [disbursement_id, payload]
        return await keyed(self._core, caller, route, idempotency_key, asked, act, DisbursementSummary)


def _summary(row: Row) -> DisbursementSummary:
    return DisbursementSummary(
        disbursement_id=row.id,
        status=DisbursementStatus(row.status),
        total_amount=money.shown(row.total, row.currency),
        currency=row.currency,
        recipient_count=row.count,
        successful_count=row.succeeded,
        failed_count=row.failed,
        pending_count=disbursements.pending_count(row),
    )


def _detail(row: Row, items: list[Item]) -> Disbursement:
    summary = _summary(row)
    return Disbursement(
        **{name: getattr(summary, name) for name in summary.__struct_fields__},
        payment_method=PaymentMethod(row.method),
        description=row.description,
        created_at=moment(row.created_at),
        completed_at=moment(row.completed_at),
        cancelled_at=moment(row.cancelled_at),
        cancellation_reason=row.cancellation_reason,
        items=[_item(item, row.currency) for item in items],
    )


def _item(item: Item, currency: str) -> DisbursementItem:
    return DisbursementItem(
        amount=money.shown(item.amount, currency),
        status=item.status,
        recipient_id=item.recipient,
        phone_number=item.phone,
        email=item.email,
        reference=item.reference,
        failure_reason=item.error,
    )


def _quoted(priced: Priced, expires_at: int) -> DisbursementQuote:
    currency = priced.currency
    items = [
        QuotedItem(
            amount=money.shown(amount, currency),
            fee=money.shown(fee, currency),
            recipient_id=recipient.recipient_id,
            phone_number=recipient.phone_number,
            reference=recipient.reference,
        )
        for recipient, amount, fee in zip(priced.recipients, priced.amounts, priced.fees, strict=True)
    ]
    return DisbursementQuote(
        currency=currency,
        total_amount=money.shown(priced.total, currency),
        total_fees=money.shown(sum(priced.fees), currency),
        total_debit=money.shown(priced.debit, currency),
        recipient_count=len(items),
        items=items,
        expires_at=moment(expires_at),
    )
