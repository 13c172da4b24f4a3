"""What goes over the wire: MC01 to MC24."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from bursar import __version__
from bursar.contract import InvalidRequestError
from bursar.milkyway import PayRequest, PrecheckRequest, TransactionStatus
from tests.client.server import reply
from tests.milkyway.bank import PAY, PRECHECK, SECRET, dumped
from tests.milkyway.conftest import Connect, Open


def pay_request(**changes: Any) -> PayRequest:
    return PayRequest(**{**PAY.to_payload(), **changes})


def test_mc01_verbs_and_paths(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    assert client.healthcheck("bank-beta", "card-payout") == "Service is available\n"
    assert client.precheck(PRECHECK).rate == Decimal("12675.00")
    assert client.pay(PAY, idempotency_key="k") == 42
    assert client.postcheck(42).status is TransactionStatus.DONE
    assert client.cancel(42).status is TransactionStatus.CANCELLED
    assert [(call.method, call.target) for call in bank.calls] == [
        ("GET", "/payments/v1/healthcheck?third_party_id=bank-beta&service_id=card-payout"),
        ("POST", "/payments/v1/precheck"),
        ("POST", "/payments/v1"),
        ("GET", "/payments/v1/postcheck?transaction_id=42"),
        ("POST", "/payments/v1/cancel"),
    ]


@pytest.mark.parametrize("slashes", ["", "/", "///"])
@pytest.mark.parametrize("prefix", ["", "/hub/milkyway"])
def test_mc02_mc03_base_urls(open_bank: Open, connect: Connect, slashes: str, prefix: str) -> None:
    bank = open_bank(prefix=prefix)
    connect(bank, base_url=bank.url + slashes).pay(PAY)
    assert bank.last.target == f"{prefix}/payments/v1"


@pytest.mark.parametrize("value", ["a/b", "a b", "a&b=c", "Ünï", "a?b#c", "a+b", "..", "%2F", "💶"])
def test_mc04_healthcheck_encodes_both_values(open_bank: Open, connect: Connect, value: str) -> None:
    bank = open_bank()
    connect(bank).healthcheck(value, f"{value}!")
    assert bank.last.path == "/payments/v1/healthcheck"
    assert bank.last.query == [("third_party_id", value), ("service_id", f"{value}!")]
    assert not set(bank.last.target.partition("?")[2]) & set("/ +#!")


def test_mc05_healthcheck_sends_no_body(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    connect(bank).healthcheck("b", "s")
    assert (bank.last.body, bank.last.header("Content-Type")) == (b"", None)


def test_mc06_precheck_body(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    connect(bank).precheck(PRECHECK)
    assert bank.last.header("Content-Type") == "application/json"
    assert bank.last.json == {
        "third_party_id_debit": "bank-beta",
        "service_id": "card-payout",
        "recipient_id": "r-1",
        "amount_credit": 100.0,
        "currency_credit": "USD",
    }


def test_mc07_pay_body(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    connect(bank).pay(pay_request(data={"passport": "AA1"}))
    assert bank.last.json == {
        "third_party_id_debit": "bank-beta",
        "service_id": "card-payout",
        "sender_id": "s-1",
        "recipient_id": "r-1",
        "amount_credit": 100.0,
        "currency_credit": "USD",
        "data": {"passport": "AA1"},
    }


def test_mc08_data_is_absent_or_what_was_given(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    client.pay(PAY)
    assert "data" not in bank.last.json
    client.pay(pay_request(data={}))
    assert bank.last.json["data"] == {}
    client.precheck(PrecheckRequest("b", "s", "r", Decimal(1), "USD", {"a": None}))
    assert bank.last.json["data"] == {"a": None}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("100.00"), b"100.00"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("1E-7"), b"0.0000001"),
        (Decimal("9007199254740993.55"), b"9007199254740993.55"),
        (7, b"7"),
    ],
)
def test_mc09_mc10_amounts_are_unquoted_with_their_digits(
    open_bank: Open, connect: Connect, amount: Any, text: bytes
) -> None:
    bank = open_bank()
    connect(bank).pay(pay_request(amount_credit=amount))
    assert b'"amount_credit":' + text + b"," in bank.last.body


def test_mc11_mc16_data_keeps_decimals_text_and_big_integers(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    data = {
        "fee": Decimal("1.10"),
        "list": [Decimal("2.50"), {"deep": Decimal("1E+2")}],
        "имя": "Ünï 名",
        "n": 2**80,
    }
    connect(bank).pay(pay_request(data=data))
    sent = dumped(bank.last)["data"]
    assert sent == data
    assert str(sent["fee"]) == "1.10"
    assert b'"deep":100}' in bank.last.body


@pytest.mark.parametrize("text", ["@@DEC0@@", "@@DEC1@@", "100.00", '"', "\\", '","amount_credit":1,"x":"'])
def test_mc12_mw1_no_text_in_data_becomes_anything_else(open_bank: Open, connect: Connect, text: str) -> None:
    bank = open_bank()
    connect(bank).pay(pay_request(data={"name": text, text: "x", "fee": Decimal("9.99")}))
    assert dumped(bank.last)["amount_credit"] == Decimal("100.00")
    assert dumped(bank.last)["data"] == {"name": text, text: "x", "fee": Decimal("9.99")}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_credit": Decimal("NaN")},
        {"amount_credit": Decimal("Infinity")},
        {"data": {"a": [Decimal("NaN")]}},
        {"data": {"a": float("inf")}},
        {"amount_credit": 0.1 + 0.2},
        {"amount_credit": "100.00"},
        {"amount_credit": True},
        {"amount_credit": None},
        {"amount_credit": Decimal(0)},
        {"amount_credit": Decimal(-1)},
        {"amount_credit": 0},
        {"third_party_id_debit": ""},
        {"service_id": " "},
        {"recipient_id": "\t"},
        {"sender_id": ""},
        {"sender_id": None},
        {"currency_credit": "US"},
        {"currency_credit": "DOLLAR"},
        {"currency_credit": "usd"},
        {"currency_credit": "USD\n"},
        {"currency_credit": ""},
        {"currency_credit": "\u0422\u0416\u0421"},
    ],
)
def test_mc13_mc14_mc15_mw14_bad_requests_are_refused_before_any_call(
    open_bank: Open, connect: Connect, changes: dict[str, Any]
) -> None:
    bank = open_bank()
    client = connect(bank)
    for make in (
        lambda: client.pay(pay_request(**changes)),
        lambda: client.pay({**PAY.to_payload(), **changes}),
    ):
        with pytest.raises(InvalidRequestError):
            make()
    if "sender_id" not in changes:
        fields = {
            name: value for name, value in {**PAY.to_payload(), **changes}.items() if name != "sender_id"
        }
        with pytest.raises(InvalidRequestError):
            client.precheck(PrecheckRequest(**fields))
    assert bank.server.requests == [], "not even a token was asked for"


@pytest.mark.parametrize(
    "arguments", [("", "s"), ("b", ""), (" ", "s"), ("b", "\n"), (None, "s"), ("b", None), (5, "s")]
)
def test_mc15_blank_arguments_of_healthcheck(open_bank: Open, connect: Connect, arguments: Any) -> None:
    bank = open_bank()
    with pytest.raises(ValueError, match=r"third_party_id|service_id"):
        connect(bank).healthcheck(*arguments)
    assert bank.server.requests == []


def test_mc17_mc18_transaction_ids_are_integers_of_64_bits(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(
        lambda request: reply((request.query and {"transaction_id": 2**63 - 1, "status": 1}) or {"status": 2})
    )
    client = connect(bank)
    assert client.postcheck(2**63 - 1).transaction_id == 9223372036854775807
    assert bank.last.target.endswith("?transaction_id=9223372036854775807")
    client.cancel(9007199254740993)
    assert bank.last.body == b'{"transaction_id":9007199254740993}'


@pytest.mark.parametrize("value", ["1&third_party_id=evil", "1", 1.0, True, None, -1, 2**63, Decimal(1)])
def test_mw13_an_id_that_is_no_integer_is_refused(open_bank: Open, connect: Connect, value: Any) -> None:
    bank = open_bank()
    client = connect(bank)
    for call in (client.postcheck, client.cancel, client.wait_for_completion):
        with pytest.raises(InvalidRequestError):
            call(value)
    assert bank.server.requests == []


def test_mc19_mc47_the_key_is_sent_when_there_is_one(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    for key in (None, ""):
        client.pay(PAY, idempotency_key=key)
        assert bank.last.header("Idempotency-Key") is None
    client.pay(PAY, "k-1")
    assert bank.last.header("Idempotency-Key") == "k-1"
    client.precheck(PRECHECK)
    client.cancel(1)
    assert bank.calls[-1].header("Idempotency-Key") is None
    assert bank.calls[-2].header("Idempotency-Key") is None


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "ключ", " "])
def test_a_key_that_cannot_travel_is_refused(open_bank: Open, connect: Connect, key: str) -> None:
    bank = open_bank()
    with pytest.raises(InvalidRequestError):
        connect(bank).pay(PAY, idempotency_key=key)
    assert bank.server.requests == []


def test_mc20_x6_every_attempt_sends_the_same_bytes(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(reply({}, 503), reply({}, 401), reply({}, 500), reply({"transaction_id": 7}))
    client = connect(bank)
    assert client.pay(pay_request(data={"b": 1, "a": [Decimal("1.10")]}), idempotency_key="k") == 7
    assert len(bank.calls) == 4
    assert {(call.body, call.header("Idempotency-Key")) for call in bank.calls} == {(bank.last.body, "k")}


def test_mc21_the_secret_goes_to_the_token_endpoint_only(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    client.pay(PAY)
    client.healthcheck("b", "s")
    for call in bank.calls:
        assert call.header("Authorization") == "Bearer token-1"
        assert b"s3cr" not in call.raw
    assert bank.tokens[0].header("Authorization") is None


@pytest.mark.parametrize(
    ("scope", "sent"), [(None, []), ("  ", []), ("payments read", [("scope", "payments read")])]
)
def test_mc22_mc23_the_token_request(open_bank: Open, connect: Connect, scope: str | None, sent: Any) -> None:
    bank = open_bank()
    connect(bank, scope=scope).postcheck(1)
    (request,) = bank.tokens
    assert request.method == "POST"
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert request.form == [
        ("grant_type", "client_credentials"),
        ("client_id", "bank-alpha"),
        ("client_secret", SECRET),
        *sent,
    ]


def test_mc24_the_client_names_itself(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    connect(bank).postcheck(1)
    for request in bank.server.requests:
        assert (request.header("User-Agent") or "").startswith(f"bursar/{__version__} (milkyway; Python 3.")


def test_requests_may_be_plain_mappings(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    assert client.pay(PAY.to_payload()) == 42
    first = json.loads(bank.last.body)
    client.pay(PAY)
    assert json.loads(bank.last.body) == first
    with pytest.raises(InvalidRequestError, match="third_party_id_credit"):
        client.pay({**PAY.to_payload(), "third_party_id_credit": "bank-alpha"})
