"""The engine in process: clients of both colours, restarts, closing, determinism."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bursar.contract import Outcome
from bursar.embedded import Engine
from bursar.engine.errors import Conflict, StoreInUse, StoreUnusable
from bursar.milkyway import (
    MilkywayApiError,
    MilkywayAuthError,
    MilkywayPaymentsClient,
    PollOptions,
    TransactionStatus,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "card-1",
    "amount_credit": Decimal("100.00"),
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


def bank(engine):
    return engine.milkyway("bank-alpha", "alpha-secret")


def test_a_payment_from_quote_to_books(bursar_sandbox):
    client = bank(bursar_sandbox)
    assert client.healthcheck("bank-beta", "card-payout") == "Service is available"
    payment = client.pay(REQUEST)
    assert client.postcheck(payment).status is TransactionStatus.PENDING
    bursar_sandbox.clock.advance(60)
    assert client.postcheck(payment).status is TransactionStatus.DONE
    assert bursar_sandbox.verify().ok
    assert bursar_sandbox.operator().trial_balance().problems == []


def test_waiting_moves_the_engines_clock_and_takes_no_time(bursar_sandbox):
    client = bank(bursar_sandbox)
    slow = client.pay({**REQUEST, "recipient_id": "slow-1"})
    assert client.wait_for_completion(slow).status is TransactionStatus.DONE
    assert bursar_sandbox.clock.now() > START


def test_waiting_gives_up_on_the_engines_clock_too(bursar_sandbox):
    client = bank(bursar_sandbox)
    silent = client.pay({**REQUEST, "recipient_id": "silent-1"})
    result = client.wait_for_completion(silent, PollOptions(timeout=60))
    assert (result.status, result.timed_out) == (TransactionStatus.PENDING, True)


def test_the_asynchronous_twin_works_on_any_loop(bursar_sandbox):
    client = bursar_sandbox.async_milkyway("bank-alpha", "alpha-secret")

    async def scenario():
        payment = await client.pay(REQUEST)
        done = await client.wait_for_completion(payment)
        balance = await bursar_sandbox.async_operator().trial_balance()
        return done.status, balance.problems

    for _ in range(2):
        assert asyncio.run(scenario()) == (TransactionStatus.DONE, [])


def test_an_engine_is_an_asynchronous_context_manager():
    async def scenario():
        async with Engine.sandbox() as engine:
            return await engine.async_milkyway("bank-alpha", "alpha-secret").pay(REQUEST)

    assert asyncio.run(scenario()) > 0


def test_threads_share_an_engine(bursar_sandbox):
    client = bank(bursar_sandbox)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: client.pay(REQUEST, idempotency_key="one"), range(64)))
    assert len(set(ids)) == 1
    assert len(bursar_sandbox.operator().list_payments().payments) == 1


def test_the_same_seed_gives_the_same_ids_and_the_same_head():
    def run():
        with Engine.sandbox(seed=5, at=START) as engine:
            client = bank(engine)
            requests: list[Any] = [{**REQUEST, "amount_credit": Decimal(n)} for n in range(1, 4)]
            ids = [client.pay(request) for request in requests]
            engine.clock.advance(60)
            rows = engine.operator().get_payment(ids[-1])
            return ids, repr(rows), engine.operator().trial_balance().to_payload()

    assert run() == run()


def test_sandboxes_do_not_share_anything(bursar_sandbox):
    payment = bank(bursar_sandbox).pay(REQUEST)
    with Engine.sandbox(seed=99) as other, pytest.raises(MilkywayApiError) as caught:
        bank(other).postcheck(payment)
    assert caught.value.status_code == 404


def test_a_timeout_does_not_undo_what_the_server_goes_on_doing(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.sandbox(url) as engine:
        client = bank(engine)
        client.healthcheck("bank-beta", "card-payout")
        engine.faults.add(method="POST", path="*/payments/v1", delay=0.05, times=1)
        with pytest.raises(MilkywayApiError) as caught:
            client.with_options(timeout=0.02).pay(REQUEST)
        assert caught.value.outcome is Outcome.UNKNOWN
    with Engine.sandbox(url) as engine:  # closing waited for it
        assert len(engine.operator().list_payments().payments) == 1


def test_the_file_keeps_what_was_paid(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.sandbox(url) as engine:
        payment = bank(engine).pay(REQUEST, idempotency_key="k")
        engine.clock.advance(60)
    with Engine.sandbox(url) as engine:
        assert bank(engine).postcheck(payment).status is TransactionStatus.DONE
        assert bank(engine).pay(REQUEST, idempotency_key="k") == payment
        assert engine.verify().ok


def test_time_does_not_go_back_over_a_restart(tmp_path):
    """A payment made in a future that somebody moved to ends like any other."""
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.sandbox(url) as engine:
        engine.clock.advance(10 * 365 * 86_400)
        moved_to = engine.clock.now()
        payment = bank(engine).pay(REQUEST, idempotency_key="k")
    with Engine.sandbox(url) as engine:
        assert engine.clock.now() >= moved_to
        engine.clock.advance(60)
        assert bank(engine).postcheck(payment).status is TransactionStatus.DONE
        assert engine.verify().ok


def test_one_engine_per_file(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.open(url), pytest.raises(StoreInUse):
        Engine.open(url)
    Engine.open(url).close()


def test_a_sandbox_and_real_money_do_not_share_a_database(tmp_path):
    """Without --sandbox nothing has a default secret, and a sandbox never opens a database that is in use."""
    sandbox, real = f"sqlite:///{tmp_path}/sandbox.db", f"sqlite:///{tmp_path}/real.db"
    Engine.sandbox(sandbox).close()
    with pytest.raises(StoreUnusable, match="sandbox"):
        Engine.open(sandbox)
    with Engine.open(real) as engine:
        engine.create_client("back-office", operator=True)
    with pytest.raises(StoreUnusable, match="no sandbox"):
        Engine.sandbox(real)
    Engine.sandbox(sandbox).close()
    Engine.open(real).close()


def test_a_real_engine_has_no_default_secret(tmp_path):
    with Engine.open(f"sqlite:///{tmp_path}/real.db") as engine:
        for client_id, secret in (("bank-alpha", "alpha-secret"), ("hub-operator", "operator-secret")):
            with pytest.raises(MilkywayAuthError):
                engine.milkyway(client_id, secret).healthcheck("bank-beta", "card-payout")
        secret = engine.create_client("back-office", operator=True)
        assert engine.operator("back-office", secret).list_institutions().institutions == []
        with pytest.raises(Conflict):
            engine.create_client("back-office")


def test_a_client_of_ones_own_uses_the_engines_transport(bursar_sandbox):
    options = bursar_sandbox.options("bank-alpha", "alpha-secret", max_retries=0)
    with MilkywayPaymentsClient(options, session=bursar_sandbox.transport()) as client:
        assert client.pay(REQUEST) > 0


def test_a_closed_engine_says_so():
    engine = Engine.sandbox()
    client = bank(engine)
    client.healthcheck("bank-beta", "card-payout")
    threads = {thread for thread in threading.enumerate() if thread.name == "bursar-engine"}
    engine.close()
    engine.close()
    assert len(threads & set(threading.enumerate())) == len(threads) - 1
    with pytest.raises(MilkywayApiError, match="closed") as caught:
        client.postcheck(1)
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize(
    "url", ["postgresql://localhost/x", "books.db", "sqlite:///no/such/directory/books.db", ""]
)
def test_a_database_that_cannot_be_opened_leaves_no_thread(url):
    before = threading.active_count()
    with pytest.raises(StoreUnusable):
        Engine.open(url)
    assert threading.active_count() == before
