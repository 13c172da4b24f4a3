"""Time travel: what is due on the way is done on time and in order."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bursar.milkyway import TransactionStatus
from bursar.testing.plugin import START

PAYMENT: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "card-1",
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


def clock(http, action="", body=None):
    method = "POST" if action else "GET"
    answer = http(method, f"/_bursar/clock{action}", json=body)
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


def status(http, payment):
    http.tokens.clear()  # tokens expire on the same clock
    answer = http("GET", f"/milkyway/payments/v1/postcheck?transaction_id={payment}", token=http.token())
    return TransactionStatus(json.loads(answer.body)["status"])


def test_the_clock_says_where_it_stands(http):
    state = clock(http)
    assert state["now"] == "2026-01-01T00:00:00.000000Z"
    assert state["now_us"] == int(START.timestamp()) * 1_000_000
    assert state["frozen"] is True
    assert state["next_due"] is None


def test_advancing_does_the_due_work_before_it_answers(http):
    payment = json.loads(http.pay().body)["transaction_id"]
    assert status(http, payment) is TransactionStatus.PENDING
    state = clock(http, "/advance", {"seconds": 1.5})
    assert state["now"] == "2026-01-01T00:00:01.500000Z"
    assert state["work_done"] >= 2
    assert status(http, payment) is TransactionStatus.DONE


def test_a_great_leap_passes_every_moment_on_the_way(http):
    """Fifteen minutes would make the payment STUCK if the clock jumped over its bank's answer."""
    payment = json.loads(http.pay().body)["transaction_id"]
    clock(http, "/advance", {"seconds": 86_400})
    assert status(http, payment) is TransactionStatus.DONE


def test_ms63_a_silent_bank_leaves_the_payment_stuck_at_its_deadline(http):
    payment = json.loads(http.pay(recipient_id="silent-1").body)["transaction_id"]
    clock(http, "/advance", {"seconds": 899})
    assert status(http, payment) is TransactionStatus.PENDING
    clock(http, "/advance", {"seconds": 1})
    assert status(http, payment) is TransactionStatus.STUCK


def test_run_to_next_stops_at_each_event(http):
    payment = json.loads(http.pay().body)["transaction_id"]
    seen = []
    while (due := clock(http)["next_due"]) is not None and len(seen) < 3:
        state = clock(http, "/run-to-next")
        assert state["now"] == due
        assert state["work_done"] == 1
        seen.append(state["now"])
        if status(http, payment) is TransactionStatus.DONE:
            break
    assert seen == ["2026-01-01T00:00:00.500000Z", "2026-01-01T00:00:00.700000Z"]


def test_a_running_clock_can_be_moved_too(bursar_server):
    bursar_server.clock.advance(3600)
    bank = bursar_server.milkyway()
    payment = bank.pay({**PAYMENT, "amount_credit": Decimal(5)})
    for _ in range(20):
        bursar_server.clock.advance(0.1)
    assert bank.postcheck(payment).status is TransactionStatus.DONE
    bank.close()


def test_time_ends_with_the_year_9999(http):
    clock(http, "/freeze", {"at": "9998-12-31T23:59:59Z"})
    assert http("POST", "/_bursar/clock/advance", json={"seconds": 1}).status == 400
    assert clock(http)["now"] == "9998-12-31T23:59:59.000000Z"


def test_freeze_and_resume(http):
    state = clock(http, "/freeze", {"at": "2030-06-01T12:00:00+02:00"})
    assert state["now"] == "2030-06-01T10:00:00.000000Z"
    assert clock(http)["now"] == state["now"]
    resumed = clock(http, "/resume")
    assert resumed["frozen"] is False
    assert clock(http)["now_us"] >= resumed["now_us"]
    assert clock(http, "/freeze")["frozen"] is True


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("/advance", {}),
        ("/advance", {"seconds": -1}),
        ("/advance", {"seconds": "1"}),
        ("/advance", {"seconds": 1e20}),
        ("/advance", {"seconds": None}),
        ("/advance", {"seconds": 1, "minutes": 1}),
        ("/advance", []),
        ("/freeze", {"at": "2030-01-01"}),
        ("/freeze", {"at": "2030-01-01T00:00:00"}),
        ("/freeze", {"at": 5}),
        ("/freeze", {"at": "0001-01-01T00:00:00+14:00"}),
        ("/freeze", {"at": "2025-12-31T23:59:59Z"}),
        ("/freeze", {"at": "9999-12-31T23:59:59-14:00"}),
    ],
)
def test_a_bad_step_is_400_and_moves_nothing(http, action, body):
    before = clock(http)
    assert http("POST", f"/_bursar/clock{action}", json=body).status == 400
    assert clock(http) == before


def test_bodies_are_bounded_and_read_strictly(http):
    for body in (b"", b"{", b"\xff", b"[" * 100_000, b'{"seconds": NaN}'):
        assert http("POST", "/_bursar/clock/advance", body=body).status == 400
    assert http("POST", "/_bursar/clock/advance", body=b" " * 2_000_000).status == 413


def test_the_same_in_python(bursar_sandbox):
    assert bursar_sandbox.clock.now() == START
    bursar_sandbox.clock.advance(timedelta(days=1, microseconds=1))
    assert bursar_sandbox.clock.now() == START + timedelta(days=1, microseconds=1)
    bursar_sandbox.clock.freeze(datetime(2031, 1, 1, tzinfo=UTC))
    assert bursar_sandbox.clock.state().now == "2031-01-01T00:00:00.000000Z"
    for bad in (-1, timedelta(seconds=-1)):
        with pytest.raises(ValueError, match="0 or more"):
            bursar_sandbox.clock.advance(bad)
    with pytest.raises(ValueError, match="zone"):
        bursar_sandbox.clock.freeze(datetime(2031, 1, 1))  # noqa: DTZ001 - that is the point
