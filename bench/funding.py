"""Room to pay: the sandbox's bank-alpha may owe 10,000 USD, which a benchmark uses up in seconds."""

from __future__ import annotations

from decimal import Decimal

from bursar.milkyway import MilkywayOptions
from bursar.milkyway.operator import LimitSettings, MilkywayOperatorClient


def fund(port: int) -> None:
    """Raise bank-alpha's limit; it stays a limit that blocks, so every payment is still checked against it."""
    hub = f"http://127.0.0.1:{port}/milkyway"
    token_url = f"{hub}/realms/sandbox/protocol/openid-connect/token"
    with MilkywayOperatorClient(
        MilkywayOptions(hub, token_url, "hub-operator", "operator-secret")
    ) as operator:
        operator.put_limit("bank-alpha", "USD", LimitSettings(amount=Decimal(10) ** 12))
