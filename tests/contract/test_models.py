"""Models and open enums (bursar.contract.model), and reading them tolerantly (bursar.contract.decode)."""

from __future__ import annotations

import contextlib
import copy
import pickle
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.contract import Headers, Request, Response, UnreadableAnswer
from bursar.contract.decode import decoder, tolerant
from bursar.contract.json import dumps, loads
from tests.contract.shop import Item, Kind, NewOrder, Order, Price, Size
from tests.contract.test_json import amounts, suspicious, texts, trees

prices = st.builds(Price, amounts, texts)
unknown_members = st.dictionaries(texts.map(lambda name: f"x-{name}"), trees, max_size=3)
items = st.builds(
    Item,
    item_id=texts,
    price=prices,
    kind=st.one_of(st.sampled_from(Kind), texts.map(Kind)),
    size=st.one_of(st.none(), st.sampled_from(Size), st.integers(-5, 2**70).map(Size)),
    tags=st.lists(texts, max_size=3),
    weight=st.one_of(st.none(), amounts),
    label=st.one_of(st.just(msgspec.UNSET), texts),
)


def with_extra(model: Any, extra: dict[str, Any]) -> Any:
    if extra:
        model.keep_extra(extra)
    return model


@given(items, unknown_members)
@settings(max_examples=40)
def test_fast_and_tolerant_reading_agree_and_lose_nothing(item: Item, extra: dict[str, Any]) -> None:
    body = dumps(with_extra(item, extra))
    read = decoder(Item)(body)
    again = tolerant(loads(body), Item)
    assert read == again == item
    assert dumps(read) == dumps(again) == body


@given(items, unknown_members)
@settings(max_examples=40)
def test_payload_and_from_dict_are_inverse(item: Item, extra: dict[str, Any]) -> None:
    item = with_extra(item, extra)
    again = Item.from_dict(loads(dumps(item.to_payload())))
    assert again == item
    assert again.extra.keys() == item.extra.keys()


@given(items, unknown_members)
@settings(max_examples=40)
def test_models_can_be_pickled_and_copied(item: Item, extra: dict[str, Any]) -> None:
    item = with_extra(item, extra)
    for again in (pickle.loads(pickle.dumps(item)), copy.copy(item), copy.deepcopy(item)):
        assert again == item
        assert again.extra == item.extra


def test_defaults_are_left_out_where_the_model_says_so() -> None:
    assert dumps(NewOrder("i", Decimal(1))) == b'{"item_id":"i","amount":1}'
    assert dumps(NewOrder("i", Decimal(1), data={})) == b'{"item_id":"i","amount":1,"data":{}}'
    assert dumps(Item("i", Price(Decimal(1), "USD"))) == (
        b'{"item_id":"i","price":{"amount":1,"currency":"USD"},"kind":"book","size":null,"tags":[],"weight":null}'
    )


def test_wire_names_may_differ_from_field_names() -> None:
    assert b'"customerNote":"hi"' in dumps(NewOrder("i", Decimal(1), note="hi"))
    order = NewOrder.from_dict({"item_id": "i", "amount": 1, "customerNote": "hi", "note": "?"})
    assert (order.note, order.extra) == ("hi", {"note": "?"})


def test_unknown_members_are_kept_with_their_digits() -> None:
    order = decoder(Order)(b'{"order_id":1,"total":2.50,"fee":0.10,"list":[1.0]}')
    assert str(order.extra["fee"]) == "0.10"
    assert order.extra["list"] == [Decimal("1.0")]
    assert decoder(Order)(b'{"order_id":1,"total":2.50}').extra == {}


@pytest.mark.parametrize("text", ['"17"', "17"])
def test_an_integer_given_as_text_is_that_integer(text: str) -> None:
    assert decoder(Order)(b'{"order_id":%s,"total":1}' % text.encode()).order_id == 17


@pytest.mark.parametrize("text", ['"1.50"', "1.50"])
def test_an_amount_given_as_text_is_that_amount(text: str) -> None:
    assert str(decoder(Order)(b'{"order_id":1,"total":%s}' % text.encode()).total) == "1.50"


@pytest.mark.parametrize(
    "text",
    [
        "null", '"\\u004eaN"', '"1e99999"', "1e99999", "1e-999999999", "true", '"NaN"', '"nan"',
        '"sNaN"', '"Infinity"', '"-inf"', '""', '"1,5"', "[]", "{}", "NaN", "1e99999999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_never_made_into_one(text: str) -> None:
    """`Decimal` takes the text NaN; money does not."""
    with pytest.raises(UnreadableAnswer):
        decoder(Order)(f'{{"order_id":1,"total":{text}}}'.encode())
    with pytest.raises(UnreadableAnswer):
        decoder(Order)(f'{{"order_id":1,"total":{text},"unknown":0}}'.encode())


@pytest.mark.parametrize("body", [b'{"order_id":1}', b'{"total":1}', b"{}"])
def test_a_missing_member_is_never_invented(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="is missing"):
        decoder(Order)(body)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"1", b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decoder(Order)(body)


@given(st.one_of(st.binary(max_size=40), trees.map(dumps)))
@settings(max_examples=60)
def test_reading_raises_nothing_but_unreadable(body: bytes) -> None:
    for kind in (Order, Item, list[Item], dict[str, Price], int, str | None):
        with contextlib.suppress(UnreadableAnswer):
            decoder(kind)(body)


@given(texts)
def test_open_enums_keep_unknown_texts(text: str) -> None:
    kind = Kind(text)
    assert kind == text
    assert kind.is_known == (text in ("book", "toy"))
    assert pickle.loads(pickle.dumps(kind)) == kind
    assert {kind: 1}[Kind(text)] == 1


@given(st.integers(-(2**70), 2**70))
def test_open_enums_keep_unknown_integers(value: int) -> None:
    size = Size(value)
    assert size == value
    assert size.is_known == (value in (1, 2))
    assert pickle.loads(pickle.dumps(size)) == size


@pytest.mark.parametrize("value", [True, None, "1", 1.5])
def test_open_int_enums_take_only_integers(value: object) -> None:
    if value is True:
        assert Size(value) is Size.SMALL  # Python's own rule: True equals the known member 1
    else:
        with pytest.raises(ValueError, match="is not a valid Size"):
            Size(value)


@given(suspicious)
def test_repr_hides_what_the_model_hides(text: str) -> None:
    shown = repr(NewOrder("i", Decimal("1.50"), data={"passport": "CANARY" + text}))
    assert "CANARY" not in shown
    assert "amount=Decimal('1.50')" in shown


def test_hidden_members_are_shown_neither_by_repr_nor_by_rich() -> None:
    """`rich` asks `__rich_repr__`, also for the locals in a traceback."""
    order = NewOrder("i", Decimal(1), data={"pin": "0000"})
    request = Request("GET", "https://a.example/?pin=0000", (("X-Pin", "0000"),), b"0000")
    for shown in (order, request):
        assert "0000" not in f"{shown!r} {list(shown.__rich_repr__())}"


def test_records_are_values() -> None:
    """`Response` and its like are immutable, comparable, copied with changes, and pickled."""
    answer = Response(200, Headers([("a", "b")]), b"{}")
    assert answer == pickle.loads(pickle.dumps(answer)) == copy.copy(answer)
    assert msgspec.structs.replace(answer, status=201).status == 201
    for name in answer.__struct_fields__:
        with pytest.raises(AttributeError, match="immutable"):
            setattr(answer, name, 500)
