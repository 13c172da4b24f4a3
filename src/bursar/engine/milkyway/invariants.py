"""What must hold between the rail's rows and its book at every moment (specification A12). A check for `verify`.

The totals are computed from the payments' rows alone, by other code than that which posts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from bursar.engine.books import REFERENCES, TRANSACTIONS, VOLUMES, transaction_of
from bursar.engine.currency import asset
from bursar.engine.kernel import Posting, Transaction
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway import postings
from bursar.engine.milkyway.lifecycle import ALARM, next_event, reference
from bursar.engine.milkyway.states import EXPOSED, FINAL, IN_TRANSIT
from bursar.engine.milkyway.tables import KEYS, MOVEMENTS, PAYMENTS, Movement, Payment
from bursar.engine.verify import Damage
from bursar.engine.view import ReadView
from bursar.engine.work import WORK
from bursar.milkyway.models import TransactionStatus

Balances = defaultdict[tuple[str, str], int]
"""(account, asset) -> balance."""

_CLAIMED = (
    "transit:",
    "suspense:",
    "receivable:",
    "deposit:",
    "payable:",
    "liability:",
    "income:commission:",
)
"""Beginnings of the accounts whose balance follows from payments and treasury rows."""

_ENDINGS = frozenset(status.name.lower() for status in FINAL)


def check(view: ReadView) -> Iterator[Damage]:
    """Yield one damage for each place where an invariant does not hold."""
    expected: Balances = defaultdict(int)
    for payment in view.scan(PAYMENTS):
        _expect_payment(expected, payment)
        yield from _check_groups(view, payment)
        yield from _check_alarm(view, payment)
    for movement in view.scan(MOVEMENTS):
        _expect_movement(expected, movement)
    yield from _check_balances(view, expected)
    yield from _check_endings(view)
    yield from _check_keys(view)


def _expect_payment(expected: Balances, payment: Payment) -> None:
    quote, status = payment.priced, payment.state
    currency = quote.currency_credit
    credit = asset(currency)
    if status in IN_TRANSIT:
        expected[book.transit(currency), credit] += quote.amount_credit
    if status is TransactionStatus.STUCK:
        expected[book.suspense(currency), credit] += quote.amount_credit
    if status not in FINAL:
        expected[book.commission_unearned(currency), credit] += quote.commission
    if status in EXPOSED:
        expected[book.receivable(payment.institution, currency), credit] -= quote.charge
    if status is TransactionStatus.DONE:
        expected[book.commission_income(currency), credit] += quote.commission
        if payment.returned_at is None:
            expected[book.payable(payment.bank, quote.currency_debit), asset(quote.currency_debit)] += (
                quote.amount_debit
            )


def _expect_movement(expected: Balances, movement: Movement) -> None:
    name, party, currency = asset(movement.currency), movement.party, movement.currency
    expected[book.receivable(party, currency), name] += movement.repaid
    match movement.kind:
        case "deposit" | "settlement":
            expected[book.deposit(party, currency), name] += movement.amount - movement.repaid
        case "deposit_drawn":
            expected[book.deposit(party, currency), name] -= movement.amount
        case "bank_settlement":
            expected[book.payable(party, currency), name] -= movement.amount
        case _:
            return


def _check_balances(view: ReadView, expected: Balances) -> Iterator[Damage]:
    sums: Counter[str] = Counter()
    for row in view.scan(VOLUMES, book.LEDGER):
        balance = row.input - row.output
        sums[row.asset] += balance
        due = expected.pop((row.account, row.asset), 0)
        if row.account.startswith(_CLAIMED) and balance != due:
            yield Damage("balance", f"{row.account} {row.asset}", f"{due} by the payments", str(balance))
    for (account, name), due in expected.items():
        if due:
            yield Damage("balance", f"{account} {name}", f"{due} by the payments", "no such account")
    for name, total in sums.items():
        if total:
            yield Damage("zero sum", name, "0 over all accounts", str(total))


def _check_groups(view: ReadView, payment: Payment) -> Iterator[Damage]:
    """A payment's postings are those of its quote and status, each group once."""
    for group, step, entries in _expected_groups(
        payment, stuck=_transaction(view, payment, "stuck") is not None
    ):
        found = _transaction(view, payment, group)
        shown = _shown(found)
        due = (step, sorted(map(_entry, entries))) if entries is not None else None
        if shown != due:
            yield Damage("payment postings", f"payment {payment.id} {group}", str(due), str(shown))


def _expected_groups(payment: Payment, *, stuck: bool) -> Iterator[tuple[str, str, list[Posting] | None]]:
    """Yield (group, step, postings, or None for a group that must not be there)."""
    quote, status = payment.priced, payment.state
    currency = quote.currency_credit
    holder = book.suspense(currency) if stuck else book.transit(currency)
    yield "accepted", "accepted", postings.accepted(payment.institution, quote)
    if status not in FINAL:
        yield "stuck", "stuck", postings.stuck(quote) if status is TransactionStatus.STUCK else None
        yield "final", "", None
    elif status is TransactionStatus.DONE:
        yield "final", "done", postings.done(payment.bank, quote, holder)
    else:
        yield "final", status.name.lower(), postings.undone(payment.institution, quote, holder)
    returned = payment.returned_at is not None
    turned = postings.returned(payment.institution, payment.bank, quote) if returned else None
    yield "returned", "returned", turned


def _transaction(view: ReadView, payment: Payment, group: str) -> Transaction | None:
    found = view.get(REFERENCES, book.LEDGER, reference(payment.id, group))
    row = None if found is None else view.get(TRANSACTIONS, book.LEDGER, found.transaction)
    return None if row is None else transaction_of(row)


def _shown(transaction: Transaction | None) -> tuple[str, list[str]] | None:
    if transaction is None:
        return None
    return (transaction.metadata or {}).get("step", ""), sorted(map(_entry, transaction.postings))


def _entry(posting: Posting) -> str:
    return f"{posting.source} -> {posting.destination} {posting.amount} {posting.asset}"


def _check_alarm(view: ReadView, payment: Payment) -> Iterator[Damage]:
    """Something will happen to every payment that is waiting for it."""
    following = next_event(payment)
    work = view.get(WORK, ALARM, str(payment.id))
    if following is None and work is not None:
        yield Damage("alarm", f"payment {payment.id}", "none", f"work due at {work.due_at}")
    if following is not None and (work is None or work.dead):
        yield Damage("alarm", f"payment {payment.id}", f"work due at {following[1]}", "none that is alive")


def _check_endings(view: ReadView) -> Iterator[Damage]:
    """At most one terminal posting group, counted over the whole ledger and not by reference."""
    endings: Counter[str] = Counter()
    for row in view.scan(TRANSACTIONS, book.LEDGER):
        metadata = transaction_of(row).metadata or {}
        if metadata.get("step") in _ENDINGS and "payment" in metadata:
            endings[metadata["payment"]] += 1
    for payment, count in endings.items():
        if count > 1:
            yield Damage("endings", f"payment {payment}", "at most 1", str(count))


def _check_keys(view: ReadView) -> Iterator[Damage]:
    """A key belongs to a payment of its own institution."""
    for row in view.scan(KEYS):
        payment = view.get(PAYMENTS, row.payment)
        if payment is None or payment.institution != row.institution:
            found = "none" if payment is None else f"one of {payment.institution}"
            yield Damage("key", f"key of {row.institution}", f"its payment {row.payment}", found)
