"""Which events an endpoint gets, and under which names (E22)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from bursar.engine.webhooks.tables import EVERY

PIAXIS: Final = "piaxis"

EVENT_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    PIAXIS: (
        "payment.pending",
        "payment.succeeded",
        "payment.failed",
        "escrow.created",
        "escrow.funded",
        "escrow.term_fulfilled",
        "escrow.term_expired",
        "escrow.released",
        "escrow.reversed",
        "escrow.disputed",
        "escrow.resolved",
        "escrow.cancelled",
        "disbursement.processing",
        "disbursement.completed",
        "disbursement.partially_completed",
        "disbursement.failed",
        "disbursement.cancelled",
        "escrow_disbursement.released",
        "escrow_disbursement.cancelled",
    )
}
"""The event types of each source that has a closed list of them."""

ALIASES: Final[Mapping[str, Mapping[str, str]]] = {PIAXIS: {"payment.completed": "payment.succeeded"}}
"""Older names by source: who subscribes to one gets the event under that name."""


def known_types(source: str) -> tuple[str, ...]:
    """All names that can be subscribed to; empty when any can."""
    return (*EVENT_TYPES.get(source, ()), *ALIASES.get(source, ()))


def name_for(source: str, type: str, subscribed: Collection[str]) -> str | None:
    """Return the name under which a subscriber gets an event of this type, once; None: it did not subscribe."""
    if type in subscribed or EVERY in subscribed:
        return type
    aliases = ALIASES.get(source, {})
    return next((name for name in subscribed if aliases.get(name) == type), None)
