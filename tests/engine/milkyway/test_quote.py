"""Quote arithmetic: D7-D9, D19, MS15-MS21."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.currency import asset, digits, to_decimal, to_minor
from bursar.engine.errors import InvalidInput
from bursar.engine.limits import AMOUNT_DIGITS
from bursar.engine.milkyway.quote import RATE_DIGITS, Commission, Rate, price, shown_rate

rates = st.builds(
    Rate,
    st.decimals("0.000001", 1_000_000, places=12),
    st.decimals(0, "0.999", places=5),
)
currencies = st.sampled_from(["USD", "UZS", "JPY", "KWD"])


def test_ms15_vendor_fixture() -> None:
    quote = price(
        100_00, "USD", "UZS", Rate(Decimal(13000), Decimal("0.025")), Commission(percent=Decimal("1.5"))
    )
    assert quote.rate == Decimal("12675.00")
    assert to_decimal(quote.amount_debit, "UZS") == Decimal("1267500.00")
    assert to_decimal(quote.commission, "USD") == Decimal("1.50")
    assert quote.charge == 101_50


@pytest.mark.parametrize(
    ("amount", "mid", "expected"),
    [(1, "0.5", 0), (3, "0.5", 2), (5, "0.5", 2), (7, "0.5", 4), (101, "0.505", 51), (1, "2.5", 2)],
)
def test_ms15_debit_rounds_half_even(amount: int, mid: str, expected: int) -> None:
    rate = Rate(Decimal(mid))
    if expected == 0:
        with pytest.raises(InvalidInput, match="too small"):
            price(amount, "USD", "UZS", rate, Commission())
    else:
        assert price(amount, "USD", "UZS", rate, Commission()).amount_debit == expected


@pytest.mark.parametrize(("amount", "expected"), [(50, 1), (49, 0), (150, 2), (250, 3)])
def test_ms17_commission_rounds_half_up(amount: int, expected: int) -> None:
    assert Commission(percent=Decimal(1)).on(amount) == expected


def test_d9_commission_is_fixed_plus_percent_within_bounds() -> None:
    rule = Commission(fixed=50, percent=Decimal("1.25"), minimum=100, maximum=300)
    assert [rule.on(amount) for amount in (1, 10_000, 1_000_000)] == [100, 175, 300]
    assert Commission(fixed=7).on(10**30) == 7


def test_ms16_rate_contains_the_markup_and_mid_is_not_it() -> None:
    rate = Rate(Decimal("1.10"), Decimal("0.10"))
    assert rate.client == Decimal("0.99")
    assert price(100, "EUR", "USD", rate, Commission()).amount_debit == 99


def test_ms18_same_currency_is_one_for_one() -> None:
    quote = price(12_345, "USD", "USD", Rate(Decimal(1)), Commission(fixed=25))
    assert (quote.amount_debit, quote.commission, str(quote.rate)) == (12_345, 25, "1.00")


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        ("12675", "12675.00"),
        ("1.500", "1.50"),
        ("3.67250000001", "3.67250000001"),
        ("0.1", "0.10"),
        ("1E+3", "1000.00"),
    ],
)
def test_d19_rate_is_shown_with_at_least_two_decimals(rate: str, text: str) -> None:
    assert f"{shown_rate(Decimal(rate)):f}" == text


def test_d19_money_has_the_minor_digits_of_its_currency() -> None:
    shown = [f"{to_decimal(150, currency):f}" for currency in ("USD", "JPY", "KWD")]
    assert shown == ["1.50", "150", "0.150"]
    assert [asset(currency) for currency in ("USD", "JPY", "KWD")] == ["USD/2", "JPY", "KWD/3"]


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.001", "USD"), ("1.5", "JPY"), ("0.0001", "KWD"), ("1E-30", "USD")]
)
def test_ms20_too_many_decimals_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(InvalidInput, match=f"{currency} has {digits(currency)}") as refused:
        to_minor(Decimal(amount), currency, "/amount_credit")
    assert refused.value.errors[0].pointer == "/amount_credit"


def test_ms20_trailing_zeros_are_no_decimals() -> None:
    assert to_minor(Decimal("1.5000000"), "USD") == 150
    assert to_minor(Decimal("7.0"), "JPY") == 7
    assert to_minor(Decimal("1E+3"), "USD") == 100_000


def test_ms21_thirty_digits_are_exact() -> None:
    amount = Decimal("123456789012345678901234567890.12")
    minor = to_minor(amount, "USD")
    assert minor == 12345678901234567890123456789012
    quote = price(minor, "USD", "USD", Rate(Decimal(1)), Commission(percent=Decimal(1)))
    assert to_decimal(quote.amount_debit, "USD") == amount
    assert quote.commission == 123456789012345678901234567890


@pytest.mark.parametrize("amount", ["1E+34", "1E+1000", "9" * 36])
def test_ms21_beyond_the_stated_bound_is_refused(amount: str) -> None:
    with pytest.raises(InvalidInput, match=f"at most {AMOUNT_DIGITS} digits"):
        to_minor(Decimal(amount), "USD")


def test_ms21_a_payout_beyond_the_bound_is_refused() -> None:
    with pytest.raises(InvalidInput, match=f"more than {AMOUNT_DIGITS} digits"):
        price(10**34, "USD", "UZS", Rate(Decimal(13000)), Commission())


@pytest.mark.parametrize("code", ["XXX", "XAU", "ABC", "usd", ""])
def test_ms22_unknown_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="not an ISO 4217 currency"):
        digits(code)


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "-0.01"])
def test_ms19_no_amount_is_below_zero_or_no_number(amount: str) -> None:
    with pytest.raises(InvalidInput):
        to_minor(Decimal(amount), "USD")


@given(st.integers(1, 10**30), rates, currencies, currencies)
def test_quotes_agree_with_exact_fractions(amount: int, rate: Rate, credit: str, debit: str) -> None:
    """MS15, D7, D8 against an oracle that computes with fractions; markup income is never negative."""
    try:
        quote = price(amount, credit, debit, rate, Commission(percent=Decimal("0.35")))
    except InvalidInput:
        return
    exact_rate = Fraction(rate.mid) * (1 - Fraction(rate.markup))
    assert Fraction(quote.rate) <= exact_rate
    assert exact_rate - Fraction(quote.rate) < Fraction(10) ** (quote.rate.adjusted() - RATE_DIGITS + 1)
    scale = Fraction(10) ** (digits(debit) - digits(credit))
    assert quote.amount_debit == _rounded(amount * Fraction(quote.rate) * scale, ROUND_HALF_EVEN)
    assert quote.mid_debit == _rounded(amount * Fraction(rate.mid) * scale, ROUND_HALF_EVEN)
    assert quote.commission == _rounded(amount * Fraction("0.0035"), ROUND_HALF_UP)
    assert quote.markup_income >= 0


@given(st.integers(0, 10**35 - 1), currencies)
def test_minor_units_round_trip(minor: int, currency: str) -> None:
    assert to_minor(to_decimal(minor, currency), currency) == minor


def _rounded(value: Fraction, rounding: str) -> int:
    floor, rest = divmod(value.numerator, value.denominator)
    twice = Fraction(2 * rest, value.denominator)
    up = twice > 1 or (twice == 1 and (rounding == ROUND_HALF_UP or floor % 2 == 1))
    return floor + up


def test_arithmetic_does_not_depend_on_the_callers_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert to_minor(Decimal("123456.78"), "USD") == 12345678
        assert price(12345678, "USD", "UZS", Rate(Decimal("1.2345")), Commission()).amount_debit == 15240739
