"""A second, naive implementation of the rail's rules, to compare random histories with. Shares no code with it.

Knows the sandbox only: bank-alpha pays in USD, to the simulated card-payout at bank-beta (UZS) or to the manual wire
at bank-gamma (USD). Amounts in cents or tiyin, times in microseconds.
"""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

SECOND = 1_000_000
PENDING, DONE, CANCELLED, FAILED, CANCEL_PENDING, STUCK = range(6)
REPLY = {"ok": SECOND // 5, "slow": 20 * SECOND, "decline": SECOND // 5, "refuse-cancel": 20 * SECOND}
WEEK = 7 * 24 * 3600 * SECOND
RATES = {
    # mid: (mid, less 2.5 % and cut after ten digits)
    "13000": (Fraction(13000), Fraction(12675)),
    "12000": (Fraction(12000), Fraction(11700)),
    "12345.6789": (Fraction("12345.6789"), Fraction("12037.03692")),
}


@dataclass
class Expected:
    """A payment as the rules say it should be."""

    amount: int
    bank: str
    behaviour: str
    created: int
    mid: str = "13000"
    status: int = PENDING
    dispatched: bool = False
    cancel_asked: int | None = None
    was_stuck: bool = False
    returned: bool = False

    @property
    def commission(self) -> int:
        """0.50 and 1 %, half-up, from 1.00 to 100.00."""
        return min(max(50 + (self.amount + 50) // 100, 100), 10_000)

    @property
    def payout(self) -> int:
        """Half-even, as `round` does."""
        return round(self.amount * RATES[self.mid][1]) if self.bank == "bank-beta" else self.amount

    @property
    def markup(self) -> int:
        return round(self.amount * RATES[self.mid][0]) - self.payout if self.bank == "bank-beta" else 0

    def pass_time(self, now: int) -> None:
        if self.status not in (PENDING, CANCEL_PENDING):
            return
        dispatch = self.created + (SECOND // 2 if self.bank == "bank-beta" else 0)
        self.dispatched = self.dispatched or now >= dispatch
        if not self.dispatched:
            return
        # At one moment the outcome comes first, then the answer to a cancellation, then the deadline.
        happens = [(self.created + 900 * SECOND, 3, STUCK)]
        if self.bank == "bank-beta" and self.behaviour in REPLY:
            outcome = FAILED if self.behaviour == "decline" else DONE
            happens.append((dispatch + REPLY[self.behaviour], 1, outcome))
            if self.cancel_asked is not None:
                answer = DONE if self.behaviour == "refuse-cancel" else CANCELLED
                happens.append((self.cancel_asked + SECOND // 5, 2, answer))
        at, _, status = min(happens)
        if now >= at:
            self.status = status
            self.was_stuck = status == STUCK


@dataclass
class Oracle:
    """All that the book should hold."""

    payments: dict[int, Expected] = field(default_factory=dict)
    keys: dict[str, tuple[int, tuple[int, str, str]]] = field(default_factory=dict)
    quotes: dict[tuple[int, str, str], tuple[int, str]] = field(default_factory=dict)
    """What was quoted: when, and at which mid rate."""
    mid: str = "13000"
    limit: int = 10_000_00
    open: bool = True
    """Whether bank-beta takes new payments."""
    written_off: int = 0
    repaid: int = 0
    deposit: int = 0
    received: int = 0
    """Cash that came in from bank-alpha."""
    paid_out: int = 0
    """Cash that went to bank-beta."""

    def bound(self, key: str | None, now: int) -> tuple[int, tuple[int, str, str]] | None:
        """The payment and request that a key stands for, for a week after acceptance."""
        found = self.keys.get(key or "")
        return found if found is not None and now < self.payments[found[0]].created + WEEK else None

    def price(self, meaning: tuple[int, str, str], now: int) -> str:
        """The mid rate of a new payment: what was quoted in the last minute, else the present one."""
        at, mid = self.quotes.get(meaning, (now - 60 * SECOND, ""))
        return mid if now - at < 60 * SECOND else self.mid

    def used(self) -> int:
        charged = (
            p.amount + p.commission for p in self.payments.values() if p.status not in (CANCELLED, FAILED)
        )
        turned = (p.amount for p in self.payments.values() if p.returned)
        return sum(charged) - sum(turned) - self.repaid

    def fits(self, payment: Expected) -> bool:
        return self.used() + payment.amount + payment.commission <= self.limit + self.deposit

    def payable(self) -> int:
        kept = (
            p.payout
            for p in self.payments.values()
            if p.bank == "bank-beta" and p.status == DONE and not p.returned
        )
        return sum(kept) - self.paid_out

    def balances(self) -> dict[tuple[str, str], int]:
        """Non-zero balances by (account, currency), as the whole book should show them."""
        book: Counter[tuple[str, str]] = Counter()
        book["receivable:bank-alpha:USD", "USD"] = -self.used()
        book["deposit:bank-alpha:USD", "USD"] = self.deposit
        book["deposit:bank-beta:USD", "USD"] = 5_000_00
        book["deposit:bank-beta:UZS", "UZS"] = 1_000_000_000_00
        book["expense:writeoff:USD", "USD"] = -self.written_off
        book["nostro:house:USD", "USD"] = -5_000_00 - self.received
        book["nostro:house:UZS", "UZS"] = self.paid_out - 1_000_000_000_00
        book["payable:bank-beta:UZS", "UZS"] = self.payable()
        for payment in self.payments.values():
            self._count(book, payment)
        return {account: balance for account, balance in book.items() if balance}

    @staticmethod
    def _count(book: Counter[tuple[str, str]], payment: Expected) -> None:
        kept = payment.status == DONE and not payment.returned
        debit = "UZS" if payment.bank == "bank-beta" else "USD"
        book["transit:USD", "USD"] += payment.amount if payment.status in (PENDING, CANCEL_PENDING) else 0
        book["suspense:stuck:USD", "USD"] += payment.amount if payment.status == STUCK else 0
        waiting = payment.status in (PENDING, CANCEL_PENDING, STUCK)
        book["liability:commission_unearned:USD", "USD"] += payment.commission if waiting else 0
        book["income:commission:USD", "USD"] += payment.commission if payment.status == DONE else 0
        if kept:
            book["fx:position:USD", "USD"] += payment.amount
            book[f"fx:position:{debit}", debit] -= payment.payout + payment.markup
            book[f"income:fx_markup:{debit}", debit] += payment.markup
        if kept and payment.bank == "bank-gamma":
            book["payable:bank-gamma:USD", "USD"] += payment.payout
