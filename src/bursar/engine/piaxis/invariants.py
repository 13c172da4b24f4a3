"""What must hold between the rail's rows and its book at every moment (specification B16). A check for `verify`.

Expected balances are computed from the rows alone, by other code than that which posts. Escrows' own invariants are
checked beside these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from bursar.engine.books import REFERENCES, TRANSACTIONS, VOLUMES, transaction_of
from bursar.engine.currency import asset
from bursar.engine.kernel import Posting
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import disbursements, escrow_invariants, fees, payments, refunds
from bursar.engine.piaxis.providers import ALARM, next_due
from bursar.engine.piaxis.tables import (
    DISBURSEMENTS,
    INSTRUCTIONS,
    ITEMS,
    PAYMENTS,
    REFUNDS,
    SUSPENSE,
    Disbursement,
    Instruction,
    Item,
    Payment,
)
from bursar.engine.verify import Damage
from bursar.engine.view import ReadView
from bursar.engine.work import WORK

Balances = defaultdict[tuple[str, str], int]
"""(account, asset) -> balance."""

_CLAIMED = ("payout:inflight:", "refund:payable:", "suspense:", "income:fee:collection", "income:fee:payout")
"""Beginnings of the accounts whose balance follows from the rows below; held wallets do, too."""


def check(view: ReadView) -> Iterator[Damage]:
    """Yield one damage for each place where an invariant does not hold."""
    expected: Balances = defaultdict(int)
    for payment in view.scan(PAYMENTS):
        expected[book.fee_income(fees.COLLECTION), asset(payment.currency)] += _earned(payment)
        yield from _check_payment(view, payment)
    for batch in view.scan(DISBURSEMENTS):
        items = list(view.scan(ITEMS, batch.id))
        _expect_batch(expected, batch, items)
        yield from _check_batch(view, batch, items)
    for refund in view.scan(REFUNDS):
        if refund.status == refunds.PAYABLE:
            expected[book.refund_payable(refund.object_id), asset(refund.currency)] += refund.amount
    for row in view.scan(SUSPENSE):
        if row.resolved_at is None:
            expected[book.suspense(row.rail), asset(row.currency)] += row.amount
    for instruction in view.scan(INSTRUCTIONS):
        if instruction.direction == "payout" and instruction.outcome is None:
            expected[book.inflight(instruction.rail), asset(instruction.currency)] += instruction.amount
        yield from _check_alarm(view, instruction)
    yield from _check_balances(view, expected)
    yield from escrow_invariants.check(view)


def _earned(payment: Payment) -> int:
    return payment.fee if payment.status == payments.SUCCEEDED else 0


def _expect_batch(expected: Balances, batch: Disbursement, items: list[Item]) -> None:
    held, unit = book.held(batch.merchant), asset(batch.currency)
    income = book.fee_income(fees.PAYOUT)
    for item in items:
        if item.status == disbursements.PENDING:
            expected[held, unit] += item.amount + item.fee
        elif item.status == disbursements.PROCESSING:
            expected[held, unit] += item.fee
        elif item.status == disbursements.SUCCEEDED:
            expected[income, unit] += item.fee


def _check_balances(view: ReadView, expected: Balances) -> Iterator[Damage]:
    sums: Counter[str] = Counter()
    for row in view.scan(VOLUMES, book.LEDGER):
        balance = row.input - row.output
        sums[row.asset] += balance
        due = expected.pop((row.account, row.asset), 0)
        where = f"{row.account} {row.asset}"
        if _is_claimed(row.account) and balance != due:
            yield Damage("balance", where, f"{due} by the rows", str(balance))
        if balance < 0 and row.account.startswith(("wallet:", "escrow:", "payout:", "refund:", "income:")):
            yield Damage("overdrawn", where, "at least 0", str(balance))
    for (account, unit), due in expected.items():
        if due:
            yield Damage("balance", f"{account} {unit}", f"{due} by the rows", "no such account")
    for unit, total in sums.items():
        if total:
            yield Damage("zero sum", unit, "0 over all accounts", str(total))


def _is_claimed(account: str) -> bool:
    return account.startswith(_CLAIMED) or (account.startswith("wallet:") and account.endswith(":held"))


def _check_payment(view: ReadView, payment: Payment) -> Iterator[Damage]:
    """A payment is booked if it succeeded, with its own amounts, and not otherwise (PS32, PS33)."""
    found = _postings(view, book.reference(payments.OWNER, payment.id, payments.SUCCEEDED))
    due = None
    if payment.status == payments.SUCCEEDED:
        net = payment.amount if payment.payer_pays_fee else payment.amount - payment.fee
        due = {book.available(payment.merchant): net, book.fee_income(fees.COLLECTION): payment.fee}
        due = {account: amount for account, amount in due.items() if amount}
    shown = None if found is None else {posting.destination: posting.amount for posting in found}
    if shown != due:
        yield Damage("payment postings", f"payment {payment.id}", str(due), str(shown))
    told = None if payment.instruction is None else view.get(INSTRUCTIONS, payment.instruction)
    if told is not None and told.outcome != (None if payment.status in payments.OPEN else payment.status):
        yield Damage("payment outcome", f"payment {payment.id}", str(told.outcome), payment.status)


def _check_batch(view: ReadView, batch: Disbursement, items: list[Item]) -> Iterator[Damage]:
    """Figures of a batch are those of its items; what is pending has its work; what ended has no open item."""
    where = f"disbursement {batch.id}"
    counts = Counter(item.status for item in items)
    due = (len(items), counts[disbursements.SUCCEEDED], counts[disbursements.FAILED])
    found = (batch.count, batch.succeeded, batch.failed)
    if due != found:
        yield Damage("batch figures", where, f"{due} by its items", str(found))
    if (batch.total, batch.fees) != (sum(item.amount for item in items), sum(item.fee for item in items)):
        yield Damage("batch total", where, "the sums of its items", f"{batch.total} and {batch.fees}")
    open_items = counts[disbursements.PENDING] + counts[disbursements.PROCESSING]
    if bool(open_items) != (batch.status in disbursements.OPEN):
        yield Damage(
            "batch status", where, "open while an item is", f"{batch.status}, {open_items} open items"
        )
    work = view.get(WORK, disbursements.START, batch.id)
    if (work is not None and not work.dead) != (batch.status == disbursements.PENDING):
        yield Damage(
            "batch work", where, "scheduled while pending", f"{batch.status}, work {work is not None}"
        )


def _check_alarm(view: ReadView, instruction: Instruction) -> Iterator[Damage]:
    """Something will happen to every instruction that is waiting for it."""
    following = next_due(instruction)
    work = view.get(WORK, ALARM, instruction.id)
    alive = work is not None and not work.dead
    if alive != (following is not None):
        yield Damage("alarm", f"instruction {instruction.id}", f"due at {following}", f"work {alive}")


def _postings(view: ReadView, reference: str) -> tuple[Posting, ...] | None:
    found = view.get(REFERENCES, book.LEDGER, reference)
    row = None if found is None else view.get(TRANSACTIONS, book.LEDGER, found.transaction)
    return None if row is None else transaction_of(row).postings
