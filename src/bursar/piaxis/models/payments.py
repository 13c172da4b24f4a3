"""Payments: money from a customer to the merchant. Amounts in answers are grouped: ``"15,000.00"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from bursar.contract import OpenEnum
from bursar.contract.digits import AmountForm

from .base import Answer, Currency, Input, PageAnswer, PaymentMethod, Text, require_positive


class PaymentStatus(OpenEnum):
    """Where a payment is in its life (E1)."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    COMPLETED = "completed"
    """Another word for succeeded."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    def is_terminal(self) -> bool:
        """True when the payment will not change any more."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {PaymentStatus.SUCCEEDED, PaymentStatus.COMPLETED, PaymentStatus.FAILED, PaymentStatus.CANCELLED}
)


class NewPayment(Input, kw_only=True):
    """A payment to collect. `amount` is the principal in units of `currency` (not minor units), more than zero."""

    amount: Decimal
    currency: Currency
    payment_method: PaymentMethod
    recipient_id: Text | None = None
    """Legacy: the merchant's own account id, or nothing."""
    user_info: Mapping[str, Any] | None = None
    """The payer: ``email``, ``phone_number``, ``otp``."""
    products: Sequence[Mapping[str, Any]] | None = None
    customer_pays_fees: bool | None = None
    mfa_code: Text | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"user_info", "mfa_code"})

    def validate(self) -> None:
        """Refuse an amount that is not above zero (PS27)."""
        require_positive(self.amount, "/amount")


class GroupedAnswer(Answer, kw_only=True):
    """An answer of the payments group."""

    amounts: ClassVar[AmountForm] = AmountForm.GROUPED


class PaymentCreated(GroupedAnswer, kw_only=True):
    """A payment that was accepted. For mobile money it is pending: poll, or take webhooks."""

    payment_id: str
    status: PaymentStatus
    amount: Decimal
    currency: str


class MerchantDetails(Answer, kw_only=True):
    """Who is paid."""

    id: str
    business_name: str


class RecipientDetails(Answer, kw_only=True):
    """The account that is credited."""

    id: str
    name: str


class ProductDetails(GroupedAnswer, kw_only=True):
    """What was bought."""

    id: str
    name: str
    price: Decimal


class TransactionDetails(Answer, kw_only=True):
    """What the payment provider says."""

    id: str
    status: str
    provider_reference: str | None


class Payment(GroupedAnswer, kw_only=True):
    """A payment in full; the objects are None when there is nothing to say."""

    id: str
    status: PaymentStatus
    amount: Decimal
    currency: str
    payment_method: PaymentMethod
    created_at: datetime
    reference: str | None
    receipt: str | None
    merchant_details: MerchantDetails | None
    recipient_details: RecipientDetails | None
    product_details: ProductDetails | None
    chain_payment_details: dict[str, Any] | None
    transaction_details: TransactionDetails | None


class Payer(Answer, kw_only=True):
    """Who paid."""

    id: str | None
    email: str | None
    phone: str | None
    type: str

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone"})


class PaymentRecipient(Answer, kw_only=True):
    """Who was paid."""

    id: str
    email: str | None


class PaymentItem(GroupedAnswer, kw_only=True):
    """A payment in a listing."""

    payment_id: str
    status: PaymentStatus
    amount: Decimal
    currency: str
    payment_method: PaymentMethod
    date: datetime
    payer: Payer | None
    recipient: PaymentRecipient | None


class PaymentPage(PageAnswer, kw_only=True):
    """A page of a merchant's payments, newest first."""

    results: list[PaymentItem]
