"""Testing code that pays: each test gets a hub of its own, in this process, with its clock frozen.

Install `bursar[engine,test]`; the fixtures come with it. Run with `pytest examples`.
"""

from decimal import Decimal

from bursar.contract import Outcome
from bursar.embedded import Engine
from bursar.milkyway import (
    MilkywayApiError,
    MilkywayPaymentsClient,
    PayRequest,
    TransactionStatus,
)
from bursar.testing import SandboxServer


def pay_out(bank: MilkywayPaymentsClient, order: str, recipient: str) -> int:
    """Pay for an order: the code under test. An order is paid once, however often this is called."""
    request = PayRequest(
        third_party_id_debit="bank-beta",
        service_id="card-payout",
        sender_id="shop",
        recipient_id=recipient,
        amount_credit=Decimal("25.00"),
        currency_credit="USD",
        data={"passport": "AA1234567"},
    )
    for _ in range(3):
        try:
            return bank.pay(request, idempotency_key=f"order-{order}")
        except MilkywayApiError as error:
            if error.outcome is Outcome.REJECTED:
                raise
    raise TimeoutError(f"order {order}: not known whether it was paid; ask again later")


def test_an_order_is_paid(bursar_sandbox: Engine) -> None:
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    payment = pay_out(bank, "A-1", "card-4242")
    assert bank.postcheck(payment).status is TransactionStatus.PENDING
    bursar_sandbox.clock.advance(60)
    assert bank.postcheck(payment).status is TransactionStatus.DONE


def test_a_silent_bank_leaves_the_payment_stuck(bursar_sandbox: Engine) -> None:
    """A quarter of an hour passes in no time: pauses of a sandbox's clients move its clock."""
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    payment = pay_out(bank, "A-1", "silent-1")
    bursar_sandbox.clock.advance(15 * 60)
    result = bank.wait_for_completion(payment)
    assert result.status is TransactionStatus.STUCK


def test_an_outage_is_survived(bursar_sandbox: Engine) -> None:
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    bursar_sandbox.faults.add(path="/milkyway/payments/*", status=503, headers={"Retry-After": "1"}, times=2)
    assert pay_out(bank, "A-1", "card-4242")


def test_lost_answers_make_no_second_payment(bursar_server: SandboxServer) -> None:
    """Over real HTTP: the work is done and the connection dropped, more often than the client tries."""
    bursar_server.faults.add(method="POST", path="*/payments/v1", drop="after", times=5)
    with bursar_server.milkyway(retry_base_delay=0.001) as bank, bursar_server.operator() as operator:
        pay_out(bank, "A-1", "card-4242")
        assert len(operator.list_payments().payments) == 1
