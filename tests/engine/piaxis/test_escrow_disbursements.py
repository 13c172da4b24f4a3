"""Escrow disbursements (PS90-PS96), at the seam that the server uses."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.escrow_tables import ESCROW_BATCHES, ESCROWS
from bursar.engine.piaxis.sandbox import MERCHANT_ID, RECIPIENT_ID
from bursar.engine.piaxis.tables import REFUNDS
from bursar.piaxis.models.base import UserLocation
from bursar.piaxis.models.disbursements import DisbursementStatus
from bursar.piaxis.models.escrow_disbursements import EscrowRecipient
from tests.engine.piaxis.escrow_calls import MANUAL, Escrows, otp_for, term, to_account, to_phone
from tests.engine.piaxis.rail import OK, OTHER, SECOND, WRONG, Rail

WALLET = 100_000_000
RATING = term("rating_threshold", minimum_rating=4)


@pytest.fixture
def escrows(rail: Rail) -> Escrows:
    return Escrows(rail)


def refused(call: Any, *args: Any, **options: Any) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as error:
        call(*args, **options)
    return error.value.kind, error.value.reason


def ids(batch: Any) -> list[str]:
    return [item.escrow_id for item in batch.escrow_items]


def test_ps90_one_escrow_for_each_item(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(
        to_account(RECIPIENT_ID, "100000", reference="courier-1"),
        to_phone("+256722222222", "150000", MANUAL, RATING),
        method="airtel",
        description="Courier escrow batch",
        user_location=UserLocation(latitude=0.3, longitude=32.5),
    )
    shown = batch.to_dict()
    assert shown["escrow_items"] == [
        {
            "recipient_id": RECIPIENT_ID,
            "email": None,
            "phone_number": None,
            "amount": "100000.00",
            "escrow_id": ids(batch)[0],
            "status": "pending",
            "terms_count": 1,
            "reference": "courier-1",
        },
        {
            "recipient_id": None,
            "email": None,
            "phone_number": "+256722222222",
            "amount": "150000.00",
            "escrow_id": ids(batch)[1],
            "status": "pending",
            "terms_count": 2,
            "reference": None,
        },
    ]
    assert (shown["total_amount"], shown["pending_count"], shown["description"]) == (
        "250000.00",
        2,
        "Courier escrow batch",
    )
    assert escrows.batch(batch).to_dict() == shown
    assert rail.wallet() == WALLET - 250_000
    assert sum(escrows.held(each) for each in ids(batch)) == 250_000


def test_ps96_the_escrows_are_escrows(escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000"), to_phone(OK, "2000"))
    one, two = (escrows.get(each) for each in ids(batch))
    assert (one.sender_id, one.receiver_id) == (MERCHANT_ID, RECIPIENT_ID)
    assert (two.sender_id, two.amount, two.balance_escrow_in) == (MERCHANT_ID, 2000, 2000)
    assert escrows.status(one).buyer_info is None
    assert escrows.list().total == 2
    escrows.release(one)
    shown = escrows.batch(batch)
    assert (shown.successful_count, shown.pending_count) == (1, 1)
    assert [item.status for item in shown.escrow_items] == ["released", "pending"]


@pytest.mark.parametrize(
    ("recipients", "options", "loc"),
    [
        ([], {}, ("body", "recipients")),
        ([to_phone(OK)] * 1001, {}, ("body", "recipients")),
        ([to_phone(OK), to_phone(OK, "0")], {}, ("body", "recipients", 1, "amount")),
        ([to_account("nobody")], {}, ("body", "recipients", 0, "recipient_id")),
        ([to_account(MERCHANT_ID)], {}, ("body", "recipients", 0, "recipient_id")),
        ([EscrowRecipient(amount=Decimal(1), email="a@b.co", terms=[MANUAL])], {}, ("body", "recipients", 0)),
        ([to_phone(OK)], {"method": "card"}, ("body", "recipients", 0, "phone_number")),
        ([to_account(RECIPIENT_ID)], {"method": "shells"}, ("body", "payment_method")),
        ([to_account(RECIPIENT_ID)], {"currency": "XXX"}, ("body", "currency")),
        (
            [EscrowRecipient(amount=Decimal(1), phone_number=OK, terms=[])],
            {},
            ("body", "recipients", 0, "terms"),
        ),
        ([to_phone(OK, "1", term("full_moon"))], {}, ("body", "recipients", 0, "terms", 0, "type")),
    ],
)
def test_bad_batches_name_the_place(
    rail: Rail, escrows: Escrows, recipients: Any, options: Any, loc: Any
) -> None:
    with pytest.raises(InvalidRequest) as error:
        escrows.pay(*recipients, **options)
    assert [issue.loc for issue in error.value.issues] == [loc]
    assert rail.rows(ESCROWS) == rail.rows(ESCROW_BATCHES) == []


def test_without_money_nothing_is_held(rail: Rail, escrows: Escrows) -> None:
    kind = refused(escrows.pay, to_phone(OK, "60000000"), to_phone(OK, "40000001"))
    assert kind == (Kind.NO_MONEY, "INSUFFICIENT_FUNDS")
    assert rail.wallet() == WALLET
    assert rail.rows(ESCROWS) == rail.rows(ESCROW_BATCHES) == []


def test_ps91_met_are_released_unmet_skipped(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000"), to_account(RECIPIENT_ID, "2000", RATING))
    shown = escrows.release_batch(batch)
    assert [(each.escrow_id, each.status) for each in shown.released] == [(ids(batch)[0], "released")]
    assert [each.escrow_id for each in shown.skipped] == [ids(batch)[1]]
    assert "rating_threshold" in shown.skipped[0].reason
    assert (shown.released_count, shown.skipped_count, shown.failed_count) == (1, 1, 0)
    forced = escrows.release_batch(batch, force=True, reason="Bulk release approved")
    assert (forced.released_count, forced.skipped_count) == (1, 1)
    assert rail.wallet(RECIPIENT_ID) == 3000
    assert escrows.batch(batch).status == DisbursementStatus.COMPLETED


def test_ps91_force_needs_a_reason_and_an_owner(escrows: Escrows) -> None:
    batch = escrows.pay(to_phone(OK))
    with pytest.raises(InvalidRequest):
        escrows.release_batch(batch, force=True)
    clerk = Caller(MERCHANT_ID, key="k")
    assert refused(escrows.release_batch, batch, caller=clerk, force=True, reason="x")[1] == "OWNER_REQUIRED"


def test_ps92_some_of_the_escrows(escrows: Escrows) -> None:
    batch, other = (escrows.pay(to_phone(OK), to_phone(OK)) for _ in range(2))
    shown = escrows.release_batch(batch, ids(batch)[1])
    assert [each.escrow_id for each in shown.released] == [ids(batch)[1]]
    assert shown.skipped_count == 0
    with pytest.raises(InvalidRequest) as error:
        escrows.release_batch(batch, ids(batch)[0], ids(other)[0])
    assert error.value.issues[0].loc == ("body", "escrow_ids", 1)
    assert escrows.get(ids(batch)[0]).status.value == "pending"


def test_ps93_a_failing_item_does_not_undo_others(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000"), to_account(RECIPIENT_ID, "2000"))
    escrows.dispute(ids(batch)[0])
    shown = escrows.release_batch(batch)
    assert [(each.escrow_id, each.status) for each in shown.failed] == [(ids(batch)[0], "disputed")]
    assert "operator" in shown.failed[0].reason
    assert shown.released_count == 1
    assert rail.wallet(RECIPIENT_ID) == 2000


def test_ps94_released_ones_are_skipped(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID))
    escrows.release_batch(batch)
    again = escrows.release_batch(batch)
    assert (again.released_count, again.skipped[0].status) == (0, "released")
    assert rail.events().count("escrow_disbursement.released") == 1
    assert rail.wallet(RECIPIENT_ID) == 1000


def test_ps95_cancel_gives_back(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_phone(OK, "1000"), to_phone(OK, "2000"))
    shown = escrows.cancel_batch(batch, "Merchant cancelled batch").to_dict()
    assert (shown["status"], shown["cancellation_reason"]) == ("cancelled", "Merchant cancelled batch")
    assert (shown["pending_count"], shown["successful_count"], shown["failed_count"]) == (0, 0, 0)
    assert shown["cancelled_at"] is not None
    assert rail.wallet() == WALLET
    assert escrows.get(ids(batch)[0]).status.value == "reversed"
    assert refused(escrows.cancel_batch, batch) == (Kind.CONFLICT, "INVALID_STATE")
    assert rail.events()[-1] == "escrow_disbursement.cancelled"


def test_ps95_released_ones_stay(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000"), to_phone(OK, "2000"))
    escrows.release(ids(batch)[0])
    shown = escrows.cancel_batch(batch)
    assert shown.status == DisbursementStatus.PARTIALLY_COMPLETED
    assert (rail.wallet(), rail.wallet(RECIPIENT_ID)) == (WALLET - 1000, 1000)


def test_ps95_not_what_is_disputed_or_earned(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000", RATING), to_phone(OK, "2000"))
    opened = escrows.dispute(ids(batch)[1])
    assert refused(escrows.cancel_batch, batch)[1] == "ESCROW_DISPUTED"
    escrows.dismiss(opened)
    rail.otp("+256700000002")
    escrows.fulfil(escrows.get(ids(batch)[0]), user_info=otp_for("+256700000002"), rating=5)
    assert refused(escrows.cancel_batch, batch) == (Kind.CONFLICT, "TERMS_MET")
    assert rail.wallet() == WALLET - 3000
    escrows.release_batch(batch, ids(batch)[0])
    escrows.cancel_batch(batch)
    assert rail.wallet() == WALLET - 1000


def test_external_items_go_out_by_their_provider(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_phone(OK, "1000"), to_phone(WRONG, "2000"))
    escrows.release_batch(batch)
    assert rail.balance(book.inflight("mtn")) == 3000
    rail.advance(SECOND)
    assert rail.balance(book.inflight("mtn")) == 0
    assert rail.balance(book.refund_payable(ids(batch)[1])) == 2000
    assert sorted(row.status for row in rail.rows(REFUNDS)) == ["paid", "payable"]


def test_listing(escrows: Escrows) -> None:
    first, second = (escrows.pay(to_phone(OK)) for _ in range(2))
    escrows.release_batch(first)
    listed = escrows.rail.do(
        escrows.batches.list_escrow_disbursements(
            Caller(MERCHANT_ID, key="k"), status=DisbursementStatus.PENDING
        )
    )
    assert (listed.limit, listed.total) == (20, 1)
    assert listed.results[0].disbursement_id == second.disbursement_id


def test_e15_batches_of_others_are_not_found(escrows: Escrows) -> None:
    batch = escrows.pay(to_phone(OK))
    for act in (escrows.batch, escrows.release_batch, escrows.cancel_batch):
        assert refused(act, batch, caller=OTHER) == (Kind.NOT_FOUND, "NOT_FOUND")


def test_a_batch_of_a_thousand_is_one_command(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(*[to_phone(OK, "10") for _ in range(1000)])
    assert len(set(ids(batch))) == 1000
    assert escrows.release_batch(batch).released_count == 1000
    other = escrows.pay(*[to_phone(OK, "10") for _ in range(1000)])
    assert escrows.cancel_batch(other).status == DisbursementStatus.CANCELLED
    assert rail.wallet() == WALLET - 10_000
