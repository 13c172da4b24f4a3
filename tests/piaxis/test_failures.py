"""When calls fail: errors, keys, retries, reports. PC63 to PC77, PC91, PC92, PX-8, PX-10, PX-11."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from uuid import UUID

import pytest

from bursar.piaxis import (
    ErrorReporting,
    FieldError,
    InvalidRequestError,
    Outcome,
    PiaxisApiError,
    PiaxisAuthError,
    PiaxisConflictError,
    PiaxisInsufficientFundsError,
    PiaxisNotFoundError,
    PiaxisRateLimitError,
    PiaxisServiceUnavailableError,
    PiaxisUnreadableAnswerError,
    PiaxisValidationError,
)
from bursar.piaxis.reporting import impersonal
from tests.client.clock import FakeClock
from tests.client.server import Action, Answer, Drop, Recorded, reply
from tests.piaxis.api import BATCH_ID, ESCROW_ID, PREFIX, TERM_ID, Api, Blocking, usual
from tests.piaxis.conftest import Connect, Open

PAYMENT = {"amount": "1", "currency": "UGX", "payment_method": "mtn"}
BATCH: dict[str, Any] = {
    "recipients": [{"recipient_id": "r", "amount": "1"}],
    "currency": "UGX",
    "payment_method": "mtn",
}
TERMS = [{"type": "manual_release", "data": {}}]
ESCROW: dict[str, Any] = {"amount": "1", "currency_code": "UGX", "payment_method": "mtn", "terms": TERMS}
ESCROW_BATCH: dict[str, Any] = {**BATCH, "recipients": [{**BATCH["recipients"][0], "terms": TERMS}]}
EVIDENCE = {"term_type": "manual_release", "data": {}}
MONEY: dict[str, Any] = {
    "create_payment": lambda client, **own: client.create_payment(PAYMENT, **own),
    "create_escrow": lambda client, **own: client.create_escrow(ESCROW, **own),
    "disburse": lambda client, **own: client.disburse(**BATCH, **own),
    "escrow_disburse": lambda client, **own: client.escrow_disburse(**ESCROW_BATCH, **own),
    "cancel_disbursement": lambda client, **own: client.cancel_disbursement(BATCH_ID, **own),
    "release_escrow": lambda client, **own: client.release_escrow(ESCROW_ID, **own),
    "reverse_escrow": lambda client, **own: client.reverse_escrow(ESCROW_ID, {}, **own),
    "fulfill": lambda client, **own: client.fulfill_escrow_term(ESCROW_ID, TERM_ID, EVIDENCE, **own),
    "release_batch": lambda client, **own: client.release_escrow_disbursement(BATCH_ID, **own),
    "cancel_batch": lambda client, **own: client.cancel_escrow_disbursement(BATCH_ID, **own),
}
OTHERS: dict[str, Any] = {
    "dispute": lambda client: client.dispute_escrow(ESCROW_ID, {"reason": "r"}),
    "otp": lambda client: client.request_otp({"email": "a@b.example"}),
    "token": lambda client: client.refresh_token(refresh_token="r", client_id="c", client_secret="s"),
    "shopify": lambda client: client.connect_shopify({"store_id": "s", "shop_domain": "d"}),
    "quote": lambda client: client.quote_disbursement(BATCH),
    "get": lambda client: client.get_payment("p"),
    "list": lambda client: client.list_disbursements(),
}
KEY = "X-Idempotency-Key"


def failing(open_api: Open, connect: Connect, answer: Answer, **settings: Any) -> PiaxisApiError:
    """The error of a call that is answered like this."""
    client = connect(open_api(answer), max_retries=0, **settings)
    with pytest.raises(PiaxisApiError) as caught:
        client.create_payment(PAYMENT)
    return caught.value


# Keys


@pytest.mark.parametrize("name", list(MONEY))
def test_pc63_calls_that_move_money_have_a_key(client: Blocking, api: Api, name: str) -> None:
    for _ in range(2):
        MONEY[name](client)
    first, second = (call.header(KEY) for call in api.calls)
    assert first
    assert first != second
    assert UUID(first).version == 4


@pytest.mark.parametrize("name", list(OTHERS))
def test_pc63_other_calls_have_none(client: Blocking, api: Api, name: str) -> None:
    OTHERS[name](client)
    assert api.last.header(KEY) is None


@pytest.mark.parametrize("name", list(MONEY))
def test_pc64_pc67_a_callers_key_is_kept(client: Blocking, api: Api, name: str) -> None:
    MONEY[name](client, idempotency_key="order-7")
    assert api.last.header(KEY) == "order-7"
    for field in (KEY, KEY.lower(), KEY.upper()):
        MONEY[name](client, request_options={"headers": {field: "order-8"}})
        assert api.last.header(KEY) == "order-8"
    with pytest.raises(InvalidRequestError, match="two idempotency keys"):
        MONEY[name](client, idempotency_key="a", request_options={"headers": {KEY: "b"}})


@pytest.mark.parametrize("trouble", [Drop(), reply({"detail": "x"}, 503), reply({"detail": "x"}, 408)])
def test_pc65_pc66_one_call_one_key(open_api: Open, connect: Connect, trouble: Action) -> None:
    api = open_api(trouble, trouble, usual)
    connect(api).create_payment(PAYMENT)
    assert len({(call.header(KEY), call.body) for call in api.calls}) == 1
    assert len(api.calls) == 3


def test_pc66_what_is_sent_again_and_what_is_not(open_api: Open, connect: Connect, clock: FakeClock) -> None:
    api = open_api(reply({"detail": "slow"}, 429, Retry_After="7"), usual)
    connect(api).get_payment("p")
    assert clock.pauses == [7.0]
    for act in (OTHERS["dispute"], OTHERS["otp"], OTHERS["token"]):
        once = open_api(reply({"detail": "down"}, 503))
        with pytest.raises(PiaxisServiceUnavailableError):
            act(connect(once))
        assert len(once.calls) == 1


def test_px_10_an_unknown_outcome_says_its_key(open_api: Open, connect: Connect) -> None:
    """PC67: so that the same call can be made again."""
    client = connect(open_api(Drop()), max_retries=1)
    with pytest.raises(PiaxisServiceUnavailableError, match="may have been carried out") as caught:
        client.create_payment(PAYMENT)
    error = caught.value
    assert (error.outcome, error.status_code, error.attempts) == (Outcome.UNKNOWN, 0, 2)
    assert error.idempotency_key


# Errors


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"detail": "no such merchant"}, "no such merchant", None),
        ({"detail": {"code": "OTP_INVALID", "message": "wrong code"}}, "wrong code", "OTP_INVALID"),
        ({"detail": {"code": 42, "message": "numbered"}}, "numbered", "42"),
        ({"code": "X", "message": "bare"}, "bare", "X"),
        ({"error": "invalid_client", "error_description": "who?"}, "who?", "invalid_client"),
        (
            {"error": "invalid_grant", "detail": {"code": "x", "message": "y"}},
            "invalid_grant",
            "invalid_grant",
        ),
        ({"detail": "bad", "error_code": "WEBHOOK_ERROR", "errors": []}, "bad", "WEBHOOK_ERROR"),
        (b"plain words", "plain words", None),
        (b"", "Request failed with status 400.", None),
        ({"detail": {}}, "Request failed with status 400.", None),
        ({"detail": []}, "Request failed with status 400.", None),
        ([], "Request failed with status 400.", None),
        ({"detail": {"code": None, "message": 7}}, "Request failed with status 400.", None),
    ],
)
def test_pc68_to_pc71_what_a_body_says(
    open_api: Open, connect: Connect, body: Any, message: str, code: str | None
) -> None:
    error = failing(open_api, connect, reply(body, 400))
    assert (str(error), error.message, error.code) == (message, message, code)
    assert error.details == (None if body == b"" else body.decode() if isinstance(body, bytes) else body)


def test_pc70_px_11_lists_of_field_errors_are_readable(open_api: Open, connect: Connect) -> None:
    listed = [
        {"loc": ["body", "amount"], "msg": "field required", "type": "missing"},
        {"loc": ["body", "terms", 0, "type"], "msg": "unknown", "type": "enum"},
    ]
    error = failing(open_api, connect, reply({"detail": listed}, 422))
    assert str(error) == "body.amount: field required (and 1 more)"
    assert isinstance(error, PiaxisValidationError)
    assert error.field_errors == [
        FieldError(("body", "amount"), "field required", "missing"),
        FieldError(("body", "terms", 0, "type"), "unknown", "enum"),
    ]
    managed = {"detail": "bad", "errors": [{"code": "INVALID_URL", "message": "no answer", "field": "url"}]}
    error = failing(open_api, connect, reply(managed, 400))
    assert error.field_errors == [FieldError(("url",), "no answer", "INVALID_URL")]


def test_pc72_the_requests_id(open_api: Open, connect: Connect) -> None:
    assert failing(open_api, connect, reply({}, 400, x_request_id="r-1")).request_id == "r-1"
    assert failing(open_api, connect, reply({}, 400)).request_id is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PiaxisValidationError),
        (401, PiaxisAuthError),
        (402, PiaxisInsufficientFundsError),
        (403, PiaxisAuthError),
        (404, PiaxisNotFoundError),
        (409, PiaxisConflictError),
        (418, PiaxisApiError),
        (422, PiaxisValidationError),
        (429, PiaxisRateLimitError),
        (500, PiaxisServiceUnavailableError),
        (503, PiaxisServiceUnavailableError),
    ],
)
def test_pc73_classes_by_status(
    open_api: Open, connect: Connect, status: int, kind: type[PiaxisApiError]
) -> None:
    error = failing(open_api, connect, reply({"detail": "x"}, status, Retry_After="9"))
    assert type(error) is kind
    assert (error.status_code, error.retry_after) == (status, 9.0)
    assert error.outcome is (Outcome.UNKNOWN if status >= 500 else Outcome.REJECTED)


def test_pc74_a_pin_is_asked_for(open_api: Open, connect: Connect) -> None:
    asked = {"code": "PIN_REQUIRED", "message": "PIN", "scope": "escrow_release", "nonce": "n-1"}
    error = failing(open_api, connect, reply({"detail": asked}, 403))
    assert (error.code, error.scope, error.nonce) == ("PIN_REQUIRED", "escrow_release", "n-1")
    assert failing(open_api, connect, reply({"detail": "x"}, 403)).scope is None


@pytest.mark.parametrize("body", [b"<html>ok</html>", b"ok", b"{", b"", b"[]", b"{}"])
def test_pc75_px_7_a_success_that_cannot_be_read(open_api: Open, connect: Connect, body: bytes) -> None:
    error = failing(open_api, connect, reply(body, 200, Content_Type="text/html"))
    assert isinstance(error, PiaxisUnreadableAnswerError)
    assert (error.outcome, error.status_code) == (Outcome.UNKNOWN, 200)
    assert "succeeded" in error.message
    assert error.idempotency_key


def test_pc76_px_7_nothing_is_none(open_api: Open, connect: Connect) -> None:
    assert connect(open_api(Answer(204))).disconnect_shopify("shop.example") is None


def test_px_8_errors_are_proper_exceptions(open_api: Open, connect: Connect) -> None:
    error = failing(
        open_api, connect, reply({"detail": {"code": "C", "message": "m"}}, 409, x_request_id="r")
    )
    revived = pickle.loads(pickle.dumps(error))
    assert (type(revived), str(revived), vars(revived)) == (type(error), "m", vars(error))
    assert error != copy.copy(error)
    assert len({error, revived}) == 2
    assert error.args
    made = PiaxisApiError("m", 418, "C", {"x": 1}, "r")
    assert (made.message, made.status_code, made.code, made.details, made.request_id) == (
        "m",
        418,
        "C",
        {"x": 1},
        "r",
    )


# Reports


def reported(api: Api) -> list[Recorded]:
    return [call for call in api.calls if call.path.endswith("client-errors")]


def refusing(request: Recorded) -> Action:
    if request.path.endswith("client-errors"):
        return reply({"detail": "no reports today"}, 500)
    words = "no OTP 123456 for +256 700-000-001 (buyer@example.com)"
    return reply({"detail": {"code": "OTP_INVALID", "message": words}}, 400, x_request_id="r-1")


def test_pc91_nothing_is_told_by_default(open_api: Open, connect: Connect) -> None:
    api = open_api(refusing)
    for settings in ({}, {"error_reporting": ErrorReporting(enabled=False)}):
        with pytest.raises(PiaxisValidationError):
            connect(api, **settings).get_payment("p")
    assert not reported(api)


def test_pc91_pc92_a_report_has_no_credentials_and_nothing_personal(open_api: Open, connect: Connect) -> None:
    api = open_api(refusing)
    settings = ErrorReporting(include_stack=True, metadata={"shop": "s-1", "status": "mine"})
    client = connect(api, access_token="at", app_name="shop", app_version="2", error_reporting=settings)
    with pytest.raises(PiaxisValidationError, match="123456"):
        client.create_payment({**PAYMENT, "user_info": {"otp": "987654"}})
    report = reported(api)[0]
    assert (report.method, report.path) == ("POST", f"{PREFIX.removesuffix('/api')}/monitoring/client-errors")
    for name in ("api-key", "Authorization", "X-piaxis-Client-ID", KEY):
        assert report.header(name) is None
    body = report.json
    assert list(body) == [
        *("source", "severity", "name", "message", "stack", "path", "platform", "user_agent", "metadata")
    ]
    stack = body.pop("stack")
    assert body == {
        "source": "python_sdk",
        "severity": "warning",
        "name": "PiaxisValidationError",
        "message": "no OTP *** for *** (***)",
        "path": "/payments/create",
        "platform": "python",
        "user_agent": "shop/2",
        "metadata": {
            "shop": "s-1",
            "method": "POST",
            "status": 400,
            "code": "OTP_INVALID",
            "request_id": "r-1",
        },
    }
    assert "Traceback" in stack
    for personal in ("123456", "987654", "000-001", "buyer@example.com"):
        assert personal not in report.body.decode()


def test_pc91_a_failure_without_answer_is_an_error_and_reports_may_fail(
    open_api: Open, connect: Connect
) -> None:
    elsewhere = open_api(Drop())
    settings = ErrorReporting(endpoint=elsewhere.url)
    with pytest.raises(PiaxisServiceUnavailableError):
        connect(open_api(Drop()), max_retries=0, error_reporting=settings).get_payment("p")
    body = elsewhere.last.json
    assert (body["severity"], body["metadata"]["status"], body["stack"]) == ("error", 0, None)
    assert body["user_agent"] == "piaxis-python-sdk"


def test_pc91_what_cannot_be_told_does_not_hide_the_failure(open_api: Open, connect: Connect) -> None:
    api = open_api(refusing)
    settings = ErrorReporting(metadata={"unsendable": object()})
    with pytest.raises(PiaxisValidationError):
        connect(api, error_reporting=settings).get_payment("p")
    assert not reported(api)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status 422", "status 422"),
        ("call +256700000000", "call ***"),
        ("0700 000 000 owes 15,000", "*** owes 15,000"),
        ("<a.b+c@d.example>", "<***>"),
        ("code 1234", "code ***"),
    ],
)
def test_pc92_what_is_taken_out(text: str, expected: str) -> None:
    assert impersonal(text) == expected
