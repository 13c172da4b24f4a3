"""Fees: a table by kind, method and currency, empty (so zero) by default (E10).

fee = percent of the amount + fixed, at least `minimum`, at most `maximum`, rounded up to minor units.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from bursar.engine.currency import digits
from bursar.engine.errors import InvalidInput
from bursar.engine.piaxis import audit
from bursar.engine.piaxis.merchants import Reader
from bursar.engine.piaxis.tables import ANY, FEES, FeeRow
from bursar.engine.view import View

COLLECTION: Final = "collection"
ESCROW: Final = "escrow"
PAYOUT: Final = "payout"
KINDS: Final = (COLLECTION, ESCROW, PAYOUT)
METHODS: Final = ("mtn", "airtel", "card", "bank", "piaxis", "piaxis_external", ANY)
_PERCENT_MAX: Final = 100
_PERCENT_DECIMALS: Final = 6


def fee(reader: Reader, kind: str, method: str, currency: str, amount: int) -> int:
    """Return the fee on an amount, both in minor units. The method's own rule counts before the one for all methods."""
    row = reader.get(FEES, kind, method, currency) or reader.get(FEES, kind, ANY, currency)
    if row is None:
        return 0
    share = ceil(amount * Fraction(row.percent) / 100)
    charged = max(share + row.fixed, row.minimum)
    return charged if row.maximum is None else min(charged, row.maximum)


def put_fee(view: View, who: str, row: FeeRow) -> FeeRow:
    """Set a rule. Raises `InvalidInput`."""
    if row.kind not in KINDS:
        raise InvalidInput(f"a fee's kind is one of {', '.join(KINDS)}")
    if row.method not in METHODS:
        raise InvalidInput(f"a fee's method is one of {', '.join(METHODS)}")
    digits(row.currency)
    percent = Decimal(row.percent)
    if (
        not percent.is_finite()
        or not 0 <= percent <= _PERCENT_MAX
        or percent != round(percent, _PERCENT_DECIMALS)
    ):
        raise InvalidInput(f"percent is 0 to {_PERCENT_MAX}, with at most {_PERCENT_DECIMALS} decimals")
    if max(row.fixed, row.minimum, row.maximum or 0) >= 2**63:
        raise InvalidInput("fixed, minimum and maximum fit into 63 bits of minor units")
    if min(row.fixed, row.minimum) < 0 or (row.maximum is not None and row.maximum < row.minimum):
        raise InvalidInput("fixed and minimum are at least 0, maximum at least minimum")
    view.put(FEES, row)
    audit.record(view, who, "put-fee", f"fee:{row.kind}/{row.method}/{row.currency}", percent=row.percent)
    return row
