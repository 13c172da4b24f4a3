"""How much an institution owes the hub in a currency, and whether it may owe more (D5, D6, MS36-MS42).

Used is the debit balance of its receivable, which every pay, cancellation, failure and settlement moves: so it *is*
the sum over pending, cancel-pending, stuck and done-but-unsettled payments, principal plus commission. The limit of a
currency that has no limit row is zero: credit is what somebody granted, and deposits work at once.
"""

from __future__ import annotations

import msgspec

from bursar.engine.currency import asset, show
from bursar.engine.errors import ExposureExceeded
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway.reader import Reader
from bursar.engine.milkyway.tables import LIMITS

BLOCK = "block"
ALERT = "alert"


class Exposure(msgspec.Struct, frozen=True):
    """An institution's exposure in one currency, in minor units."""

    currency: str
    used: int
    """Below zero when a cancellation gave back what had been settled already: the hub owes it."""
    limit: int
    deposit: int
    action: str

    @property
    def available(self) -> int:
        """What may still be charged: limit plus deposit less what is used (MS41)."""
        return self.limit + self.deposit - self.used


def exposure(reader: Reader, institution: str, currency: str) -> Exposure:
    """Return an institution's exposure in a currency."""
    limit = reader.get(LIMITS, institution, currency)
    owed = reader.volumes(book.LEDGER, book.receivable(institution, currency), asset(currency))
    funded = reader.volumes(book.LEDGER, book.deposit(institution, currency), asset(currency))
    return Exposure(
        currency=currency,
        used=-owed.balance,
        limit=limit.amount if limit else 0,
        deposit=funded.balance,
        action=limit.action if limit else BLOCK,
    )


def admit(held: Exposure, charge: int) -> bool:
    """Return whether a charge goes beyond a limit that only alerts (MS38). Exactly at the limit is within (MS37).

    Raises `ExposureExceeded` when it goes beyond a blocking limit (MS36).
    """
    beyond = charge - held.available
    if beyond <= 0:
        return False
    if held.action == ALERT:
        return True
    currency = held.currency
    raise ExposureExceeded(
        f"exposure limit exceeded: the payment needs {show(charge, currency)} and {show(held.available, currency)} "
        f"is left (limit {show(held.limit, currency)}, deposit {show(held.deposit, currency)}, "
        f"in use {show(held.used, currency)}); settle or deposit at least {show(beyond, currency)}, then pay again"
    )
