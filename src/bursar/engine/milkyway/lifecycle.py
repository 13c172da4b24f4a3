"""A payment's life after acceptance: what happens to it by itself, and how its status moves.

A payment has at most one *alarm*: the next thing due by itself, kept as one durable work item that is replaced with
each change of the payment, in the same commit. All functions run inside a command.

Each step's postings carry the reference ``payment:<id>:<group>``. The three endings share the group ``final``, so the
ledger itself allows a payment one ending and no second (MS62).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from msgspec.structs import replace

from bursar.engine.kernel import NewTransaction, Posting
from bursar.engine.limits import SECOND_US
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway import audit, postings
from bursar.engine.milkyway.simulator import (
    CANCEL_REPLY_AFTER,
    DISPATCH_RETRY_AFTER,
    REFUSALS,
    REPLY_AFTER,
    Behaviour,
)
from bursar.engine.milkyway.states import FINAL, IN_TRANSIT, check_edge
from bursar.engine.milkyway.tables import INSTITUTIONS, PAYMENTS, Payment
from bursar.engine.milkyway.terms import SIMULATED, bank_behaviour
from bursar.engine.work import Work
from bursar.engine.writer import View
from bursar.milkyway.models import TransactionStatus

ALARM = "milkyway.payment"
"""Kind of the work item; its key is the payment's id."""

_NEVER_SENT = "the recipient bank could not be reached before the deadline; it never got the instruction"


class Event(Enum):
    """What an alarm can be about, in the order of precedence at one moment."""

    REPLY = "reply"
    CANCEL_REPLY = "cancel-reply"
    DEADLINE = "deadline"
    DISPATCH = "dispatch"


def next_event(payment: Payment) -> tuple[Event, int] | None:
    """Return what happens next to a payment by itself, and when; None when nothing does."""
    if payment.state is TransactionStatus.STUCK:
        # The bank may still say something; that is evidence for the operator, and no more.
        return None if payment.reply_at is None else (Event.REPLY, payment.reply_at)
    if payment.state not in IN_TRANSIT:
        return None
    due = [
        (Event.REPLY, payment.reply_at),
        (Event.CANCEL_REPLY, payment.cancel_reply_at),
        (Event.DEADLINE, payment.deadline_at),
        (Event.DISPATCH, payment.dispatch_at),
    ]
    return min(((event, at) for event, at in due if at is not None), key=lambda pair: pair[1])


def save(view: View, payment: Payment, **changes: Any) -> Payment:
    """Store a payment and set its alarm."""
    changed = replace(payment, updated_at=view.now, **changes)
    view.put(PAYMENTS, changed)
    _set_alarm(view, changed)
    return changed


def wake(view: View, payment_id: int) -> None:
    """Do what is due for a payment, and what becomes due by it; set its alarm again when it rang early."""
    payment = view.get(PAYMENTS, payment_id)
    if payment is None:
        view.unschedule(ALARM, str(payment_id))
        return
    following = next_event(payment)
    while following is not None and following[1] <= view.now:
        event, at = following
        payment = _ACTIONS[event](view, payment, at)
        following = next_event(payment)
    _set_alarm(view, payment)


def move(view: View, payment: Payment, to: TransactionStatus, **changes: Any) -> Payment:
    """Change a payment's status with the postings that belong to it. Raises `Conflict` for an illegal edge."""
    check_edge(payment.id, payment.state, to)
    group = _group(payment, to)
    if group:
        post_step(view, payment, "final" if to in FINAL else to.name.lower(), group, step=to.name.lower())
    return save(view, payment, status=int(to), **changes)


def post_step(
    view: View, payment: Payment, group: str, entries: list[Posting], *, step: str, owing: Iterable[str] = ()
) -> None:
    """Post a step of a payment. `group` is unique for each payment, `step` says what happened.

    Below zero may go what the institution owes, the FX position, and the accounts `owing`. Transit, suspense and
    unearned commission may not: the ledger refuses a step that takes out more than the payment put in.
    """
    quote = payment.priced
    may_owe = (
        book.receivable(payment.institution, quote.currency_credit),
        book.fx_position(quote.currency_credit),
        book.fx_position(quote.currency_debit),
        *owing,
    )
    view.post(
        book.LEDGER,
        NewTransaction(
            postings=entries,
            metadata={"payment": str(payment.id), "step": step},
            reference=reference(payment.id, group),
            overdraft=dict.fromkeys(may_owe),
        ),
    )


def reference(payment_id: int, group: str) -> str:
    """Return the ledger reference of a payment's step: unique, so that no step is booked twice."""
    return f"payment:{payment_id}:{group}"


def request_cancel(view: View, payment: Payment) -> Payment:
    """Cancel a payment: at once before dispatch, else by asking the bank (MS57, MS58)."""
    if payment.dispatched_at is None:
        return move(view, payment, TransactionStatus.CANCELLED)
    answers = payment.behaviour is not None and payment.behaviour != Behaviour.SILENT
    reply_at = view.now + CANCEL_REPLY_AFTER if answers else None
    return move(view, payment, TransactionStatus.CANCEL_PENDING, cancel_reply_at=reply_at)


def _group(payment: Payment, to: TransactionStatus) -> list[Posting]:
    quote = payment.priced
    currency = quote.currency_credit
    holder = book.transit(currency) if payment.state in IN_TRANSIT else book.suspense(currency)
    match to:
        case TransactionStatus.DONE:
            return postings.done(payment.bank, quote, holder)
        case TransactionStatus.CANCELLED | TransactionStatus.FAILED:
            return postings.undone(payment.institution, quote, holder)
        case TransactionStatus.STUCK:
            return postings.stuck(quote)
        case _:
            return []


def _set_alarm(view: View, payment: Payment) -> None:
    following = next_event(payment)
    if following is None:
        view.unschedule(ALARM, str(payment.id))
    else:
        view.schedule(Work(ALARM, str(payment.id), following[1]))


def _dispatch(view: View, payment: Payment, at: int) -> Payment:
    """Hand the instruction to the bank.

    What follows counts from `at`, so that a late worker or a jumping clock changes no outcome.
    """
    bank = view.get(INSTITUTIONS, payment.bank)
    if bank is None or bank.connector != SIMULATED:
        # An operator carries it out and reports; until then only the deadline is due.
        return save(view, payment, dispatch_at=None, dispatched_at=at)
    behaviour = bank_behaviour(view, payment.bank, payment.service, payment.recipient)
    if behaviour is Behaviour.DOWN:
        # Ever longer pauses: a dozen attempts within a deadline of 15 minutes.
        return save(view, payment, dispatch_at=at + max(DISPATCH_RETRY_AFTER, at - payment.created_at))
    wait = REPLY_AFTER[behaviour]
    reply_at = None if wait is None else at + wait
    return save(
        view, payment, dispatch_at=None, dispatched_at=at, behaviour=behaviour.value, reply_at=reply_at
    )


def _reply(view: View, payment: Payment, at: int) -> Payment:
    """The simulated bank reports the outcome."""
    error = REFUSALS.get(payment.behaviour)
    outcome = TransactionStatus.DONE if error is None else TransactionStatus.FAILED
    if payment.state is TransactionStatus.STUCK:
        reported = {"outcome": outcome.name, "error": error, "at": at}
        audit.record(
            view, payment.bank, "late-reply", f"payment:{payment.id}", "came after the deadline", **reported
        )
        return save(view, payment, reply_at=None)
    return move(view, payment, outcome, error=error, reply_at=None, cancel_reply_at=None)


def _cancel_reply(view: View, payment: Payment, _at: int) -> Payment:
    """The simulated bank answers a cancellation: agreed, or refused because it has paid (MS58)."""
    refused = payment.behaviour == Behaviour.REFUSE_CANCEL
    outcome = TransactionStatus.DONE if refused else TransactionStatus.CANCELLED
    return move(view, payment, outcome, reply_at=None, cancel_reply_at=None)


def _deadline(view: View, payment: Payment, at: int) -> Payment:
    """No outcome in time: STUCK, principal to suspense, exposure kept (MS63).

    Not so when the instruction never left: then it failed for certain (invariant 20).
    """
    if payment.dispatched_at is None:
        return move(view, payment, TransactionStatus.FAILED, error=_NEVER_SENT)
    seconds = (at - payment.created_at) // SECOND_US
    error = f"no answer from the recipient bank within {seconds} s; an operator must find out what happened"
    return move(view, payment, TransactionStatus.STUCK, error=error, cancel_reply_at=None)


_ACTIONS = {
    Event.DISPATCH: _dispatch,
    Event.REPLY: _reply,
    Event.CANCEL_REPLY: _cancel_reply,
    Event.DEADLINE: _deadline,
}
