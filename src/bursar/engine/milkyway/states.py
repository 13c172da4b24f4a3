"""Which status may follow which (specification A6), and where a payment's principal rests meanwhile. Pure."""

from __future__ import annotations

from bursar.engine.errors import Conflict
from bursar.milkyway.models import TransactionStatus

_S = TransactionStatus

NEXT: dict[TransactionStatus, frozenset[TransactionStatus]] = {
    _S.PENDING: frozenset({_S.DONE, _S.FAILED, _S.CANCELLED, _S.CANCEL_PENDING, _S.STUCK}),
    _S.CANCEL_PENDING: frozenset({_S.CANCELLED, _S.DONE, _S.FAILED, _S.STUCK}),
    _S.STUCK: frozenset({_S.DONE, _S.FAILED, _S.CANCELLED}),
    _S.DONE: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.FAILED: frozenset(),
}
"""Legal edges (invariant 19). Those out of STUCK are an operator's alone."""

FINAL = frozenset({_S.DONE, _S.CANCELLED, _S.FAILED})
"""Statuses that nothing leaves, not even an operator (D13)."""

IN_TRANSIT = frozenset({_S.PENDING, _S.CANCEL_PENDING})
"""Statuses whose principal rests in `transit`."""

EXPOSED = frozenset({_S.PENDING, _S.CANCEL_PENDING, _S.STUCK, _S.DONE})
"""Statuses whose charge counts as exposure until it is settled (D6)."""


def check_edge(payment_id: int, old: TransactionStatus, new: TransactionStatus) -> None:
    """Raise `Conflict` unless a payment may go from `old` to `new`."""
    if new not in NEXT[old]:
        raise Conflict(f"payment {payment_id} is {old.name} and cannot become {new.name}")
