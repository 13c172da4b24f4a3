"""The endpoints of the MilkyWay Payments API, paths relative to the base URL."""

from __future__ import annotations

from typing import Annotated

from bursar.contract import C, Effect, IdempotencyKey, Member, Query, Resource, get, post

from .models import (
    CancelResult,
    PayRequest,
    PostcheckResult,
    PrecheckRequest,
    PrecheckResult,
    Text,
    TransactionId,
)

_INVALID = "The request does not have the documented form, or breaks a rule of the service."
_FOREIGN = "No such transaction, or it belongs to another institution."
_DOWN = "The recipient bank cannot be reached now."


class MilkywayPayments(Resource[C]):
    """Cross-bank payments between institutions of one hub."""

    @get(
        "/payments/v1/healthcheck",
        media="text",
        errors={
            400: _INVALID,
            404: "No such bank or service.",
            500: "The service is down; the text says why.",
        },
    )
    def healthcheck(
        self, third_party_id: Annotated[Text, Query()], service_id: Annotated[Text, Query()]
    ) -> str:
        """Return the plain text with which a recipient bank's service says that it is up."""
        ...

    @post("/payments/v1/precheck", effect=Effect.IDEMPOTENT, errors={400: _INVALID, 503: _DOWN})
    def precheck(self, request: PrecheckRequest) -> PrecheckResult:
        """Quote a payment: rate with markup, debit amount and commission. Creates nothing."""
        ...

    @post(
        "/payments/v1",
        effect=Effect.KEYED,
        unwrap="transaction_id",
        errors={
            400: _INVALID,
            402: "The payment would pass the institution's exposure limit.",
            422: "The idempotency key belongs to another payment.",
            503: _DOWN,
        },
    )
    def pay(
        self,
        request: PayRequest,
        idempotency_key: Annotated[str | None, IdempotencyKey("Idempotency-Key")] = None,
    ) -> TransactionId:
        """Pay; returns the transaction id.

        With an `idempotency_key` (any opaque text of at most 255 visible ASCII characters, best a UUID) the call is
        repeated on transient failures and makes one payment however often it arrives. Without one it is sent once.
        """
        ...

    @get("/payments/v1/postcheck", echo=("transaction_id",), errors={400: _INVALID, 404: _FOREIGN})
    def postcheck(self, transaction_id: Annotated[TransactionId, Query()]) -> PostcheckResult:
        """Return where a payment is in its life."""
        ...

    @post("/payments/v1/cancel", effect=Effect.IDEMPOTENT, errors={400: _INVALID, 404: _FOREIGN})
    def cancel(self, transaction_id: Annotated[TransactionId, Member()]) -> CancelResult:
        """Ask for a payment to be cancelled; returns the status it has then."""
        ...
