"""Idempotency keys: MS43-MS50, D2-D4, MS67, invariant 7."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.contract.binding import BadRequest
from bursar.engine.errors import ExposureExceeded, IdempotencyMismatch, InvalidInput
from bursar.engine.idempotency import parse_key
from bursar.engine.milkyway import worker
from bursar.engine.milkyway.keys import fingerprint
from bursar.engine.milkyway.tables import KEYS
from tests.engine.milkyway.rail import ALPHA, BETA, DAY, SECOND, T0, Rail, body, pay_request


def test_ms43_the_same_key_and_body_is_one_payment(rail: Rail) -> None:
    assert rail.pay(key="k") == rail.pay(key="k")
    assert len(rail.payments()) == 1


def test_ms43_64_calls_at_once_are_one_payment(rail: Rail) -> None:
    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(rail.service.pay(ALPHA, pay_request(), "k") for _ in range(64)))

    assert len(set(rail.do(all_at_once()))) == 1
    assert len(rail.payments()) == 1
    assert rail.exposure().used == Decimal("101.50")


def test_ms43_an_earlier_answer_stands_even_if_the_payment_would_now_be_refused(rail: Rail) -> None:
    payment = rail.pay(key="k")
    rail.set_limit("0.00")
    rail.set_service(down_reason="maintenance")
    assert rail.pay(key="k") == payment


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "100.01"},
        {"recipient": "ok-2"},
        {"sender": "sender-2"},
        {"currency": "EUR"},
        {"data": {"passport": "BB"}},
        {"data": {"passport": "AA1234567", "more": 1}},
    ],
)
def test_ms44_the_same_key_with_another_body_is_refused(rail: Rail, changes: dict[str, Any]) -> None:
    payment = rail.pay(key="k")
    before = rail.row(payment)
    with pytest.raises(IdempotencyMismatch, match=str(payment)):
        rail.pay(key="k", **changes)
    assert rail.row(payment) == before
    assert len(rail.payments()) == 1


def test_d2_zeros_and_order_make_no_other_body(rail: Rail) -> None:
    first = rail.wire_pay(body(amount_credit=100, data={"passport": "A", "n": 1, "b": [1.50, {"c": 2}]}), "k")
    text = (
        b'{"data": {"b": [1.5, {"c": 2.0}], "n": 1.0, "passport": "A"}, "currency_credit": "USD", '
        b'"amount_credit": 1.0E+2, "recipient_id": "ok-1", "sender_id": "sender-1", "service_id": "card-payout", '
        b'"third_party_id_debit": "bank-beta"}'
    )
    assert rail.wire_pay(text, "k") == first


def test_ms45_the_same_key_of_another_institution_is_another_key(rail: Rail) -> None:
    assert rail.pay(key="k") != rail.pay(key="k", caller=BETA)


def test_ms47_keys_live_seven_days_and_then_are_forgotten(rail: Rail) -> None:
    rail.pay(key="other")
    payment = rail.pay(key="k")
    rail.advance(7 * DAY - 1)
    assert rail.pay(key="k") == payment
    rail.clock.advance(1)
    again = rail.pay(key="k")
    assert again != payment, "seven days later a key is free, even before it is purged"
    rail.advance(DAY)
    kept = rail.do(rail.core.read(lambda view: view.select(KEYS)))
    assert [(row.key, row.payment) for row in kept] == [("k", again)], "the purge is durable work"
    rail.advance(8 * DAY)
    assert rail.do(rail.core.read(lambda view: view.count(KEYS))) == 0


def test_ms47_a_key_bound_anew_is_not_forgotten_with_its_old_payment(rail: Rail) -> None:
    rail.pay(key="k")
    old = rail.do(rail.core.read(lambda view: view.select(KEYS)))
    rail.clock.advance(8 * DAY)
    payment = rail.pay(key="k")
    rail.do(rail.core.submit(lambda view: worker.forget(view, old)))
    assert rail.pay(key="k") == payment


def test_ms47_ms50_ms67_keys_and_payments_survive_a_restart(tmp_path: Path) -> None:
    """A crash between commit and response: the retry finds the payment."""
    url = f"sqlite:///{tmp_path}/rail.db"
    with Rail(url) as rail:
        payment = rail.pay(key="k")
    with Rail(url, at=T0 + SECOND) as rail:
        assert rail.pay(key="k") == payment
        rail.advance(0)
        assert rail.status(payment) == 1
        assert rail.pay() > payment
        assert rail.damages() == []


@pytest.mark.parametrize(
    "key",
    ["x" * 256, "é" * 128, "a\nb", "a\x00", "\x7f", "\x85", "k\ud800", "", "   ", '"open', '"a"b"', '""'],
)
def test_ms48_bad_keys_are_refused(rail: Rail, key: str) -> None:
    with pytest.raises(InvalidInput, match="Idempotency-Key"):
        rail.pay(key=key)
    assert rail.payments() == []


def test_ms48_255_bytes_are_allowed(rail: Rail) -> None:
    assert rail.pay(key="x" * 255)


@pytest.mark.parametrize(
    ("sent", "key"), [("abc", "abc"), ('"abc"', "abc"), (r'"a\"b\\c"', r'a"b\c'), ("a b", "a b")]
)
def test_d3_bare_and_quoted_keys(sent: str, key: str) -> None:
    assert parse_key(sent) == key


def test_d3_bare_and_quoted_are_the_same_key(rail: Rail) -> None:
    assert rail.pay(key="abc") == rail.pay(key='"abc"')


def test_ms49_d4_a_refused_try_does_not_burn_the_key(rail: Rail) -> None:
    rail.set_limit("50.00")
    tries: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"data": {}}, InvalidInput),
        ({"amount": "1.001"}, InvalidInput),
        ({}, ExposureExceeded),
    ]
    for changes, error in tries:
        with pytest.raises(error):
            rail.pay(key="k", **changes)
    with pytest.raises(BadRequest):
        rail.wire_pay(body(amount_credit=-1), "k")
    assert rail.pay(key="k", amount="20.00")


numbers = st.one_of(
    st.integers(-(10**20), 10**20), st.decimals(allow_nan=False, allow_infinity=False, places=6)
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(max_size=3), numbers),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def _scaled(value: object) -> object:
    """The same value, its numbers written with more zeros and its members in another order."""
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        sign, digits, exponent = Decimal(value).as_tuple()
        assert isinstance(exponent, int)
        return Decimal((sign, (*digits, 0, 0), exponent - 2))
    if isinstance(value, dict):
        return {name: _scaled(member) for name, member in reversed(value.items())}
    return [_scaled(item) for item in value] if isinstance(value, list) else value


def _plain(value: object) -> object:
    """What equality of requests means: numbers by value, but never equal to booleans."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, (int, Decimal)):
        return ("number", Decimal(value))
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


objects = st.dictionaries(st.text(max_size=2), values, max_size=3)


@given(objects, objects)
def test_invariant_7_fingerprints_are_equal_exactly_for_equal_requests(one: dict, other: dict) -> None:
    def of(data: object) -> bytes:
        return fingerprint(pay_request(data=data))  # pyright: ignore[reportArgumentType]  # any JSON object

    assert of(one) == of(_scaled(one))
    assert (of(one) == of(other)) == (_plain(one) == _plain(other))
