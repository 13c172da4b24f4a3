"""Money on its way back to payers without account: paid out by the provider it came from (PS65, E23).

The money waits in `refund:payable:<object>`. A payout moves it to inflight and, confirmed, out. One that fails puts it
back, where operators see it: they try again, with another phone number if need be, or credit a wallet.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import audit, providers
from bursar.engine.piaxis.errors import conflict, not_found
from bursar.engine.piaxis.merchants import known_account
from bursar.engine.piaxis.providers import Handler, Owner
from bursar.engine.piaxis.tables import REFUNDS, Instruction, Refund
from bursar.engine.view import View

OWNER: Final = "refund"
"""Owner kind of a refund's payouts."""
SENT: Final = "sent"
UNKNOWN: Final = "unknown"
PAYABLE: Final = "payable"
PAID: Final = "paid"


def start(
    view: View,
    *,
    object_kind: str,
    object_id: str,
    merchant: str,
    rail: str,
    phone: str | None,
    currency: str,
    amount: int,
) -> Refund:
    """Send money back. The caller has credited `accounts.refund_payable(object_id)` with it in the same command.

    An object may have several refunds, one for each reversal.
    """
    refund = Refund(
        id=view.ids.uuid(),
        object_kind=object_kind,
        object_id=object_id,
        merchant=merchant,
        rail=rail,
        phone=phone,
        currency=currency,
        amount=amount,
        status=PAYABLE,
        created_at=view.now,
        updated_at=view.now,
    )
    return _send(view, refund)


def retry(
    view: View, who: str, id: str, why: str, *, rail: str | None = None, phone: str | None = None
) -> Refund:
    """Try again to pay a refund out, perhaps to somewhere else. Raises `Refusal` unless it is payable."""
    refund = _payable(view, id)
    audit.record(view, who, "retry-refund", f"refund:{id}", why)
    return _send(view, replace(refund, rail=rail or refund.rail, phone=phone or refund.phone))


def credit(view: View, who: str, id: str, account: str, why: str) -> Refund:
    """Put a refund into a wallet instead. Raises `Refusal` unless it is payable, `NotFound` for the account."""
    refund = _payable(view, id)
    wallet = book.available(known_account(view, account).id)
    entry = book.move(book.refund_payable(refund.object_id), wallet, refund.amount, refund.currency)
    book.post(view, OWNER, refund.id, "credited", [entry])
    audit.record(view, who, "credit-refund", f"refund:{id}", why, account=account)
    return _save(view, replace(refund, status=PAID))


def settled(view: View, instruction: Instruction) -> None:
    """The provider said what became of a refund's payout."""
    refund = _known(view, instruction.owner_id)
    inflight = book.inflight(refund.rail)
    if instruction.outcome == "succeeded":
        entry = book.move(inflight, book.rail(refund.rail), refund.amount, refund.currency)
        book.post(view, OWNER, refund.id, "paid", [entry])
        _save(view, replace(refund, status=PAID, error=None))
        return
    entry = book.move(inflight, book.refund_payable(refund.object_id), refund.amount, refund.currency)
    book.post(view, OWNER, refund.id, f"returned-{refund.attempts}", [entry])
    audit.record(view, audit.ENGINE, "refund-failed", f"refund:{refund.id}", instruction.error or "")
    _save(view, replace(refund, status=PAYABLE, error=instruction.error))


def unknown(view: View, instruction: Instruction) -> None:
    """The provider did not say in time what became of a payout: it may have paid, so nothing moves."""
    _save(view, replace(_known(view, instruction.owner_id), status=UNKNOWN))


HANDLER: Final = Handler(settled=settled, unknown=unknown)


def _send(view: View, refund: Refund) -> Refund:
    attempt = refund.attempts + 1
    entry = book.move(
        book.refund_payable(refund.object_id), book.inflight(refund.rail), refund.amount, refund.currency
    )
    book.post(view, OWNER, refund.id, f"sent-{attempt}", [entry])
    instruction = providers.payout(
        view,
        rail=refund.rail,
        phone=refund.phone,
        amount=refund.amount,
        currency=refund.currency,
        owner=Owner(OWNER, refund.id),
    )
    return _save(view, replace(refund, status=SENT, attempts=attempt, instruction=instruction))


def _payable(view: View, id: str) -> Refund:
    refund = _known(view, id)
    if refund.status != PAYABLE:
        raise conflict(f"refund {id} is {refund.status}: only a payable one can be sent or credited")
    return refund


def _known(view: View, id: str) -> Refund:
    refund = view.get(REFUNDS, id)
    if refund is None:
        raise not_found("refund", id)
    return refund


def _save(view: View, refund: Refund) -> Refund:
    changed = replace(refund, updated_at=view.now)
    view.put(REFUNDS, changed)
    return changed
