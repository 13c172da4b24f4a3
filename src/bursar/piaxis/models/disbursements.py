"""Disbursements: money from the merchant's wallet to many recipients."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from bursar.contract import InvalidRequestError, OpenEnum

from .base import (
    Answer,
    Currency,
    Email,
    Input,
    PageAnswer,
    PaymentMethod,
    Phone,
    Reason,
    Text,
    require_positive,
)


class DisbursementStatus(OpenEnum):
    """Where a batch is in its life (B6)."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    def is_terminal(self) -> bool:
        """True when nothing of the batch is under way any more."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {
        DisbursementStatus.COMPLETED,
        DisbursementStatus.PARTIALLY_COMPLETED,
        DisbursementStatus.FAILED,
        DisbursementStatus.CANCELLED,
    }
)
MAX_RECIPIENTS = 1000


class Recipient(Input, kw_only=True):
    """Who gets how much: an account of Piaxis, or a phone number that the batch's method pays out to.

    `email` alone routes nothing (PC56).
    """

    amount: Decimal
    recipient_id: Text | None = None
    email: Email | None = None
    phone_number: Phone | None = None
    reference: Text | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})

    def require_route(self, pointer: str) -> None:
        """Refuse an amount that is not above zero, and a recipient that nothing leads to (PC56, PS80)."""
        require_positive(self.amount, f"{pointer}/amount")
        if self.recipient_id is None and self.phone_number is None:
            raise InvalidRequestError(f"{pointer}: recipient_id or phone_number is required", pointer)


class NewDisbursement(Input, kw_only=True):
    """A batch: 1 to 1000 recipients, one currency and one method for all."""

    recipients: list[Recipient]
    currency: Currency
    payment_method: PaymentMethod
    description: Reason | None = None

    def validate(self) -> None:
        """Refuse no recipients, too many, bad amounts, no route (PS80)."""
        require_count(len(self.recipients))
        for index, recipient in enumerate(self.recipients):
            recipient.require_route(f"/recipients/{index}")


def require_count(count: int) -> None:
    """Refuse a batch that is empty or too long. Raises `InvalidRequestError`."""
    if not 1 <= count <= MAX_RECIPIENTS:
        raise InvalidRequestError(f"1 to {MAX_RECIPIENTS} recipients, not {count}", "/recipients")


class CancelDisbursement(Input, kw_only=True, omit_defaults=False):
    """Why a batch is cancelled. None is sent as null (PC55)."""

    reason: Reason | None = None


class DisbursementSummary(Answer, kw_only=True):
    """A batch in figures. Cancelled items are in no counter."""

    disbursement_id: str
    status: DisbursementStatus
    total_amount: Decimal
    currency: str
    recipient_count: int
    successful_count: int
    failed_count: int
    pending_count: int

    @property
    def cancelled_count(self) -> int:
        """Items that were cancelled: what the other counters leave over (PC57)."""
        return self.recipient_count - self.successful_count - self.failed_count - self.pending_count


class DisbursementItem(Answer, kw_only=True):
    """One recipient's share."""

    amount: Decimal
    status: str
    recipient_id: str | None = None
    phone_number: str | None = None
    email: str | None = None
    reference: str | None = None
    failure_reason: str | None = None
    """Why it failed; Bursar's own."""

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})


class Disbursement(DisbursementSummary, kw_only=True):
    """A batch in full."""

    payment_method: PaymentMethod
    description: str | None
    created_at: datetime
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None
    items: list[DisbursementItem]


class DisbursementPage(PageAnswer, kw_only=True):
    """A page of batches, newest first."""

    results: list[DisbursementSummary]


class QuotedItem(Answer, kw_only=True):
    """What one recipient's share costs."""

    amount: Decimal
    fee: Decimal
    recipient_id: str | None = None
    phone_number: str | None = None
    reference: str | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"phone_number"})


class DisbursementQuote(Answer, kw_only=True):
    """What a batch would cost now; nothing is held (PS89). The vendor has not published its form: this is Bursar's."""

    currency: str
    total_amount: Decimal
    total_fees: Decimal
    total_debit: Decimal
    """What the merchant's wallet would be debited: amounts and fees."""
    recipient_count: int
    items: list[QuotedItem]
    expires_at: datetime
