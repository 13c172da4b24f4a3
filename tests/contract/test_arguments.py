"""From a call's arguments to what is sent (bursar.contract.arguments)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings

from bursar.contract import (
    BaseEndpoint,
    C,
    Effect,
    InvalidRequestError,
    Prepared,
    Query,
    Resource,
    UnreadableAnswer,
    get,
    prepare,
)
from tests.contract.shop import Item, Kind, NewOrder, Price, Shop
from tests.contract.test_json import amounts, texts


def made(endpoint: BaseEndpoint, *args: Any, **kwargs: Any) -> Prepared:
    return prepare(endpoint, endpoint.bind(args, kwargs))


ORDER = NewOrder("i", Decimal("1.50"))


@given(texts)
def test_path_parameters_stay_in_their_segment(item_id: str) -> None:
    if not item_id.strip() or item_id in (".", ".."):
        with pytest.raises(InvalidRequestError) as caught:
            made(Shop.item, item_id)
        assert caught.value.pointer == "item_id"
        return
    target = made(Shop.item, item_id).target
    assert target.startswith("/items/")
    assert target.count("/") == 2
    assert "?" not in target
    assert "#" not in target


def test_a_path_parameter_cannot_fill_another_placeholder() -> None:
    assert made(Shop.item, "{item_id}").target == "/items/%7Bitem_id%7D"


def test_query_parameters_by_their_wire_names_lists_repeated_and_none_left_out() -> None:
    assert made(Shop.item, "a", fields=["x", "y z"]).target == "/items/a?field=x&field=y%20z"
    assert made(Shop.item, "a", fields=[]).target == "/items/a"
    assert made(Shop.items).target == "/items"
    target = made(Shop.items, kind=Kind("new kind"), page_size=2, cursor="a=b&c").target
    assert parse_qsl(urlsplit(target).query) == [("kind", "new kind"), ("pageSize", "2"), ("cursor", "a=b&c")]


def test_booleans_ids_and_header_parameters_as_text() -> None:
    prepared = made(Shop.order, ORDER, dry_run=True)
    assert prepared.target == "/orders?dryRun=true"
    assert made(Shop.order, ORDER, dry_run=False).target == "/orders?dryRun=false"
    one = UUID(int=1)
    assert made(Shop.text, one, trace="t 1").headers == (("X-Trace", "t 1"),)
    assert made(Shop.text, one).target == f"/items/{one}/text"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "é", "", " a", "a\x00", "a\x7f"])
def test_header_parameters_hold_no_line_break_nor_anything_but_ascii(value: str) -> None:
    with pytest.raises(InvalidRequestError):
        made(Shop.text, uuid4(), trace=value)


def test_a_body_is_a_model_or_a_mapping() -> None:
    assert made(Shop.order, ORDER).body == b'{"item_id":"i","amount":1.50}'
    mapping = {"item_id": "i", "amount": Decimal("1.50"), "customerNote": "x"}
    assert made(Shop.order, mapping).body == b'{"item_id":"i","amount":1.50,"customerNote":"x"}'
    assert made(Shop.ring).body is None


def test_members_make_an_object() -> None:
    assert made(Shop.set_price, "i", Decimal("2.50")).body == b'{"item_id":"i","newPrice":2.50}'


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        (NewOrder("i", 0.1), "/amount"),  # type: ignore[arg-type] # what the test is about
        (NewOrder("i", "1"), "/amount"),  # type: ignore[arg-type] # what the test is about
        (NewOrder("i", True), "/amount"),  # pyright: ignore[reportArgumentType] # what the test is about
        (NewOrder("i", None), "/amount"),  # type: ignore[arg-type] # what the test is about
        (NewOrder("i", Decimal("NaN")), "/amount"),
        (NewOrder("i", Decimal(0)), "/amount"),
        (NewOrder("i", Decimal("-0.01")), "/amount"),
        (NewOrder("i", Decimal(1), quantity=0), "/quantity"),
        (NewOrder("i", Decimal(1), quantity="1"), "/quantity"),  # type: ignore[arg-type] # what the test is about
        (NewOrder(5, Decimal(1)), "/item_id"),  # type: ignore[arg-type] # what the test is about
        (NewOrder("i", Decimal(1), data={"a": [{"b": Decimal("NaN")}]}), "/data/a/0/b"),
        (NewOrder("i", Decimal(1), data={"a": b""}), "/data/a"),
        ({"amount": Decimal(1)}, "/item_id"),
        ({"item_id": "i", "amount": "1"}, "/amount"),
        ({"item_id": "i", "amount": 1.0}, "/amount"),
        ({"item_id": "i", "amount": Decimal(1), "note": "x"}, "/note"),
        (5, "order"),
        (None, "order"),
        ([], "order"),
    ],
)
def test_mc13_mc14_mc15_bad_bodies_are_refused_and_say_where(order: Any, pointer: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        made(Shop.order, order)
    assert caught.value.pointer == pointer
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("amount", [0.5, True, "1", Decimal("NaN"), Decimal("Infinity")])
def test_amounts_inside_nested_models_are_as_strict(amount: Any) -> None:
    with pytest.raises(InvalidRequestError):
        made(Shop.replace, "i", Item("i", Price(amount, "USD")))


@pytest.mark.parametrize("amount", [0.5, True, "1", Decimal("NaN"), Decimal("Infinity"), None])
def test_amounts_given_as_members_are_as_strict(amount: Any) -> None:
    with pytest.raises(InvalidRequestError):
        made(Shop.set_price, "i", amount)


@pytest.mark.parametrize("amount", [0.5, True, "1", Decimal("NaN"), None])
def test_amounts_inside_nested_mappings_are_as_strict(amount: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        made(Shop.replace, "i", {"item_id": "i", "price": {"amount": amount, "currency": "USD"}})
    assert caught.value.pointer == "/price/amount"


@pytest.mark.parametrize("endpoint", [Shop.item, Shop.text, Shop.remove])
def test_what_is_required_may_not_be_none(endpoint: BaseEndpoint) -> None:
    with pytest.raises(InvalidRequestError, match="item_id is required"):
        made(endpoint, None)


def test_a_model_read_from_an_answer_can_be_sent_back_whole() -> None:
    item = Item.from_dict(
        {"item_id": "i", "price": {"amount": 1, "currency": "USD"}, "new": [Decimal("1.10")]}
    )
    assert b'"new":[1.10]' in (made(Shop.replace, "i", item).body or b"")


@given(amounts.filter(lambda amount: amount > 0))
@settings(max_examples=50)
def test_amounts_keep_their_digits_in_a_body(amount: Decimal) -> None:
    body = made(Shop.order, NewOrder("i", amount)).body
    assert body == f'{{"item_id":"i","amount":{amount:f}}}'.encode()


def test_mc19_mc47_a_keyed_call_without_key_counts_as_once() -> None:
    for key in (None, ""):
        prepared = made(Shop.order, ORDER, key=key)
        assert (prepared.effect, prepared.key, prepared.headers) == (Effect.ONCE, None, ())
    prepared = made(Shop.order, ORDER, key="k-1")
    assert (prepared.effect, prepared.key, prepared.headers) == (Effect.KEYED, "k-1", (("X-Key", "k-1"),))


def test_a_key_may_be_minted() -> None:
    one, other = made(Shop.gift, ORDER), made(Shop.gift, ORDER)
    assert one.effect is Effect.KEYED
    assert UUID(one.key) != UUID(other.key)
    assert made(Shop.gift, ORDER, "mine").key == "mine"


@pytest.mark.parametrize("key", [" ", "a\nb", "ключ", 5])
def test_keys_that_cannot_travel_are_refused(key: Any) -> None:
    with pytest.raises(InvalidRequestError):
        made(Shop.order, ORDER, key=key)


def test_repr_of_what_is_sent_shows_no_values() -> None:
    prepared = made(Shop.order, NewOrder("CANARY", Decimal(1)), key="k")
    assert "CANARY" not in repr(prepared)


def test_calls_take_arguments_as_python_does() -> None:
    assert Shop.item.bind(("a",), {}) == {"item_id": "a", "fields": None}
    for args, kwargs in [((), {}), (("a", "b"), {}), (("a",), {"item_id": "b"}), (("a",), {"nope": 1})]:
        with pytest.raises(TypeError):
            Shop.item.bind(args, kwargs)


def test_a_moment_goes_into_a_query_in_utc() -> None:
    from bursar.contract.arguments import _text

    assert _text(datetime(2026, 1, 2, tzinfo=UTC), None) == "2026-01-02T00:00:00Z"
    with pytest.raises(InvalidRequestError):
        _text(b"x", None)


def test_from_dict_says_what_is_wrong() -> None:
    with pytest.raises(UnreadableAnswer, match="/amount is missing"):
        NewOrder.from_dict({"item_id": "i"})


Names = Annotated[list[str] | None, Query()]


class Shelves(Resource[C]):
    """A parameter whose type is an alias with a marker of its own."""

    @get("/shelves")
    def shelves(self, since: Annotated[Names, Query("created_after")] = None) -> Item:
        """Return shelves."""
        ...


def test_the_outermost_marker_of_a_parameter_names_it() -> None:
    assert made(Shelves.shelves, since=["x"]).target == "/shelves?created_after=x"
