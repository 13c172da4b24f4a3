"""Requests that are no good get the documented status and change nothing (MS70, MS30, D15)."""

import json

import pytest

from bursar.server import limits

PAY = "/milkyway/payments/v1"
JSON = ("content-type", "application/json")


def error_of(answer):
    assert answer.media_type == "application/json"
    body = json.loads(answer.body)
    assert isinstance(body["error"], str)
    return body


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/milkyway",
        "/milkyway/",
        "/milkyway/nothing",
        f"{PAY}/",
        f"{PAY}/x",
        "/milkyway%0A",
        "/_bursar/x",
    ],
)
def test_ms70_an_unknown_path_is_404_json(http, path):
    answer = http("GET", path, token=http.token())
    assert answer.status == 404
    error_of(answer)


def test_ms70_a_wrong_method_is_405_with_allow(http):
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        answer = http(method, PAY)
        assert answer.status == 405
        assert answer.headers["allow"] == "POST"
    error_of(http("GET", PAY))
    assert http("POST", f"{PAY}/postcheck").headers["allow"] == "GET"


def test_a_path_may_be_quoted(http):
    assert http("GET", "/milkyway/payments/%761/postcheck?transaction_id=1", token=http.token()).status == 404


@pytest.mark.parametrize(
    "media", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]
)
def test_ms70_a_wrong_content_type_is_415(http, media):
    headers = [] if media is None else [("content-type", media)]
    answer = http("POST", PAY, body=b"{}", headers=headers, token=http.token())
    assert answer.status == 415
    error_of(answer)


def test_a_content_type_may_have_parameters(http):
    answer = http(
        "POST",
        PAY,
        body=b"{}",
        headers=[("content-type", "Application/JSON; charset=utf-8")],
        token=http.token(),
    )
    assert answer.status == 400


def test_ms70_a_large_body_is_413_and_not_read(http):
    answer = http("POST", PAY, body=b" " * (limits.BODY_BYTES + 1), headers=[JSON], token=http.token())
    assert answer.status == 413
    error_of(answer)


def test_ms70_the_caller_is_checked_before_the_body(http):
    assert http("POST", PAY, body=b" " * (limits.BODY_BYTES + 1), headers=[JSON]).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b"{}",
        b"{} {}",
        b'{"a":1,"a":2}',
        b'{"amount_credit":NaN}',
        b'{"amount_credit":Infinity}',
        b'{"amount_credit":1e999999}',
        b'{"amount_credit":' + b"9" * 5000 + b"}",
        b'{"sender_id":"\xff"}',
        b'{"sender_id":"\\ud800"}',
        b"[" * 100_000,
        b'{"data":' + b'{"a":' * 100 + b"1" + b"}" * 101,
        b"\x00",
        b"\xef\xbb\xbf{}",
    ],
)
def test_ms30_a_malformed_body_is_400_and_changes_nothing(http, bursar_sandbox, body):
    answer = http("POST", PAY, body=body, headers=[JSON], token=http.token())
    assert answer.status == 400
    error_of(answer)
    assert bursar_sandbox.operator().list_payments().payments == []


def test_d15_a_bad_member_is_named(http):
    answer = http.pay(amount_credit="100")
    assert answer.status == 400
    assert error_of(answer)["errors"] == [
        {"pointer": "/amount_credit", "message": error_of(answer)["errors"][0]["message"]}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "transaction_id=",
        "transaction_id=x",
        "transaction_id=1.5",
        "transaction_id=9223372036854775808",
        "transaction_id=1&transaction_id=1",
        "transaction_id=%ff",
        "&".join(f"a{n}=1" for n in range(limits.QUERY_FIELDS + 1)),
    ],
)
def test_ms53_a_bad_query_is_400(http, query):
    answer = http("GET", f"{PAY}/postcheck?{query}", token=http.token())
    assert answer.status == 400
    error_of(answer)


def test_an_exposure_limit_is_402_and_a_used_key_is_422(http, request_body):
    assert http.pay(amount_credit=20000).status == 402
    key = [("idempotency-key", "k-1")]
    token = http.token()
    paid = http("POST", PAY, json={**request_body, "amount_credit": 1}, headers=key, token=token)
    other = http("POST", PAY, json={**request_body, "amount_credit": 2}, headers=key, token=token)
    assert (paid.status, other.status) == (200, 422)


def test_ms12_a_service_that_is_down_is_a_plain_text_500_for_the_health_check_and_503_for_pay(
    http, bursar_sandbox
):
    operator = bursar_sandbox.operator()
    service = operator.list_services(bank="bank-beta").services[0]
    service.settings.down_reason = "closed for maintenance"
    operator.put_service("bank-beta", "card-payout", service.settings)
    health = http(
        "GET", f"{PAY}/healthcheck?third_party_id=bank-beta&service_id=card-payout", token=http.token()
    )
    assert (health.status, health.media_type) == (500, "text/plain")
    assert "closed for maintenance" in health.text
    assert http.pay().status == 503


def test_request_ids_are_echoed_or_made(http):
    assert http("GET", "/healthz", headers=[("x-request-id", "abc-1")]).headers["x-request-id"] == "abc-1"
    made = {http("GET", "/nothing").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    for bad in ("", "a" * 500, "a b", "\x7f"):
        assert http("GET", "/healthz", headers=[("x-request-id", bad)]).headers["x-request-id"] != bad


def test_healthz_tells_version_and_heads(http):
    from bursar import __version__

    body = json.loads(http("GET", "/healthz").body)
    assert body["status"] == "ok"
    assert body["version"] == __version__
    before = body["heads"]["milkyway"]["log"]
    http.pay()
    assert json.loads(http("GET", "/healthz").body)["heads"]["milkyway"]["log"] == before + 1


def test_the_index_lists_what_is_served(http):
    page = http("GET", "/")
    assert page.media_type == "text/html"
    assert "/milkyway" in page.text
