"""Models on both sides of the wire: what a server writes is what a client reads, in the documented form."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.contract import AmountForm, BadRequest, Incoming, Route
from bursar.contract.decode import decoder
from bursar.contract.digits import amount, is_plain
from bursar.contract.endpoint import BaseEndpoint
from bursar.piaxis import models
from bursar.piaxis.contract import Disbursements, Escrows, OAuth, Payments
from tests.piaxis import api

ANSWERS: list[tuple[Any, Any]] = [
    (models.AuthorizeTest, api.AUTHORIZED),
    (models.Tokens, api.TOKENS),
    (models.Payment, api.PAYMENT),
    (models.PaymentPage, api.page(api.ITEM)),
    (models.EscrowState, api.STATE),
    (models.Disbursement, api.DETAIL),
    (models.EscrowDisbursement, api.ESCROW_BATCH),
    (models.EscrowDisbursementReleased, api.RELEASED_BATCH),
    (models.DisbursementQuote, api.QUOTE),
    (models.ShopifySession, api.SESSION),
]


async def _nothing(caller: Any, **arguments: Any) -> None: ...


def served(endpoint: BaseEndpoint) -> Route:
    return Route(endpoint, _nothing)


@pytest.mark.parametrize(("kind", "body"), ANSWERS, ids=lambda part: getattr(part, "__name__", ""))
def test_what_is_read_is_written_alike(kind: Any, body: Any) -> None:
    answer = decoder(kind)(json.dumps(body).encode())
    assert answer.extra == {}
    assert json.loads(served(Payments.get_payment).encode(answer).body) == body


MONEY = st.decimals(min_value=-(10**20), max_value=10**20, places=2, allow_nan=False)


@given(MONEY)
@settings(max_examples=200)
def test_both_forms_of_amounts_keep_every_digit(value: Decimal) -> None:
    for form in (AmountForm.TEXT, AmountForm.GROUPED):
        assert str(amount(form.text(format(value, "f")))) == format(value, "f")


@given(st.text(alphabet="0123456789,.-+eE _", max_size=12))
@settings(max_examples=300)
def test_a_text_that_is_read_as_an_amount_is_one(text: str) -> None:
    """What is read, written again in one of the forms, is the text itself, but for zeros in front."""
    try:
        value = format(amount(text), "f")
    except ValueError:
        assert not is_plain(text)
        return
    forms = {form.text(value).lstrip("-") for form in (AmountForm.TEXT, AmountForm.GROUPED)}
    assert text.replace(",", "").lstrip("-0") == value.lstrip("-0") or text.lstrip("-") in forms


NEW_PAYMENT: dict[str, Any] = {"amount": "100", "currency": "UGX", "payment_method": "mtn"}


def read(endpoint: BaseEndpoint, body: Any, **path: str) -> Any:
    return served(endpoint).decode(Incoming(path=path, body=json.dumps(body).encode()))["payload"]


@pytest.mark.parametrize("value", ["100", "100.00", 100, 100.5])
def test_a_server_reads_amounts_as_text_or_number(value: Any) -> None:
    assert read(Payments.create_payment, {**NEW_PAYMENT, "amount": value}).amount == Decimal(str(value))


@pytest.mark.parametrize("value", ["1,000", "NaN", "Infinity", "1e3", "", " 1", "-1", 0, True, None, [], {}])
def test_ps27_a_server_refuses_other_amounts_with_their_place(value: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        read(Payments.create_payment, {**NEW_PAYMENT, "amount": value})
    assert caught.value.pointer == "/amount"
    slices = [{"allocation_key": "a", "amount": value}]
    body = {"amount": "5", "currency_code": "UGX", "payment_method": "mtn", "allocations": slices}
    with pytest.raises(BadRequest) as caught:
        read(Escrows.create_escrow, {**body, "terms": [{"type": "manual_release", "data": {}}]})
    assert caught.value.pointer == "/allocations/0/amount"


def test_a_server_ignores_members_that_it_does_not_know() -> None:
    payload = read(Payments.create_payment, {**NEW_PAYMENT, "description": "tea", "card_info": {}})
    assert payload == models.NewPayment(
        amount=Decimal(100), currency="UGX", payment_method=models.PaymentMethod.MTN
    )
    batch = {
        "recipients": [{"recipient_id": "r", "amount": "1", "x": 1}],
        "currency": "UGX",
        "payment_method": "mtn",
    }
    assert read(Disbursements.create_disbursement, batch).recipients[0].amount == 1


def test_a_server_reads_forms() -> None:
    route = served(OAuth.request_token)
    form = b"grant_type=refresh_token&refresh_token=a%2Bb&client_id=c&client_secret=s+s&new=1"
    token: models.TokenRequest = route.decode(Incoming(body=form))["form"]
    assert (token.grant_type, token.refresh_token, token.client_secret, token.code) == (
        "refresh_token",
        "a+b",
        "s s",
        None,
    )
    for bad in (b"grant_type=a", b"a=1&a=2", b"\xff", b"&".join([b"a=b"] * 200)):
        with pytest.raises(BadRequest):
            route.decode(Incoming(body=bad))
