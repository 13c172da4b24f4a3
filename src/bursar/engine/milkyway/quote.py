"""What a payment costs and pays out: rate, markup, commission. Pure arithmetic (D7-D9, MS15-MS21).

`C` amount_credit, `K` commission, `D` amount_debit, `Dm` what the mid rate would pay out; all in minor units. With

    client rate = mid x (1 - markup)       cut after ten significant digits
    D  = C x client rate                   half-even to the debit currency's minor units
    Dm = C x mid                           the same
    K  = fixed + C x percent / 100         half-up to the credit currency's minor units, then min and max

the client rate is never above mid, and rounding is monotone, so the markup income `Dm - D` is never negative.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow

import msgspec

from bursar.engine.currency import EXACT, digits
from bursar.engine.errors import FieldError, InvalidInput
from bursar.engine.limits import AMOUNT_DIGITS

RATE_DIGITS = 10
"""Significant digits of a client rate (D7)."""

_RATE = Context(prec=RATE_DIGITS, rounding=ROUND_DOWN, traps=[InvalidOperation, Overflow])
# Quantising needs room for every digit, but rounds: no Inexact trap.
_WIDE = Context(prec=200, traps=[InvalidOperation, Overflow])
_ONE = Decimal(1)


class Rate(msgspec.Struct, frozen=True):
    """How many debit units one credit unit buys: `mid` on the market, less the hub's `markup` (0.025 is 2.5 %)."""

    mid: Decimal
    markup: Decimal = Decimal(0)

    @property
    def client(self) -> Decimal:
        """The rate shown to institutions, markup inside, at least two decimals (D8, D19, MS16)."""
        rate = EXACT.multiply(self.mid, EXACT.subtract(_ONE, self.markup))
        return shown_rate(_RATE.plus(rate))


class Commission(msgspec.Struct, frozen=True):
    """A commission rule. `fixed`, `minimum` and `maximum` in minor units of the credit currency; `percent` of C."""

    fixed: int = 0
    percent: Decimal = Decimal(0)
    minimum: int = 0
    maximum: int | None = None

    def on(self, amount_credit: int) -> int:
        """Return the commission on an amount, charged on top of it (D9, MS17)."""
        share = EXACT.multiply(Decimal(amount_credit), EXACT.scaleb(self.percent, -2))
        charged = max(self.fixed + _whole(share, ROUND_HALF_UP), self.minimum)
        return charged if self.maximum is None else min(charged, self.maximum)


class Quote(msgspec.Struct, frozen=True):
    """A priced payment. Amounts in minor units of their currency."""

    amount_credit: int
    currency_credit: str
    amount_debit: int
    currency_debit: str
    mid_debit: int
    """`Dm`: what the mid rate would have paid out."""
    commission: int
    """In the credit currency."""
    rate: Decimal
    """The client rate."""
    mid: Decimal
    markup: Decimal

    @property
    def charge(self) -> int:
        """What the sending institution owes: principal and commission (C + K)."""
        return self.amount_credit + self.commission

    @property
    def markup_income(self) -> int:
        """`Dm - D`, never negative, in the debit currency."""
        return self.mid_debit - self.amount_debit


def price(
    amount_credit: int, currency_credit: str, currency_debit: str, rate: Rate, commission: Commission
) -> Quote:
    """Price a payment.

    Raises `InvalidInput` when the payout would be less than one minor unit or longer than `AMOUNT_DIGITS` digits.
    """
    scale = digits(currency_debit) - digits(currency_credit)
    client = rate.client
    amount_debit = _convert(amount_credit, client, scale)
    if amount_debit == 0:
        raise _refused(
            f"amount_credit is too small: at rate {client:f} it pays out nothing in {currency_debit}"
        )
    if len(str(amount_debit)) > AMOUNT_DIGITS:
        raise _refused(f"amount_credit is too large: it pays out more than {AMOUNT_DIGITS} digits")
    return Quote(
        amount_credit=amount_credit,
        currency_credit=currency_credit,
        amount_debit=amount_debit,
        currency_debit=currency_debit,
        mid_debit=_convert(amount_credit, rate.mid, scale),
        commission=commission.on(amount_credit),
        rate=client,
        mid=rate.mid,
        markup=rate.markup,
    )


def shown_rate(rate: Decimal) -> Decimal:
    """Return a rate with trailing zeros cut, but at least two decimals (D19): 12675 -> 12675.00."""
    exponent = int(EXACT.normalize(rate).as_tuple().exponent)
    return EXACT.quantize(rate, _ONE.scaleb(min(exponent, -2)))


def _convert(amount: int, rate: Decimal, scale: int) -> int:
    """Return minor units of one currency in minor units of another, `scale` decimals apart."""
    return _whole(EXACT.scaleb(EXACT.multiply(Decimal(amount), rate), scale), ROUND_HALF_EVEN)


def _whole(value: Decimal, rounding: str) -> int:
    return int(value.quantize(_ONE, rounding=rounding, context=_WIDE))


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, errors=[FieldError("/amount_credit", message)])
