"""Disbursements from the merchant's wallet."""

from __future__ import annotations

from datetime import datetime

from bursar.contract import C, Effect, Resource, get, post
from bursar.piaxis.models.base import Limit, Offset, Text
from bursar.piaxis.models.disbursements import (
    CancelDisbursement,
    Disbursement,
    DisbursementPage,
    DisbursementQuote,
    DisbursementStatus,
    DisbursementSummary,
    NewDisbursement,
)

from .parameters import ACTED, MONEY, REFUSED, UNKNOWN, Key


class Disbursements(Resource[C]):
    """Money from the merchant who calls to many recipients."""

    @post("/disbursements", effect=Effect.KEYED, errors={**REFUSED, 402: MONEY})
    def create_disbursement(
        self, payload: NewDisbursement, *, idempotency_key: Key = None
    ) -> DisbursementSummary:
        """Pay a batch of recipients out of the merchant's wallet."""
        ...

    @post("/disbursements/quote", effect=Effect.IDEMPOTENT, errors=REFUSED)
    def quote_disbursement(self, payload: NewDisbursement) -> DisbursementQuote:
        """Say what a batch would cost. Creates and holds nothing."""
        ...

    @get("/disbursements/{disbursement_id}", errors={404: UNKNOWN})
    def get_disbursement(self, disbursement_id: Text) -> Disbursement:
        """Return a batch in full."""
        ...

    @get("/disbursements", errors=REFUSED)
    def list_disbursements(
        self,
        *,
        status: DisbursementStatus | None = None,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
        limit: Limit | None = None,
        offset: Offset | None = None,
    ) -> DisbursementPage:
        """Return a page of batches, newest first; both dates inclusive, 50 to a page, at most 100."""
        ...

    @post("/disbursements/{disbursement_id}/cancel", effect=Effect.KEYED, errors=ACTED)
    def cancel_disbursement(
        self, disbursement_id: Text, payload: CancelDisbursement, *, idempotency_key: Key = None
    ) -> DisbursementSummary:
        """Cancel a batch that nothing was sent of yet."""
        ...
