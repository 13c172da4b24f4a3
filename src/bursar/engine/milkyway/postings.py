"""The postings of each step of a payment and of the treasury (specification A12). Pure.

Each function returns one balanced group. Zero amounts give no posting.
"""

from __future__ import annotations

from bursar.engine.currency import asset
from bursar.engine.kernel import Posting
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway.quote import Quote


def accepted(institution: str, quote: Quote) -> list[Posting]:
    """Dr receivable C+K; Cr transit C, Cr commission_unearned K."""
    currency = quote.currency_credit
    owed = book.receivable(institution, currency)
    return _group(
        _entry(owed, book.transit(currency), quote.amount_credit, currency),
        _entry(owed, book.commission_unearned(currency), quote.commission, currency),
    )


def done(bank: str, quote: Quote, holder: str) -> list[Posting]:
    """Principal to the FX position, payout and markup out of it, commission earned.

    `holder` is the account where the principal rests: transit, or suspense for a stuck payment.
    """
    credit, debit = quote.currency_credit, quote.currency_debit
    position = book.fx_position(debit)
    return _group(
        _entry(holder, book.fx_position(credit), quote.amount_credit, credit),
        _entry(position, book.payable(bank, debit), quote.amount_debit, debit),
        _entry(position, book.fx_markup(debit), quote.markup_income, debit),
        _entry(book.commission_unearned(credit), book.commission_income(credit), quote.commission, credit),
    )


def undone(institution: str, quote: Quote, holder: str) -> list[Posting]:
    """CANCELLED and FAILED: principal and commission go back to the receivable (MS40)."""
    currency = quote.currency_credit
    owed = book.receivable(institution, currency)
    return _group(
        _entry(holder, owed, quote.amount_credit, currency),
        _entry(book.commission_unearned(currency), owed, quote.commission, currency),
    )


def stuck(quote: Quote) -> list[Posting]:
    """Dr transit C; Cr suspense C."""
    currency = quote.currency_credit
    return _group(_entry(book.transit(currency), book.suspense(currency), quote.amount_credit, currency))


def returned(institution: str, bank: str, quote: Quote) -> list[Posting]:
    """A return after DONE: the principal's postings turned round, at the payment's own rate (D13).

    The recipient bank owes the payout back and the markup is given up; the commission stays earned.
    """
    credit, debit = quote.currency_credit, quote.currency_debit
    position = book.fx_position(debit)
    return _group(
        _entry(book.payable(bank, debit), position, quote.amount_debit, debit),
        _entry(book.fx_markup(debit), position, quote.markup_income, debit),
        _entry(book.fx_position(credit), book.receivable(institution, credit), quote.amount_credit, credit),
    )


def deposited(institution: str, amount: int, currency: str, nostro: str) -> list[Posting]:
    """Dr nostro X; Cr deposit X."""
    return _group(_entry(nostro, book.deposit(institution, currency), amount, currency))


def settled(institution: str, owed: int, excess: int, currency: str, nostro: str) -> list[Posting]:
    """Dr nostro X; Cr receivable what is `owed`, Cr deposit the `excess` (MS65)."""
    return _group(
        _entry(nostro, book.receivable(institution, currency), owed, currency),
        _entry(nostro, book.deposit(institution, currency), excess, currency),
    )


def drawn(institution: str, amount: int, currency: str) -> list[Posting]:
    """Dr deposit X; Cr receivable X."""
    return _group(
        _entry(book.deposit(institution, currency), book.receivable(institution, currency), amount, currency)
    )


def bank_settled(bank: str, amount: int, currency: str, nostro: str) -> list[Posting]:
    """Dr payable X; Cr nostro X: the hub pays the recipient bank what it owes."""
    return _group(_entry(book.payable(bank, currency), nostro, amount, currency))


def fx_covered(sold: int, sold_currency: str, bought: int, bought_currency: str, bank: str) -> list[Posting]:
    """The hub sells what it holds for what it owes. Sold: Dr position, Cr nostro. Bought: Dr nostro, Cr position."""
    return _group(
        _entry(book.fx_position(sold_currency), book.nostro(bank, sold_currency), sold, sold_currency),
        _entry(
            book.nostro(bank, bought_currency), book.fx_position(bought_currency), bought, bought_currency
        ),
    )


def revalued(gain: int, currency: str) -> list[Posting]:
    """Dr position, Cr income for a gain; the other way round for a loss (`gain` below zero)."""
    position, income = book.fx_position(currency), book.fx_revaluation(currency)
    source, destination = (position, income) if gain > 0 else (income, position)
    return _group(_entry(source, destination, abs(gain), currency))


def written_off(institution: str, amount: int, currency: str) -> list[Posting]:
    """Dr expense; Cr receivable: a debt given up."""
    return _group(_entry(book.writeoff(currency), book.receivable(institution, currency), amount, currency))


def fee_charged(amount: int, currency: str, nostro: str) -> list[Posting]:
    """Dr expense; Cr nostro: a settlement bank charged the hub."""
    return _group(_entry(book.bank_fee(currency), nostro, amount, currency))


def _entry(debit: str, credit: str, amount: int, currency: str) -> Posting:
    return Posting(source=debit, destination=credit, amount=amount, asset=asset(currency))


def _group(*entries: Posting) -> list[Posting]:
    return [entry for entry in entries if entry.amount]
