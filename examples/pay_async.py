"""Ten payments at once: one token is fetched, connections are shared, a failure of one does not touch the others."""

import asyncio
import os
from decimal import Decimal
from uuid import uuid4

from bursar.milkyway import AsyncMilkywayPaymentsClient, MilkywayApiError, MilkywayOptions, PayRequest

hub = os.environ.get("BURSAR_URL", "http://127.0.0.1:8787") + "/milkyway"
options = MilkywayOptions(
    base_url=hub,
    token_url=f"{hub}/realms/sandbox/protocol/openid-connect/token",
    client_id="bank-alpha",
    client_secret="alpha-secret",
)


async def pay(client: AsyncMilkywayPaymentsClient, recipient: str) -> str:
    """Pay one recipient to the end; returns what became of it."""
    request = PayRequest(
        third_party_id_debit="bank-beta",
        service_id="card-payout",
        sender_id="sender-0001",
        recipient_id=recipient,
        amount_credit=Decimal("1.00"),
        currency_credit="USD",
        data={"passport": "AA1234567"},
    )
    try:
        transaction = await client.pay(request, idempotency_key=str(uuid4()))
        result = await client.wait_for_completion(transaction)
    except MilkywayApiError as error:
        return f"{recipient}: {error.outcome}, {error.message}"
    return f"{recipient}: {result.status.name} {result.error or ''}"


async def main() -> None:
    """Nine recipients take the money; the bank of the tenth declines, as the sandbox does for `decline-...`."""
    recipients = [f"recipient-{number}" for number in range(9)] + ["decline-9"]
    async with AsyncMilkywayPaymentsClient(options) as client:
        for line in await asyncio.gather(*(pay(client, recipient) for recipient in recipients)):
            print(line)


asyncio.run(main())
