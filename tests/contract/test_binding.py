"""The server's half of a description (bursar.contract.binding): strict reading, plain writing."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.contract import BadRequest, BaseEndpoint, Incoming, Response, Route, prepare, route
from bursar.contract.json import dumps, loads
from bursar.milkyway import MilkywayPayments
from tests.contract.shop import Item, NewOrder, Order, Price, Shop
from tests.contract.test_json import texts, trees
from tests.contract.test_models import items

IDS = {"item_id": "i"}


async def unused(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("decoding calls no handler")


def decode(endpoint: BaseEndpoint, body: bytes = b"", **incoming: Any) -> dict[str, Any]:
    return Route(endpoint, unused).decode(Incoming(body=body, path=IDS, **incoming))


def refused(endpoint: BaseEndpoint, body: bytes = b"", **incoming: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        decode(endpoint, body, **incoming)
    return caught.value


def test_a_nullable_amount_may_be_null() -> None:
    body = b'{"item_id":"i","price":{"amount":1,"currency":"USD"},"weight":null}'
    assert decode(Shop.replace, body)["item"].weight is None


@given(items)
@settings(max_examples=40)
def test_what_a_client_sends_a_server_reads_alike(item: Item) -> None:
    prepared = prepare(Shop.replace, {"item_id": "i", "item": item})
    assert decode(Shop.replace, prepared.body or b"") == {"item_id": "i", "item": item}


def test_arguments_from_path_query_header_and_body() -> None:
    assert decode(
        Shop.order, b'{"item_id":"i","amount":1.50}', query=[("dryRun", "true")], headers={"x-key": "k"}
    ) == {"order": NewOrder("i", Decimal("1.50")), "dry_run": True, "key": "k"}
    assert decode(Shop.items, query=[("kind", "new"), ("pageSize", "5")]) == {
        "kind": "new",
        "page_size": 5,
        "cursor": None,
    }
    assert decode(Shop.set_price, b'{"item_id":"i","newPrice":2.50}') == {
        "item_id": "i",
        "price": Decimal("2.50"),
    }


@pytest.mark.parametrize("text", ["null", "true", "1", '"', "NaN", " x "])
def test_texts_in_query_and_header_are_taken_literally(text: str) -> None:
    assert decode(Shop.items, query=[("cursor", text)])["cursor"] == text
    assert decode(Shop.order, b'{"item_id":"i","amount":1}', headers={"x-key": text})["key"] == text


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (b"", "", "a JSON body is required"),
        (b"  ", "", "a JSON body is required"),
        (b"{", "", "not JSON"),
        (b"[]", "", "expected `object`"),
        (b"null", "", "expected `object`"),
        (b'{"item_id":"i"}', "/amount", "is required"),
        (b'{"item_id":"i","amount":1,"amount":2}', "", "same key twice"),
        (b'{"item_id":"i","amount":NaN}', "", "NaN is not JSON"),
        (b'{"item_id":"i","amount":"1"}', "/amount", "must be a JSON number"),
        (b'{"item_id":"i","amount":true}', "/amount", "must be a JSON number"),
        (b'{"item_id":"i","amount":null}', "/amount", "must be a JSON number"),
        (b'{"item_id":"i","amount":1e99999}', "", "too many digits"),
        (b'{"item_id":"i","amount":1e99999999999999999999}', "", "too many digits"),
        (b'{"item_id":5,"amount":1}', "/item_id", "expected `str`"),
        (b'{"item_id":null,"amount":1}', "/item_id", "expected `str`"),
        (b'{"item_id":"i","amount":1,"quantity":"2"}', "/quantity", "expected `int`"),
        (b'{"item_id":"i","amount":1,"quantity":2.0}', "/quantity", "expected `int`"),
        (b'{"item_id":"i","amount":1,"quantity":true}', "/quantity", "expected `int`"),
        (b'{"item_id":"i","amount":1,"quantity":0}', "/quantity", ">= 1"),
        (b'{"item_id":"i","amount":1,"extra":2}', "/extra", "is not a known member"),
        (b'{"item_id":"i","amount":0}', "/amount", "must be > 0"),
        (b'{"item_id":"\xff","amount":1}', "", "not UTF-8"),
        (b'{"item_id":"\\ud800","amount":1}', "", "lone surrogate"),
        (b'{"item_id":"i","amount":1} x', "", "not JSON"),
        (b'{"item_id":"i","amount":1,"data":' + b'{"a":' * 70 + b"1" + b"}" * 71, "", "nested deeper"),
        (b"[" * 100_000, "", "nested too deep"),
    ],
)
def test_ms19_ms30_bodies_that_are_refused_and_say_where(body: bytes, pointer: str, words: str) -> None:
    error = refused(Shop.order, body)
    assert words in error.message
    assert error.pointer == pointer


@pytest.mark.parametrize("amount", [b'"1"', b"true", b"null", b'"NaN"'])
def test_amounts_inside_nested_models_must_be_numbers_too(amount: bytes) -> None:
    error = refused(Shop.replace, b'{"item_id":"i","price":{"amount":%s,"currency":"USD"}}' % amount)
    assert error.pointer == "/price/amount"


@pytest.mark.parametrize("amount", [b'"1"', b"true", b"null"])
def test_amounts_given_as_members_must_be_numbers_too(amount: bytes) -> None:
    assert refused(Shop.set_price, b'{"item_id":"i","newPrice":%s}' % amount).pointer == "/newPrice"


def test_query_parameters_are_checked() -> None:
    assert refused(Shop.items, query=[("pageSize", "many")]).pointer == "pageSize"
    assert "repeated" in refused(Shop.items, query=[("cursor", "a"), ("cursor", "b")]).message
    assert refused(Shop.order, b"{}", query=[("dryRun", "perhaps")]).pointer in ("dryRun", "/item_id")


@pytest.mark.parametrize(
    "text", ["", "1.0", "1e3", "+1", " 1", "0x1", "1_0", "\u0661", "9" * 5000, "NaN", "-1", "null"]
)
def test_ms53_an_integer_in_a_query_is_written_in_digits(text: str) -> None:
    assert refused(MilkywayPayments.postcheck, query=[("transaction_id", text)]).pointer == "transaction_id"


def test_ms53_a_required_parameter_may_not_be_missing() -> None:
    assert "is required" in refused(MilkywayPayments.postcheck).message


@given(st.one_of(st.binary(max_size=60), trees.map(repr).map(str.encode)))
def test_arbitrary_bodies_raise_nothing_but_bad_request(body: bytes) -> None:
    for endpoint in (Shop.order, Shop.replace, Shop.set_price, MilkywayPayments.pay, MilkywayPayments.cancel):
        with contextlib.suppress(BadRequest):
            decode(endpoint, body)


members = st.sampled_from(
    ["item_id", "amount", "quantity", "data", "price", "newPrice", "transaction_id", "kind"]
)


@given(st.dictionaries(members, trees, max_size=5))
def test_json_of_any_shape_raises_nothing_but_bad_request(tree: dict[str, Any]) -> None:
    for endpoint in (Shop.order, Shop.replace, Shop.set_price, MilkywayPayments.cancel):
        with contextlib.suppress(BadRequest):
            decode(endpoint, dumps(tree))


@given(
    st.lists(st.tuples(st.sampled_from(["kind", "pageSize", "cursor", "limit", "dryRun"]), texts), max_size=4)
)
def test_any_query_raises_nothing_but_bad_request(pairs: list[tuple[str, str]]) -> None:
    for endpoint in (Shop.items, Shop.orders, MilkywayPayments.postcheck):
        with contextlib.suppress(BadRequest):
            decode(endpoint, query=pairs)


def served(endpoint: Any, value: Any) -> Response:
    async def handler(caller: str, **arguments: Any) -> Any:
        assert caller == "me"
        return value

    body = b'{"item_id":"i","amount":1}'
    return asyncio.run(route(endpoint, handler).handle(Incoming(path=IDS, body=body), "me"))


def test_answers_are_wrapped_and_exact() -> None:
    response = served(Shop.order, Order(1, Decimal("2.50")))
    assert (response.status, response.body) == (201, b'{"data":{"order_id":1,"total":2.50}}')
    assert response.media_type == "application/json"
    assert Shop.order.read(response, {}) == Order(1, Decimal("2.50"))


def test_ms28_numbers_are_unquoted_and_keep_their_scale() -> None:
    assert served(Shop.item, Price(Decimal("100.00"), "USD")).body == b'{"amount":100.00,"currency":"USD"}'
    big = Price(Decimal("9007199254740993.5500"), "USD")
    assert Price.from_dict(loads(served(Shop.item, big).body)) == big


def test_text_and_empty_answers() -> None:
    assert served(Shop.remove, None).status == 204
    assert served(Shop.remove, None).body == b""
    text = Route(Shop.text, unused).encode("héllo")
    assert (text.media_type, text.body) == ("text/plain", "héllo".encode())
