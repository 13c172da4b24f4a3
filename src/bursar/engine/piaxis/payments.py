"""Payments to merchants: taken in, settled by what providers report, listed (PS26-PS42).

pending -> processing (the provider's outcome is unknown) -> succeeded | failed; a payment out of a wallet succeeds at
once. Nothing is booked before the money is there. All functions here run inside a command or query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from bursar.engine.errors import InsufficientFunds
from bursar.engine.kernel import Posting
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import audit, fees, money, payers, providers, refunds
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import Code, bad_request, conflict, invalid, no_money, not_found
from bursar.engine.piaxis.merchants import Reader
from bursar.engine.piaxis.payers import Payer
from bursar.engine.piaxis.providers import Handler, Owner
from bursar.engine.piaxis.tables import PAYMENTS, Instruction, Payment, packed
from bursar.engine.store.base import Wanted
from bursar.engine.view import View
from bursar.engine.webhooks.outbox import emit
from bursar.piaxis.models.payments import NewPayment

OWNER: Final = "payment"
"""Owner kind of a payment's collection, and kind of its postings."""
SOURCE: Final = "piaxis"
"""Name of the API in webhooks' events."""
PENDING: Final = "pending"
PROCESSING: Final = "processing"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
OPEN: Final = frozenset({PENDING, PROCESSING})

_PRODUCTS_MAX: Final = 100


def create(view: View, caller: Caller, asked: NewPayment) -> Payment:
    """Take a payment in. Raises `InvalidRequest` and `Refusal`; what stays then is at most the try of a wrong code."""
    currency = money.check_currency(asked.currency, ("body", "currency"))
    amount = money.minor(asked.amount, currency, ("body", "amount"))
    if asked.recipient_id not in (None, caller.merchant):
        raise bad_request(
            Code.RECIPIENT_MISMATCH, "recipient_id must be the merchant's own account id, or absent"
        )
    payer = payers.read_payer(view, caller, asked.user_info, asked.mfa_code)
    method = asked.payment_method.value
    payers.check_method(method, payer)
    payment = _new(view, caller, asked, payer, amount)
    if method in payers.WALLETS:
        return _from_wallet(view, caller, payment, payer)
    payers.consent(view, caller, payer, method, currency, amount)
    instruction = providers.collect(
        view,
        rail=method,
        phone=payment.phone,
        amount=charge(payment),
        currency=currency,
        owner=Owner(OWNER, payment.id),
    )
    payment = replace(payment, instruction=instruction)
    view.put(PAYMENTS, payment)
    _tell(view, payment)
    return payment


def charge(payment: Payment) -> int:
    """Return what the payer is charged: the fee on top if he pays it (PS35)."""
    return payment.amount + (payment.fee if payment.payer_pays_fee else 0)


def own(reader: Reader, caller: Caller, id: str) -> Payment:
    """Return the caller's payment. Raises `Refusal`, the same for foreign and unknown ones (PS36)."""
    payment = reader.get(PAYMENTS, id)
    if payment is None or payment.merchant != caller.merchant:
        raise not_found("payment", id)
    if caller.user is not None and caller.key is None and payment.user != caller.user:
        raise not_found("payment", id)  # a customer sees his own payments only
    return payment


def settled(view: View, instruction: Instruction) -> None:
    """The provider said what became of a collection (PS32, PS33)."""
    owner = instruction.owner_id
    view.want(Wanted([(PAYMENTS, (owner,)), book.slot(OWNER, owner, SUCCEEDED)]))
    payment = _known(view, owner)
    if instruction.outcome == "succeeded":
        _credit(view, payment, book.rail(payment.method))
    else:
        _move(view, payment, FAILED, error=instruction.error)


def unknown(view: View, instruction: Instruction) -> None:
    """No outcome before the deadline: neither success nor failure, and nothing is booked."""
    _move(view, _known(view, instruction.owner_id), PROCESSING)


HANDLER: Final = Handler(settled=settled, unknown=unknown)


def refund(view: View, who: str, id: str, why: str) -> Payment:
    """Give a payment's principal back, out of the merchant's wallet; the fee stays (E12, E23).

    Raises `Refusal` unless it succeeded and was not refunded before, or when the wallet cannot pay.
    """
    payment = _known(view, id)
    if payment.status != SUCCEEDED or payment.refunded_at is not None:
        state = payment.status if payment.refunded_at is None else "refunded"
        raise conflict(f"payment {id} is {state}: only one that succeeded can be refunded, once")
    to = book.refund_payable(id) if payment.user is None else book.available(payment.user)
    entry = book.move(book.available(payment.merchant), to, payment.amount, payment.currency)
    _pay(view, payment, "refunded", [entry])
    if payment.user is None:
        refunds.start(
            view,
            object_kind=OWNER,
            object_id=id,
            merchant=payment.merchant,
            rail=payment.method,
            phone=payment.phone,
            currency=payment.currency,
            amount=payment.amount,
        )
    changed = replace(payment, refunded_at=view.now, updated_at=view.now)
    view.put(PAYMENTS, changed)
    audit.record(view, who, "refund-payment", f"payment:{id}", why)
    return changed


def event(payment: Payment) -> Mapping[str, Any]:
    """Return what a webhook tells about a payment: no personal data."""
    return {
        "payment_id": payment.id,
        "status": payment.status,
        "amount": money.plain(payment.amount, payment.currency),
        "currency": payment.currency,
        "payment_method": payment.method,
        "reference": payment.reference,
        "failure_reason": payment.error,
    }


def _new(view: View, caller: Caller, asked: NewPayment, payer: Payer, amount: int) -> Payment:
    method = asked.payment_method.value
    if asked.products is not None and len(asked.products) > _PRODUCTS_MAX:
        raise invalid(("body", "products"), f"at most {_PRODUCTS_MAX} products", "too_long")
    refuse_card_numbers(asked.products, ("body", "products"))
    refuse_card_numbers(asked.extra.get("reference"), ("body", "reference"))
    fee = fees.fee(view, fees.COLLECTION, method, asked.currency, amount)
    payer_pays = bool(asked.customer_pays_fees)
    if fee > amount and not payer_pays:
        message = f"the fee of {money.show(fee, asked.currency)} is more than the amount"
        raise bad_request("FEE_EXCEEDS_AMOUNT", message)
    return Payment(
        id=view.ids.uuid(),
        merchant=caller.merchant,
        status=PENDING,
        method=method,
        currency=asked.currency,
        amount=amount,
        fee=fee,
        payer_pays_fee=payer_pays,
        created_at=view.now,
        updated_at=view.now,
        user=payer.user,
        email=payer.email,
        phone=payer.phone,
        products=packed(list(asked.products or [])),
        reference=_reference(view, asked),
    )


def _reference(view: View, asked: NewPayment) -> str:
    """The caller's own reference, an older member of the request, or one of ours."""
    given = asked.extra.get("reference")
    return (
        given
        if isinstance(given, str) and 0 < len(given) <= 255
        else f"PX{view.ids.integer(10**9, 10**10 - 1)}"
    )


def _from_wallet(view: View, caller: Caller, payment: Payment, payer: Payer) -> Payment:
    """Debit the payer's wallet now (PS41). The ledger is asked before the code is used up."""
    assert payer.user is not None  # check_method saw to it
    done = _credit(view, payment, book.available(payer.user))
    payers.consent(view, caller, payer, payment.method, payment.currency, payment.amount)
    return done


def _credit(view: View, payment: Payment, source: str) -> Payment:
    """Book the money from the rail or the payer's wallet to the merchant and the fee (B16)."""
    wallet, income = book.available(payment.merchant), book.fee_income(fees.COLLECTION)
    net = charge(payment) - payment.fee
    entries = [
        book.move(source, wallet, net, payment.currency),
        book.move(source, income, payment.fee, payment.currency),
    ]
    _pay(view, payment, SUCCEEDED, entries)
    return _move(view, payment, SUCCEEDED)


def _pay(view: View, payment: Payment, step: str, entries: list[Posting]) -> None:
    try:
        book.post(view, OWNER, payment.id, step, entries)
    except InsufficientFunds as error:
        raise no_money(
            f"the wallet can spend {money.show(max(error.available, 0), payment.currency)}, "
            f"less than {money.show(error.needed, payment.currency)}"
        ) from None


def _move(view: View, payment: Payment, status: str, *, error: str | None = None) -> Payment:
    if payment.status not in OPEN:
        raise conflict(f"payment {payment.id} is {payment.status} and cannot become {status}")
    changed = replace(payment, status=status, error=error, updated_at=view.now)
    view.put(PAYMENTS, changed)
    if status != PROCESSING:
        _tell(view, changed)
    return changed


def _tell(view: View, payment: Payment) -> None:
    """Write the event in the same commit (PS110)."""
    emit(
        view,
        source=SOURCE,
        owner=payment.merchant,
        type=f"payment.{payment.status}",
        object=f"payment:{payment.id}",
        data=event(payment),
    )


def _known(view: View, id: str) -> Payment:
    payment = view.get(PAYMENTS, id)
    if payment is None:
        raise not_found("payment", id)
    return payment
