"""The payments group as methods: each takes who calls, then the parameters of its endpoint in the contract."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from bursar.engine.core import Core
from bursar.engine.piaxis import money, payments
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.keys import keyed
from bursar.engine.piaxis.merchants import known_account
from bursar.engine.piaxis.pages import asked_page, between, page_of
from bursar.engine.piaxis.tables import INSTRUCTIONS, PAYMENTS
from bursar.engine.piaxis.tables import Payment as Row
from bursar.engine.piaxis.times import moment
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.payments import (
    MerchantDetails,
    NewPayment,
    Payer,
    Payment,
    PaymentCreated,
    PaymentItem,
    PaymentPage,
    PaymentRecipient,
    PaymentStatus,
    ProductDetails,
    RecipientDetails,
    TransactionDetails,
)

_TWO_PLACES: Final = Decimal("0.00")
"""Added to a price, it makes two decimals of fewer."""
_ALIASES: Final = {PaymentStatus.COMPLETED: PaymentStatus.SUCCEEDED}


class PaymentsService:
    """Serves merchants. A method returns when its effect is durable."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create_payment(
        self, caller: Caller, payload: NewPayment, *, idempotency_key: str | None = None
    ) -> PaymentCreated:
        """Take a payment in. Raises `InvalidRequest` and `Refusal` (PS26-PS31)."""

        def act(view: View) -> PaymentCreated:
            row = payments.create(view, caller, payload)
            return PaymentCreated(
                payment_id=row.id,
                status=PaymentStatus(row.status),
                amount=money.shown(row.amount, row.currency),
                currency=row.currency,
            )

        route = "POST /payments/create"
        return await keyed(self._core, caller, route, idempotency_key, payload, act, PaymentCreated)

    async def get_payment(self, caller: Caller, payment_id: str) -> Payment:
        """Return a payment of the caller's. Raises `Refusal` (PS36)."""
        return await self._core.read(lambda view: _shown(view, payments.own(view, caller, payment_id)))

    async def list_merchant_payments(
        self,
        caller: Caller,
        *,
        status: PaymentStatus | None = None,
        payment_method: PaymentMethod | None = None,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> PaymentPage:
        """Return a page of the caller's payments. Raises `InvalidRequest` (PS37-PS39)."""
        page = asked_page(limit, offset)
        where: dict[str, Scalar] = {"merchant": caller.merchant, **between(from_date, to_date)}
        if status is not None:
            where["status"] = _ALIASES.get(status, status).value
        if payment_method is not None:
            where["method"] = payment_method.value

        def query(view: ReadView) -> PaymentPage:
            rows, total = page_of(view, PAYMENTS, where, page)
            email = known_account(view, caller.merchant).email
            results = [_listed(row, email) for row in rows]
            return PaymentPage(total=total, offset=page.offset, limit=page.limit, results=results)

        return await self._core.read(query)


def _shown(view: ReadView, row: Row) -> Payment:
    name = known_account(view, row.merchant).name
    return Payment(
        id=row.id,
        status=PaymentStatus(row.status),
        amount=money.shown(row.amount, row.currency),
        currency=row.currency,
        payment_method=PaymentMethod(row.method),
        created_at=moment(row.created_at),
        reference=row.reference,
        receipt=f"R-{row.reference}" if row.status == payments.SUCCEEDED else None,
        merchant_details=MerchantDetails(id=row.merchant, business_name=name),
        recipient_details=RecipientDetails(id=row.merchant, name=name),
        product_details=_product(row),
        chain_payment_details=None,
        transaction_details=_transaction(view, row),
    )


def _transaction(view: ReadView, row: Row) -> TransactionDetails | None:
    """What the provider says; its reference is there once it took the instruction."""
    instruction = None if row.instruction is None else view.get(INSTRUCTIONS, row.instruction)
    if instruction is None:
        return None
    status = instruction.outcome or ("pending" if instruction.unknown_at is None else "unknown")
    return TransactionDetails(id=instruction.id, status=status, provider_reference=instruction.reference)


def _product(row: Row) -> ProductDetails | None:
    """The first product, if the caller described it by name and price."""
    products: list[Any] = msgspec.json.decode(row.products)
    match products[:1]:
        case [{"name": str(name), "price": price, **rest}]:
            value = _price(price)
            return (
                None if value is None else ProductDetails(id=str(rest.get("id", "")), name=name, price=value)
            )
        case _:
            return None


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(str(value).replace(",", ""))
    except InvalidOperation:
        return None
    if not price.is_finite() or abs(price.adjusted()) >= 20:
        return None
    return price + _TWO_PLACES


def _listed(row: Row, email: str | None) -> PaymentItem:
    kind = "unregistered" if row.user is None else "registered"
    return PaymentItem(
        payment_id=row.id,
        status=PaymentStatus(row.status),
        amount=money.shown(row.amount, row.currency),
        currency=row.currency,
        payment_method=PaymentMethod(row.method),
        date=moment(row.created_at),
        payer=Payer(id=row.user, email=row.email, phone=row.phone, type=kind),
        recipient=PaymentRecipient(id=row.merchant, email=email),
    )
