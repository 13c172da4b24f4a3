"""The answer to a payment is lost. Was it paid? The key knows.

The sandbox is told to do the work and then drop the connection, as often as the client asks. The client cannot know
what happened and says so; when the network is back, the same key gives the payment's id, and nothing is paid twice.
"""

import json
import os
import urllib.request
from decimal import Decimal
from uuid import uuid4

from bursar.contract import Outcome
from bursar.milkyway import MilkywayApiError, MilkywayOptions, MilkywayPaymentsClient, PayRequest

root = os.environ.get("BURSAR_URL", "http://127.0.0.1:8787")
options = MilkywayOptions(
    base_url=f"{root}/milkyway",
    token_url=f"{root}/milkyway/realms/sandbox/protocol/openid-connect/token",
    client_id="bank-alpha",
    client_secret="alpha-secret",
    max_retries=1,
    retry_base_delay=0.01,
)
request = PayRequest(
    third_party_id_debit="bank-beta",
    service_id="card-payout",
    sender_id="sender-0001",
    recipient_id="recipient-9999",
    amount_credit=Decimal("25.00"),
    currency_credit="USD",
    data={"passport": "AA1234567"},
)


def sandbox(method: str, rule: dict[str, object] | None = None) -> None:
    """Add a fault rule, or clear them all."""
    body = None if rule is None else json.dumps(rule).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(
        urllib.request.Request(f"{root}/_bursar/faults", body, headers, method=method)
    ).close()


with MilkywayPaymentsClient(options) as client:
    key = str(uuid4())  # store it before calling: it is all you need to find out later
    sandbox("POST", {"method": "POST", "path": "/milkyway/payments/v1", "drop": "after"})
    try:
        client.pay(request, idempotency_key=key)
    except MilkywayApiError as error:
        print(f"{error.outcome} after {error.attempts} attempts: {error.message}")
        assert error.outcome is Outcome.UNKNOWN
    sandbox("DELETE")

    transaction = client.pay(request, idempotency_key=key)
    again = client.pay(request, idempotency_key=key)
    print(f"it is payment {transaction}; asked again: {again}")
    assert transaction == again
