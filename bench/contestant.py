"""One client under measurement: reads how many calls to make, prints the CPU seconds they took.

Runs in the client's own environment (the vendor's has nothing of ours), so it imports only what the contestant needs.
Usage: contestant.py <name> <base url>; then a line `<operation> <count>` for each round.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

PAYMENT: dict[str, Any] = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "sender-0001",
    "recipient_id": "recipient-9999",
    "amount_credit": Decimal("100.00"),
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}
Calls = dict[str, Callable[[], Any]]


def _options(base: str) -> dict[str, Any]:
    return {
        "base_url": base,
        "token_url": f"{base}/realms/x",
        "client_id": "bank-alpha",
        "client_secret": "s",
    }


def bursar(base: str) -> Calls:
    """Bursar's synchronous client."""
    from bursar.milkyway import MilkywayOptions, MilkywayPaymentsClient, PayRequest

    client = MilkywayPaymentsClient(MilkywayOptions(**_options(base)))
    return {
        "postcheck": lambda: client.postcheck(1),
        "pay": lambda: client.pay(PayRequest(**PAYMENT), idempotency_key="k-1"),
    }


def bursar_async(base: str) -> Calls:
    """Bursar's asynchronous client."""
    from bursar.milkyway import AsyncMilkywayPaymentsClient, MilkywayOptions, PayRequest

    client = AsyncMilkywayPaymentsClient(MilkywayOptions(**_options(base)))
    return {
        "postcheck": lambda: client.postcheck(1),
        "pay": lambda: client.pay(PayRequest(**PAYMENT), idempotency_key="k-1"),
    }


def _raw_arguments(base: str) -> tuple[dict[str, Any], dict[str, Any]]:
    bearer = {"Authorization": "Bearer t0k3n"}
    body = json.dumps({**PAYMENT, "amount_credit": 100})
    get = {"url": f"{base}/payments/v1/postcheck", "params": {"transaction_id": 1}, "headers": bearer}
    head = {**bearer, "Content-Type": "application/json", "Idempotency-Key": "k-1"}
    return get, {"url": f"{base}/payments/v1", "content": body, "headers": head}


def httpx2(base: str) -> Calls:
    """What someone writes with no client at all: httpx2, a dict out, a dict in. No token, retry, types or Decimal."""
    import httpx2

    client = httpx2.Client()
    get, post = _raw_arguments(base)
    return {"postcheck": lambda: client.get(**get).json(), "pay": lambda: client.post(**post).json()}


def httpx2_async(base: str) -> Calls:
    """The asynchronous form of `httpx2`."""
    import httpx2

    client = httpx2.AsyncClient()
    get, post = _raw_arguments(base)

    async def postcheck() -> Any:
        return (await client.get(**get)).json()

    async def pay() -> Any:
        return (await client.post(**post)).json()

    return {"postcheck": postcheck, "pay": pay}


def vendor(base: str) -> Calls:
    """The vendor's client, milkyway-payments."""
    from milkyway_payments import (  # pyright: ignore[reportMissingImports] - installed in .venv-vendor only
        MilkywayOptions,
        MilkywayPaymentsClient,
        PayRequest,
    )

    client = MilkywayPaymentsClient(MilkywayOptions(**_options(base)))
    return {
        "postcheck": lambda: client.postcheck(1),
        "pay": lambda: client.pay(PayRequest(**PAYMENT), idempotency_key="k-1"),
    }


CONTESTANTS = {
    "bursar": bursar,
    "httpx2": httpx2,
    "vendor": vendor,
    "bursar-async": bursar_async,
    "httpx2-async": httpx2_async,
}


def _timed(call: Callable[[], Any], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        call()
    return time.process_time() - started


async def _timed_async(call: Callable[[], Awaitable[Any]], count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        await call()
    return time.process_time() - started


def main(name: str, base: str) -> None:
    """Serve rounds until standard input ends."""
    with asyncio.Runner() as runner:
        calls = CONTESTANTS[name](base)
        print("ready", flush=True)
        for line in sys.stdin:
            operation, count = line.split()
            call = calls[operation]
            if name.endswith("-async"):
                print(runner.run(_timed_async(call, int(count))), flush=True)
            else:
                print(_timed(call, int(count)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
