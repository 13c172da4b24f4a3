"""What an operator decides about payments: outcomes of manual banks, stuck payments, returns (MS64, D13).

Decisions are idempotent: the same decision again changes nothing. Each is audited with who and why.
"""

from __future__ import annotations

import msgspec

from bursar.engine.errors import Conflict, FieldError, InvalidInput, NotFound
from bursar.engine.milkyway import audit, treasury
from bursar.engine.milkyway.lifecycle import move
from bursar.engine.milkyway.states import FINAL, IN_TRANSIT
from bursar.engine.milkyway.tables import INSTITUTIONS, PAYMENTS, Payment
from bursar.engine.milkyway.terms import SIMULATED
from bursar.engine.writer import View
from bursar.milkyway.models import TransactionStatus

_FAILED = "the recipient bank did not pay"


class Decision(msgspec.Struct, frozen=True):
    """What became of a payment, who says so, and on what evidence."""

    who: str
    why: str
    outcome: TransactionStatus
    error: str | None = None


def report_outcome(view: View, payment_id: int, decision: Decision) -> Payment:
    """Take down what a bank with a manual connector did. Raises `NotFound`, `InvalidInput` and `Conflict`."""
    payment = payment_of(view, payment_id)
    _check_outcome(decision)
    if payment.state is decision.outcome:
        return payment
    bank = view.get(INSTITUTIONS, payment.bank)
    if bank is not None and bank.connector == SIMULATED:
        raise Conflict(
            f"bank {payment.bank} is simulated and reports by itself; set a simulator rule instead"
        )
    if payment.state not in IN_TRANSIT:
        raise Conflict(f"payment {payment.id} is {payment.state.name}; {_instead(payment)}")
    if payment.dispatched_at is None:
        raise Conflict(
            f"payment {payment.id} has not gone to {payment.bank} yet, so nothing can have come of it"
        )
    if (
        decision.outcome is TransactionStatus.CANCELLED
        and payment.state is not TransactionStatus.CANCEL_PENDING
    ):
        raise Conflict(
            f"nobody asked to cancel payment {payment.id}; report FAILED if the bank did not pay it"
        )
    return _settle(view, payment, decision, "report-outcome")


def resolve(view: View, payment_id: int, decision: Decision) -> Payment:
    """Decide about a STUCK payment. Raises `NotFound`, `InvalidInput` and `Conflict`."""
    payment = payment_of(view, payment_id)
    _check_outcome(decision)
    if payment.state is decision.outcome:
        return payment
    if payment.state is not TransactionStatus.STUCK:
        raise Conflict(f"payment {payment.id} is {payment.state.name}; only a STUCK payment is resolved")
    return _settle(view, payment, decision, "resolve")


def return_payment(view: View, payment_id: int, who: str, why: str) -> Payment:
    """Turn a DONE payment round. Raises `NotFound` and `Conflict`."""
    payment = payment_of(view, payment_id)
    if payment.returned_at is None:
        treasury.return_payment(view, payment, who, why)
    return payment_of(view, payment_id)


def payment_of(view: View, payment_id: int) -> Payment:
    """Return a payment. Raises `NotFound`."""
    payment = view.get(PAYMENTS, payment_id)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


def _settle(view: View, payment: Payment, decision: Decision, action: str) -> Payment:
    failed = decision.outcome is TransactionStatus.FAILED
    error = (decision.error or _FAILED) if failed else None
    moved = move(view, payment, decision.outcome, error=error, reply_at=None, cancel_reply_at=None)
    change = {"from": payment.state.name, "to": moved.state.name, "error": error}
    audit.record(view, decision.who, action, f"payment:{payment.id}", decision.why, **change)
    return moved


def _check_outcome(decision: Decision) -> None:
    if decision.outcome not in FINAL:
        message = "outcome must be 1 (DONE), 2 (CANCELLED) or 3 (FAILED)"
        raise InvalidInput(message, errors=[FieldError("/outcome", message)])


def _instead(payment: Payment) -> str:
    if payment.state is TransactionStatus.STUCK:
        return "resolve it instead"
    return "nothing changes that" if payment.state is not TransactionStatus.DONE else "return it instead"
