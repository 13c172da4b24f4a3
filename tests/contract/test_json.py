"""Exact JSON both ways (bursar.contract.json): MC09-MC16, MW-1, MW-14, MW-15."""

from __future__ import annotations

import contextlib
import enum
import json
import math
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.contract import InvalidRequestError, UnreadableAnswer
from bursar.contract.json import MAX_DEPTH, MAX_DIGITS, dumps, loads, number

amounts = st.builds(
    lambda sign, digits, exponent: Decimal((sign, digits, exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=40).map(tuple),
    st.integers(-40, 40),
).map(lambda amount: amount or abs(amount))
# Texts that look like what a careless encoder might use as a marker, or like a number.
suspicious = st.sampled_from(
    ["@@DEC0@@", "@@DEC1@@", "100.00", "NaN", '"', "\\", "\\u0000", "null", "{}", "1e3"]
)
texts = st.one_of(suspicious, st.text(st.characters(codec="utf-8"), max_size=20))
trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**40), 10**40), amounts, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Equal, numbers by value, and True is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, Decimal)):
        return isinstance(other, (int, Decimal)) and one == other
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(same(one[k], other[k]) for k in one)
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    return bool(one == other and type(one) is type(other))


@given(trees)
@settings(max_examples=60)
def test_mc12_mw1_what_goes_out_comes_back_whatever_texts_look_like(tree: Any) -> None:
    assert same(tree, loads(dumps(tree)))


@given(trees)
@settings(max_examples=40)
def test_what_goes_out_is_json_for_everybody(tree: Any) -> None:
    assert same(tree, json.loads(dumps(tree), parse_float=Decimal))


@given(amounts)
def test_mc09_mc10_amounts_go_out_with_their_digits_and_without_exponent(amount: Decimal) -> None:
    text = dumps({"n": amount}).decode().removeprefix('{"n":').removesuffix("}")
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert text == format(amount, "f")
    assert Decimal(text) == amount


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100.00", b"100.00"),
        ("1E+3", b"1000"),
        ("1E-7", b"0.0000001"),
        ("9007199254740993.55", b"9007199254740993.55"),
        ("3.67250000001", b"3.67250000001"),
        ("0.10", b"0.10"),
        ("-0.0", b"-0.0"),
    ],
)
def test_mc09_mc10_numbers_on_the_wire(value: str, text: bytes) -> None:
    assert number(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"a": [v]}, lambda v: {"a": {"b": v}}])
def test_mc13_mw14_nan_and_infinity_are_refused_anywhere(value: str, wrap: Any) -> None:
    with pytest.raises(InvalidRequestError, match="must be finite"):
        dumps(wrap(Decimal(value)))
    if value != "sNaN":
        with pytest.raises(InvalidRequestError, match="must be finite"):
            dumps(wrap(float(value)))


@pytest.mark.parametrize("value", [0.1, 1.0, True, "1.00", None, b"1", math.nan])
def test_mc14_money_is_a_decimal_or_an_int(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="must be a Decimal or an int"):
        number(value)


@pytest.mark.parametrize(
    "value",
    [Decimal("1E+4001"), Decimal("1E-4001"), 10**4100, Decimal("1E+999999999")],
    ids=["big", "small", "integer", "endless"],
)
def test_numbers_have_a_bound(value: Decimal | int) -> None:
    with pytest.raises(InvalidRequestError, match="too many digits"):
        number(value)


def test_mw15_any_mapping_and_tuple_may_be_nested() -> None:
    inner = MappingProxyType({"amount": Decimal("1.10"), "list": (1, 2)})
    outer: Mapping[str, Any] = OrderedDict(inner=inner)
    assert dumps(outer) == b'{"inner":{"amount":1.10,"list":[1,2]}}'


def test_mc16_text_and_big_integers_survive() -> None:
    value = {"имя": "Ünï 名 🏦", "n": 12345678901234567890123456789}
    assert json.loads(dumps(value)) == value


class OldText(str, enum.Enum):  # noqa: UP042 - the style under test
    NEW = "new"


class OldNumber(int, enum.Enum):
    TWO = 2


class Amount(Decimal, enum.Enum):
    TEN = Decimal("10.00")


class Plain(enum.Enum):
    ROUND = "round"


def test_enums_of_every_style_go_out_as_their_value() -> None:
    value = [OldText.NEW, OldNumber.TWO, Plain.ROUND, enum.IntEnum("N", {"A": 3}).A, Amount.TEN]
    assert dumps(value) == b'["new",2,"round",3,10.00]'


def test_moments_dates_and_ids_go_out_as_text() -> None:
    tashkent = timezone(timedelta(hours=5))
    values = {
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "there": datetime(2026, 1, 2, 8, 4, 5, 120000, tzinfo=tashkent),
        "on": date(2026, 1, 2),
        "id": UUID(int=1),
    }
    assert loads(dumps(values)) == {
        "at": "2026-01-02T03:04:05Z",
        "there": "2026-01-02T03:04:05.12Z",
        "on": "2026-01-02",
        "id": "00000000-0000-0000-0000-000000000001",
    }


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="needs a zone") as caught:
        dumps({"a": [datetime(2026, 1, 1)]})  # noqa: DTZ001 - the point of the test
    assert caught.value.pointer == "/a/0"


@pytest.mark.parametrize("value", [b"x", {1}, object(), {1: 2}, {"a": {None: 1}}, "\ud800", {"\udfff": 1}])
def test_what_has_no_json_form_is_refused_before_it_leaves(value: object) -> None:
    with pytest.raises(InvalidRequestError):
        dumps(value)


def test_a_cycle_is_refused() -> None:
    knot: list[Any] = []
    knot.append(knot)
    with pytest.raises(InvalidRequestError, match="nested deeper"):
        dumps(knot)


@given(amounts)
def test_mc52_numbers_come_in_with_every_digit(amount: Decimal) -> None:
    text = format(amount, "f")
    assert str(loads(f'{{"n": {text}}}')["n"]) == str(Decimal(text))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"a":1,"a":1}', "same key twice"),
        (b'{"x":[{"a":1,"a":2}]}', "same key twice"),
        (b"NaN", "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":1} x', "not JSON"),
        (b"", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"01", "not JSON"),
        (b'"\x00"', "not JSON"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"\xef\xbb\xbf1", "not JSON"),
        (b'{"a":"\\ud800"}', "lone surrogate"),
        (b'{"\\udc00":1}', "lone surrogate"),
        (b'["\\ud800\\ud800"]', "lone surrogate"),
        (b"1" * (MAX_DIGITS + 1), "too many digits"),
        (b"-1" + b"0" * 5000, "too many digits"),
        (b"1." + b"1" * MAX_DIGITS, "too many digits"),
        (b"1e4001", "too many digits"),
        (b"1e-999999999", "too many digits"),
        (b"1e99999999999999999999", "too many digits"),
        (b"[1e-99999999999999999999]", "too many digits"),
        (nested(MAX_DEPTH + 2), "nested deeper"),
        (nested(200_000), "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
    ],
)
def test_reading_is_strict(body: bytes, words: str) -> None:
    with pytest.raises(UnreadableAnswer, match=re.escape(words)):
        loads(body)


def test_escaped_pairs_are_one_character() -> None:
    assert loads(b'"\\ud83c\\udfe6"') == "🏦"


@given(st.binary(max_size=60))
def test_reading_arbitrary_bytes_raises_nothing_else(body: bytes) -> None:
    with contextlib.suppress(UnreadableAnswer):
        loads(body)


fragments = st.sampled_from(
    [b"{", b"}", b"[", b"]", b":", b",", b'"a"', b'"', b"1", b"-", b"1e9", b"e", b".", b"0", b"true", b"null",
     b"NaN", b"\\u", b"\\ud800", b"\xff", b" ", b"1e99999999999999999999"]
)  # fmt: skip


@given(st.lists(fragments, max_size=12).map(b"".join))
def test_reading_json_like_bytes_raises_nothing_else(body: bytes) -> None:
    with contextlib.suppress(UnreadableAnswer):
        loads(body)
