"""Escrows as answers show them (B5.1)."""

from __future__ import annotations

from typing import Any

from bursar.engine.piaxis import escrow_moves, money, terms
from bursar.engine.piaxis.allocations import Chosen
from bursar.engine.piaxis.escrow_moves import Whole
from bursar.engine.piaxis.escrow_states import FINAL, State
from bursar.engine.piaxis.escrow_tables import EscrowRow, SliceRow, TermRow, members, optional_members
from bursar.engine.piaxis.terms.base import Progress
from bursar.engine.piaxis.times import moment
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.escrows import (
    Allocation,
    AllocationStatus,
    AllocationSummary,
    BuyerInfo,
    Escrow,
    EscrowReleased,
    EscrowReversed,
    EscrowState,
    EscrowStatus,
    RequiredAction,
    Term,
    TermFulfilled,
    TermState,
    TermType,
)


def shown(whole: Whole) -> Escrow:
    """Return an escrow in full."""
    row = whole.row
    came = row.amount if row.funded_at is not None else 0
    location = optional_members(row.location)
    return Escrow(
        id=row.id,
        amount=money.shown(row.amount, row.currency),
        currency_code=row.currency,
        status=EscrowStatus(row.shown),
        payment_method=PaymentMethod(row.method),
        sender_id=row.merchant if row.is_payout else row.customer,
        receiver_id=(row.customer or "") if row.is_payout else row.merchant,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        terms=[
            Term(term_id=term.id, type=TermType(term.type), data=members(term.data)) for term in whole.terms
        ],
        products=[],
        location=None if location is None else dict(location),
        required_actions=_required(whole),
        external_user_id=row.external_user_id,
        balance_escrow_in=money.shown(came, row.currency),
        balance_escrow_out=money.shown(row.released + row.reversed, row.currency),
        metadata=_metadata(whole),
        allocations=_allocations(whole),
        allocation_summary=summary(whole),
    )


def state(whole: Whole) -> EscrowState:
    """Return what an escrow waits for."""
    row = whole.row
    return EscrowState(
        escrow_id=row.id,
        status=EscrowStatus(row.shown),
        amount=money.shown(row.amount, row.currency),
        currency=row.currency,
        payment_method=PaymentMethod(row.method),
        created_at=moment(row.created_at),
        buyer_info=None if row.is_payout else _buyer(row),
        terms=[_term_state(term) for term in whole.terms],
        all_terms_met=all(term.met_at is not None for term in whole.terms),
    )


def released(whole: Whole, chosen: Chosen, reason: str | None, *, force: bool) -> EscrowReleased:
    """Return what a release did (PS60)."""
    return EscrowReleased(
        status="released",
        escrow_id=whole.row.id,
        amount=money.shown(chosen.amount, whole.row.currency),
        force=force,
        reason=reason,
        allocation_keys=list(chosen.keys) or None,
        allocation_summary=summary(whole),
    )


def reversed_(whole: Whole, chosen: Chosen, reason: str | None) -> EscrowReversed:
    """Return what a reversal did (PS60)."""
    return EscrowReversed(
        status="reversed",
        escrow_id=whole.row.id,
        amount=money.shown(chosen.amount, whole.row.currency),
        reason=reason,
        allocation_keys=list(chosen.keys) or None,
        allocation_summary=summary(whole),
    )


def fulfilled(term: TermRow, progress: Progress) -> TermFulfilled:
    """Return what a fulfilment did: for a met term always the same (PS69)."""
    kind = terms.TYPES[term.type]
    if progress.met:
        message = kind.done
    elif progress.requires_other_party:
        message = "Confirmation recorded; another party must confirm too"
    else:
        message = "Recorded; the term is not met yet"
    return TermFulfilled(
        status="success",
        message=message,
        requires_other_party=progress.requires_other_party,
        escrow_id=term.escrow,
        term_id=term.id,
        term_type=TermType(term.type),
    )


def summary(whole: Whole) -> AllocationSummary:
    """Return the figures of an escrow (PS61, PS62)."""
    row = whole.row
    figures = whole.parts.summary(row.amount, row.released, escrow_moves.shown_reversed(row))
    return AllocationSummary(
        total_count=figures.total,
        pending_count=figures.pending,
        released_count=figures.released,
        reversed_count=figures.reversed,
        pending_amount=money.shown(figures.pending_amount, row.currency),
        released_amount=money.shown(figures.released_amount, row.currency),
        reversed_amount=money.shown(figures.reversed_amount, row.currency),
    )


def _required(whole: Whole) -> list[RequiredAction] | None:
    row = whole.row
    if row.at in FINAL:
        return None
    actions = [
        RequiredAction(action_type=term.type, description=terms.TYPES[term.type].action)
        for term in whole.terms
        if term.is_open
    ]
    if row.at is State.AWAITING:
        actions.insert(0, RequiredAction(action_type="payment", description="The buyer approves the payment"))
    if row.at is State.DISPUTED:
        actions.insert(
            0, RequiredAction(action_type="dispute", description="An operator decides the dispute")
        )
    return actions or None


def _metadata(whole: Whole) -> dict[str, Any] | None:
    """The caller's own keys, with the order and a copy of the slices (PS49)."""
    row = whole.row
    found = dict(optional_members(row.metadata) or {})
    if row.external_order_id is not None:
        found["external_order_id"] = row.external_order_id
    if whole.slices:
        found["allocations"] = [part.to_dict() for part in _allocations(whole)]
    return found or None


def _allocations(whole: Whole) -> list[Allocation]:
    return [_allocation(part, whole.row.currency) for part in whole.slices]


def _allocation(part: SliceRow, currency: str) -> Allocation:
    metadata = optional_members(part.metadata)
    return Allocation(
        allocation_key=part.key,
        amount=money.shown(part.amount, currency),
        status=AllocationStatus(part.status),
        seller_reference=part.seller_reference,
        description=part.description,
        status_reason=part.status_reason,
        status_updated_at=moment(part.status_updated_at),
        metadata=None if metadata is None else dict(metadata),
    )


def _buyer(row: EscrowRow) -> BuyerInfo:
    return BuyerInfo(
        type="unregistered" if row.customer is None else "registered",
        email=row.email,
        phone_number=row.phone,
        verified=row.verified,
    )


def _term_state(term: TermRow) -> TermState:
    return TermState(
        term_id=term.id,
        term_type=TermType(term.type),
        is_met=term.met_at is not None,
        met_at=moment(term.met_at),
    )
