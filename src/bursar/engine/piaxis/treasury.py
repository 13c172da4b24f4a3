"""The platform's own money: wallets funded and withdrawn from, floats topped up, providers' charges, suspense (B16).

Every operation is one command of an operator's: a row or a resolution, its postings, and an audit row. Amounts are
minor units above zero.
"""

from __future__ import annotations

from msgspec.structs import replace

from bursar.engine.errors import InsufficientFunds
from bursar.engine.kernel import Posting
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import audit, money, refunds
from bursar.engine.piaxis.errors import conflict, no_money, not_found
from bursar.engine.piaxis.merchants import known_account
from bursar.engine.piaxis.tables import INSTRUCTIONS, MOVEMENTS, SUSPENSE, Movement, SuspenseRow
from bursar.engine.view import View

MOVEMENT = "movement"
"""Kind of the postings of a movement."""


def fund(view: View, who: str, account: str, amount: int, currency: str, why: str) -> Movement:
    """An account paid money in at the platform's bank: Dr bank:settlement; Cr its wallet. Raises `NotFound`."""
    wallet = book.available(known_account(view, account).id)
    return _carry_out(view, who, "fund", account, book.move(book.SETTLEMENT, wallet, amount, currency), why)


def withdraw(view: View, who: str, account: str, amount: int, currency: str, why: str) -> Movement:
    """The platform's bank paid money out to an account's owner: Dr its wallet; Cr bank:settlement.

    Raises `NotFound`, or `Refusal` when the wallet cannot spend as much.
    """
    wallet = book.available(known_account(view, account).id)
    return _carry_out(
        view, who, "withdraw", account, book.move(wallet, book.SETTLEMENT, amount, currency), why
    )


def top_up(view: View, who: str, rail: str, amount: int, currency: str, why: str) -> Movement:
    """The platform moved money from its bank to its float at a provider."""
    entry = book.move(book.rail(rail), book.SETTLEMENT, amount, currency)
    return _carry_out(view, who, "top_up", rail, entry, why)


def charge(view: View, who: str, rail: str, amount: int, currency: str, why: str) -> Movement:
    """A provider charged the platform: Dr expense:rail; Cr rail."""
    entry = book.move(book.rail_expense(rail), book.rail(rail), amount, currency)
    return _carry_out(view, who, "charge", rail, entry, why)


def settle_suspense(view: View, who: str, id: str, account: str | None, why: str) -> SuspenseRow:
    """Decide whose money a suspense row is: an account's wallet takes it, or pays it when it is missing.

    `account` None: the platform does (expense:rail). Raises `Refusal` unless the row is open, `NotFound`.
    """
    row = _open(view, id)
    other = (
        book.rail_expense(row.rail) if account is None else book.available(known_account(view, account).id)
    )
    suspense = book.suspense(row.rail)
    debit, credit = (suspense, other) if row.amount > 0 else (other, suspense)
    _post(view, "suspense", row.id, "resolved", book.move(debit, credit, abs(row.amount), row.currency))
    return _resolve(view, who, row, f"{'platform' if account is None else account}", why)


def return_suspense(view: View, who: str, id: str, why: str) -> SuspenseRow:
    """Send money that nobody expected back to the payer it came from. Raises `Refusal` unless some is there."""
    row = _open(view, id)
    instruction = view.get(INSTRUCTIONS, row.instruction)
    if row.amount < 0 or instruction is None:
        raise conflict(f"suspense {id} is a claim: there is no money to return")
    entry = book.move(book.suspense(row.rail), book.refund_payable(row.id), row.amount, row.currency)
    _post(view, "suspense", row.id, "resolved", entry)
    refunds.start(
        view,
        object_kind="suspense",
        object_id=row.id,
        merchant="",
        rail=row.rail,
        phone=instruction.phone,
        currency=row.currency,
        amount=row.amount,
    )
    return _resolve(view, who, row, "returned", why)


def _open(view: View, id: str) -> SuspenseRow:
    row = view.get(SUSPENSE, id)
    if row is None:
        raise not_found("suspense row", id)
    if row.resolved_at is not None:
        raise conflict(f"suspense {id} was resolved before")
    return row


def _resolve(view: View, who: str, row: SuspenseRow, how: str, why: str) -> SuspenseRow:
    audit.record(view, who, "resolve-suspense", f"suspense:{row.id}", why, how=how)
    changed = replace(row, resolved_at=view.now, resolution=how)
    view.put(SUSPENSE, changed)
    return changed


def _carry_out(view: View, who: str, kind: str, party: str, entry: Posting, why: str) -> Movement:
    currency = entry.asset.partition("/")[0]
    movement = Movement(view.ids.uuid(), kind, party, currency, entry.amount, who, why, view.now)
    view.put(MOVEMENTS, movement)
    _post(view, MOVEMENT, movement.id, kind, entry)
    audit.record(view, who, kind, f"movement:{movement.id}", why, party=party)
    return movement


def _post(view: View, kind: str, id: str, step: str, entry: Posting) -> None:
    try:
        book.post(view, kind, id, step, [entry])
    except InsufficientFunds as error:
        currency = entry.asset.partition("/")[0]
        has = money.show(max(error.available, 0), currency)
        raise no_money(
            f"the wallet can spend {has}, less than {money.show(entry.amount, currency)}"
        ) from None
