"""Every domain's checks for `verify`. A domain with invariants of its own adds them here."""

from __future__ import annotations

from bursar.engine.milkyway.invariants import check as milkyway
from bursar.engine.piaxis.invariants import check as piaxis
from bursar.engine.verify import Check
from bursar.engine.webhooks.invariants import check as webhooks


def all_checks() -> tuple[Check, ...]:
    """The checks of the whole engine beyond the ledger's own."""
    return (milkyway, piaxis, webhooks)
