"""One key makes one payment, however often and however it is sent, over real HTTP (MS43, MS50, MC20, MC45)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from bursar.contract import Outcome
from bursar.milkyway import MilkywayApiError

PAY = "/milkyway/payments/v1"
CROWD = 64
REQUEST: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "slow-1",
    "amount_credit": Decimal("100.00"),
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


def books(server):
    """Ids of all payments, and what bank-alpha owes in USD; the books are sound."""
    assert server.engine.verify().damages == []
    with server.operator() as operator:
        made = [payment.id for payment in operator.list_payments().payments]
        used = {each.currency: each.used for each in operator.list_exposures("bank-alpha").exposures}
    return made, used["USD"]


def test_ms43_64_tasks_with_one_key_make_one_payment(bursar_server):
    async def crowd():
        async with bursar_server.async_milkyway() as bank:
            return await asyncio.gather(*(bank.pay(REQUEST, idempotency_key="k-1") for _ in range(CROWD)))

    answers = asyncio.run(crowd())
    assert books(bursar_server) == ([answers[0]], Decimal("101.50"))
    assert set(answers) == {answers[0]}


def test_ms43_64_threads_with_one_key_make_one_payment(bursar_server):
    together = Barrier(CROWD)

    def pay(bank):
        together.wait(30)
        return bank.pay(REQUEST, idempotency_key="k-1")

    with bursar_server.milkyway() as bank, ThreadPoolExecutor(CROWD) as threads:
        answers = list(threads.map(pay, [bank] * CROWD))
    assert books(bursar_server) == ([answers[0]], Decimal("101.50"))
    assert set(answers) == {answers[0]}


def test_ms44_a_crowd_with_one_key_and_two_requests_makes_one_payment(bursar_server):
    other = {**REQUEST, "amount_credit": Decimal("99.00")}

    async def crowd():
        async with bursar_server.async_milkyway() as bank:
            calls = (bank.pay(each, idempotency_key="k-1") for each in [REQUEST, other] * (CROWD // 2))
            return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(crowd())
    paid = [answer for answer in answers if isinstance(answer, int)]
    refused = [answer for answer in answers if isinstance(answer, MilkywayApiError)]
    assert (len(paid), len(refused)) == (CROWD // 2, CROWD // 2)
    assert {(error.status_code, error.outcome) for error in refused} == {(422, Outcome.REJECTED)}
    assert books(bursar_server)[0] == [paid[0]] == list(set(paid))


def test_ms50_mc20_connections_that_drop_after_the_work_are_retried_under_the_same_key(bursar_server):
    rule = {"method": "POST", "path": PAY, "drop": "after"}
    bursar_server.faults.add(**rule, times=2)
    with bursar_server.milkyway(retry_base_delay=0.001) as bank:
        payment = bank.pay(REQUEST, idempotency_key="k-1")
    assert [state.hits for state in bursar_server.faults.list()] == [2]
    assert books(bursar_server) == ([payment], Decimal("101.50"))


def test_mc45_a_keyless_pay_whose_answer_is_lost_is_sent_once(bursar_server):
    bursar_server.faults.add(method="POST", path=PAY, drop="after")
    with bursar_server.milkyway(retry_base_delay=0.001) as bank, pytest.raises(MilkywayApiError) as caught:
        bank.pay(REQUEST)
    assert (caught.value.outcome, caught.value.attempts, caught.value.idempotency_key) == (
        Outcome.UNKNOWN,
        1,
        None,
    )
    assert [state.seen for state in bursar_server.faults.list()] == [1]
    assert len(books(bursar_server)[0]) == 1


def test_ms50_a_crowd_whose_connections_drop_now_and_then_pays_each_key_once(bursar_server):
    """Half of all answers are lost, before or after the work; each caller tries until it knows."""
    for drop in ("before", "after"):
        bursar_server.faults.add(method="POST", path=PAY, drop=drop, probability=0.3)

    async def insist(bank, key):
        for _ in range(50):
            try:
                return await bank.pay({**REQUEST, "amount_credit": 1}, idempotency_key=key)
            except MilkywayApiError as error:
                if error.outcome is not Outcome.UNKNOWN:
                    raise
        raise AssertionError("never answered")

    async def crowd():
        async with bursar_server.async_milkyway(max_retries=0) as bank:
            return await asyncio.gather(*(insist(bank, f"k-{number % 16}") for number in range(CROWD)))

    answers = asyncio.run(crowd())
    bursar_server.faults.clear()
    assert answers[:16] * 4 == answers
    assert books(bursar_server) == (sorted(set(answers), reverse=True), 16 * Decimal("2.00"))
