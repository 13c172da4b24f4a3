"""Batches of escrows from the merchant to recipients."""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, get, post
from bursar.piaxis.models.base import Limit, Offset, Text
from bursar.piaxis.models.disbursements import CancelDisbursement, DisbursementStatus
from bursar.piaxis.models.escrow_disbursements import (
    EscrowDisbursement,
    EscrowDisbursementCancelled,
    EscrowDisbursementPage,
    EscrowDisbursementReleased,
    NewEscrowDisbursement,
    ReleaseEscrowDisbursement,
)

from .parameters import ACTED, MONEY, REFUSED, UNKNOWN, Key


class EscrowDisbursements(Resource[C]):
    """Money from the merchant who calls, held for each recipient until terms are met."""

    @post("/escrow-disbursements", effect=Effect.KEYED, errors={**REFUSED, 402: MONEY})
    def create_escrow_disbursement(
        self, payload: NewEscrowDisbursement, *, idempotency_key: Key = None
    ) -> EscrowDisbursement:
        """Open an escrow for each recipient, out of the merchant's wallet."""
        ...

    @get("/escrow-disbursements/{disbursement_id}", errors={404: UNKNOWN})
    def get_escrow_disbursement(self, disbursement_id: Text) -> EscrowDisbursement:
        """Return a batch in full."""
        ...

    @get("/escrow-disbursements", errors=REFUSED)
    def list_escrow_disbursements(
        self,
        *,
        status: DisbursementStatus | None = None,
        limit: Limit | None = None,
        offset: Offset | None = None,
    ) -> EscrowDisbursementPage:
        """Return a page of batches, newest first; 20 to a page, at most 100."""
        ...

    @post("/escrow-disbursements/{disbursement_id}/release", effect=Effect.KEYED, errors=ACTED)
    def release_escrow_disbursement(
        self, disbursement_id: Text, payload: ReleaseEscrowDisbursement, *, idempotency_key: Key = None
    ) -> EscrowDisbursementReleased:
        """Release escrows of a batch; one that fails does not undo the others."""
        ...

    @post("/escrow-disbursements/{disbursement_id}/cancel", effect=Effect.KEYED, errors=ACTED)
    def cancel_escrow_disbursement(
        self, disbursement_id: Text, payload: CancelDisbursement, *, idempotency_key: Key = None
    ) -> EscrowDisbursementCancelled:
        """Cancel a batch: escrows that were not released give their money back to the merchant."""
        ...
