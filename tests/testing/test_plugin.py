"""The pytest plugin, as users' suites see it."""

import subprocess
import sys
from typing import Any

from bursar.milkyway import TransactionStatus
from bursar.testing.plugin import START

REQUEST: Any = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "s-1",
    "recipient_id": "card-1",
    "amount_credit": 100,
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}
seen = []


def test_a_sandbox_is_frozen_and_seeded(bursar_sandbox):
    assert bursar_sandbox.clock.now() == START
    seen.append(bursar_sandbox.milkyway("bank-alpha", "alpha-secret").pay(REQUEST))


def test_each_test_has_a_sandbox_of_its_own_and_the_same(bursar_sandbox):
    assert bursar_sandbox.operator().list_payments().payments == []
    seen.append(bursar_sandbox.milkyway("bank-alpha", "alpha-secret").pay(REQUEST))
    assert len(set(seen)) == 1


def test_a_server_is_reached_over_http_and_moved_in_time(bursar_server):
    assert bursar_server.url.startswith("http://127.0.0.1:")
    with bursar_server.milkyway() as bank:
        payment = bank.pay(REQUEST)
        bursar_server.clock.advance(60)
        assert bank.postcheck(payment).status is TransactionStatus.DONE
    with bursar_server.operator() as operator:
        assert operator.trial_balance().problems == []


def test_a_server_serves_other_institutions_and_faults(bursar_server):
    bursar_server.faults.add(path="/milkyway/payments/*", status=503, times=1)
    with bursar_server.milkyway("bank-beta", retry_base_delay=0.001) as bank:
        assert bank.healthcheck("bank-beta", "card-payout") == "Service is available"
    assert bursar_server.faults.list()[0].hits == 1


def test_the_plugin_costs_nothing_until_a_fixture_is_asked_for():
    heavy = ("bursar.engine", "bursar.server", "starlette", "uvicorn")
    code = f"import sys, bursar.testing.plugin; print([m for m in sys.modules if m.startswith({heavy})])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
