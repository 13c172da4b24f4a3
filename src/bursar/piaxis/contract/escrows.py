"""Escrows: money held until terms are met."""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, get, post
from bursar.piaxis.models.base import Limit, Offset, Text
from bursar.piaxis.models.escrows import (
    DisputeEscrow,
    DisputeOpened,
    Escrow,
    EscrowPage,
    EscrowReleased,
    EscrowReversed,
    EscrowState,
    EscrowStatus,
    FulfillTerm,
    NewEscrow,
    ReleaseEscrow,
    ReverseEscrow,
    TermFulfilled,
)

from .parameters import ACTED, MONEY, REFUSED, UNKNOWN, Key


class Escrows(Resource[C]):
    """Money of a buyer, held for the merchant who calls."""

    @post("/escrows/", effect=Effect.KEYED, errors={**REFUSED, 402: MONEY})
    def create_escrow(self, payload: NewEscrow, *, idempotency_key: Key = None) -> Escrow:
        """Open an escrow; slices of it can be released and reversed on their own."""
        ...

    @get("/escrows/", errors=REFUSED)
    def list_escrows(
        self,
        *,
        status: EscrowStatus | None = None,
        external_order_id: Text | None = None,
        limit: Limit | None = None,
        offset: Offset | None = None,
    ) -> EscrowPage:
        """Return a page of the merchant's escrows, newest first. Bursar's own: the vendor has no such listing (E29)."""
        ...

    @get("/escrows/{escrow_id}", errors={404: UNKNOWN})
    def get_escrow(self, escrow_id: Text) -> Escrow:
        """Return an escrow in full."""
        ...

    @get("/escrows/{escrow_id}/status", errors={404: UNKNOWN})
    def get_escrow_status(self, escrow_id: Text) -> EscrowState:
        """Return what an escrow waits for."""
        ...

    @post("/escrows/{escrow_id}/release", effect=Effect.KEYED, errors=ACTED)
    def release_escrow(
        self, escrow_id: Text, payload: ReleaseEscrow, *, idempotency_key: Key = None
    ) -> EscrowReleased:
        """Pay the merchant: everything held (``{}``), the named slices, or an amount."""
        ...

    @post("/escrows/{escrow_id}/terms/{term_id}/fulfill", effect=Effect.KEYED, errors=ACTED)
    def fulfill_escrow_term(
        self, escrow_id: Text, term_id: Text, payload: FulfillTerm, *, idempotency_key: Key = None
    ) -> TermFulfilled:
        """Give evidence that a term is met."""
        ...

    @post("/escrows/{escrow_id}/reverse", effect=Effect.KEYED, errors=ACTED)
    def reverse_escrow(
        self, escrow_id: Text, payload: ReverseEscrow, *, idempotency_key: Key = None
    ) -> EscrowReversed:
        """Give the buyer back: everything held, the named slices, or an amount."""
        ...

    @post("/escrows/{escrow_id}/disputes", effect=Effect.ONCE, errors=ACTED)
    def dispute_escrow(self, escrow_id: Text, payload: DisputeEscrow) -> DisputeOpened:
        """Dispute an escrow: nothing moves until an operator has decided. Takes no idempotency key (B9)."""
        ...
