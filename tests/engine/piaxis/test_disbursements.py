"""Disbursements (PS79-PS89), at the seam that the server uses."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import fees, merchants, providers
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.providers import Report
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID, RECIPIENT_ID
from bursar.engine.piaxis.service import HANDLERS
from bursar.engine.piaxis.tables import DISBURSEMENTS, INSTRUCTIONS, QUOTES, FeeRow
from bursar.piaxis.models.disbursements import CancelDisbursement, DisbursementStatus, Recipient
from tests.engine.piaxis.rail import (
    BUYER,
    DECLINE,
    HOUR,
    MINUTE,
    OK,
    OLGA,
    OTHER,
    SECOND,
    SHOP,
    SILENT,
    SLOW,
    Rail,
    account,
    new_batch,
    phone,
)

WALLET = 100_000_000


def cancel(rail: Rail, batch: str, reason: str | None = "changed my mind", **options: Any) -> Any:
    body = CancelDisbursement(reason=reason)
    return rail.do(rail.services.disbursements.cancel_disbursement(SHOP, batch, body, **options))


def quote(rail: Rail, *recipients: Recipient, **options: Any) -> Any:
    return rail.do(rail.services.disbursements.quote_disbursement(SHOP, new_batch(*recipients, **options)))


def flat_fee(rail: Rail, fixed: int) -> None:
    rail.submit(lambda view: fees.put_fee(view, OLGA, FeeRow("payout", "*", "UGX", "0", fixed, 0, None)))


def test_ps79_create(rail: Rail) -> None:
    created = rail.disburse(account(amount="100000"), phone("+256711111111", "50000"), method="airtel")
    assert created.to_dict() == {
        "disbursement_id": created.disbursement_id,
        "status": "pending",
        "total_amount": "150000.00",
        "currency": "UGX",
        "recipient_count": 2,
        "successful_count": 0,
        "failed_count": 0,
        "pending_count": 2,
    }
    detail = rail.batch(created.disbursement_id).to_dict()
    assert detail["items"] == [
        {"recipient_id": "recipient-001", "amount": "100000.00", "status": "pending"},
        {"phone_number": "+256711111111", "amount": "50000.00", "status": "pending"},
    ]
    assert (detail["payment_method"], detail["completed_at"], detail["cancelled_at"]) == (
        "airtel",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("recipients", "options", "loc"),
    [
        ([], {}, ("body", "recipients")),
        ([phone(OK)] * 1001, {}, ("body", "recipients")),
        ([phone(OK), phone(OK, "0")], {}, ("body", "recipients", 1, "amount")),
        ([phone(OK), phone(OK, "1.5")], {}, ("body", "recipients", 1, "amount")),
        ([phone(OK), Recipient(amount=Decimal(1), email="a@b.co")], {}, ("body", "recipients", 1)),
        ([phone(OK), account("nobody")], {}, ("body", "recipients", 1, "recipient_id")),
        ([account(MERCHANT_ID)], {}, ("body", "recipients", 0, "recipient_id")),
        ([account(), phone(OK)], {"method": "card"}, ("body", "recipients", 1, "phone_number")),
        ([account()], {"method": "shells"}, ("body", "payment_method")),
        ([account()], {"currency": "XXX"}, ("body", "currency")),
    ],
)
def test_ps80_bad_batches_name_the_place(
    rail: Rail, recipients: list[Recipient], options: dict[str, str], loc: tuple[object, ...]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rail.disburse(*recipients, **options)
    assert [issue.loc for issue in refused.value.issues] == [loc]
    assert rail.rows(DISBURSEMENTS) == []


def test_ps80_every_bad_recipient_is_named(rail: Rail) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rail.disburse(phone(OK, "0"), account(), account("nobody"))
    assert [issue.loc[2] for issue in refused.value.issues] == [0, 2]


def test_ps81_ps82_money_is_held_at_once(rail: Rail) -> None:
    flat_fee(rail, 100)
    rail.disburse(phone(SLOW, "60000000"))
    assert rail.held() == 60_000_100
    assert rail.wallet() == WALLET - 60_000_100
    with pytest.raises(Refusal) as refused:
        rail.disburse(phone(OK, "40000000"))
    assert (refused.value.kind, refused.value.reason) == (Kind.NO_MONEY, "INSUFFICIENT_FUNDS")
    assert rail.held() == 60_000_100
    rail.disburse(phone(OK, "39999800"))


def test_ps83_internal_items_settle_at_once_and_external_on_callback(rail: Rail) -> None:
    created = rail.disburse(account(amount="1000"), phone(SLOW, "2000"))
    rail.advance(2 * SECOND)
    shown = rail.batch(created.disbursement_id)
    assert [item.status for item in shown.items] == ["succeeded", "processing"]
    assert shown.status == DisbursementStatus.PROCESSING
    assert shown.pending_count == 1
    assert rail.wallet(RECIPIENT_ID) == 1000
    assert rail.balance(book.inflight("mtn")) == 2000
    rail.advance(20 * SECOND)
    shown = rail.batch(created.disbursement_id)
    assert shown.status == DisbursementStatus.COMPLETED
    assert shown.completed_at is not None
    assert rail.balance(book.inflight("mtn")) == rail.held() == 0
    assert rail.events() == ["disbursement.processing", "disbursement.completed"]


def test_ps84_a_mix_is_partially_completed_and_failed_money_comes_back_with_its_fee(rail: Rail) -> None:
    flat_fee(rail, 100)
    created = rail.disburse(account(amount="1000"), phone(DECLINE, "2000"), phone(OK, "3000"))
    rail.advance(MINUTE)
    shown = rail.batch(created.disbursement_id)
    assert shown.status == DisbursementStatus.PARTIALLY_COMPLETED
    assert (shown.successful_count, shown.failed_count, shown.pending_count) == (2, 1, 0)
    assert [(item.status, item.failure_reason) for item in shown.items] == [
        ("succeeded", None),
        ("failed", "declined"),
        ("succeeded", None),
    ]
    assert rail.wallet() == WALLET - 1000 - 3000 - 200
    assert rail.balance(book.fee_income("payout")) == 200
    assert rail.held() == 0


def test_all_failed_is_failed(rail: Rail) -> None:
    created = rail.disburse(phone(DECLINE), phone(DECLINE))
    rail.advance(MINUTE)
    assert rail.batch(created.disbursement_id).status == DisbursementStatus.FAILED
    assert rail.wallet() == WALLET


def test_ps85_an_unknown_outcome_keeps_the_batch_open_until_there_is_evidence(rail: Rail) -> None:
    created = rail.disburse(phone(SILENT, "5000"))
    rail.advance(HOUR)
    shown = rail.batch(created.disbursement_id)
    assert (shown.status, shown.completed_at) == (DisbursementStatus.PROCESSING, None)
    assert rail.balance(book.inflight("mtn")) == 5000
    (sent,) = rail.rows(INSTRUCTIONS)
    assert sent.unknown_at is not None
    rail.submit(lambda view: providers.report(view, HANDLERS, sent.id, Report("succeeded")))
    assert rail.batch(created.disbursement_id).status == DisbursementStatus.COMPLETED


def test_ps86_ps87_cancel_while_pending(rail: Rail) -> None:
    created = rail.disburse(account(), phone(OK))
    cancelled = cancel(rail, created.disbursement_id)
    assert cancelled.to_dict() | {"disbursement_id": ""} == {
        "disbursement_id": "",
        "status": "cancelled",
        "total_amount": "2000.00",
        "currency": "UGX",
        "recipient_count": 2,
        "successful_count": 0,
        "failed_count": 0,
        "pending_count": 0,
    }
    shown = rail.batch(created.disbursement_id)
    assert shown.cancellation_reason == "changed my mind"
    assert shown.cancelled_at is not None
    assert (rail.wallet(), rail.held()) == (WALLET, 0)
    rail.advance(MINUTE)
    assert rail.rows(INSTRUCTIONS) == []
    with pytest.raises(Refusal) as refused:
        cancel(rail, created.disbursement_id)
    assert refused.value.kind is Kind.CONFLICT


def test_ps86_processing_is_too_late_to_cancel(rail: Rail) -> None:
    created = rail.disburse(phone(SLOW))
    rail.advance(3 * SECOND)
    with pytest.raises(Refusal) as refused:
        cancel(rail, created.disbursement_id)
    assert refused.value.kind is Kind.CONFLICT


def test_e15_others_do_not_see_a_batch(rail: Rail) -> None:
    created = rail.disburse(phone(OK))
    with pytest.raises(Refusal) as refused:
        rail.batch(created.disbursement_id, OTHER)
    assert refused.value.kind is Kind.NOT_FOUND


def test_listing(rail: Rail) -> None:
    first = rail.disburse(phone(OK)).disbursement_id
    rail.advance(MINUTE)
    second = rail.disburse(phone(OK)).disbursement_id
    service = rail.services.disbursements
    page = rail.do(service.list_disbursements(SHOP))
    assert [each.disbursement_id for each in page.results] == [second, first]
    done = rail.do(service.list_disbursements(SHOP, status=DisbursementStatus.COMPLETED))
    assert [each.disbursement_id for each in done.results] == [first]
    assert rail.do(service.list_disbursements(OTHER)).total == 0


def test_ps89_quote_prices_without_holding_and_is_kept_for_the_same_batch(rail: Rail) -> None:
    flat_fee(rail, 100)
    quoted = quote(rail, account(amount="1000"), phone(OK, "2000"))
    assert quoted.total_amount == Decimal(3000)
    assert quoted.total_fees == Decimal(200)
    assert quoted.total_debit == Decimal(3200)
    assert [item.fee for item in quoted.items] == [100, 100]
    assert rail.held() == 0
    flat_fee(rail, 500)
    rail.disburse(account(amount="1000"), phone(OK, "2000"))
    assert rail.held() == 3200, "as quoted"
    rail.disburse(account(amount="1000"), phone(OK, "2001"))
    assert rail.held() == 3200 + 4001, "another batch pays the fees of now"
    rail.advance(15 * MINUTE)
    assert rail.rows(QUOTES) == []
    rail.disburse(account(amount="1000"), phone(OK, "2000"))
    assert rail.held() == 4000, "the quote expired"


def test_a_thousand_recipients(rail: Rail) -> None:
    created = rail.disburse(
        *[account(CUSTOMER_ID if n % 2 else RECIPIENT_ID, "10") for n in range(500)],
        *[phone(BUYER, "10") for _ in range(500)],
    )
    rail.advance(MINUTE)
    assert rail.batch(created.disbursement_id).successful_count == 1000


def test_a_disabled_account_cannot_be_paid(rail: Rail) -> None:
    rail.submit(lambda view: merchants.set_disabled(view, OLGA, RECIPIENT_ID, "fraud", disabled=True))
    with pytest.raises(InvalidRequest):
        rail.disburse(account())
