"""What the server writes about requests: enough to find one, and nothing that must not be there (MS71)."""

import json
import logging

import pytest

from bursar.engine.milkyway.service import MilkywayService
from bursar.server.edge import access_log

SECRETS = ("alpha-secret", "eyJ", "AA1234567", "passport", "sender-1", "card-1")


def assert_clean(text):
    for secret in SECRETS:
        assert secret not in text


@pytest.fixture
def everything_logged(caplog):
    caplog.set_level(logging.DEBUG)
    access_log.setLevel(logging.INFO)
    yield caplog
    access_log.setLevel(logging.NOTSET)


def test_ms71_no_secret_token_or_data_is_logged(http, everything_logged):
    http.form(
        {"grant_type": "client_credentials", "client_id": "bank-alpha", "client_secret": "alpha-secret-x"}
    )
    http.pay()
    http.pay(amount_credit="1")
    http("GET", "/milkyway/payments/v1/postcheck?transaction_id=1&secret=alpha-secret", token=http.token())
    assert len(everything_logged.records) >= 4
    assert_clean(everything_logged.text)


def test_the_access_log_has_one_record_per_request(http, everything_logged):
    http.pay()
    everything_logged.clear()
    answer = http("GET", "/milkyway/payments/v1/postcheck?transaction_id=1", token=http.token())
    records = [record for record in everything_logged.records if record.name == "bursar.access"]
    lines = [record.fields for record in records]
    assert len(lines) == 1
    assert lines[0]["method"] == "GET"
    assert lines[0]["path"] == "/milkyway/payments/v1/postcheck"
    assert lines[0]["status"] == 404
    assert lines[0]["client"] == "bank-alpha"
    assert lines[0]["request_id"] == answer.headers["x-request-id"]
    assert lines[0]["duration_ms"] >= 0


def test_the_access_log_is_off_unless_asked_for(http, caplog):
    http.pay()
    assert [record for record in caplog.records if record.name == "bursar.access"] == []


def test_an_unexpected_exception_is_a_500_logged_once_without_its_text(http, caplog, monkeypatch):
    async def broken(self, caller, request, idempotency_key=None):
        raise KeyError(request.data["passport"])

    monkeypatch.setattr(MilkywayService, "pay", broken)
    with type(http.engine).sandbox() as engine:
        other = type(http)(engine)
        answer = other(
            "POST",
            "/milkyway/payments/v1",
            json=_body(),
            token=other.token(),
            headers=[("x-request-id", "find-me")],
        )
    assert answer.status == 500
    assert "find-me" in json.loads(answer.body)["error"]
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == 1
    assert "find-me" in records[0].getMessage()
    assert "KeyError" in records[0].getMessage()
    assert "in broken" in records[0].getMessage()
    assert_clean(records[0].getMessage().replace('request.data["passport"]', ""))


def _body():
    return {
        "third_party_id_debit": "bank-beta",
        "service_id": "card-payout",
        "sender_id": "s",
        "recipient_id": "c",
        "amount_credit": 1,
        "currency_credit": "USD",
        "data": {"passport": "AA1234567"},
    }
