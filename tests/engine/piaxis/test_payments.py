"""Payments (PS26-PS42), at the seam that the server uses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import fees, merchants, payments, providers, treasury
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.providers import Report
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID
from bursar.engine.piaxis.service import HANDLERS
from bursar.engine.piaxis.tables import INSTRUCTIONS, PAYMENTS, REFUNDS, SUSPENSE, FeeRow
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.payments import PaymentStatus
from tests.engine.piaxis.rail import (
    BUYER,
    CONTRADICTED,
    DECLINE,
    FORGED,
    LATE,
    LOST,
    MINUTE,
    OLGA,
    OTHER,
    POOR,
    SECOND,
    SHOP,
    SILENT,
    SLOW,
    T0,
    TWICE,
    WRONG,
    Rail,
    customer,
)

WALLET = 100_000_000
"""What the seed put into the merchant's wallet, in UGX."""


def test_ps26_create_is_pending_and_shows_the_principal(rail: Rail) -> None:
    created = rail.pay(amount="15000")
    assert created.to_dict() == {
        "payment_id": created.payment_id,
        "status": "pending",
        "amount": "15,000.00",
        "currency": "UGX",
    }
    assert rail.wallet() == WALLET, "nothing is booked before the money is there"
    assert rail.events() == ["payment.pending"]


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "100.50", "1e40", "1000000000000000000000"])
def test_ps27_ps28_amounts_that_are_none(rail: Rail, amount: str) -> None:
    rail.otp()
    with pytest.raises(InvalidRequest) as refused:
        rail.create(amount=amount)
    assert refused.value.issues[0].loc == ("body", "amount")
    assert rail.rows(PAYMENTS) == []


def test_ps28_zero_decimals_are_fine(rail: Rail) -> None:
    assert rail.pay(amount="100.00").amount == Decimal("100.00")


@pytest.mark.parametrize(
    "change", [{"currency": "XXX"}, {"currency": "ZZZ"}, {"method": "bank"}, {"method": "shells"}]
)
def test_ps29_unknown_currency_or_method(rail: Rail, change: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        rail.pay(**change)


def test_ps30_the_merchant_is_the_recipient(rail: Rail) -> None:
    with pytest.raises(Refusal) as refused:
        rail.pay(recipient_id="somebody-else")
    assert (refused.value.kind, refused.value.reason) == (Kind.BAD_REQUEST, "RECIPIENT_MISMATCH")
    assert rail.pay(recipient_id=MERCHANT_ID).status == PaymentStatus.PENDING


def test_ps32_success_credits_the_merchant_once(rail: Rail) -> None:
    created = rail.pay(amount="15000")
    rail.advance(SECOND)
    shown = rail.payment(created.payment_id)
    assert shown.status == PaymentStatus.SUCCEEDED
    assert shown.receipt
    assert shown.transaction_details.status == "succeeded"
    assert rail.wallet() == WALLET + 15000
    assert rail.events() == ["payment.pending", "payment.succeeded"]


@pytest.mark.parametrize(
    ("phone", "error"),
    [(DECLINE, "declined"), (POOR, "insufficient funds"), (WRONG, "invalid recipient")],
)
def test_ps33_ps113_failure_books_nothing(rail: Rail, phone: str, error: str) -> None:
    created = rail.pay(phone)
    rail.advance(SECOND)
    assert rail.payment(created.payment_id).status == PaymentStatus.FAILED
    assert rail.rows(PAYMENTS)[0].error == error
    assert rail.wallet() == WALLET
    assert rail.events() == ["payment.pending", "payment.failed"]


def test_ps34_ps113_a_callback_three_times_has_one_effect(rail: Rail) -> None:
    rail.pay(TWICE)
    rail.advance(MINUTE)
    assert rail.wallet() == WALLET + 15000
    assert rail.rows(INSTRUCTIONS)[0].reports == 3
    assert rail.rows(SUSPENSE) == []


@pytest.mark.parametrize("phone", [LOST, FORGED])
def test_ps113_what_no_good_callback_says_the_status_query_finds(rail: Rail, phone: str) -> None:
    created = rail.pay(phone)
    rail.advance(59 * SECOND)
    assert rail.payment(created.payment_id).status == PaymentStatus.PENDING, (
        "a forged callback is no evidence"
    )
    rail.advance(SECOND)
    assert rail.payment(created.payment_id).status == PaymentStatus.SUCCEEDED


def test_ps113_slow_is_pending_then_succeeds(rail: Rail) -> None:
    created = rail.pay(SLOW)
    rail.advance(19 * SECOND)
    assert rail.payment(created.payment_id).status == PaymentStatus.PENDING
    rail.advance(SECOND)
    assert rail.payment(created.payment_id).status == PaymentStatus.SUCCEEDED


def test_e28_silence_is_neither_success_nor_failure(rail: Rail) -> None:
    created = rail.pay(SILENT)
    rail.advance(30 * MINUTE)
    shown = rail.payment(created.payment_id)
    assert shown.status == PaymentStatus.PROCESSING
    assert shown.transaction_details.status == "unknown"
    assert rail.wallet() == WALLET


def test_ps113_a_late_callback_counts(rail: Rail) -> None:
    created = rail.pay(LATE)
    rail.advance(11 * MINUTE)
    assert rail.payment(created.payment_id).status == PaymentStatus.PROCESSING
    rail.advance(5 * MINUTE)
    assert rail.payment(created.payment_id).status == PaymentStatus.SUCCEEDED
    assert rail.wallet() == WALLET + 15000


def test_e26_money_after_a_failure_goes_to_suspense(rail: Rail) -> None:
    created = rail.pay(CONTRADICTED)
    rail.advance(MINUTE)
    assert rail.payment(created.payment_id).status == PaymentStatus.FAILED
    assert rail.wallet() == WALLET
    assert rail.balance("suspense:mtn") == 15000
    (row,) = rail.rows(SUSPENSE)
    rail.submit(lambda view: treasury.settle_suspense(view, OLGA, row.id, MERCHANT_ID, "the payer confirmed"))
    assert rail.balance("suspense:mtn") == 0
    assert rail.wallet() == WALLET + 15000
    with pytest.raises(Refusal, match="before"):
        rail.submit(lambda view: treasury.settle_suspense(view, OLGA, row.id, MERCHANT_ID, "again"))


def test_e26_money_after_a_failure_can_go_back_to_the_payer(rail: Rail) -> None:
    rail.pay(CONTRADICTED)
    rail.advance(MINUTE)
    (row,) = rail.rows(SUSPENSE)
    rail.submit(lambda view: treasury.return_suspense(view, OLGA, row.id, "wrong payment"))
    assert rail.balance("suspense:mtn") == 0
    assert rail.balance(book.inflight("mtn")) == 15000


def test_an_operator_reconciles_a_silent_outcome_and_a_late_report_then_contradicts(rail: Rail) -> None:
    created = rail.pay(LATE)
    rail.advance(11 * MINUTE)
    (instruction,) = rail.rows(INSTRUCTIONS)
    rail.submit(lambda view: providers.report(view, HANDLERS, instruction.id, Report("failed", "statement")))
    assert rail.payment(created.payment_id).status == PaymentStatus.FAILED
    rail.advance(10 * MINUTE)
    assert rail.payment(created.payment_id).status == PaymentStatus.FAILED
    assert rail.balance("suspense:mtn") == 15000


@pytest.mark.parametrize(("payer_pays", "charged", "net"), [(True, 15375, 15000), (False, 15000, 14625)])
def test_ps35_who_pays_the_fee(rail: Rail, payer_pays: bool, charged: int, net: int) -> None:
    rail.submit(lambda view: fees.put_fee(view, OLGA, FeeRow("collection", "mtn", "UGX", "2.5", 0, 0, None)))
    before = rail.balance("rail:mtn:clearing")
    created = rail.pay(customer_pays_fees=payer_pays)
    assert created.amount == Decimal("15000.00")
    rail.advance(SECOND)
    assert before - rail.balance("rail:mtn:clearing") == charged
    assert rail.wallet() == WALLET + net
    assert rail.balance(book.fee_income("collection")) == 375


def test_ps36_others_do_not_see_a_payment(rail: Rail) -> None:
    created = rail.pay()
    for payment_id in (created.payment_id, "pay_123", ""):
        with pytest.raises(Refusal) as refused:
            rail.payment(payment_id, OTHER)
        assert refused.value.kind is Kind.NOT_FOUND
    assert rail.payments(OTHER).total == 0


def test_ps37_ps39_listing(rail: Rail) -> None:
    ids = [rail.pay(amount=str(1000 + n), method="airtel" if n % 2 else "mtn").payment_id for n in range(4)]
    rail.advance(MINUTE)
    late = rail.pay(DECLINE).payment_id
    rail.advance(SECOND)
    page = rail.payments()
    assert (page.total, page.offset, page.limit) == (5, 0, 50)
    assert page.results[0].payment_id == late
    assert [each.payment_id for each in page.results[1:]] == sorted(ids, reverse=True), "same time: by id"
    assert page.results[0].to_dict()["payer"] == {
        "id": None,
        "email": None,
        "phone": DECLINE,
        "type": "unregistered",
    }
    moment = datetime.fromtimestamp(T0 / 1e6, UTC)
    assert rail.payments(status=PaymentStatus.COMPLETED).total == 4, "an alias (E1)"
    assert rail.payments(status=PaymentStatus.SUCCEEDED, payment_method=PaymentMethod("airtel")).total == 2
    assert rail.payments(to_date=moment).total == 4, "inclusive"
    assert rail.payments(from_date=moment + timedelta(microseconds=1)).total == 1
    assert rail.payments(from_date=moment, to_date=moment).total == 4
    second = rail.payments(limit=2, offset=3)
    assert [each.payment_id for each in second.results] == sorted(ids)[1::-1]
    assert rail.payments(offset=2**62).results == []


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"offset": -1}])
def test_ps38_pages_have_bounds(rail: Rail, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        rail.payments(**wrong)


def test_ps41_a_wallet_pays_at_once(rail: Rail) -> None:
    created = rail.create(None, "20000", method="piaxis_external", caller=customer())
    assert created.status == PaymentStatus.SUCCEEDED
    assert rail.wallet(CUSTOMER_ID) == 5_000_000 - 20000
    assert rail.wallet() == WALLET + 20000
    with pytest.raises(Refusal) as refused:
        rail.create(None, "90000000", method="piaxis_external", caller=customer())
    assert (refused.value.kind, refused.value.reason) == (Kind.NO_MONEY, "INSUFFICIENT_FUNDS")
    with pytest.raises(Refusal) as refused:
        rail.create(None, "20000", method="piaxis_external")
    assert refused.value.kind is Kind.UNAUTHENTICATED


def test_ps42_a_large_payment_from_a_wallet_needs_a_code(rail: Rail) -> None:
    rail.submit(lambda view: merchants.set_profile(view, OLGA, MERCHANT_ID, {"mfa_above": {"UGX": 50000}}))
    pay = {"method": "piaxis_external", "caller": customer(), "otp": None}
    assert rail.create(None, "50000", **pay).status == PaymentStatus.SUCCEEDED
    for code, reason in ((None, "MFA_REQUIRED"), ("123456", "MFA_INVALID")):
        with pytest.raises(Refusal) as refused:
            rail.create(None, "50001", mfa_code=code, **pay)
        assert (refused.value.kind, refused.value.reason) == (Kind.FORBIDDEN, reason)
    rail.otp("+256700000001")
    with pytest.raises(Refusal, match="wrong"):
        rail.create(None, "50001", mfa_code="654321", **pay)
    assert rail.create(None, "50001", mfa_code="123456", **pay).status == PaymentStatus.SUCCEEDED


def test_a_payer_with_a_token_needs_no_code(rail: Rail) -> None:
    created = rail.create(None, method="mtn", caller=customer(), otp=None)
    assert created.status == PaymentStatus.PENDING
    assert rail.rows(PAYMENTS)[0].user == CUSTOMER_ID


def test_e23_refund_goes_back_to_the_payers_phone(rail: Rail) -> None:
    created = rail.pay()
    with pytest.raises(Refusal):
        rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "too early"))
    rail.advance(SECOND)
    rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "returned goods"))
    assert rail.wallet() == WALLET
    rail.advance(SECOND)
    assert rail.rows(REFUNDS)[0].status == "paid"
    assert rail.balance(book.refund_payable(created.payment_id)) == rail.balance(book.inflight("mtn")) == 0
    with pytest.raises(Refusal, match="refunded"):
        rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "twice"))


def test_e23_refund_of_a_wallet_payment_goes_to_the_wallet(rail: Rail) -> None:
    created = rail.create(None, "20000", method="piaxis_external", caller=customer())
    rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "returned goods"))
    assert rail.wallet(CUSTOMER_ID) == 5_000_000
    assert rail.rows(REFUNDS) == []


def test_products_and_reference_are_shown(rail: Rail) -> None:
    products = [{"id": "product-789", "name": "Demo Product", "price": "15,000.00"}]
    created = rail.pay(products=products)
    shown = rail.payment(created.payment_id).to_dict()
    assert shown["product_details"] == {"id": "product-789", "name": "Demo Product", "price": "15,000.00"}
    assert shown["merchant_details"]["business_name"] == "Piaxis Demo Merchant"
    assert shown["reference"].startswith("PX")


def test_mobile_money_needs_a_phone_number(rail: Rail) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rail.create(None, user_info={"email": "buyer@example.com"})
    assert refused.value.issues[0].loc == ("body", "user_info", "phone_number")
    with pytest.raises(InvalidRequest):
        rail.create("0700", user_info={"email": "nobody"})
    rail.otp(None, "buyer@example.com")
    assert (
        rail.create(None, method="card", user_info={"email": "Buyer@example.com"}).status
        == PaymentStatus.PENDING
    )


def test_two_shops_do_not_share_codes(rail: Rail) -> None:
    rail.otp(BUYER, caller=SHOP)
    with pytest.raises(Refusal) as refused:
        rail.create(BUYER, caller=OTHER)
    assert refused.value.reason == "OTP_INVALID"
