"""The quote book: what a precheck promised is what a payment soon after it gets (D1).

Kept in memory and bounded, because a quote is a courtesy and not money: after a restart, or on another server process,
a payment is simply priced anew. Nothing is ever written (MS26).
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import NamedTuple

from bursar.engine.limits import QUOTES_KEPT, SECOND_US
from bursar.engine.milkyway.quote import Quote
from bursar.milkyway.models import PayRequest, PrecheckRequest

HELD = 60 * SECOND_US
"""How long a quote is held, on the engine's clock."""


class Asked(NamedTuple):
    """What was quoted. Equal amounts are one question, however many zeros they are written with."""

    institution: str
    bank: str
    service: str
    recipient: str
    amount: Decimal
    currency: str

    @classmethod
    def of(cls, institution: str, request: PrecheckRequest | PayRequest) -> Asked:
        """Return what a request asks."""
        return cls(
            institution,
            request.third_party_id_debit,
            request.service_id,
            request.recipient_id,
            request.amount_credit,
            request.currency_credit,
        )


class QuoteBook:
    """The quotes of the last `HELD` microseconds, at most `size`."""

    def __init__(self, size: int = QUOTES_KEPT) -> None:
        self._size = size
        self._quotes: OrderedDict[Asked, tuple[int, Quote]] = OrderedDict()

    def hold(self, asked: Asked, quote: Quote, now: int) -> None:
        """Remember a quote, in place of an earlier one for the same question."""
        self._quotes.pop(asked, None)
        self._quotes[asked] = (now, quote)
        if len(self._quotes) > self._size:
            self._quotes.popitem(last=False)

    def held(self, asked: Asked, now: int) -> Quote | None:
        """Return the quote still held, if any. A clock set back ends it, too."""
        quoted_at, quote = self._quotes.get(asked, (0, None))
        return quote if quote is not None and 0 <= now - quoted_at < HELD else None
