"""Faults on demand, seen from clients over real HTTP (MS69)."""

import http.client
import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from bursar.contract import Outcome
from bursar.milkyway import MilkywayApiError, MilkywayServiceUnavailableError

PAY = "/milkyway/payments/v1"
REQUEST: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "card-1",
    "amount_credit": Decimal("100.00"),
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


def raw(server, method, path, body=None, timeout=5):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def payments(server):
    with server.operator() as operator:
        return operator.list_payments().payments


def test_a_status_with_headers_and_body_for_the_next_n_calls(bursar_server):
    bursar_server.faults.add(
        path="/healthz", status=429, headers={"Retry-After": "7"}, body="slow down", times=2
    )
    for _ in range(2):
        status, headers, body = raw(bursar_server, "GET", "/healthz")
        assert (status, headers["retry-after"], body) == (429, "7", b"slow down")
        assert headers["x-request-id"]
    assert raw(bursar_server, "GET", "/healthz")[0] == 200


def test_the_client_rides_out_two_503(bursar_server):
    bursar_server.faults.add(path=PAY, status=503, times=2)
    with bursar_server.milkyway(retry_base_delay=0.001) as bank:
        assert bank.pay(REQUEST, idempotency_key="k-1")
    assert len(payments(bursar_server)) == 1
    assert bursar_server.faults.list()[0].hits == 2


def test_a_drop_before_the_work_leaves_no_payment(bursar_server):
    bursar_server.faults.add(method="POST", path=PAY, drop="before")
    with bursar_server.milkyway() as bank, pytest.raises(MilkywayApiError) as caught:
        bank.pay(REQUEST)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert payments(bursar_server) == []


def test_a_drop_after_the_work_is_unknown_and_resolved_by_the_key(bursar_server):
    bursar_server.faults.add(method="POST", path=PAY, drop="after", times=1)
    with bursar_server.milkyway(max_retries=0) as bank:
        with pytest.raises(MilkywayApiError) as caught:
            bank.pay(REQUEST, idempotency_key="k-1")
        assert caught.value.outcome is Outcome.UNKNOWN
        made = payments(bursar_server)
        assert len(made) == 1
        assert bank.pay(REQUEST, idempotency_key=caught.value.idempotency_key) == made[0].id
    assert len(payments(bursar_server)) == 1


def test_a_status_after_the_work(bursar_server):
    bursar_server.faults.add(method="POST", path=PAY, status=500, after_work=True, times=1)
    with bursar_server.milkyway() as bank, pytest.raises(MilkywayServiceUnavailableError):
        bank.pay(REQUEST)
    assert len(payments(bursar_server)) == 1


def test_a_delay_makes_the_client_time_out_while_the_work_goes_on(bursar_server):
    with bursar_server.milkyway() as bank:
        bank.healthcheck("bank-beta", "card-payout")  # a token, and a warm connection
        bursar_server.faults.add(method="POST", path=PAY, delay=0.2, times=1)
        with pytest.raises(MilkywayApiError) as caught:
            bank.with_options(timeout=0.05).pay(REQUEST)
        assert caught.value.outcome is Outcome.UNKNOWN
    bursar_server.engine.close()  # lets the request finish


def test_a_slow_drip_arrives_whole_and_late(bursar_server):
    bursar_server.faults.add(
        path="/healthz", status=200, body="0123456789", drip={"bytes": 3, "interval": 0.02}
    )
    started = time.monotonic()
    status, headers, body = raw(bursar_server, "GET", "/healthz")
    assert (status, headers["content-length"], body) == (200, "10", b"0123456789")
    assert time.monotonic() - started >= 0.06


def test_a_true_answer_can_drip_too(bursar_server):
    bursar_server.faults.add(path="/healthz", drip={"bytes": 40, "interval": 0.001})
    assert json.loads(raw(bursar_server, "GET", "/healthz")[2])["status"] == "ok"


def test_skip_spares_the_first_requests_and_times_bounds_the_hits(bursar_server):
    bursar_server.faults.add(path="/healthz", status=503, skip=2, times=1)
    statuses = [raw(bursar_server, "GET", "/healthz")[0] for _ in range(5)]
    assert statuses == [200, 200, 503, 200, 200]


def test_the_first_rule_that_matches_decides(bursar_server):
    bursar_server.faults.add(method="post", path="*", status=500)
    bursar_server.faults.add(path="/health?", status=501)
    bursar_server.faults.add(path="/healthz", status=502)
    assert raw(bursar_server, "GET", "/healthz")[0] == 501
    assert raw(bursar_server, "POST", "/healthz")[0] == 500
    assert raw(bursar_server, "GET", "/")[0] == 200


def test_probability_follows_the_engines_seed():
    from bursar import embedded

    def hits():
        with embedded.Engine.sandbox(seed=7) as engine:
            engine.faults.add(path="/healthz", status=503, probability=0.5)
            door = engine.transport()
            request = embedded.Request("GET", f"{engine.url}/healthz")
            return [door.send(request, 5).status for _ in range(40)]

    first = hits()
    assert first == hits()
    assert 5 < Counter(first)[503] < 35


def test_a_fault_never_touches_the_control_api(bursar_server):
    assert raw(bursar_server, "POST", "/_bursar/faults", {"path": "*", "drop": "before"})[0] == 201
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        raw(bursar_server, "GET", "/healthz")
    status, _, body = raw(bursar_server, "GET", "/_bursar/faults")
    assert status == 200
    assert json.loads(body)["faults"][0]["hits"] == 1
    assert raw(bursar_server, "DELETE", "/_bursar/faults")[0] == 204
    assert raw(bursar_server, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"path": "*"},
        {"status": 99},
        {"status": 600},
        {"status": "500"},
        {"status": 500, "times": 0},
        {"status": 500, "skip": -1},
        {"status": 500, "probability": 1.5},
        {"status": 500, "headers": {"a b": "c"}},
        {"status": 500, "headers": {"a": "b\r\nc: d"}},
        {"status": 500, "headers": {"a": "é"}},
        {"status": 500, "drop": "before"},
        {"drop": "sometimes"},
        {"delay": 1e9},
        {"delay": -1},
        {"drip": {"bytes": 0}},
        {"drip": {"interval": 0.1, "x": 1}},
        {"unknown": 1, "status": 500},
        [],
        1,
    ],
)
def test_a_rule_that_makes_no_sense_is_400(http, rule):
    answer = http("POST", "/_bursar/faults", json=rule)
    assert answer.status == 400
    assert "error" in json.loads(answer.body)
    assert json.loads(http("GET", "/_bursar/faults").body) == {"faults": []}


def test_a_bad_rule_in_python_is_a_value_error(bursar_sandbox):
    with pytest.raises(ValueError, match="needs a delay"):
        bursar_sandbox.faults.add(path="*")


def test_an_in_process_drop_is_a_transport_error_of_the_same_kind(bursar_sandbox):
    bursar_sandbox.faults.add(method="POST", path=PAY, drop="after", times=1)
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    with pytest.raises(MilkywayApiError) as caught:
        bank.pay(REQUEST)
    assert (caught.value.status_code, caught.value.outcome) == (0, Outcome.UNKNOWN)
    assert len(bursar_sandbox.operator().list_payments().payments) == 1


def test_without_a_sandbox_there_is_no_control_api():
    from bursar import embedded

    with embedded.Engine.open("sqlite://") as engine:
        door = engine.transport()
        for path in ("/_bursar/clock", "/_bursar/faults"):
            assert door.send(embedded.Request("GET", engine.url + path), 5).status == 404
        with pytest.raises(RuntimeError):
            engine.clock.advance(1)
        with pytest.raises(RuntimeError):
            engine.faults.list()
