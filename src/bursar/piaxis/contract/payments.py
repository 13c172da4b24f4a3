"""Payments from customers to the merchant."""

from __future__ import annotations

from datetime import datetime

from bursar.contract import C, Effect, Resource, get, post
from bursar.piaxis.models.base import Limit, Offset, PaymentMethod, Text
from bursar.piaxis.models.payments import NewPayment, Payment, PaymentCreated, PaymentPage, PaymentStatus

from .parameters import MONEY, REFUSED, UNKNOWN, Key


class Payments(Resource[C]):
    """Money from a customer to the merchant who calls."""

    @post("/payments/create", effect=Effect.KEYED, errors={**REFUSED, 402: MONEY})
    def create_payment(self, payload: NewPayment, *, idempotency_key: Key = None) -> PaymentCreated:
        """Ask a customer to pay. For mobile money the answer is pending: poll, or take webhooks."""
        ...

    @get("/payments/{payment_id}", errors={404: UNKNOWN})
    def get_payment(self, payment_id: Text) -> Payment:
        """Return a payment in full."""
        ...

    @get("/merchant-payments", errors=REFUSED)
    def list_merchant_payments(
        self,
        *,
        status: PaymentStatus | None = None,
        payment_method: PaymentMethod | None = None,
        from_date: datetime | None = None,
        to_date: datetime | None = None,
        limit: Limit | None = None,
        offset: Offset | None = None,
    ) -> PaymentPage:
        """Return a page of the merchant's payments, newest first; both dates inclusive, 50 to a page, at most 100."""
        ...
