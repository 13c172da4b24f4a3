"""For the tests of programs that move money: a pytest plugin, there once `bursar[engine,test]` is installed.

def test_an_order_is_paid(bursar_sandbox):                     # a hub of its own for each test, in this process
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    payment = pay_for_order(bank, order="A-1")                 # the code under test
    bursar_sandbox.clock.advance(60)
    assert bank.postcheck(payment).status is TransactionStatus.DONE

def test_a_lost_answer_is_no_second_payment(bursar_server):    # the same over real HTTP
    bursar_server.faults.add(method="POST", path="*/payments/v1", drop="after", times=1)
    pay_for_order(bursar_server.milkyway(), order="A-1")
    assert len(bursar_server.operator().list_payments().payments) == 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bursar.testing.server import SandboxServer
    from bursar.testing.webhooks import ReceivedWebhook, WebhookReceiver

__all__ = ["ReceivedWebhook", "SandboxServer", "WebhookReceiver"]


def __getattr__(name: str) -> Any:
    # The pytest plugin is in this package and loaded in every run: the engine must not be.
    if name == "SandboxServer":
        from bursar.testing.server import SandboxServer

        return SandboxServer
    if name in __all__:
        from bursar.testing import webhooks

        return getattr(webhooks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
