"""What is made of answers and errors: MC52 to MC67, MW-3, MW-4, MW-5, MW-12."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from bursar.contract import Outcome
from bursar.milkyway import (
    MilkywayApiError,
    MilkywayAuthError,
    MilkywayExposureBlockedError,
    MilkywayNotFoundError,
    MilkywayServiceUnavailableError,
    MilkywayUnreadableAnswerError,
    MilkywayValidationError,
    TransactionStatus,
)
from tests.client.server import Answer, reply
from tests.milkyway.bank import PAY, PRECHECK, QUOTE, state
from tests.milkyway.conftest import Connect, Open


def test_mc52_numbers_keep_every_digit(open_bank: Open, connect: Connect) -> None:
    body = QUOTE.replace(b"100.00", b"9007199254740993.55").replace(b"12675.00", b"3.67250000001")
    quote = connect(open_bank(reply(body))).precheck(PRECHECK)
    assert str(quote.amount_credit) == "9007199254740993.55"
    assert str(quote.rate) == "3.67250000001"
    assert str(quote.commission) == "1.50"


def test_mc53_integers_are_decimals_too(open_bank: Open, connect: Connect) -> None:
    quote = connect(open_bank(reply(QUOTE.replace(b"12675.00", b"12675")))).precheck(PRECHECK)
    assert (quote.rate, type(quote.rate)) == (Decimal(12675), Decimal)


@pytest.mark.parametrize("name", ["amount_credit", "amount_debit", "rate", "commission"])
@pytest.mark.parametrize("value", ["missing", None, True, "NaN", "x", [1]])
def test_mc54_mw4_missing_money_is_an_error_never_zero(
    open_bank: Open, connect: Connect, name: str, value: Any
) -> None:
    import json

    members = json.loads(QUOTE)
    del members[name]
    bank = open_bank(reply(members if value == "missing" else {**members, name: value}))
    with pytest.raises(MilkywayUnreadableAnswerError, match=f"/{name}"):
        connect(bank).precheck(PRECHECK)


def test_texts_of_a_quote_may_be_missing(open_bank: Open, connect: Connect) -> None:
    """They only repeat the question; the vendor's model gives None for each."""
    body = b'{"amount_credit":1,"amount_debit":2,"rate":2,"commission":0,"currency_debit":null,"note":"new"}'
    quote = connect(open_bank(reply(body))).precheck(PRECHECK)
    assert (quote.service_id, quote.currency_debit, quote.extra) == (None, None, {"note": "new"})


@pytest.mark.parametrize("number", range(6))
def test_mc55_statuses(open_bank: Open, connect: Connect, number: int) -> None:
    status = connect(open_bank(state(number))).postcheck(42).status
    names = ["PENDING", "DONE", "CANCELLED", "FAILED", "CANCEL_PENDING", "STUCK"]
    assert (status.name, status.is_terminal(), status.is_known) == (
        names[number],
        number in (1, 2, 3, 5),
        True,
    )


@pytest.mark.parametrize("number", [6, 99, -1])
def test_mc56_mw3_an_unknown_status_is_kept(open_bank: Open, connect: Connect, number: int) -> None:
    client = connect(open_bank(state(number)))
    status = client.postcheck(42).status
    assert (int(status), status.is_known, status.is_terminal()) == (number, False, False)
    assert connect(open_bank(reply({"status": number}))).cancel(42).status == number


@pytest.mark.parametrize(
    "body", [{"transaction_id": 42}, {"transaction_id": 42, "status": None}, {"status": 1}, {}]
)
def test_mc57_mw4_a_missing_status_or_id_is_an_error(open_bank: Open, connect: Connect, body: Any) -> None:
    with pytest.raises(MilkywayUnreadableAnswerError) as caught:
        connect(open_bank(reply(body))).postcheck(42)
    assert caught.value.status_code == 200


def test_an_answer_about_another_payment_is_refused(open_bank: Open, connect: Connect) -> None:
    """The contract's `echo`: what X-1 would look like if it happened all the same."""
    with pytest.raises(MilkywayUnreadableAnswerError, match="about transaction_id 42, not 43"):
        connect(open_bank(state(1))).postcheck(43)


def test_mc58_the_error_of_a_payment(open_bank: Open, connect: Connect) -> None:
    assert connect(open_bank(state(1))).postcheck(42).error is None
    assert connect(open_bank(state(3, error="declined"))).postcheck(42).error == "declined"
    assert connect(open_bank(state(3, error=None))).postcheck(42).error is None


def test_mc59_cancel_gives_the_status_only(open_bank: Open, connect: Connect) -> None:
    assert connect(open_bank(reply({"status": 4}))).cancel(42).status is TransactionStatus.CANCEL_PENDING


@pytest.mark.parametrize("text", ["OK", "Service is available\n", " {} ", '"x"', "", "доступно"])
def test_mc60_the_health_text_is_unchanged(open_bank: Open, connect: Connect, text: str) -> None:
    bank = open_bank(Answer(200, text.encode(), (("Content-Type", "text/plain; charset=utf-8"),)))
    assert connect(bank).healthcheck("b", "s") == text


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("value", [17, "17"])
def test_mc61_pay_accepts_any_2xx_and_an_id_in_digits(
    open_bank: Open, connect: Connect, status: int, value: Any
) -> None:
    assert connect(open_bank(reply({"transaction_id": value}, status))).pay(PAY) == 17


UNREADABLE = [b"", b"null", b"[]", b"{}", b'{"id":7}', b"<html>ok</html>", b'{"transaction_id":null}',
              b'{"transaction_id":true}', b'{"transaction_id":1.5}', b"\xff\xfe", b'{"transaction_id":']  # fmt: skip


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("key", ["k-1", None])
def test_mc62_mc63_mw5_an_unreadable_success_of_pay_keeps_all_evidence(
    open_bank: Open, connect: Connect, body: bytes, key: str | None
) -> None:
    bank = open_bank(reply(body, 200, X_Request_Id="r-9"))
    with pytest.raises(MilkywayUnreadableAnswerError, match="succeeded with status 200") as caught:
        connect(bank).pay(PAY, key)
    error = caught.value
    assert (error.outcome, error.idempotency_key, error.request_id) == (Outcome.UNKNOWN, key, "r-9")
    assert error.response_body == body.decode("utf-8", "replace")
    assert len(bank.calls) == 1, "a call that succeeded is not repeated"
    assert ("same idempotency key" in error.message) == (key is not None)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"<html>"])
def test_mc63_unreadable_answers_of_the_other_calls(open_bank: Open, connect: Connect, body: bytes) -> None:
    client = connect(open_bank(reply(body)))
    for call in (lambda: client.precheck(PRECHECK), lambda: client.postcheck(1), lambda: client.cancel(1)):
        with pytest.raises(MilkywayUnreadableAnswerError) as caught:
            call()
        assert (caught.value.status_code, caught.value.response_body) == (200, body.decode())


def test_mc63_a_page_is_no_health_text(open_bank: Open, connect: Connect) -> None:
    with pytest.raises(MilkywayUnreadableAnswerError, match="HTML"):
        connect(open_bank(reply(b"<html>login</html>", Content_Type="text/html"))).healthcheck("b", "s")


STATUSES = [
    (400, MilkywayValidationError),
    (401, MilkywayAuthError),
    (402, MilkywayExposureBlockedError),
    (403, MilkywayApiError),
    (404, MilkywayNotFoundError),
    (405, MilkywayApiError),
    (408, MilkywayApiError),
    (409, MilkywayApiError),
    (422, MilkywayApiError),
    (429, MilkywayApiError),
    (500, MilkywayServiceUnavailableError),
    (503, MilkywayServiceUnavailableError),
    (599, MilkywayServiceUnavailableError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_mc64_mc66_mc67_each_status_has_its_class(
    open_bank: Open, connect: Connect, status: int, kind: type[MilkywayApiError]
) -> None:
    bank = open_bank(reply(b'{"error":"words"}', status, X_Request_Id="r-1"))
    with pytest.raises(MilkywayApiError) as caught:
        connect(bank, max_retries=0).pay(PAY)
    error = caught.value
    assert type(error) is kind
    assert (error.status_code, error.message, error.response_body) == (status, "words", '{"error":"words"}')
    assert (error.operation, error.request_id, error.attempts) == ("pay", "r-1", 1)
    assert str(error) == f"[{status}] words"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":"exposure limit exceeded"}', "exposure limit exceeded"),
        (b'{"error":"no","errors":[{"pointer":"/data/passport","message":"is required"}]}', "no"),
        (b" recipient is down \n", "recipient is down"),
        (b"", "Request failed with status 500."),
        (b"  ", "Request failed with status 500."),
        (b"{}", "Request failed with status 500."),
        (b"[]", "Request failed with status 500."),
        (b"null", "Request failed with status 500."),
        (b'{"error":{"code":1}}', "Request failed with status 500."),
        (b'{"error":null}', "Request failed with status 500."),
        (b'{"error":""}', "Request failed with status 500."),
        ('{"error":"лимит"}'.encode(), "лимит"),
    ],
)
def test_mc65_the_message_of_an_error(open_bank: Open, connect: Connect, body: bytes, message: str) -> None:
    with pytest.raises(MilkywayServiceUnavailableError) as caught:
        connect(open_bank(reply(body, 500)), max_retries=0).healthcheck("b", "s")
    assert (caught.value.message, caught.value.response_body) == (message, body.decode())


def test_mw12_errors_are_told_apart_hashed_and_pickled(open_bank: Open, connect: Connect) -> None:
    """MW-12, PX-8: an error crosses process borders whole, and two failures are two."""
    for status, kind in STATUSES:
        bank = open_bank(reply(b'{"error":"words"}', status, X_Request_Id="r-1", Retry_After="1"))
        client = connect(bank, max_retries=0)
        errors = []
        for _ in range(2):
            with pytest.raises(kind) as caught:
                client.pay(PAY, "k-1")
            errors.append(caught.value)
        one, other = errors
        assert len({one, other}) == 2
        assert one != other
        again = pickle.loads(pickle.dumps(one))
        assert type(again) is kind
        assert vars(again) == vars(one)
        assert (str(again), again.args) == (str(one), one.args)


def test_errors_of_the_transport_are_pickled_with_their_cause(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    bank.close()
    with pytest.raises(MilkywayAuthError) as caught:
        connect(bank).pay(PAY, "k")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.__cause__ is not None
    assert again.__cause__.sent is False
    assert (again.outcome, again.idempotency_key) == (Outcome.NOT_SENT, "k")


def test_errors_can_be_made_as_the_vendors_are() -> None:
    """Code that raises them in its own tests goes on working."""
    assert MilkywayApiError(418, "no", "{}").status_code == 418
    assert MilkywayServiceUnavailableError(503, "down", None).status_code == 503
    assert MilkywayNotFoundError("gone", "{}").status_code == 404
    assert MilkywayValidationError("bad").response_body is None
    assert issubclass(MilkywayAuthError, MilkywayApiError)
