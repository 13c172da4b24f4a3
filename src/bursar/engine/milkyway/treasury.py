"""Money of the hub outside payments: deposits, settlements, cover, revaluation, returns (specification A12, D13).

Every operation is one command: a row, its postings with the reference ``treasury:<id>``, and an audit row. Amounts are
minor units above zero unless said otherwise. `who` is the operator, `why` goes to the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bursar.engine.currency import asset, show
from bursar.engine.errors import Conflict, InvalidInput
from bursar.engine.kernel import NewTransaction, Posting
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway import audit, postings
from bursar.engine.milkyway.exposure import exposure
from bursar.engine.milkyway.lifecycle import post_step, save
from bursar.engine.milkyway.tables import MOVEMENTS, Movement, Payment
from bursar.engine.writer import View
from bursar.milkyway.models import TransactionStatus


class Order(msgspec.Struct, frozen=True):
    """What the operations below have in common."""

    who: str
    why: str
    amount: int
    currency: str
    bank: str = book.HOUSE_BANK
    """The settlement bank whose account the cash goes through."""

    @property
    def nostro(self) -> str:
        """The hub's cash account of this order."""
        return book.nostro(self.bank, self.currency)


def deposit(view: View, order: Order, institution: str) -> Movement:
    """An institution funds collateral; its effective limit rises at once (MS41)."""
    entries = postings.deposited(institution, order.amount, order.currency, order.nostro)
    return _carry_out(view, order, "deposit", institution, entries, owing=[order.nostro])


def settle(view: View, order: Order, institution: str) -> Movement:
    """An institution pays what it owes; what is more becomes deposit (MS65)."""
    owed = min(max(exposure(view, institution, order.currency).used, 0), order.amount)
    entries = postings.settled(institution, owed, order.amount - owed, order.currency, order.nostro)
    return _carry_out(view, order, "settlement", institution, entries, owing=[order.nostro], repaid=owed)


def draw_deposit(view: View, order: Order, institution: str) -> Movement:
    """Pay a debt out of the institution's own deposit. Raises `Conflict` beyond the debt."""
    _within_debt(view, order, institution)
    entries = postings.drawn(institution, order.amount, order.currency)
    return _carry_out(view, order, "deposit_drawn", institution, entries, repaid=order.amount)


def write_off(view: View, order: Order, institution: str) -> Movement:
    """Give a debt up. Raises `Conflict` beyond the debt."""
    _within_debt(view, order, institution)
    entries = postings.written_off(institution, order.amount, order.currency)
    owing = [book.writeoff(order.currency)]
    return _carry_out(view, order, "writeoff", institution, entries, owing=owing, repaid=order.amount)


def settle_bank(view: View, order: Order, bank: str) -> Movement:
    """The hub pays a recipient bank for payouts. Raises `Conflict` beyond what it owes or has."""
    _within_payable(view, order, bank)
    _needs_cash(view, order)
    entries = postings.bank_settled(bank, order.amount, order.currency, order.nostro)
    return _carry_out(view, order, "bank_settlement", bank, entries)


def charge_fee(view: View, order: Order) -> Movement:
    """A settlement bank took a fee from the hub's cash. Raises `Conflict` beyond that cash."""
    _needs_cash(view, order)
    entries = postings.fee_charged(order.amount, order.currency, order.nostro)
    return _carry_out(view, order, "bank_fee", "", entries, owing=[book.bank_fee(order.currency)])


def cover_fx(view: View, order: Order, bought: int, bought_currency: str) -> Movement:
    """The hub sells `order.amount` of its cash for cash in another currency. Raises `Conflict` beyond that cash."""
    if bought_currency == order.currency:
        raise InvalidInput(f"cover exchanges two currencies, not {order.currency} for itself")
    _needs_cash(view, order)
    entries = postings.fx_covered(order.amount, order.currency, bought, bought_currency, order.bank)
    owing = [
        book.fx_position(order.currency),
        book.fx_position(bought_currency),
        book.nostro(order.bank, bought_currency),
    ]
    return _carry_out(view, order, "fx_cover", "", entries, owing=owing)


def revalue(view: View, order: Order) -> Movement:
    """Revalue the FX position; a loss is an amount below zero."""
    entries = postings.revalued(order.amount, order.currency)
    owing = [book.fx_position(order.currency), book.fx_revaluation(order.currency)]
    return _carry_out(view, order, "revaluation", "", entries, owing=owing)


def return_payment(view: View, payment: Payment, who: str, why: str) -> Movement:
    """Turn a DONE payment round by a new transaction; the payment stays DONE (D13, pacs.004).

    Raises `Conflict` for a payment that is not DONE or was returned before.
    """
    if payment.state is not TransactionStatus.DONE:
        raise Conflict(f"payment {payment.id} is {payment.state.name}: only a DONE payment can be returned")
    if payment.returned_at is not None:
        raise Conflict(f"payment {payment.id} was returned before")
    quote = payment.priced
    owing = [book.payable(payment.bank, quote.currency_debit), book.fx_markup(quote.currency_debit)]
    entries = postings.returned(payment.institution, payment.bank, quote)
    post_step(view, payment, "returned", entries, step="returned", owing=owing)
    save(view, payment, returned_at=view.now)
    order = Order(who, why, quote.amount_credit, quote.currency_credit)
    return _record(view, order, "return", payment.institution, repaid=order.amount, payment=payment.id)


def _carry_out(
    view: View,
    order: Order,
    kind: str,
    party: str,
    entries: list[Posting],
    *,
    owing: Iterable[str] = (),
    repaid: int = 0,
) -> Movement:
    movement = _record(view, order, kind, party, repaid=repaid)
    view.post(
        book.LEDGER,
        NewTransaction(
            postings=entries,
            metadata={"treasury": str(movement.id), "step": kind},
            reference=f"treasury:{movement.id}",
            overdraft=dict.fromkeys(owing),
        ),
    )
    return movement


def _record(
    view: View, order: Order, kind: str, party: str, *, repaid: int, payment: int | None = None
) -> Movement:
    movement = Movement(
        id=view.next_id("milkyway.movement"),
        kind=kind,
        party=party,
        currency=order.currency,
        amount=order.amount,
        repaid=repaid,
        at=view.now,
    )
    view.put(MOVEMENTS, movement)
    subject = f"treasury:{movement.id}" if payment is None else f"payment:{payment}"
    audit.record(view, order.who, kind, subject, order.why, party=party, amount=_asked(order))
    return movement


def _within_debt(view: View, order: Order, institution: str) -> None:
    owed = max(exposure(view, institution, order.currency).used, 0)
    if order.amount > owed:
        raise Conflict(f"{institution} owes {show(owed, order.currency)}, less than {_asked(order)}")


def _within_payable(view: View, order: Order, bank: str) -> None:
    owed = view.volumes(book.LEDGER, book.payable(bank, order.currency), asset(order.currency)).balance
    if order.amount > owed:
        raise Conflict(f"the hub owes {bank} {show(max(owed, 0), order.currency)}, less than {_asked(order)}")


def _needs_cash(view: View, order: Order) -> None:
    """Raise `Conflict` unless the settlement bank holds the amount: an asset's balance is below zero."""
    held = -view.volumes(book.LEDGER, order.nostro, asset(order.currency)).balance
    if held < order.amount:
        has = show(max(held, 0), order.currency)
        raise Conflict(
            f"{order.nostro} holds {has}, less than {_asked(order)}; collect or cover {order.currency} first"
        )


def _asked(order: Order) -> str:
    return show(order.amount, order.currency)
