"""What type checkers must make of calls; checked by pyright in scripts/check and by mypy in test_typing.py.

Never run: the calls would need a server.
"""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, assert_type

from bursar.contract import AsyncPage, Page, Reply
from bursar.piaxis import AsyncPiaxisClient, PiaxisClient
from bursar.piaxis.models import (
    DisbursementQuote,
    DisbursementSummary,
    Escrow,
    EscrowStatus,
    NewPayment,
    Payment,
    PaymentCreated,
    PaymentItem,
    PaymentMethod,
    Tokens,
)
from bursar.webhooks import Formance, FormanceEvent, Piaxis, PiaxisEvent, PiaxisEventType, Receiver

PAY = NewPayment(amount=Decimal(1), currency="UGX", payment_method=PaymentMethod.MTN)
BATCH: dict[str, Any] = {}


def blocking(client: PiaxisClient) -> None:
    assert_type(client.create_payment(PAY), PaymentCreated)
    assert_type(client.create_payment({"amount": "1"}, mfa_code="1", idempotency_key="k"), PaymentCreated)
    assert_type(client.payments.create(PAY, request_options={"timeout": 1.0}), PaymentCreated)
    assert_type(client.get_payment("p").amount, Decimal)
    assert_type(client.get_escrow("e").status, EscrowStatus)
    assert_type(client.list_merchant_payments({"limit": 1}), Page[PaymentItem])
    assert_type(client.payments.list().items, list[PaymentItem])
    assert_type(client.disburse(recipients=[], currency="UGX", payment_method="mtn"), DisbursementSummary)
    assert_type(client.quote_disbursement(BATCH), DisbursementQuote)
    assert_type(client.refresh_token(refresh_token="r", client_id="c", client_secret="s"), Tokens)
    assert_type(client.wait_for_payment("p", until=lambda payment: payment.amount > 0), Payment)
    assert_type(client.build_authorize_url(merchant_id="m", external_user_id="u", redirect_uri="r"), str)
    assert_type(client.raw.get_escrow("e"), Reply[Escrow])
    assert_type(client.with_options(timeout=5.0), PiaxisClient)
    with PiaxisClient.from_env(timeout=1.0) as same:
        assert_type(same, PiaxisClient)


async def awaited(client: AsyncPiaxisClient) -> None:
    call = client.create_payment(PAY)
    _ = assert_type(call, Coroutine[Any, Any, PaymentCreated])
    assert_type(await call, PaymentCreated)
    assert_type(await client.escrows.get("e"), Escrow)
    assert_type(await client.list_merchant_payments(), AsyncPage[PaymentItem])
    async for item in client.payments.list():
        assert_type(item, PaymentItem)
    assert_type(await client.wait_for_escrow("e"), Escrow)
    assert_type(await client.raw.get_payment("p"), Reply[Payment])


def webhooks(body: bytes, headers: dict[str, str]) -> None:
    assert_type(Receiver(Piaxis(), "s").verify_and_parse(body, headers), PiaxisEvent)
    assert_type(Receiver(Piaxis(), ["s", "t"]).parse(body).type, PiaxisEventType)
    assert_type(Receiver(Formance(), "s").parse(body), FormanceEvent)
