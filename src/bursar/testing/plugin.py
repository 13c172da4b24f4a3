"""The pytest plugin. It is loaded in every run, so it imports the engine only when a fixture is asked for."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bursar.embedded import Engine
    from bursar.testing.server import SandboxServer
    from bursar.testing.webhooks import WebhookReceiver

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the clock of `bursar_sandbox` stands at first."""
SEED = 0


@pytest.fixture
def bursar_sandbox() -> Generator[Engine]:
    """A fresh sandbox in this process, the same in each run: seeded ids, clock frozen at `START`.

    Pauses of its clients move its clock, so waiting for a payment takes no time:

        def test_a_payment(bursar_sandbox):
            bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
            payment = bank.pay(request)
            assert bank.wait_for_completion(payment).status is TransactionStatus.DONE
            bursar_sandbox.faults.add(path="/milkyway/payments/*", status=503, times=2)
            assert bank.postcheck(payment).status is TransactionStatus.DONE  # the client tried again
            assert bursar_sandbox.verify().ok
    """
    from bursar.embedded import Engine

    with Engine.sandbox(seed=SEED, at=START) as engine:
        yield engine


@pytest.fixture
def bursar_server() -> Generator[SandboxServer]:
    """A fresh sandbox behind a real port, for programs that speak HTTP themselves.

    def test_my_program(bursar_server):
        options = bursar_server.options("bank-alpha")
        my_program.configure(options.base_url, options.token_url, options.client_id, "alpha-secret")
        bursar_server.faults.add(method="POST", path="*/payments/v1", drop="after", times=1)
        my_program.pay_all()
        bursar_server.clock.advance(60)
        assert bursar_server.operator().list_payments().payments[0].status is TransactionStatus.DONE
    """
    from bursar.testing.server import SandboxServer

    with SandboxServer(seed=SEED) as server:
        yield server


@pytest.fixture
def webhook_receiver(bursar_sandbox: Engine) -> Generator[WebhookReceiver]:
    """A Piaxis webhook endpoint of `bursar_sandbox`, inside this process: it gets every event of the merchant.

    def test_a_payment_is_told(bursar_sandbox, webhook_receiver):
        start_checkout()
        paid = webhook_receiver.wait("payment.succeeded")
        assert webhook_receiver.verify(paid).data["amount"] == "5000.00"
    """
    from bursar.testing.webhooks import WebhookReceiver

    with WebhookReceiver(bursar_sandbox) as receiver:
        yield receiver
