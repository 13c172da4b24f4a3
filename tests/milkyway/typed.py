"""What type checkers must make of calls; checked by pyright in scripts/check and by mypy in test_typing.py.

Never run: the calls would need a server.
"""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, assert_type

from bursar.contract import Async, AsyncListing, AsyncPage, Page, RawSync, Reply, Slice, Sync
from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    CancelResult,
    MilkywayApiError,
    MilkywayOptions,
    MilkywayPaymentsClient,
    PayRequest,
    PostcheckResult,
    PrecheckRequest,
    PrecheckResult,
    TransactionStatus,
)
from tests.contract.shop import Item, Order, Shop

OPTIONS = MilkywayOptions("https://api.example.com", "https://id.example.com", "client", "secret")
PAY = PayRequest("bank-beta", "card-payout", "s", "r", Decimal("100.00"), "USD", {"passport": "AA1"})
PRECHECK = PrecheckRequest("bank-beta", "card-payout", "r", Decimal("100.00"), "USD")


def blocking(client: MilkywayPaymentsClient) -> None:
    assert_type(client.healthcheck("bank-beta", "card-payout"), str)
    assert_type(client.precheck(PRECHECK), PrecheckResult)
    assert_type(client.precheck(PRECHECK).rate, Decimal)
    assert_type(client.pay(PAY), int)
    assert_type(client.pay(PAY, "key"), int)
    assert_type(client.pay(PAY, idempotency_key="key"), int)
    assert_type(client.postcheck(1), PostcheckResult)
    assert_type(client.postcheck(transaction_id=1).status, TransactionStatus)
    assert_type(client.cancel(1), CancelResult)
    assert_type(client.wait_for_completion(1), PostcheckResult)
    assert_type(client.raw.pay(PAY), Reply[int])
    assert_type(client.raw.pay(PAY).value, int)
    assert_type(client.raw.healthcheck("a", "b").value, str)
    assert_type(client.with_options(timeout=5.0), MilkywayPaymentsClient)
    with MilkywayPaymentsClient(OPTIONS) as same:
        assert_type(same, MilkywayPaymentsClient)


async def awaited(client: AsyncMilkywayPaymentsClient) -> None:
    call = client.pay(PAY)
    _ = assert_type(call, Coroutine[Any, Any, int])
    assert_type(await call, int)
    assert_type(await client.pay(PAY, "key"), int)
    assert_type(await client.precheck(PRECHECK), PrecheckResult)
    assert_type(await client.postcheck(1), PostcheckResult)
    assert_type(await client.wait_for_completion(1), PostcheckResult)
    assert_type(await client.raw.pay(PAY), Reply[int])
    assert_type(client.with_options(max_retries=1), AsyncMilkywayPaymentsClient)


def pages(shop: Shop[Sync], raw: Shop[RawSync]) -> None:
    assert_type(shop.items(page_size=10), Page[Item])
    for item in shop.items():
        assert_type(item, Item)
    for page in shop.orders().pages():
        assert_type(page.items, list[Order])
    assert_type(raw.items().value, Slice[Item])
    assert_type(shop.remove("i"), None)


async def awaited_pages(shop: Shop[Async]) -> None:
    assert_type(shop.items(), AsyncListing[Item])
    assert_type(await shop.items(), AsyncPage[Item])
    async for item in shop.items():
        assert_type(item, Item)


def errors(error: MilkywayApiError) -> None:
    assert_type(error.status_code, int)
    assert_type(error.response_body, str | None)
    assert_type(error.idempotency_key, str | None)


def refused(client: MilkywayPaymentsClient) -> None:
    """Each line is a mistake that both checkers must see: an ignore that is not needed is an error itself."""
    client.pay()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # no request
    client.pay(PRECHECK)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # not a PayRequest
    client.pay(PAY, key="k")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # no such argument
    client.postcheck("1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # not an integer
    PayRequest("b", "c", "s", "r", 1.5, "USD")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # a float
    MilkywayOptions("https://api.example.com")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # no credentials
