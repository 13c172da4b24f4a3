"""Pay 100.00 USD to a card at another bank: is the service up, what does it cost, pay, wait."""

import os
from decimal import Decimal
from typing import Any
from uuid import uuid4

from bursar.milkyway import (
    MilkywayApiError,
    MilkywayOptions,
    MilkywayPaymentsClient,
    PayRequest,
    PrecheckRequest,
)

hub = os.environ.get("BURSAR_URL", "http://127.0.0.1:8787") + "/milkyway"
options = MilkywayOptions(
    base_url=hub,
    token_url=f"{hub}/realms/sandbox/protocol/openid-connect/token",
    client_id="bank-alpha",
    client_secret="alpha-secret",
)
payment: dict[str, Any] = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "recipient_id": "recipient-9999",
    "amount_credit": Decimal("100.00"),
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}

with MilkywayPaymentsClient(options) as client:
    print(client.healthcheck("bank-beta", "card-payout"))
    quote = client.precheck(PrecheckRequest(**payment))
    print(f"rate {quote.rate}: pays out {quote.amount_debit} {quote.currency_debit}")
    print(f"commission {quote.commission} {quote.currency_credit}")
    try:
        transaction = client.pay(PayRequest(**payment, sender_id="sender-0001"), idempotency_key=str(uuid4()))
    except MilkywayApiError as error:
        raise SystemExit(f"not paid ({error.outcome}): {error}") from error
    result = client.wait_for_completion(transaction)
    print(f"payment {transaction} is {result.status.name}")
