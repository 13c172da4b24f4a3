"""Escrows: money held for a merchant until terms are met. Amounts are plain text: ``"50000.00"``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import UNSET, UnsetType

from bursar.contract import InvalidRequestError, OpenEnum

from .base import (
    Answer,
    Currency,
    Input,
    PageAnswer,
    PaymentMethod,
    Reason,
    Text,
    UserLocation,
    require_positive,
)


class EscrowStatus(OpenEnum):
    """Where an escrow is in its life (B5.4)."""

    PENDING = "pending"
    """Money is held, or awaited."""
    RELEASED = "released"
    REVERSED = "reversed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"

    def is_terminal(self) -> bool:
        """True when no money is held any more and none will come."""
        return self in (EscrowStatus.RELEASED, EscrowStatus.REVERSED, EscrowStatus.CANCELLED)


class AllocationStatus(OpenEnum):
    """What became of a slice of an escrow."""

    PENDING = "pending"
    RELEASED = "released"
    REVERSED = "reversed"


class TermType(OpenEnum):
    """What must happen before money is released (B5.3)."""

    MANUAL_RELEASE = "manual_release"
    MEETING_DELIVERY = "meeting_delivery"
    DELIVERY_CONFIRMATION = "delivery_confirmation"
    GEO_VERIFICATION = "geo_verification"
    TIME_LOCK = "time_lock"
    MEETING_CONFIRMATION = "meeting_confirmation"
    MULTI_PARTY_APPROVAL_THRESHOLD = "multi_party_approval_threshold"
    MULTI_PARTY_ALL = "multi_party_all"
    SEQUENTIAL_APPROVALS = "sequential_approvals"
    PASSWORD_CONFIRMATION = "password_confirmation"  # noqa: S105 - the name of a term, no password
    RETURN_PERIOD = "return_period"
    RATING_THRESHOLD = "rating_threshold"


class NewTerm(Input, kw_only=True):
    """A condition; what `data` holds depends on the type."""

    type: TermType
    data: Mapping[str, Any] = {}
    expiry_date: datetime | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"data"})


class NewAllocation(Input, kw_only=True):
    """A slice of the escrow that can be released or reversed on its own."""

    allocation_key: Text
    amount: Decimal
    seller_reference: Text | None = None
    description: Reason | None = None
    metadata: Mapping[str, Any] | None = None


class NewEscrow(Input, kw_only=True):
    """An escrow to open. `amount` is in units of `currency_code` (not minor units), more than zero."""

    amount: Decimal
    currency_code: Currency
    payment_method: PaymentMethod
    terms: list[NewTerm]
    receiver_id: Text | None = None
    """The merchant's own account id, or nothing."""
    external_user_id: Text | None = None
    user_info: Mapping[str, Any] | None = None
    """The buyer: ``email``, ``phone_number``, ``otp``."""
    user_location: UserLocation | None = None
    external_order_id: Text | None = None
    allocations: list[NewAllocation] | None = None
    metadata: Mapping[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"user_info", "user_location"})

    def validate(self) -> None:
        """Refuse bad amounts, no terms, and slices that are more than the whole or share a key (PC44, PS48)."""
        require_positive(self.amount, "/amount")
        require_terms(self.terms, "/terms")
        keys: set[str] = set()
        for index, slice_ in enumerate(self.allocations or ()):
            require_positive(slice_.amount, f"/allocations/{index}/amount")
            if slice_.allocation_key in keys:
                place = f"/allocations/{index}/allocation_key"
                raise InvalidRequestError(f"allocation_key {slice_.allocation_key!r} is there twice", place)
            keys.add(slice_.allocation_key)
        total = sum((slice_.amount for slice_ in self.allocations or ()), Decimal(0))
        if total > self.amount:
            raise InvalidRequestError(
                f"allocations add up to {total}, more than {self.amount}", "/allocations"
            )


def require_terms(terms: Sequence[NewTerm], pointer: str) -> None:
    """Refuse an escrow without terms (PS46). Raises `InvalidRequestError`."""
    if not terms:
        raise InvalidRequestError("at least one term is required", pointer)


class ReleaseEscrow(Input, kw_only=True):
    """What to release: everything held, the named slices, or an amount."""

    verification_code: Text | None = None
    verification_method: Text | None = None
    user_info: Mapping[str, Any] | None = None
    amount: Decimal | None = None
    allocation_keys: list[Text] | None = None
    force: bool | None = None
    """Release although terms are unmet; needs a reason and owner's rights (PS55)."""
    reason: Reason | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"verification_code", "user_info"})

    def validate(self) -> None:
        """Refuse an amount that is not above zero."""
        if self.amount is not None:
            require_positive(self.amount, "/amount")


class ReverseEscrow(Input, kw_only=True):
    """What to give back to the buyer: everything held, the named slices, or an amount."""

    reason: Reason | None = None
    verification_code: Text | None = None
    verification_method: Text | None = None
    user_info: Mapping[str, Any] | None = None
    amount: Decimal | None = None
    allocation_keys: list[Text] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"verification_code", "user_info"})

    def validate(self) -> None:
        """Refuse an amount that is not above zero."""
        if self.amount is not None:
            require_positive(self.amount, "/amount")


class FulfillTerm(Input, kw_only=True):
    """Evidence that a term is met; what `data` holds depends on the type."""

    term_type: TermType
    data: Mapping[str, Any]
    term_id: Text | None = None
    """The same as in the path."""
    user_info: Mapping[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"data", "user_info"})


class DisputeEscrow(Input, kw_only=True):
    """Why an escrow is disputed, and by which side."""

    reason: Reason
    initiator_role: Text | None = None
    """``sender`` or ``receiver``."""
    user_info: Mapping[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"user_info"})


class Term(Answer, kw_only=True):
    """A condition of an escrow."""

    term_id: str
    type: TermType
    data: dict[str, Any]


class RequiredAction(Answer, kw_only=True):
    """What somebody has to do next."""

    action_type: str
    description: str


class Allocation(Answer, kw_only=True):
    """A slice of an escrow."""

    allocation_key: str
    amount: Decimal
    status: AllocationStatus
    seller_reference: str | None = None
    description: str | None = None
    status_reason: str | None = None
    status_updated_at: datetime | None = None
    metadata: dict[str, Any] | None = None


class AllocationSummary(Answer, kw_only=True):
    """Counts and amounts of slices; the three counts add up to the first."""

    total_count: int
    pending_count: int
    released_count: int
    reversed_count: int
    pending_amount: Decimal
    released_amount: Decimal
    reversed_amount: Decimal


class Escrow(Answer, kw_only=True):
    """An escrow in full. `sender_id` is None for a buyer without account.

    `allocations` and `allocation_summary` are `msgspec.UNSET`, which is false, where the answer does not have them
    (PC52).
    """

    id: str
    amount: Decimal
    currency_code: str
    status: EscrowStatus
    payment_method: PaymentMethod
    sender_id: str | None
    receiver_id: str
    created_at: datetime
    updated_at: datetime
    terms: list[Term]
    products: list[Any]
    location: dict[str, Any] | None
    required_actions: list[RequiredAction] | None
    external_user_id: str | None
    balance_escrow_in: Decimal
    balance_escrow_out: Decimal
    metadata: dict[str, Any] | None
    allocations: list[Allocation] | UnsetType | None = UNSET
    allocation_summary: AllocationSummary | UnsetType | None = UNSET


class EscrowPage(PageAnswer, kw_only=True):
    """A page of a merchant's escrows, newest first (E29)."""

    results: list[Escrow]


class BuyerInfo(Answer, kw_only=True):
    """Who pays into an escrow."""

    type: str
    email: str | None
    phone_number: str | None
    verified: bool

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})


class TermState(Answer, kw_only=True):
    """How far a term is."""

    term_id: str
    term_type: TermType
    is_met: bool
    met_at: datetime | None


class EscrowState(Answer, kw_only=True):
    """What an escrow waits for."""

    escrow_id: str
    status: EscrowStatus
    amount: Decimal
    currency: str
    payment_method: PaymentMethod
    created_at: datetime
    buyer_info: BuyerInfo | None
    terms: list[TermState]
    all_terms_met: bool


class EscrowReleased(Answer, kw_only=True):
    """A release. `status` names the action, whatever else is still held."""

    status: str
    escrow_id: str
    amount: Decimal
    force: bool
    reason: str | None
    allocation_keys: list[str] | None
    allocation_summary: AllocationSummary | None


class EscrowReversed(Answer, kw_only=True):
    """A reversal. `status` names the action, whatever else is still held."""

    status: str
    escrow_id: str
    amount: Decimal
    reason: str | None
    allocation_keys: list[str] | None
    allocation_summary: AllocationSummary | None


class TermFulfilled(Answer, kw_only=True):
    """What a fulfilment did; with `requires_other_party` the term is not met yet."""

    status: str
    message: str
    requires_other_party: bool | None = None
    escrow_id: str | None = None
    term_id: str | None = None
    term_type: TermType | None = None


class DisputeOpened(Answer, kw_only=True):
    """A dispute; nothing is released or reversed until it is resolved."""

    message: str
    dispute_id: str
    initiator_role: str
