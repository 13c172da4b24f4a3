"""Accepting payments: MS31-MS42, MS46, MS51, D4-D6, D18, A12."""

import asyncio
from decimal import Decimal

import pytest

from bursar.contract.binding import BadRequest
from bursar.engine.errors import ExposureExceeded, InvalidInput, Unavailable
from bursar.engine.milkyway.errors import UnknownInstitution
from bursar.milkyway.models import TransactionStatus
from bursar.milkyway.operator import Connector, InstitutionSettings
from tests.engine.milkyway.rail import ALPHA, BETA, MINUTE, OPERATOR, SECOND, Rail, body, pay_request


def test_ms31_ids_are_unique_and_increasing(rail: Rail) -> None:
    ids = [rail.pay() for _ in range(5)]
    assert ids == sorted(set(ids))
    assert all(isinstance(each, int) and each < 2**53 for each in ids)


def test_d18_ids_start_at_a_random_offset() -> None:
    firsts = set()
    for seed in (1, 2):
        with Rail(seed=seed) as rail:
            firsts.add(rail.pay())
    assert len(firsts) == 2
    assert min(firsts) >= 10**9


def test_ms31_the_answer_is_an_integer(rail: Rail) -> None:
    answer = rail.wire_pay(body())
    assert answer == {"transaction_id": rail.payments()[0].id}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "1.001"},
        {"currency": "CHF"},
        {"data": {}},
        {"bank": "nobody"},
        {"service": "nothing"},
        {"recipient": "unknown-1"},
        {"amount": "1" + "0" * 40},
    ],
)
def test_ms32_pay_runs_the_checks_of_precheck_and_writes_nothing(rail: Rail, changes: dict[str, str]) -> None:
    before = rail.core.store.version
    with pytest.raises(InvalidInput) as by_precheck:
        rail.precheck(**changes)
    with pytest.raises(InvalidInput) as by_pay:
        rail.pay(**changes)
    assert by_pay.value.errors == by_precheck.value.errors
    assert rail.core.store.version == before


@pytest.mark.parametrize("sender", [None, "", "   ", 7])
def test_ms33_sender_is_required(rail: Rail, sender: object) -> None:
    members = body()
    del members["sender_id"]
    with pytest.raises(BadRequest, match="sender_id"):
        rail.wire_pay(members if sender is None else {**members, "sender_id": sender})


def test_ms34_later_rates_do_not_touch_an_accepted_payment(rail: Rail) -> None:
    payment = rail.pay()
    rail.set_rate("USD", "UZS", "1")
    rail.advance(SECOND)
    detail = rail.detail(payment)
    assert detail.summary.amount_debit == Decimal("1267500.00")
    quote = detail.quote
    assert (quote.rate, quote.mid, quote.markup) == (Decimal(12675), Decimal(13000), Decimal("0.025"))
    assert quote.commission == Decimal("1.50")
    assert rail.balances()["payable:bank-beta:UZS"] == Decimal("1267500.00")


def test_ms35_postings_of_acceptance(rail: Rail) -> None:
    assert rail.steps(rail.pay()) == {
        "accepted": [
            ("receivable:bank-alpha:USD", "transit:USD", Decimal("100.00")),
            ("receivable:bank-alpha:USD", "liability:commission_unearned:USD", Decimal("1.50")),
        ]
    }


def test_ms35_postings_of_done(rail: Rail) -> None:
    payment = rail.pay()
    rail.advance(SECOND)
    assert rail.steps(payment)["done"] == [
        ("transit:USD", "fx:position:USD", Decimal("100.00")),
        ("fx:position:UZS", "payable:bank-beta:UZS", Decimal("1267500.00")),
        ("fx:position:UZS", "income:fx_markup:UZS", Decimal("32500.00")),
        ("liability:commission_unearned:USD", "income:commission:USD", Decimal("1.50")),
    ]


def test_ms35_postings_of_failed(rail: Rail) -> None:
    payment = rail.pay("decline-1")
    before = rail.balances()
    rail.advance(SECOND)
    assert rail.steps(payment)["failed"] == [
        ("transit:USD", "receivable:bank-alpha:USD", Decimal("100.00")),
        ("liability:commission_unearned:USD", "receivable:bank-alpha:USD", Decimal("1.50")),
    ]
    assert "transit:USD" in before
    assert not {"transit:USD", "receivable:bank-alpha:USD"} & rail.balances().keys()


def test_ms36_beyond_the_limit_is_refused_and_nothing_is_written(rail: Rail) -> None:
    rail.pay(amount="9000.00")
    before = rail.core.store.version
    with pytest.raises(ExposureExceeded) as refused:
        rail.pay(amount="1000.00", key="k")
    assert rail.core.store.version == before
    assert refused.value.message == (
        "exposure limit exceeded: the payment needs 1010.50 USD and 909.50 USD is left (limit 10000.00 USD, "
        "deposit 0.00 USD, in use 9090.50 USD); settle or deposit at least 101.00 USD, then pay again"
    )
    rail.cash("deposit", "bank-alpha", "101.00")
    assert rail.pay(amount="1000.00", key="k")


def test_ms37_exactly_at_the_limit_is_allowed(rail: Rail) -> None:
    rail.set_limit("101.50")
    rail.pay()
    assert rail.exposure().available == 0
    with pytest.raises(ExposureExceeded):
        rail.pay(amount="0.01")


def test_ms37_one_cent_beyond_is_not(rail: Rail) -> None:
    rail.set_limit("101.49")
    with pytest.raises(ExposureExceeded, match=r"at least 0\.01 USD"):
        rail.pay()


def test_ms38_an_alerting_limit_allows_and_records(rail: Rail) -> None:
    rail.set_limit("100.00", "alert")
    within, beyond = rail.pay(amount="50.00"), rail.pay(amount="50.00")
    assert [rail.detail(each).over_limit for each in (within, beyond)] == [False, True]
    entry = rail.do(rail.operator.list_audit(OPERATOR)).entries[0]
    assert (entry.action, entry.subject, entry.actor) == ("limit-alert", f"payment:{beyond}", "engine")


def test_ms39_two_that_fit_singly_but_not_together(rail: Rail) -> None:
    rail.set_limit("150.00")

    async def both() -> list[object]:
        pays = (rail.service.pay(ALPHA, pay_request()) for _ in range(2))
        return await asyncio.gather(*pays, return_exceptions=True)

    accepted, refused = sorted(rail.do(both()), key=lambda answer: isinstance(answer, Exception))
    assert isinstance(accepted, int)
    assert isinstance(refused, ExposureExceeded)
    assert len(rail.payments()) == 1


def test_ms40_failed_and_cancelled_payments_give_the_exposure_back(rail: Rail) -> None:
    failed, cancelled, done = rail.pay("decline-1"), rail.pay(), rail.pay()
    assert rail.exposure().used == Decimal("304.50")
    rail.cancel(cancelled)
    rail.advance(SECOND)
    assert [rail.status(each) for each in (failed, cancelled, done)] == [3, 2, 1]
    assert rail.exposure().used == Decimal("101.50")


def test_ms41_a_deposit_raises_the_limit_at_once(rail: Rail) -> None:
    rail.set_limit("0.00")
    with pytest.raises(ExposureExceeded):
        rail.pay()
    rail.cash("deposit", "bank-alpha", "101.50")
    assert rail.pay()


def test_ms42_limits_are_kept_for_each_currency(rail: Rail) -> None:
    rail.pay(amount="9000.00")
    rail.pay(amount="4000.00", currency="EUR")
    assert rail.exposure(currency="USD").used == Decimal("9090.50")
    assert rail.exposure(currency="EUR").used == Decimal("4040.50")


def test_d5_a_currency_without_limit_has_no_credit(rail: Rail) -> None:
    with pytest.raises(ExposureExceeded, match=r"limit 0\.00 GBP"):
        rail.pay(currency="GBP")
    rail.cash("deposit", "bank-alpha", "200.00", "GBP")
    assert rail.pay(currency="GBP")


def test_d6_stuck_and_unsettled_payments_count(rail: Rail) -> None:
    rail.pay("silent-1")
    rail.pay("ok-1")
    rail.advance(15 * MINUTE)
    assert [row.state for row in rail.payments()] == [TransactionStatus.STUCK, TransactionStatus.DONE]
    assert rail.exposure().used == Decimal("203.00")


def test_ms46_without_key_each_call_is_a_payment(rail: Rail) -> None:
    assert rail.pay() != rail.pay()


def test_ms51_nothing_is_accepted_for_a_bank_that_is_down(rail: Rail) -> None:
    before = rail.core.store.version
    with pytest.raises(Unavailable, match="nothing was paid"):
        rail.pay("down-1", key="k")
    assert rail.core.store.version == before
    assert rail.pay("ok-1", key="k"), "the key was not burnt"


def test_ms51_nothing_is_accepted_for_a_service_out_of_order(rail: Rail) -> None:
    rail.set_service(down_reason="maintenance")
    with pytest.raises(Unavailable, match="maintenance"):
        rail.pay()


def test_a_disabled_institution_neither_pays_nor_receives(rail: Rail) -> None:
    for bank in ("bank-alpha", "bank-beta"):
        settings = InstitutionSettings(bank, Connector.SIMULATED, enabled=False)
        rail.do(rail.operator.put_institution(OPERATOR, bank, settings))
    with pytest.raises(UnknownInstitution):
        rail.pay()
    rail.do(
        rail.operator.put_institution(OPERATOR, "bank-alpha", InstitutionSettings("A", Connector.SIMULATED))
    )
    with pytest.raises(Unavailable, match="disabled"):
        rail.pay()


def test_a_payment_of_one_currency_within_one_bank(rail: Rail) -> None:
    """Sender and recipient bank may be one; the position of a single currency ends where it was."""
    rail.set_rate("USD", "USD", "1", "0.01")
    payment = rail.pay(bank="bank-alpha", service="account-payout", data=None)
    rail.advance(SECOND)
    assert rail.status(payment) == TransactionStatus.DONE
    balances = rail.balances()
    assert balances["payable:bank-alpha:USD"] == Decimal("99.00")
    assert balances["income:fx_markup:USD"] == Decimal("1.00")
    assert "fx:position:USD" not in balances


def test_commissions_by_bank_and_service_go_before_general_ones(rail: Rail) -> None:
    from bursar.milkyway.operator import CommissionSettings

    def commission() -> Decimal:
        return rail.precheck().commission

    for bank, service, fixed in (("bank-beta", "*", "7.00"), ("bank-beta", "card-payout", "9.00")):
        settings = CommissionSettings(fixed=Decimal(fixed))
        rail.do(rail.operator.put_commission(OPERATOR, bank, service, "USD", settings))
        assert commission() == Decimal(fixed)


def test_the_sandbox_lets_bank_beta_send_too(rail: Rail) -> None:
    payment = rail.pay(
        amount="1300000.00",
        currency="UZS",
        caller=BETA,
        bank="bank-alpha",
        service="account-payout",
        data=None,
    )
    rail.advance(SECOND)
    assert rail.status(payment, BETA) == TransactionStatus.DONE
