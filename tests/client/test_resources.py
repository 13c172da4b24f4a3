"""Endpoints as a user meets them: plain, awaited, raw, page by page (bursar.client.caller)."""

from __future__ import annotations

import asyncio
import inspect
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bursar.contract import CursorPaging, OffsetPaging, Reply, Request, Response, Unreadable, UnreadableAnswer
from bursar.contract.page import lookup, required_items
from tests.client.flows import answer
from tests.client.shops import async_shop, shop
from tests.contract.shop import Item, Kind, NewOrder, Order, Shop, ShopDown, ShopUnreadable


def item(number: int, **members: Any) -> dict[str, Any]:
    return {"item_id": str(number), "price": {"amount": number, "currency": "USD"}, **members}


PAGES: dict[str | None, dict[str, Any]] = {
    None: {"cursor": {"data": [item(1), item(2)], "next": "a", "hasMore": True}},
    "a": {"cursor": {"data": [item(3), {"item_id": 4}, item(5, kind="new")], "next": "b"}},
    "b": {"cursor": {"data": []}},
}


def by_cursor(request: Request) -> Response:
    cursor = parse_qs(urlsplit(request.url).query).get("cursor", [None])[0]
    return answer(200, json.dumps(PAGES[cursor]).encode())


def by_offset(request: Request) -> Response:
    query = {name: int(values[0]) for name, values in parse_qs(urlsplit(request.url).query).items()}
    offset, limit = query.get("offset", 0), query.get("limit", 2)
    orders = [{"order_id": n, "total": n} for n in range(offset, min(offset + limit, 5))]
    return answer(200, json.dumps({"results": orders, "total": 5}).encode())


def test_a_listing_gives_the_first_page_and_goes_on_by_itself() -> None:
    client, _, transport = shop(by_cursor)
    page = client.items(kind=Kind.BOOK, page_size=2)
    assert [found.item_id for found in page.items] == ["1", "2"]
    assert page.has_next
    assert len(transport.requests) == 1, "later pages are asked for when they are reached"
    assert [found.item_id for found in page] == ["1", "2", "3", "5"]
    queries = [urlsplit(request.url).query for request in transport.requests]
    assert queries == ["kind=book&pageSize=2", "cursor=a", "cursor=b"], "a cursor holds the whole query"


def test_one_unreadable_item_does_not_lose_its_page() -> None:
    client, _, _ = shop(by_cursor)
    page = client.items(cursor="a")
    assert [found.item_id for found in page.items] == ["3", "5"]
    assert page.items[1].kind == "new"
    assert not page.items[1].kind.is_known
    (lost,) = page.unreadable
    assert isinstance(lost, Unreadable)
    assert (lost.index, lost.value) == (1, {"item_id": 4})
    assert "/price" in lost.reason or "/item_id" in lost.reason


def test_a_listing_can_be_resumed() -> None:
    client, _, transport = shop(by_cursor)
    token = client.items().body["cursor"]["next"]
    assert [found.item_id for found in client.items(cursor=token)] == ["3", "5"]
    assert len(transport.requests) == 3


def test_pages_one_by_one() -> None:
    client, _, _ = shop(by_cursor)
    assert [len(page.items) for page in client.items().pages()] == [2, 2, 0]
    last = client.items(cursor="b")
    assert (last.has_next, last.next_page(), list(last)) == (False, None, [])


def test_pages_by_offset() -> None:
    client, _, transport = shop(by_offset)
    assert [order.order_id for order in client.orders(limit=2)] == [0, 1, 2, 3, 4]
    queries = [parse_qs(urlsplit(request.url).query) for request in transport.requests]
    assert queries == [{"limit": ["2"]}, {"limit": ["2"], "offset": ["2"]}, {"limit": ["2"], "offset": ["4"]}]
    assert [order.order_id for order in client.orders(offset=3)] == [3, 4]


def test_offsets_end_though_the_total_never_comes() -> None:
    client, _, transport = shop(lambda request: answer(200, b'{"results":[],"total":1000}'))
    assert list(client.orders()) == []
    assert len(transport.requests) == 1
    client, _, _ = shop(lambda request: answer(200, b'{"results":[{"order_id":1,"total":1}]}'))
    assert len(list(client.orders())) == 1


def test_an_awaited_listing() -> None:
    client, _, transport = async_shop(by_cursor)

    async def walk() -> None:
        assert [found.item_id async for found in client.items(page_size=2)] == ["1", "2", "3", "5"]
        page = await client.items()
        assert len(page.items) == 2
        assert page.has_next
        following = await page.next_page()
        assert following is not None
        assert len(following.unreadable) == 1
        assert [len(each.items) async for each in page.pages()] == [2, 2, 0]
        assert [found.item_id async for found in page] == ["1", "2", "3", "5"]
        assert (await client.items(cursor="b")).body["cursor"] == {"data": []}

    asyncio.run(walk())
    assert len(transport.requests) > 3


def test_an_awaited_listing_by_offset() -> None:
    client, _, _ = async_shop(by_offset)

    async def walk() -> list[int]:
        return [order.order_id async for order in client.orders(limit=3)]

    assert asyncio.run(walk()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"cursor":{"data":{}}}', b'{"cursor":null}', b"<html>", b""]
)
def test_a_page_without_its_array_is_unreadable(body: bytes) -> None:
    client, _, _ = shop(lambda request: answer(200, body))
    with pytest.raises(ShopUnreadable) as caught:
        client.items()
    assert caught.value.response_body == body.decode()


def test_a_failure_while_turning_the_page_is_raised_there() -> None:
    client, _, _ = shop(
        lambda request: by_cursor(request) if "cursor" not in request.url else answer(503), max_retries=0
    )
    found = iter(client.items())
    assert [next(found).item_id, next(found).item_id] == ["1", "2"]
    with pytest.raises(ShopDown):
        next(found)


def test_raw_calls_give_the_answer_around_the_value() -> None:
    body = b'{"order_id":7,"total":1.50}'
    _, raw, _ = shop(lambda request: answer(202, body, X_Request_Id="r-1"))
    reply = raw.gift(NewOrder("i", Decimal(1)))
    assert isinstance(reply, Reply)
    assert reply.value == Order(7, Decimal("1.50"))
    assert (reply.response.status, reply.response.body, reply.request_id, reply.attempts) == (
        202,
        body,
        "r-1",
        1,
    )
    assert reply.idempotency_key is not None, "a minted key can be read, to be stored"
    _, raw, _ = shop(by_cursor)
    assert [found.item_id for found in raw.items().value.items] == ["1", "2"]


def test_raw_awaited_calls() -> None:
    _, raw, _ = async_shop(lambda request: answer(200, b'{"amount":1,"currency":"USD"}'))
    reply = asyncio.run(raw.set_price("i", Decimal(2)))
    assert (reply.value.currency, reply.attempts) == ("USD", 1)


def test_a_minted_key_is_one_for_all_attempts() -> None:
    answers = iter([answer(503), answer(200, b'{"order_id":7,"total":1}')])
    client, _, transport = shop(lambda request: next(answers))
    client.gift(NewOrder("i", Decimal(1)))
    client_keys = {dict(request.headers)["X-Key"] for request in transport.requests}
    assert (len(transport.requests), len(client_keys)) == (2, 1)


def test_calls_document_themselves() -> None:
    client, _, _ = shop(by_cursor)
    assert client.item.__doc__ == "Return an item."
    assert list(inspect.signature(client.order).parameters) == ["order", "dry_run", "key"]
    assert repr(client.item) == "<bound <item: GET /items/{item_id}>>"
    assert Shop.item.__doc__ == "Return an item."
    with pytest.raises(TypeError):
        client.item()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # what the test is about


def test_an_asynchronous_call_does_nothing_until_awaited() -> None:
    client, _, transport = async_shop(lambda request: answer(204))
    call = client.remove("i")
    assert transport.requests == []
    assert asyncio.run(call) is None
    assert len(transport.requests) == 1


def test_a_path_must_name_what_the_signature_has() -> None:
    from bursar.contract import get

    @get("/x/{other}")
    def broken(self: Any, item_id: str) -> Item:
        """Names another parameter."""
        ...

    with pytest.raises(TypeError, match="other"):
        _ = broken.params


def test_paging_rules_alone() -> None:
    cursor = CursorPaging()
    assert cursor.following({"cursor": {"next": "x"}}, {}, 1) == {"cursor": "x"}
    for body in ({}, {"cursor": {}}, {"cursor": {"next": ""}}, {"cursor": {"next": None}}):
        assert cursor.following(body, {}, 1) is None
    offset = OffsetPaging()
    assert offset.following({"total": 10}, {"limit": 2, "offset": None}, 2) == {"limit": 2, "offset": 2}
    assert offset.following({"total": 2}, {"offset": 0}, 2) is None
    assert offset.following({"total": "10"}, {}, 2) is None
    assert lookup({"a": {"b": [1]}}, "a.b") == [1]
    assert lookup([], "a.b") is None
    with pytest.raises(UnreadableAnswer):
        required_items({"cursor": 1}, cursor)
