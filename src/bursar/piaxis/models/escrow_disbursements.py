"""Escrow disbursements: one escrow for each recipient of a batch, the merchant being the sender."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from .base import Answer, Currency, Input, PageAnswer, PaymentMethod, Reason, Text, UserLocation
from .disbursements import DisbursementSummary, Recipient, require_count
from .escrows import NewTerm, require_terms


class EscrowRecipient(Recipient, kw_only=True):
    """Who gets how much, and when."""

    terms: list[NewTerm]


class NewEscrowDisbursement(Input, kw_only=True):
    """A batch of escrows: 1 to 1000 recipients, one currency and one method for all."""

    recipients: list[EscrowRecipient]
    currency: Currency
    payment_method: PaymentMethod
    description: Reason | None = None
    user_location: UserLocation | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"user_location"})

    def validate(self) -> None:
        """Refuse no recipients, too many, bad amounts, no route, no terms (PC59, PS80)."""
        require_count(len(self.recipients))
        for index, recipient in enumerate(self.recipients):
            recipient.require_route(f"/recipients/{index}")
            require_terms(recipient.terms, f"/recipients/{index}/terms")


class EscrowItem(Answer, kw_only=True):
    """One recipient's escrow."""

    recipient_id: str | None
    email: str | None
    phone_number: str | None
    amount: Decimal
    escrow_id: str
    status: str
    terms_count: int
    reference: str | None

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})


class EscrowDisbursement(DisbursementSummary, kw_only=True):
    """A batch of escrows in full."""

    escrow_items: list[EscrowItem]
    description: str | None
    created_at: datetime


class EscrowDisbursementItem(DisbursementSummary, kw_only=True):
    """A batch of escrows in a listing."""

    description: str | None
    created_at: datetime


class EscrowDisbursementPage(PageAnswer, kw_only=True):
    """A page of batches of escrows, newest first."""

    results: list[EscrowDisbursementItem]


class ReleaseEscrowDisbursement(Input, kw_only=True, omit_defaults=False):
    """Which escrows of a batch to release. What is None is sent as null (PC60)."""

    force: bool = False
    """Release although terms are unmet; without it such escrows are skipped (PS91)."""
    reason: Reason | None = None
    escrow_ids: list[Text] | None = None
    """None: all of them."""


class BulkItem(Answer, kw_only=True):
    """What became of one escrow of a batch."""

    item_id: str
    escrow_id: str
    status: str
    reason: str | None = None
    """Why it was skipped or failed."""


class EscrowDisbursementReleased(Answer, kw_only=True):
    """What a bulk release did; the counts are those of the escrows acted on."""

    disbursement_id: str
    force: bool
    reason: str | None
    released_count: int
    skipped_count: int
    failed_count: int
    released: list[BulkItem]
    skipped: list[BulkItem]
    failed: list[BulkItem]


class EscrowDisbursementCancelled(DisbursementSummary, kw_only=True):
    """A cancelled batch; escrows that were released stay released (PS95)."""

    cancelled_at: datetime | None
    cancellation_reason: str | None
