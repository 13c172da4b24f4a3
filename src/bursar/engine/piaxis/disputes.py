"""Disputes: they freeze an escrow until an operator splits what is held, or dismisses them (PS76, E8, E9)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bursar.engine.piaxis import audit, escrow_actors, escrow_moves, escrows, money
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import conflict, invalid, not_found
from bursar.engine.piaxis.escrow_events import tell
from bursar.engine.piaxis.escrow_moves import Whole
from bursar.engine.piaxis.escrow_states import Event, after
from bursar.engine.piaxis.escrow_tables import DISPUTES, ESCROWS, DisputeRow
from bursar.engine.piaxis.terms.base import ROLES
from bursar.engine.view import View
from bursar.piaxis.models.escrows import DisputeEscrow

RESOLVED: Final = "resolved"
DISMISSED: Final = "dismissed"


def open_dispute(view: View, caller: Caller, id: str, asked: DisputeEscrow) -> DisputeRow:
    """Freeze an escrow. Raises `InvalidRequest` without reason, `Refusal` when it cannot be disputed (PS76)."""
    row = escrows.own(view, caller, id)
    if not asked.reason.strip():
        raise invalid(("body", "reason"), "a dispute needs a reason", "missing")
    refuse_card_numbers(asked.reason, ("body", "reason"))
    if asked.initiator_role not in (None, *ROLES):
        raise invalid(("body", "initiator_role"), f"initiator_role is one of {', '.join(ROLES)}", "enum")
    whole = escrow_moves.load(view, row)
    after(id, whole.row.at, Event.DISPUTE)
    for_customer = asked.initiator_role == row.customer_role
    role = escrow_actors.role_of(view, caller, row, asked.user_info, for_customer=for_customer)
    if asked.initiator_role not in (None, role):
        raise invalid(("body", "initiator_role"), f"this call speaks for the {role}")
    dispute = DisputeRow(
        id=view.ids.uuid(),
        escrow=id,
        merchant=row.merchant,
        initiator_role=role,
        reason=asked.reason,
        opened_at=view.now,
    )
    view.put(DISPUTES, dispute)
    whole = escrow_moves.move_to(view, whole, Event.DISPUTE, dispute.id)
    tell(view, whole.row, "disputed", dispute_id=dispute.id, initiator_role=role)
    return dispute


def resolve(
    view: View, who: str, id: str, release_amount: int, reverse_amount: int, why: str
) -> tuple[DisputeRow, Whole]:
    """Split all that a disputed escrow holds: amounts in minor units for receiver and sender (E9).

    Raises `InvalidRequest` unless they add up to what is held, `Refusal` unless the dispute is open.
    """
    dispute, whole = _open(view, id)
    held, currency = whole.row.held, whole.row.currency
    if min(release_amount, reverse_amount) < 0 or release_amount + reverse_amount != held:
        raise invalid(("body",), f"the two amounts must add up to what is held, {money.show(held, currency)}")
    whole = escrow_moves.resolve(view, whole, release_amount, f"dispute {RESOLVED}: {why}")
    dispute = _decided(view, dispute, who, RESOLVED, why, release_amount, reverse_amount)
    _tell(view, whole, dispute)
    return dispute, whole


def dismiss(view: View, who: str, id: str, why: str) -> tuple[DisputeRow, Whole]:
    """End a dispute without moving money: the escrow goes on. Raises `Refusal` unless the dispute is open."""
    dispute, whole = _open(view, id)
    whole = escrow_moves.move_to(view, whole, Event.DISMISS, None)
    dispute = _decided(view, dispute, who, DISMISSED, why, 0, 0)
    _tell(view, whole, dispute)
    return dispute, escrow_moves.auto_release(view, whole)


def known(view: View, id: str) -> DisputeRow:
    """Return a dispute. Raises `Refusal`."""
    dispute = view.get(DISPUTES, id)
    if dispute is None:
        raise not_found("dispute", id)
    return dispute


def _open(view: View, id: str) -> tuple[DisputeRow, Whole]:
    dispute = known(view, id)
    row = view.get(ESCROWS, dispute.escrow)
    if dispute.outcome is not None or row is None:
        raise conflict(f"dispute {id} was {dispute.outcome}")
    return dispute, escrow_moves.load(view, row)


def _decided(
    view: View, dispute: DisputeRow, who: str, outcome: str, why: str, released: int, reversed: int
) -> DisputeRow:
    changed = replace(
        dispute,
        outcome=outcome,
        released=released,
        reversed=reversed,
        decided_at=view.now,
        decided_by=who,
        why=why,
    )
    view.put(DISPUTES, changed)
    audit.record(
        view, who, f"{outcome}-dispute", f"escrow:{dispute.escrow}", why, released=released, reversed=reversed
    )
    return changed


def _tell(view: View, whole: Whole, dispute: DisputeRow) -> None:
    tell(view, whole.row, "resolved", dispute_id=dispute.id, outcome=dispute.outcome)
