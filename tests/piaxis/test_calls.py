"""What each call sends and gives: PC28 to PC62, PC89, PC90, PX-3, PX-4, PX-7, PX-14."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET

from bursar.piaxis import InvalidRequestError, PiaxisUnreadableAnswerError
from bursar.piaxis.models import (
    EscrowStatus,
    NewAllocation,
    NewEscrow,
    NewPayment,
    NewTerm,
    PaymentMethod,
    PaymentStatus,
    Recipient,
    TermType,
    UserLocation,
)
from tests.client.server import Action, Recorded, reply
from tests.piaxis.api import (
    BATCH_ID,
    ESCROW,
    ESCROW_ID,
    ITEM,
    PAYMENT,
    PREFIX,
    TERM_ID,
    Api,
    Blocking,
    page,
    sent,
)
from tests.piaxis.conftest import Connect, Open

EAST = datetime(2026, 5, 1, 3, tzinfo=timezone(timedelta(hours=3)))
TERMS = [{"type": "manual_release", "data": {}}]
NEW_ESCROW: dict[str, Any] = {
    "amount": "1200",
    "currency_code": "KES",
    "payment_method": "mtn",
    "terms": TERMS,
}
NEW_PAYMENT: dict[str, Any] = {"amount": "15000", "currency": "UGX", "payment_method": "mtn"}


def refused(act: Any, place: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        act()
    assert place in (caught.value.pointer or str(caught.value)), caught.value


# One-time passwords


def test_pc28_pc31_only_what_was_given(open_api: Open, connect: Connect, client: Blocking, api: Api) -> None:
    answer = client.request_otp({"phone_number": "+254700000001"})
    assert sent(api.last) == {"phone_number": "+254700000001"}
    assert (answer.verification_methods.email_sent, answer["expires_in"]) == (True, 300)
    silent = open_api(
        reply({"verification_methods": {"email_sent": True, "phone_sent": True}, "expires_in": 300})
    )
    assert connect(silent).otp.request({"email": "a@b.example"}).otp is None


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"phone_number": "0700000001"}, "/phone_number"),
        ({"phone_number": "+0700000001"}, "/phone_number"),
        ({"phone_number": "+25470000000123456"}, "/phone_number"),
        ({"phone_number": "+254700000001\n"}, "/phone_number"),
        ({"email": "nobody"}, "/email"),
        ({}, "/email"),
    ],
)
def test_pc29_pc30_bad_contacts_stay_here(client: Blocking, api: Api, payload: Any, place: str) -> None:
    refused(lambda: client.request_otp(payload), place)
    assert not api.calls


# Payments


def test_pc32_path_and_body(client: Blocking, api: Api) -> None:
    client.create_payment(NEW_PAYMENT, mfa_code="123456")
    assert (api.last.method, api.last.target) == ("POST", f"{PREFIX}/payments/create")
    assert sent(api.last) == {**NEW_PAYMENT, "mfa_code": "123456"}
    client.payments.create(
        {**NEW_PAYMENT, "user_info": {"otp": "1"}, "products": [{"id": 1, "price": Decimal("1.50")}]}
    )
    assert sent(api.last)["products"] == [{"id": 1, "price": Decimal("1.50")}]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (15000, "15000"),
        ("15000", "15000"),
        ("15000.50", "15000.50"),
        ("15,000.00", "15000.00"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567.89"), "12345678901234567.89"),
    ],
)
def test_pc33_px_3_amounts_go_as_decimal_texts(client: Blocking, api: Api, amount: Any, text: str) -> None:
    client.create_payment({**NEW_PAYMENT, "amount": amount})
    assert sent(api.last)["amount"] == text
    client.disburse(
        recipients=[{"recipient_id": "r", "amount": amount}], currency="UGX", payment_method="mtn"
    )
    assert sent(api.last)["recipients"][0]["amount"] == text
    client.release_escrow("e", payload={"amount": amount})
    assert sent(api.last)["amount"] == text
    if isinstance(amount, Decimal):
        client.create_payment(NewPayment(amount=amount, currency="UGX", payment_method=PaymentMethod.MTN))
        assert sent(api.last) == {**NEW_PAYMENT, "amount": text}


def test_pc33_amounts_in_a_tuple_are_amounts(client: Blocking, api: Api) -> None:
    batch: dict[str, Any] = {"currency": "UGX", "payment_method": "mtn"}
    client.disburse(recipients=({"recipient_id": "r", "amount": 5},), **batch)
    assert sent(api.last)["recipients"][0]["amount"] == "5"
    inexact = ({"recipient_id": "r", "amount": 1.5},)
    refused(lambda: client.disburse(recipients=inexact, **batch), "/recipients/0/amount")


@pytest.mark.parametrize(
    "amount", [1.5, True, None, "1e3", "abc", "15.000,00", "", Decimal("NaN"), "NaN", 0, "-1"]
)
def test_pc33_what_is_no_amount_stays_here(client: Blocking, api: Api, amount: Any) -> None:
    refused(lambda: client.create_payment({**NEW_PAYMENT, "amount": amount}), "amount")
    assert not api.calls


@pytest.mark.parametrize(
    ("text", "value"), [("15,000.00", "15000.00"), ("1,234,567.89", "1234567.89"), ("750.5", "750.5")]
)
def test_pc34_grouped_amounts_are_exact(open_api: Open, connect: Connect, text: str, value: str) -> None:
    payment = connect(open_api(reply({**PAYMENT, "amount": text}))).get_payment("p")
    assert str(payment.amount) == value
    assert payment["amount"] == text


@pytest.mark.parametrize("text", ["15.000,00", "15,00.00", "1,2345", "", "NaN", "1,000.00 UGX", None])
def test_pc34_amounts_that_are_none(open_api: Open, connect: Connect, text: Any) -> None:
    with pytest.raises(PiaxisUnreadableAnswerError, match="amount"):
        connect(open_api(reply({**PAYMENT, "amount": text}))).get_payment("p")


def test_pc35_false_is_said_and_none_is_not(client: Blocking, api: Api) -> None:
    for value in (False, True):
        client.create_payment(
            NewPayment(
                amount=Decimal(1), currency="UGX", payment_method=PaymentMethod.MTN, customer_pays_fees=value
            )
        )
        assert sent(api.last)["customer_pays_fees"] is value
    client.create_payment(NewPayment(amount=Decimal(1), currency="UGX", payment_method=PaymentMethod.MTN))
    assert "customer_pays_fees" not in sent(api.last)


def test_pc36_objects_may_be_none(client: Blocking) -> None:
    payment = client.get_payment("p")
    assert payment.recipient_details is payment.chain_payment_details is payment.receipt is None
    assert payment.product_details.price == Decimal("1000.00")
    assert payment.created_at == datetime(2026, 5, 2, 8, 30, tzinfo=UTC)


def test_pc37_pc39_filters(client: Blocking, api: Api) -> None:
    """Of filters None is left out; 0 and "" are values: one is sent, the other refused where it can mean nothing."""
    client.list_merchant_payments({"status": None, "offset": 0, "from_date": EAST})
    assert dict(api.last.query) == {"offset": "0", "from_date": "2026-05-01T00:00:00Z"}
    client.list_disbursements(from_date="2026-05-01", to_date="2026-05-02T01:00:00Z", status="completed")
    assert dict(api.last.query) == {
        "from_date": "2026-05-01T00:00:00Z",
        "to_date": "2026-05-02T01:00:00Z",
        "status": "completed",
    }
    client.list_escrow_disbursements(limit=5)
    assert dict(api.last.query) == {"limit": "5"}
    count = len(api.calls)
    for act, place in (
        (lambda: client.list_merchant_payments({"limit": 101}), "limit"),
        (lambda: client.list_merchant_payments({"offset": -1}), "offset"),
        (lambda: client.list_merchant_payments({"stauts": "x"}), "stauts"),
        (lambda: client.list_disbursements(from_date="yesterday"), "from_date"),
        (lambda: client.list_disbursements(from_date=EAST.replace(tzinfo=None)), "zone"),
    ):
        refused(act, place)
    with pytest.raises(TypeError):
        client.list_escrow_disbursements(from_date="2026-05-01")
    assert len(api.calls) == count


def test_pc38_going_through_pages(open_api: Open, connect: Connect) -> None:
    def answer(request: Recorded) -> Action:
        offset = int(dict(request.query).get("offset", "0"))
        items = [{**ITEM, "payment_id": f"p-{number}"} for number in range(offset, min(offset + 2, 5))]
        return reply(page(*items, total=5 if offset < 4 else 7, offset=offset))

    api = open_api(answer)
    client = connect(api)
    found = [
        item.payment_id
        for item in client.items(client.client.list_merchant_payments({"status": "succeeded"}))
    ]
    assert found == [f"p-{number}" for number in range(5)]
    # The total changed on the way; an empty page is an end.
    assert [dict(call.query).get("offset") for call in api.calls] == [None, "2", "4", "5"]
    assert all(dict(call.query)["status"] == "succeeded" for call in api.calls)


def test_a_page_is_also_the_vendors_dictionary(api: Api, connect: Connect) -> None:
    import asyncio

    from bursar.piaxis import AsyncPiaxisClient, PiaxisClient

    with PiaxisClient(base_url=api.url) as client:
        held: Any = client.list_merchant_payments()
        assert (held["total"], held["results"][0]["amount"]) == (1, "750.00")
        assert held.items[0].amount == Decimal("750.00")

    async def first() -> Any:
        async with AsyncPiaxisClient(base_url=api.url) as twin:
            return await twin.payments.list()

    assert asyncio.run(first())["total"] == 1


@pytest.mark.parametrize("bad", ["../disbursements/1", "a/b", "a?b", "a#b", "é"])
def test_pc40_px_4_an_id_is_one_segment(client: Blocking, api: Api, bad: str) -> None:
    from urllib.parse import unquote

    client.get_payment(bad)
    tail = api.last.target.removeprefix(f"{PREFIX}/payments/")
    assert not set(tail) & set("/?#")
    assert unquote(tail) == bad


@pytest.mark.parametrize("bad", ["", " ", ".", ".."])
def test_pc40_px_4_ids_that_would_lead_elsewhere(client: Blocking, api: Api, bad: str) -> None:
    for act in (client.get_payment, client.get_escrow, client.get_disbursement, client.disconnect_shopify):
        with pytest.raises(InvalidRequestError):
            act(bad)
    assert not api.calls


# Escrows


def test_pc42_pc43_creating(client: Blocking, api: Api) -> None:
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    client.create_escrow(
        NewEscrow(
            amount=Decimal(1200),
            currency_code="KES",
            payment_method=PaymentMethod.MTN,
            terms=[NewTerm(type=TermType.TIME_LOCK, data={"release_after": "x"}, expiry_date=moment)],
            allocations=[NewAllocation(allocation_key="a", amount=Decimal("1200.00"), metadata={"sku": "A"})],
            user_location=UserLocation(latitude=0.312, longitude=32.582),
        )
    )
    assert api.last.target == f"{PREFIX}/escrows/"
    assert sent(api.last) == {
        "amount": "1200",
        "currency_code": "KES",
        "payment_method": "mtn",
        "terms": [
            {"type": "time_lock", "data": {"release_after": "x"}, "expiry_date": "2026-06-01T12:00:00Z"}
        ],
        "allocations": [{"allocation_key": "a", "amount": "1200.00", "metadata": {"sku": "A"}}],
        "user_location": {"latitude": Decimal("0.312"), "longitude": Decimal("32.582")},
    }
    client.escrows.create({**NEW_ESCROW, "brand_new": {"x": 1}})
    assert sent(api.last) == {**NEW_ESCROW, "brand_new": {"x": 1}}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"terms": []}, "/terms"),
        ({"amount": "0"}, "/amount"),
        ({"allocations": [{"allocation_key": "a", "amount": "1"}] * 2}, "/allocations/1/allocation_key"),
        ({"allocations": [{"allocation_key": "a", "amount": "-1"}]}, "/allocations/0/amount"),
        ({"allocations": [{"allocation_key": "a", "amount": "1200.01"}]}, "/allocations"),
        ({"allocations": [{"amount": "1"}]}, "/allocations/0/allocation_key"),
        ({"user_location": {"latitude": 91, "longitude": 0}}, "/user_location/latitude"),
        ({"currency_code": "ugx"}, "/currency_code"),
        ({"terms": [{"data": {}}]}, "/terms/0/type"),
    ],
)
def test_pc44_pc53_what_cannot_be_an_escrow_stays_here(
    client: Blocking, api: Api, change: Any, place: str
) -> None:
    refused(lambda: client.create_escrow({**NEW_ESCROW, **change}), place)
    assert not api.calls


def test_pc45_pc46_releasing_and_reversing(client: Blocking, api: Api) -> None:
    released = client.release_escrow(ESCROW_ID)
    assert (api.last.target, api.last.body) == (f"{PREFIX}/escrows/{ESCROW_ID}/release", b"{}")
    assert (released.status, released.amount) == ("released", Decimal("500.00"))
    named = {"allocation_keys": ["a"], "amount": "500", "reason": "shipped", "force": True}
    client.escrows.release(ESCROW_ID, payload=named)
    assert sent(api.last) == named
    client.reverse_escrow(ESCROW_ID, {"reason": "cancelled", "allocation_keys": ["b"]})
    assert sent(api.last) == {"reason": "cancelled", "allocation_keys": ["b"]}


def test_pc47_fulfilling(client: Blocking, api: Api) -> None:
    evidence = {"term_type": "meeting_delivery", "data": {"latitude": 1.5}}
    client.fulfill_escrow_term(ESCROW_ID, TERM_ID, evidence)
    assert api.last.target == f"{PREFIX}/escrows/{ESCROW_ID}/terms/{TERM_ID}/fulfill"
    assert sent(api.last) == {**evidence, "data": {"latitude": Decimal("1.5")}, "term_id": TERM_ID}
    client.escrows.fulfill_term(ESCROW_ID, TERM_ID, {**evidence, "term_id": TERM_ID})
    refused(
        lambda: client.fulfill_escrow_term(ESCROW_ID, TERM_ID, {**evidence, "term_id": "other"}), "/term_id"
    )


def test_pc48_disputing(client: Blocking, api: Api) -> None:
    answer = client.dispute_escrow(ESCROW_ID, {"reason": "broken", "initiator_role": "sender"})
    assert (api.last.target, sent(api.last)["reason"]) == (f"{PREFIX}/escrows/{ESCROW_ID}/disputes", "broken")
    assert answer["dispute_id"] == answer.dispute_id == "d-1"


def test_pc49_pc50_reading_an_escrow(client: Blocking) -> None:
    state = client.get_escrow_status(ESCROW_ID)
    assert (state.terms[0].term_type, state.terms[0].is_met, state.terms[0].met_at) == (
        "manual_release",
        False,
        None,
    )
    summary = client.get_escrow(ESCROW_ID).allocation_summary
    assert (summary.pending_amount, summary.pending_count) == (Decimal("700.00"), 1)


def test_pc51_px_7_what_is_new_is_kept(open_api: Open, connect: Connect) -> None:
    body = {
        **ESCROW,
        "status": "frozen",
        "hold": {"by": "police"},
        "terms": [{**ESCROW["terms"][0], "type": "moon", "x": 1}],
    }
    escrow = connect(open_api(reply(body))).get_escrow("e")
    assert (escrow.status, escrow.status.is_known) == ("frozen", False)
    assert (escrow["hold"], escrow.extra["hold"]["by"], escrow.terms[0].extra) == (
        {"by": "police"},
        "police",
        {"x": 1},
    )
    assert escrow.status not in (EscrowStatus.PENDING, EscrowStatus.RELEASED)


def test_pc52_null_and_absent_are_told_apart(open_api: Open, connect: Connect) -> None:
    absent = {name: value for name, value in ESCROW.items() if name != "allocations"}
    api = open_api(reply({**ESCROW, "allocations": None}), reply(absent))
    client = connect(api)
    given, missing = client.get_escrow("e"), client.get_escrow("e")
    assert given.allocations is None
    assert "allocations" in given
    assert missing.allocations is UNSET
    assert "allocations" not in missing


def test_answers_are_read_like_the_vendors_dictionaries(client: Blocking) -> None:
    escrow = client.create_escrow(NEW_ESCROW)
    assert dict(escrow) == ESCROW
    assert (escrow["id"], escrow.get("nothing", 1), len(escrow), list(escrow)) == (
        ESCROW_ID,
        1,
        len(ESCROW),
        list(ESCROW),
    )
    with pytest.raises(KeyError):
        escrow["nothing"]


# Disbursements


def test_pc54_pc59_batches_by_keyword(client: Blocking, api: Api) -> None:
    recipient = {"phone_number": "+254700000001", "amount": "900", "reference": "r-1"}
    batch: dict[str, Any] = {"currency": "KES", "payment_method": "mtn"}
    client.disburse(recipients=[recipient], **batch)
    assert (api.last.target, sent(api.last)) == (
        f"{PREFIX}/disbursements",
        {"recipients": [recipient], **batch},
    )
    client.disburse(recipients=[Recipient(recipient_id="r", amount=Decimal(1))], **batch, description="d")
    assert sent(api.last) == {
        "recipients": [{"recipient_id": "r", "amount": "1"}],
        **batch,
        "description": "d",
    }
    client.escrow_disburse(recipients=[{**recipient, "terms": TERMS}], **batch)
    assert (api.last.target, sent(api.last)["recipients"][0]["terms"]) == (
        f"{PREFIX}/escrow-disbursements",
        TERMS,
    )


@pytest.mark.parametrize(
    ("recipient", "place"),
    [
        ({"email": "a@b.example", "amount": "1"}, "/recipients/1"),
        ({"recipient_id": "r", "amount": "0"}, "/recipients/1/amount"),
        ({"recipient_id": "r"}, "/recipients/1/amount"),
        ({"phone_number": "0700", "amount": "1"}, "/recipients/1/phone_number"),
    ],
)
def test_pc56_recipients_that_nothing_leads_to(
    client: Blocking, api: Api, recipient: Any, place: str
) -> None:
    good = {"recipient_id": "r", "amount": "1"}
    batch: dict[str, Any] = {"currency": "KES", "payment_method": "mtn"}
    refused(lambda: client.disburse(recipients=[good, recipient], **batch), place)
    refused(lambda: client.disbursements.create({"recipients": [good, recipient], **batch}), place)
    refused(
        lambda: client.escrow_disburse(recipients=[{**good, "terms": []}], **batch), "/recipients/0/terms"
    )
    refused(lambda: client.escrow_disburse(recipients=[good], **batch), "/recipients/0/terms")
    refused(lambda: client.disburse(recipients=[], **batch), "/recipients")
    refused(lambda: client.disburse(recipients=[good] * 1001, **batch), "/recipients")
    assert not api.calls


def test_pc55_cancelling(client: Blocking, api: Api) -> None:
    """PX-14 calls the null a bug; it is what the API has always been sent, so it stays (PC55)."""
    client.cancel_disbursement(BATCH_ID)
    assert (api.last.target, sent(api.last)) == (
        f"{PREFIX}/disbursements/{BATCH_ID}/cancel",
        {"reason": None},
    )
    client.cancel_escrow_disbursement(BATCH_ID, reason="late")
    assert sent(api.last) == {"reason": "late"}


def test_px_14_a_reason_that_is_not_set_is_absent_where_models_are_sent(client: Blocking, api: Api) -> None:
    from bursar.piaxis.models import ReverseEscrow

    client.reverse_escrow(ESCROW_ID, ReverseEscrow())
    assert sent(api.last) == {}


def test_pc57_cancelled_items(client: Blocking) -> None:
    assert client.get_disbursement(BATCH_ID).cancelled_count == 2


def test_pc58_a_quote(client: Blocking, api: Api) -> None:
    batch = {
        "recipients": [{"recipient_id": "r-1", "amount": "900"}],
        "currency": "KES",
        "payment_method": "mtn",
    }
    for quote in (client.quote_disbursement(batch), client.disbursements.quote(batch)):
        assert api.last.target == f"{PREFIX}/disbursements/quote"
        assert (quote.total_debit, quote.items[0].fee) == (Decimal("909.00"), Decimal("9.00"))


def test_pc60_pc61_bulk_release(client: Blocking, api: Api) -> None:
    done = client.release_escrow_disbursement(BATCH_ID)
    assert sent(api.last) == {"force": False, "reason": None, "escrow_ids": None}
    assert (done.released_count, done.skipped[0].reason, done.failed) == (1, "terms unmet", [])
    client.escrow_disbursements.release(BATCH_ID, force=True, reason="ok", escrow_ids=["e-1"])
    assert sent(api.last) == {"force": True, "reason": "ok", "escrow_ids": ["e-1"]}


# Shopify


def test_pc89_shopify(client: Blocking, api: Api) -> None:
    client.connect_shopify({"store_id": "s", "shop_domain": "shop.example"})
    assert (api.last.target, sent(api.last)) == (
        f"{PREFIX}/platforms/shopify/connect",
        {"store_id": "s", "shop_domain": "shop.example"},
    )
    assert client.disconnect_shopify("shop.example/x").status == "disabled"
    assert (api.last.method, api.last.target) == (
        "DELETE",
        f"{PREFIX}/platforms/shopify/connect/shop.example%2Fx",
    )
    session = client.shopify.get_session("gid/1")
    assert api.last.target == f"{PREFIX}/platforms/shopify/sessions/gid%2F1"
    assert (session.amount, session.status) == (Decimal("10000.00"), "resolved")


def test_pc90_modes(client: Blocking, api: Api) -> None:
    store = {"store_id": "s", "shop_domain": "d"}
    client.connect_shopify({**store, "payment_mode": "escrow"})
    refused(lambda: client.connect_shopify({**store, "payment_mode": "barter"}), "/payment_mode")
    assert len(api.calls) == 1


def test_endpoints_of_webhooks_stand_beside_the_api(open_api: Open, connect: Connect) -> None:
    """B10: /users/... without /api."""
    api = open_api(reply({"webhooks": []}))
    assert connect(api).webhooks.list_webhook_endpoints().webhooks == []
    assert api.last.target == "/piaxis/users/merchant/webhooks"


def test_the_contract_is_there_raw(client: Blocking, api: Api) -> None:
    reply_ = client.raw.get_payment("p")
    assert (reply_.response.status, reply_.value.status, reply_.attempts) == (200, PaymentStatus.PENDING, 1)
