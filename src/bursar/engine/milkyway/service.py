"""The MilkyWay Payments API as methods: what each of the five calls does, without any HTTP.

Each method takes who calls, then the parameters of its endpoint in `bursar.milkyway.MilkywayPayments`.
"""

from __future__ import annotations

from typing import Protocol

from bursar.engine.core import Core
from bursar.engine.currency import to_decimal
from bursar.engine.errors import FieldError, InvalidInput, NotFound
from bursar.engine.idempotency import parse_key
from bursar.engine.milkyway.intake import KeyUse, take
from bursar.engine.milkyway.keys import fingerprint
from bursar.engine.milkyway.lifecycle import request_cancel
from bursar.engine.milkyway.quote import Quote
from bursar.engine.milkyway.quotes import Asked, QuoteBook
from bursar.engine.milkyway.reader import Reader
from bursar.engine.milkyway.tables import INSTITUTIONS, KEYS, PAYMENTS, SERVICES, Payment
from bursar.engine.milkyway.terms import caller_institution, check_up, terms_of
from bursar.engine.view import ReadView, View
from bursar.milkyway.models import (
    CancelResult,
    PayRequest,
    PostcheckResult,
    PrecheckRequest,
    PrecheckResult,
    TransactionStatus,
)

_UNFINISHED = frozenset({TransactionStatus.PENDING})
_CANCELLED = frozenset({TransactionStatus.CANCELLED, TransactionStatus.CANCEL_PENDING})
_TELLING = frozenset({TransactionStatus.FAILED, TransactionStatus.STUCK})


class Caller(Protocol):
    """Who calls, as the access token proved."""

    @property
    def client_id(self) -> str:
        """The token's `azp`: the institution's id."""
        ...


class MilkywayService:
    """Serves institutions. `Unavailable` errors mean that nothing was accepted (MS51)."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._quotes = QuoteBook()

    async def healthcheck(self, caller: Caller, third_party_id: str, service_id: str) -> str:
        """Say that a bank's service is up (D20). Raises `NotFound`, or `ServiceDown` with the reason (MS11-MS13)."""

        def query(view: ReadView) -> str:
            caller_institution(view, caller.client_id)
            bank = view.get(INSTITUTIONS, third_party_id)
            service = None if bank is None else view.get(SERVICES, bank.id, service_id)
            if bank is None or service is None:
                raise NotFound(f"there is no service {service_id} at a bank {third_party_id}")
            check_up(view, bank, service)
            return "Service is available"

        return await self._core.read(query)

    async def precheck(self, caller: Caller, request: PrecheckRequest) -> PrecheckResult:
        """Quote a payment and hold the quote for a minute (D1). Nothing is written, no limit is looked at (MS26, MS27).

        Raises `InvalidInput` and `ServiceDown`.
        """
        now, quote = await self._core.read(lambda view: self._quote(view, caller, request))
        self._quotes.hold(Asked.of(caller.client_id, request), quote, now)
        return PrecheckResult(
            third_party_id=request.third_party_id_debit,
            service_id=request.service_id,
            recipient_id=request.recipient_id,
            amount_credit=to_decimal(quote.amount_credit, quote.currency_credit),
            currency_credit=quote.currency_credit,
            amount_debit=to_decimal(quote.amount_debit, quote.currency_debit),
            currency_debit=quote.currency_debit,
            rate=quote.rate,
            commission=to_decimal(quote.commission, quote.currency_credit),
        )

    async def pay(self, caller: Caller, request: PayRequest, idempotency_key: str | None = None) -> int:
        """Accept a payment, durably, and return its id.

        Raises what precheck raises, `ExposureExceeded` (402) and `IdempotencyMismatch` (422). A key is bound to
        accepted payments only, so after any error the same key may be used again (D4, MS49).
        """
        if idempotency_key is None:
            return await self._core.submit(
                lambda view: take(view, caller.client_id, request, None, self._quotes)
            )
        use = KeyUse(parse_key(idempotency_key), fingerprint(request))
        return await self._core.submit(
            lambda view: take(view, caller.client_id, request, use, self._quotes),
            reads=[(KEYS, (caller.client_id, use.key))],
        )

    async def postcheck(self, caller: Caller, transaction_id: int) -> PostcheckResult:
        """Return a payment's status. Raises `NotFound`, the same for foreign and unknown payments (MS52)."""
        payment = await self._core.read(lambda view: own_payment(view, caller, transaction_id))
        # `error` is told for the statuses that the sender must explain to somebody (MS55).
        error = payment.error if payment.state in _TELLING else None
        return PostcheckResult(payment.id, payment.state, error)

    async def cancel(self, caller: Caller, transaction_id: int) -> CancelResult:
        """Cancel a payment, or ask its bank to (MS57-MS62). Raises `NotFound`; `InvalidInput` for a finished one."""

        def command(view: View) -> TransactionStatus:
            payment = own_payment(view, caller, transaction_id)
            if payment.state in _CANCELLED:
                return payment.state
            if payment.state not in _UNFINISHED:
                raise _too_late(payment)
            return request_cancel(view, payment).state

        key = (transaction_id,)
        return CancelResult(await self._core.submit(command, reads=[(PAYMENTS, key)]))

    def _quote(self, view: ReadView, caller: Caller, request: PrecheckRequest) -> tuple[int, Quote]:
        caller_institution(view, caller.client_id)
        return view.now, terms_of(view, request).quote


def own_payment(reader: Reader, caller: Caller, transaction_id: int) -> Payment:
    """Return the caller's payment. Ownership is checked before existence is shown (D18)."""
    institution = caller_institution(reader, caller.client_id)
    payment = reader.get(PAYMENTS, transaction_id)
    if payment is None or payment.institution != institution.id:
        raise NotFound("not found")
    return payment


def _too_late(payment: Payment) -> InvalidInput:
    """Say why a payment cannot be cancelled, with its present status (MS60)."""
    message = f"payment {payment.id} is {payment.state.name} and cannot be cancelled"
    if payment.state is TransactionStatus.STUCK:
        message += "; an operator of the hub has to find out what happened"
    return InvalidInput(message, errors=[FieldError("/transaction_id", message)])
