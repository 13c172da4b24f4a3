"""Calls of the escrow groups, for tests: each with an OTP and defaults, so that a test says what matters to it."""

from decimal import Decimal
from typing import Any

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import disputes, merchants
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.escrow_tables import SLICES
from bursar.engine.piaxis.otp import SANDBOX_CODE
from bursar.engine.piaxis.sandbox import MERCHANT_ID
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.disbursements import CancelDisbursement
from bursar.piaxis.models.escrow_disbursements import (
    EscrowRecipient,
    NewEscrowDisbursement,
    ReleaseEscrowDisbursement,
)
from bursar.piaxis.models.escrows import (
    DisputeEscrow,
    FulfillTerm,
    NewAllocation,
    NewEscrow,
    NewTerm,
    ReleaseEscrow,
    ReverseEscrow,
    TermType,
)
from tests.engine.piaxis.rail import BUYER, OLGA, SHOP, Rail


def term(type: str = "manual_release", expiry_date: Any = None, **data: Any) -> NewTerm:
    return NewTerm(type=TermType(type), data=data, expiry_date=expiry_date)


def part(key: str, amount: str, **options: Any) -> NewAllocation:
    return NewAllocation(allocation_key=key, amount=Decimal(amount), **options)


MANUAL = term()
SLICES_AB = (part("alpha", "20000"), part("beta", "30000"))


def new_escrow(*terms: NewTerm, amount: str = "50000", **options: Any) -> NewEscrow:
    phone = options.pop("phone", BUYER)
    info = {"phone_number": phone, "otp": options.pop("otp", SANDBOX_CODE)}
    allocations = options.pop("allocations", None)
    return NewEscrow(
        amount=Decimal(amount),
        currency_code=options.pop("currency", "UGX"),
        payment_method=PaymentMethod(options.pop("method", "mtn")),
        terms=list(terms),
        user_info=options.pop("user_info", info),
        allocations=None if allocations is None else list(allocations),
        **options,
    )


class Escrows:
    """The escrow groups of a rail."""

    def __init__(self, rail: Rail) -> None:
        self.rail = rail
        self.service = rail.services.escrows
        self.batches = rail.services.escrow_disbursements

    def open(self, *terms: NewTerm, caller: Caller = SHOP, key: str | None = None, **options: Any) -> Any:
        """Open an escrow of a buyer without account, with a fresh OTP."""
        asked = new_escrow(*(terms or (MANUAL,)), **options)
        phone = dict(asked.user_info or {}).get("phone_number")
        if phone is not None and caller.user is None:
            self.rail.otp(phone, caller=caller)
        return self.rail.do(self.service.create_escrow(caller, asked, idempotency_key=key))

    def get(self, escrow: Any, caller: Caller = SHOP) -> Any:
        return self.rail.do(self.service.get_escrow(caller, _id(escrow)))

    def status(self, escrow: Any, caller: Caller = SHOP) -> Any:
        return self.rail.do(self.service.get_escrow_status(caller, _id(escrow)))

    def list(self, caller: Caller = SHOP, **filters: Any) -> Any:
        return self.rail.do(self.service.list_escrows(caller, **filters))

    def release(self, escrow: Any, *keys: str, caller: Caller = SHOP, **options: Any) -> Any:
        key = options.pop("key", None)
        asked = ReleaseEscrow(allocation_keys=list(keys) or None, **_amount(options))
        return self.rail.do(self.service.release_escrow(caller, _id(escrow), asked, idempotency_key=key))

    def reverse(self, escrow: Any, *keys: str, caller: Caller = SHOP, **options: Any) -> Any:
        asked = ReverseEscrow(allocation_keys=list(keys) or None, **_amount(options))
        return self.rail.do(self.service.reverse_escrow(caller, _id(escrow), asked))

    def fulfil(self, escrow: Any, position: int = 0, *, caller: Caller = SHOP, **options: Any) -> Any:
        """Fulfil a term; what is no option of the request is its data."""
        known = escrow.terms[position]
        asked = FulfillTerm(
            term_type=TermType(options.pop("term_type", known.type.value)),
            term_id=options.pop("term_id", None),
            user_info=options.pop("user_info", None),
            data=options,
        )
        return self.rail.do(self.service.fulfill_escrow_term(caller, escrow.id, known.term_id, asked))

    def dispute(self, escrow: Any, *, caller: Caller = SHOP, reason: str = "broken", **options: Any) -> Any:
        asked = DisputeEscrow(reason=reason, **options)
        return self.rail.do(self.service.dispute_escrow(caller, _id(escrow), asked))

    def resolve(self, dispute: Any, release: int, reverse: int) -> None:
        name = dispute.dispute_id
        self.rail.submit(lambda view: disputes.resolve(view, OLGA, name, release, reverse, "as agreed"))

    def dismiss(self, dispute: Any) -> None:
        self.rail.submit(lambda view: disputes.dismiss(view, OLGA, dispute.dispute_id, "nothing to it"))

    # Batches.

    def pay(self, *recipients: EscrowRecipient, caller: Caller = SHOP, **options: Any) -> Any:
        asked = NewEscrowDisbursement(
            recipients=list(recipients),
            currency=options.pop("currency", "UGX"),
            payment_method=PaymentMethod(options.pop("method", "mtn")),
            **options,
        )
        return self.rail.do(self.batches.create_escrow_disbursement(caller, asked))

    def batch(self, batch: Any, caller: Caller = SHOP) -> Any:
        return self.rail.do(self.batches.get_escrow_disbursement(caller, batch.disbursement_id))

    def release_batch(self, batch: Any, *ids: str, caller: Caller = SHOP, **options: Any) -> Any:
        asked = ReleaseEscrowDisbursement(escrow_ids=list(ids) or None, **options)
        return self.rail.do(self.batches.release_escrow_disbursement(caller, batch.disbursement_id, asked))

    def cancel_batch(self, batch: Any, reason: str | None = None, caller: Caller = SHOP) -> Any:
        asked = CancelDisbursement(reason=reason)
        return self.rail.do(self.batches.cancel_escrow_disbursement(caller, batch.disbursement_id, asked))

    # The book and the merchant's profile.

    def held(self, escrow: Any, currency: str = "UGX") -> int:
        """What the accounts of an escrow hold, in minor units."""
        names = [row.key for row in self.rail.rows(SLICES, escrow=_id(escrow))]
        return sum(self.rail.balance(book.escrow(_id(escrow), key), currency) for key in (*names, None))

    def profile(self, **changes: Any) -> None:
        self.rail.submit(lambda view: merchants.set_profile(view, OLGA, MERCHANT_ID, changes))

    def async_funding(self) -> None:
        self.profile(funding="async")


def to_phone(phone: str, amount: str = "1000", *terms: NewTerm, **options: Any) -> EscrowRecipient:
    wanted = list(terms or (MANUAL,))
    return EscrowRecipient(amount=Decimal(amount), phone_number=phone, terms=wanted, **options)


def to_account(id: str, amount: str = "1000", *terms: NewTerm, **options: Any) -> EscrowRecipient:
    wanted = list(terms or (MANUAL,))
    return EscrowRecipient(amount=Decimal(amount), recipient_id=id, terms=wanted, **options)


def otp_for(phone: str) -> dict[str, Any]:
    return {"phone_number": phone, "otp": SANDBOX_CODE}


def _id(escrow: Any) -> str:
    return escrow if isinstance(escrow, str) else str(getattr(escrow, "id", None) or escrow.escrow_id)


def _amount(options: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name == "amount" else value for name, value in options.items()}
