"""Health and quotes: MS11-MS30, D1, D10, D20."""

import json
from decimal import Decimal

import pytest

from bursar.contract.binding import BadRequest, route
from bursar.engine.books import LOGS
from bursar.engine.errors import InvalidInput, NotFound, Unavailable
from bursar.engine.milkyway.errors import ServiceDown, UnknownInstitution
from bursar.engine.milkyway.quotes import Asked, QuoteBook
from bursar.milkyway import MilkywayPayments
from bursar.milkyway.operator import SimulatorRule
from tests.engine.milkyway.rail import ALPHA, BETA, PASSPORT, SECOND, Caller, Rail, body, precheck_request


def health(rail: Rail, bank: str = "bank-beta", service: str = "card-payout") -> str:
    return rail.do(rail.service.healthcheck(ALPHA, bank, service))


def without_sender(**changes: object) -> dict[str, object]:
    return body(sender_id=None, **changes)


def test_ms11_d20_a_service_that_is_up_says_so(rail: Rail) -> None:
    assert health(rail) == "Service is available"


def test_ms12_a_service_that_is_down_says_why(rail: Rail) -> None:
    rail.set_service(down_reason="maintenance until noon")
    with pytest.raises(ServiceDown, match="maintenance until noon"):
        health(rail)


def test_ms12_a_bank_whose_simulator_is_down_is_unhealthy(rail: Rail) -> None:
    rail.set_rules(SimulatorRule("down", service="card-*"))
    with pytest.raises(ServiceDown):
        health(rail)
    rail.set_rules(SimulatorRule("down", recipient="someone"))
    assert health(rail)


@pytest.mark.parametrize(
    ("bank", "service"), [("no-bank", "card-payout"), ("bank-beta", "no-service"), ("*", "*")]
)
def test_ms13_unknown_bank_or_service_is_not_found(rail: Rail, bank: str, service: str) -> None:
    with pytest.raises(NotFound):
        health(rail, bank, service)


@pytest.mark.parametrize(
    "query", [[], [("third_party_id", "bank-beta")], [("third_party_id", " "), ("service_id", "x")]]
)
def test_ms14_missing_or_blank_parameters_are_refused(rail: Rail, query: list[tuple[str, str]]) -> None:
    with pytest.raises(BadRequest):
        rail.wire(route(MilkywayPayments.healthcheck, rail.service.healthcheck), query=query)


def test_ms10_a_client_that_is_no_institution_gets_nowhere(rail: Rail) -> None:
    stranger = Caller("stranger")
    for call in (
        rail.service.healthcheck(stranger, "bank-beta", "card-payout"),
        rail.service.precheck(stranger, precheck_request()),
        rail.service.postcheck(stranger, 1),
        rail.service.cancel(stranger, 1),
    ):
        with pytest.raises(UnknownInstitution):
            rail.do(call)


def test_ms15_ms28_the_quote_on_the_wire(rail: Rail) -> None:
    quote = rail.wire_precheck(without_sender())
    assert quote == {
        "third_party_id": "bank-beta",
        "service_id": "card-payout",
        "recipient_id": "ok-1",
        "amount_credit": Decimal("100.00"),
        "currency_credit": "USD",
        "amount_debit": Decimal("1267500.00"),
        "currency_debit": "UZS",
        "rate": Decimal("12675.00"),
        "commission": Decimal("1.50"),
    }


def test_ms28_numbers_keep_their_scale(rail: Rail) -> None:
    bound = route(MilkywayPayments.precheck, rail.service.precheck)
    text = bound.encode(rail.precheck()).body.decode()
    for member in (
        '"amount_credit":100.00',
        '"amount_debit":1267500.00',
        '"rate":12675.00',
        '"commission":1.50',
    ):
        assert member in text


def test_ms16_the_mid_rate_is_never_shown(rail: Rail) -> None:
    assert "13000" not in json.dumps(rail.wire_precheck(without_sender()), default=str)


def test_ms18_same_currency(rail: Rail) -> None:
    quote = rail.precheck(bank="bank-alpha", service="account-payout", caller=BETA, data=None)
    assert (quote.amount_debit, quote.rate, quote.commission) == (
        Decimal("100.00"),
        Decimal("1.00"),
        Decimal("1.50"),
    )


@pytest.mark.parametrize("amount", [0, -1, "100", True, None, [100], {"a": 1}])
def test_ms19_bad_amounts_are_refused(rail: Rail, amount: object) -> None:
    with pytest.raises(BadRequest, match="amount_credit"):
        rail.wire_precheck({**without_sender(), "amount_credit": amount})


@pytest.mark.parametrize(("amount", "currency"), [("1.001", "USD"), ("1.5", "JPY")])
def test_ms20_too_many_decimals(rail: Rail, amount: str, currency: str) -> None:
    with pytest.raises(InvalidInput, match="too many decimals"):
        rail.precheck(amount=amount, currency=currency)


def test_ms21_thirty_digits_are_exact_or_refused(rail: Rail) -> None:
    amount = "123456789012345678901234567890"
    quote = rail.precheck(amount=amount)
    assert quote.amount_debit == int(amount) * 12675
    with pytest.raises(InvalidInput, match="at most 36 digits"):
        rail.precheck(amount="1" + "0" * 40)


def test_ms22_unknown_currency_or_pair(rail: Rail) -> None:
    with pytest.raises(InvalidInput, match="ZZZ is not an ISO 4217 currency"):
        rail.precheck(currency="ZZZ")
    with pytest.raises(InvalidInput, match="no rate from CHF to UZS") as refused:
        rail.precheck(currency="CHF")
    assert refused.value.errors[0].pointer == "/currency_credit"


def test_ms23_a_missing_member_is_named_by_its_pointer(rail: Rail) -> None:
    for data in (None, {}, {"other": 1}):
        with pytest.raises(InvalidInput) as refused:
            rail.precheck(data=data)
        assert [error.pointer for error in refused.value.errors] == ["/data/passport"]
        assert "/data/passport" in refused.value.message


@pytest.mark.parametrize(
    ("schema", "data", "pointer"),
    [
        ({"properties": {"a": {"type": "integer"}}}, {"a": "1"}, "/data/a"),
        ({"properties": {"a": {"pattern": "^[0-9]+$"}}}, {"a": "x1"}, "/data/a"),
        ({"properties": {"a": {"format": "date"}}}, {"a": "2024-02-30"}, "/data/a"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1, "b/c": 2}, "/data/b~1c"),
        ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["x", 1]}, "/data/a/1"),
        ({"properties": {"a": {"multipleOf": 0.01}}}, {"a": Decimal("1.001")}, "/data/a"),
    ],
)
def test_ms24_d14_the_schema_decides(
    rail: Rail, schema: dict[str, object], data: object, pointer: str
) -> None:
    rail.set_service(data_schema=schema)
    with pytest.raises(InvalidInput) as refused:
        rail.precheck(data=data)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_ms25_without_schema_data_is_not_looked_at(rail: Rail) -> None:
    rail.set_service(data_schema=None)
    assert rail.precheck(data=None).rate == rail.precheck(data={"whatever": [1]}).rate


def test_ms26_precheck_leaves_no_trace(rail: Rail) -> None:
    before = rail.core.store.version, rail.do(rail.core.read(lambda view: view.count(LOGS)))
    rail.precheck()
    assert (rail.core.store.version, rail.do(rail.core.read(lambda view: view.count(LOGS)))) == before
    assert rail.payments() == []


def test_ms27_precheck_does_not_look_at_limits(rail: Rail) -> None:
    assert rail.precheck(amount="99999999.00").amount_credit == Decimal("99999999.00")


def test_ms29_what_the_bank_says(rail: Rail) -> None:
    with pytest.raises(InvalidInput) as refused:
        rail.precheck("unknown-1")
    assert refused.value.errors[0].pointer == "/recipient_id"
    with pytest.raises(Unavailable):
        rail.precheck("down-1")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"amount_credit": 1, "amount_credit": 2}',
        b'{"amount_credit": NaN}',
        b"{} trailing",
        b"[]",
        b"",
        b'{"a": "\xff"}',
        b"[" * 5000,
    ],
)
def test_ms30_malformed_bodies(rail: Rail, raw: bytes) -> None:
    with pytest.raises(BadRequest):
        rail.wire_precheck(raw)


def test_ms09_a_body_must_not_name_the_credit_party(rail: Rail) -> None:
    with pytest.raises(BadRequest, match="third_party_id_credit"):
        rail.wire_precheck(without_sender(third_party_id_credit="bank-beta"))
    with pytest.raises(BadRequest, match="third_party_id_credit"):
        rail.wire_pay(body(third_party_id_credit="bank-beta"))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"bank": "nobody"}, "/third_party_id_debit"), ({"service": "nothing"}, "/service_id")],
)
def test_d10_unknown_bank_or_service_is_bad_input(rail: Rail, changes: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        rail.precheck(**changes)
    assert refused.value.errors[0].pointer == pointer


def test_d1_a_quote_is_held_for_a_minute(rail: Rail) -> None:
    rail.precheck()
    rail.set_rate("USD", "UZS", "10000")
    rail.clock.advance(60 * SECOND - 1)
    assert rail.detail(rail.pay()).quote.rate == Decimal("12675.00")
    rail.clock.advance(1)
    assert rail.detail(rail.pay()).quote.rate == Decimal("10000.00")


@pytest.mark.parametrize(
    "changes", [{"recipient": "ok-2"}, {"amount": "100.01"}, {"data": PASSPORT, "currency": "EUR"}]
)
def test_d1_another_question_is_not_answered_from_the_book(rail: Rail, changes: dict[str, str]) -> None:
    rail.precheck()
    rail.set_rate("USD", "UZS", "10000")
    rail.set_rate("EUR", "UZS", "10000")
    assert rail.detail(rail.pay(**changes)).quote.rate == Decimal("10000.00")


def test_d1_another_institutions_quote_is_not_used(rail: Rail) -> None:
    rail.precheck(caller=BETA)
    rail.set_rate("USD", "UZS", "10000")
    assert rail.detail(rail.pay()).quote.rate == Decimal("10000.00")


def test_d1_a_quote_for_another_payout_currency_is_void(rail: Rail) -> None:
    rail.set_service(currency="UZS", data_schema=None)
    rail.precheck()
    rail.set_service(currency="USD", data_schema=None)
    assert rail.detail(rail.pay()).summary.currency_debit == "USD"


def test_d1_the_quote_book_is_bounded() -> None:
    book = QuoteBook(size=2)
    asked = [Asked("a", "b", "s", str(number), Decimal(1), "USD") for number in range(3)]
    quote = object()
    for each in asked:
        book.hold(each, quote, now=5)  # pyright: ignore[reportArgumentType]  # the book does not look inside
    assert [book.held(each, 5) for each in asked] == [None, quote, quote]
    assert book.held(asked[2], 4) is None, "a clock that went back ends a quote"
