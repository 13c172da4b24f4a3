"""The back office: MS64, MS65, D13, D17, the treasury's postings of A12."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.contract.binding import BadRequest, Route, route
from bursar.contract.endpoint import Endpoint
from bursar.engine.errors import Conflict, InvalidInput, NotFound
from bursar.milkyway import operator as contract
from bursar.milkyway.models import TransactionStatus
from bursar.milkyway.operator import MilkywayOperator
from tests.engine.milkyway.rail import MINUTE, OPERATOR, SECOND, T0, Rail

PENDING, DONE, CANCELLED, FAILED, CANCEL_PENDING, STUCK = TransactionStatus


def stuck(rail: Rail) -> int:
    payment = rail.pay("silent-1")
    rail.advance(15 * MINUTE)
    assert rail.status(payment) is STUCK
    return payment


def done(rail: Rail, **options: Any) -> int:
    payment = rail.pay(**options)
    rail.advance(SECOND)
    assert rail.status(payment) is DONE
    return payment


def bound(rail: Rail, name: str) -> Route:
    return Route(getattr(MilkywayOperator, name), getattr(rail.operator, name))


ENDPOINTS = sorted(name for name, value in vars(MilkywayOperator).items() if isinstance(value, Endpoint))


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_has_its_method_with_the_same_parameters(rail: Rail, name: str) -> None:
    import inspect

    handler = inspect.signature(getattr(rail.operator, name))
    endpoint = getattr(MilkywayOperator, name)
    assert list(handler.parameters)[1:] == [param.name for param in endpoint.params]
    assert endpoint.description.path.startswith("/operator/v1/"), "D17: another prefix"


@pytest.mark.parametrize("outcome", [DONE, FAILED, CANCELLED])
def test_ms64_an_operator_resolves_a_stuck_payment(rail: Rail, outcome: TransactionStatus) -> None:
    payment = stuck(rail)
    detail = rail.decide("resolve", payment, outcome, "bank statement 42")
    assert detail.summary.status is outcome
    assert rail.status(payment) is outcome
    entry = rail.do(rail.operator.list_audit(OPERATOR)).entries[0]
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        "olga",
        "resolve",
        f"payment:{payment}",
        "bank statement 42",
    )
    assert (entry.detail["from"], entry.detail["to"]) == ("STUCK", outcome.name)
    assert "suspense:stuck:USD" not in rail.balances()


def test_ms64_resolved_done_is_booked_from_suspense(rail: Rail) -> None:
    payment = stuck(rail)
    assert rail.steps(payment)["stuck"] == [("transit:USD", "suspense:stuck:USD", Decimal("100.00"))]
    rail.decide("resolve", payment, DONE)
    assert rail.steps(payment)["done"][0] == ("suspense:stuck:USD", "fx:position:USD", Decimal("100.00"))
    assert rail.exposure().used == Decimal("101.50")


def test_ms64_resolved_failed_gives_the_exposure_back(rail: Rail) -> None:
    payment = stuck(rail)
    rail.decide("resolve", payment, FAILED)
    assert rail.exposure().used == 0
    assert rail.error(payment) == "the recipient bank did not pay"


def test_ms64_only_stuck_payments_are_resolved_and_only_to_an_end(rail: Rail) -> None:
    pending, finished = rail.pay("slow-1"), rail.pay("decline-1")
    rail.advance(SECOND)
    for payment in (pending, finished):
        with pytest.raises(Conflict, match="only a STUCK payment"):
            rail.decide("resolve", payment, DONE)
    for outcome in (PENDING, CANCEL_PENDING, STUCK, 9):
        with pytest.raises(InvalidInput, match="outcome must be"):
            rail.decide("resolve", pending, outcome)
    with pytest.raises(NotFound):
        rail.decide("resolve", 1, DONE)


def test_ms64_the_same_decision_again_changes_nothing(rail: Rail) -> None:
    payment = stuck(rail)
    rail.decide("resolve", payment, DONE)
    version = rail.core.store.version
    rail.decide("resolve", payment, DONE)
    assert rail.core.store.version == version
    with pytest.raises(Conflict):
        rail.decide("resolve", payment, FAILED)


def test_ms64_a_decision_needs_a_reason(rail: Rail) -> None:
    for reason in ({}, {"reason": "  "}):
        with pytest.raises(BadRequest, match="reason"):
            rail.wire(bound(rail, "resolve"), {"outcome": 1, **reason}, path={"transaction_id": "1"})


@pytest.mark.parametrize("outcome", [DONE, FAILED])
def test_a_manual_bank_is_reported_by_the_operator(rail: Rail, outcome: TransactionStatus) -> None:
    rail.set_manual()
    payment = rail.pay()
    with pytest.raises(Conflict, match="has not gone to bank-beta yet"):
        rail.decide("report_outcome", payment, outcome)
    rail.advance(SECOND)
    with pytest.raises(Conflict, match="nobody asked to cancel"):
        rail.decide("report_outcome", payment, CANCELLED)
    assert rail.decide("report_outcome", payment, outcome).summary.status is outcome
    rail.advance(20 * MINUTE)
    assert rail.status(payment) is outcome


def test_a_manual_bank_answers_a_cancellation(rail: Rail) -> None:
    rail.set_manual()
    payment = rail.pay()
    rail.advance(SECOND)
    assert rail.cancel(payment) is CANCEL_PENDING
    rail.advance(MINUTE)
    assert rail.status(payment) is CANCEL_PENDING, "silence is no answer (invariant 20)"
    assert rail.decide("report_outcome", payment, CANCELLED).summary.status is CANCELLED


def test_a_simulated_bank_reports_by_itself(rail: Rail) -> None:
    payment = rail.pay("slow-1")
    rail.advance(SECOND)
    with pytest.raises(Conflict, match="simulated"):
        rail.decide("report_outcome", payment, DONE)


def test_a_stuck_manual_payment_is_resolved_not_reported(rail: Rail) -> None:
    rail.set_manual()
    payment = rail.pay()
    rail.advance(20 * MINUTE)
    with pytest.raises(Conflict, match="resolve it instead"):
        rail.decide("report_outcome", payment, DONE)


def test_d13_a_return_is_a_new_opposite_transaction(rail: Rail) -> None:
    payment = done(rail)
    order = contract.ReturnOrder("pacs.004: account closed")
    detail = rail.do(rail.operator.return_payment(OPERATOR, payment, order))
    assert detail.summary.status is DONE, "a DONE payment stays DONE"
    assert detail.returned_at is not None
    assert rail.steps(payment)["returned"] == [
        ("payable:bank-beta:UZS", "fx:position:UZS", Decimal("1267500.00")),
        ("income:fx_markup:UZS", "fx:position:UZS", Decimal("32500.00")),
        ("fx:position:USD", "receivable:bank-alpha:USD", Decimal("100.00")),
    ]
    balances = rail.balances()
    assert not {"fx:position:USD", "fx:position:UZS", "payable:bank-beta:UZS"} & balances.keys()
    assert rail.exposure().used == Decimal("1.50"), "the commission stays earned"
    again = rail.do(rail.operator.return_payment(OPERATOR, payment, order))
    assert len(again.postings) == len(detail.postings)


def test_d13_only_done_payments_are_returned(rail: Rail) -> None:
    order = contract.ReturnOrder("why")
    for payment in (stuck(rail), rail.pay("slow-1")):
        with pytest.raises(Conflict, match="only a DONE payment"):
            rail.do(rail.operator.return_payment(OPERATOR, payment, order))


def test_d13_a_return_after_the_bank_was_paid_leaves_it_owing(rail: Rail) -> None:
    payment = done(rail)
    rail.cash("settle_bank", "bank-beta", "1267500.00", "UZS")
    rail.do(rail.operator.return_payment(OPERATOR, payment, contract.ReturnOrder("why")))
    assert rail.balances()["payable:bank-beta:UZS"] == Decimal("-1267500.00")


def test_ms65_settlement_lowers_exposure(rail: Rail) -> None:
    done(rail)
    movement = rail.cash("settle", "bank-alpha", "50.00")
    assert (movement.kind, movement.repaid) == ("settlement", Decimal("50.00"))
    assert rail.exposure().used == Decimal("51.50")


def test_ms65_over_settlement_becomes_deposit(rail: Rail) -> None:
    done(rail)
    movement = rail.cash("settle", "bank-alpha", "151.50")
    assert movement.repaid == Decimal("101.50")
    held = rail.exposure()
    assert (held.used, held.deposit, held.available) == (0, Decimal("50.00"), Decimal("10050.00"))


def test_a_cancellation_after_settlement_leaves_the_hub_owing(rail: Rail) -> None:
    payment = rail.pay()
    rail.cash("settle", "bank-alpha", "101.50")
    rail.cancel(payment)
    held = rail.exposure()
    assert (held.used, held.available) == (Decimal("-101.50"), Decimal("10101.50"))
    assert rail.cash("settle", "bank-alpha", "10.00").repaid == 0
    with pytest.raises(Conflict, match=r"owes 0\.00 USD"):
        rail.cash("draw_deposit", "bank-alpha", "1.00")


def test_deposits_are_drawn_for_debts_only(rail: Rail) -> None:
    done(rail)
    rail.cash("deposit", "bank-alpha", "500.00")
    with pytest.raises(Conflict, match=r"owes 101\.50 USD, less than 200\.00 USD"):
        rail.cash("draw_deposit", "bank-alpha", "200.00")
    rail.cash("draw_deposit", "bank-alpha", "101.50")
    held = rail.exposure()
    assert (held.used, held.deposit) == (0, Decimal("398.50"))


def test_a_deposit_cannot_be_drawn_beyond_itself(rail: Rail) -> None:
    from bursar.engine.errors import InsufficientFunds

    done(rail)
    rail.cash("deposit", "bank-alpha", "1.00")
    with pytest.raises(InsufficientFunds):
        rail.cash("draw_deposit", "bank-alpha", "2.00")


def test_a_debt_can_be_written_off(rail: Rail) -> None:
    done(rail)
    rail.cash("write_off", "bank-alpha", "101.50")
    assert rail.exposure().used == 0
    assert rail.balances()["expense:writeoff:USD"] == Decimal("-101.50")


def test_the_hub_settles_what_it_owes_and_has(rail: Rail) -> None:
    done(rail)
    with pytest.raises(Conflict, match=r"the hub owes bank-beta 1267500\.00 UZS"):
        rail.cash("settle_bank", "bank-beta", "1267500.01", "UZS")
    rail.cash("settle_bank", "bank-beta", "1267500.00", "UZS")
    balances = rail.balances()
    assert "payable:bank-beta:UZS" not in balances
    assert balances["nostro:house:UZS"] == Decimal("-998732500.00")


def test_the_hub_cannot_spend_cash_that_it_has_not(rail: Rail) -> None:
    rail.set_service("euro-payout", currency="EUR")
    rail.set_rate("USD", "EUR", "0.9")
    done(rail, service="euro-payout")
    with pytest.raises(Conflict, match=r"nostro:house:EUR holds 0\.00 EUR.*cover EUR first"):
        rail.cash("settle_bank", "bank-beta", "90.00", "EUR")
    cover = contract.CoverOrder(Decimal("101.00"), "USD", Decimal("90.00"), "EUR", "deal 7")
    rail.do(rail.operator.cover_fx(OPERATOR, cover))
    assert "fx:position:EUR" not in rail.balances()
    rail.cash("settle_bank", "bank-beta", "90.00", "EUR")
    assert rail.balances()["fx:position:USD"] == Decimal("-1.00")


def test_fx_cover_needs_cash_and_two_currencies(rail: Rail) -> None:
    cover = contract.CoverOrder(Decimal("5000.01"), "USD", Decimal(1), "UZS", "deal")
    with pytest.raises(Conflict, match=r"holds 5000\.00 USD"):
        rail.do(rail.operator.cover_fx(OPERATOR, cover))
    with pytest.raises(InvalidInput, match="two currencies"):
        rail.do(
            rail.operator.cover_fx(
                OPERATOR, contract.CoverOrder(Decimal(1), "USD", Decimal(1), "USD", "deal")
            )
        )


@pytest.mark.parametrize(("gain", "position"), [("12.34", "-12.34"), ("-0.66", "0.66")])
def test_revaluation_goes_both_ways(rail: Rail, gain: str, position: str) -> None:
    rail.do(rail.operator.revalue(OPERATOR, contract.RevaluationOrder(Decimal(gain), "USD", "month end")))
    balances = rail.balances()
    assert (balances["fx:position:USD"], balances["income:fx_reval:USD"]) == (
        Decimal(position),
        Decimal(gain),
    )


@pytest.mark.parametrize("gain", ["0", "0.001", "NaN", "-1E+40"])
def test_revaluation_amounts_are_checked(rail: Rail, gain: str) -> None:
    with pytest.raises(InvalidInput, match="gain"):
        rail.do(rail.operator.revalue(OPERATOR, contract.RevaluationOrder(Decimal(gain), "USD", "x")))


def test_long_amounts_of_the_treasury_are_exact(rail: Rail) -> None:
    gain = Decimal("-123456789012345678901234567890.12")
    rail.do(rail.operator.revalue(OPERATOR, contract.RevaluationOrder(gain, "USD", "x")))
    rail.cash("deposit", "bank-alpha", "123456789012345678901234567890.12")
    balances = rail.balances()
    assert balances["income:fx_reval:USD"] == gain
    assert balances["deposit:bank-alpha:USD"] == gain.copy_negate()


def test_a_bank_fee_is_an_expense(rail: Rail) -> None:
    rail.do(rail.operator.charge_fee(OPERATOR, contract.FeeOrder(Decimal("9.99"), "USD", "statement")))
    assert rail.balances()["expense:bank_fee:USD"] == Decimal("-9.99")


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "NaN"])
@pytest.mark.parametrize("operation", ["deposit", "settle", "draw_deposit", "write_off", "settle_bank"])
def test_treasury_amounts_are_checked(rail: Rail, operation: str, amount: str) -> None:
    before = rail.core.store.version
    with pytest.raises(InvalidInput):
        rail.cash(operation, "bank-alpha", amount)
    with pytest.raises(NotFound):
        rail.cash(operation, "nobody", "1.00")
    assert rail.core.store.version == before


@pytest.mark.parametrize(
    ("name", "path", "settings", "pointer"),
    [
        ("put_rate", ("USD", "EUR"), contract.RateSettings(Decimal(0)), "/mid"),
        ("put_rate", ("USD", "EUR"), contract.RateSettings(Decimal("1E+40")), "/mid"),
        ("put_rate", ("USD", "EUR"), contract.RateSettings(Decimal(1), Decimal(1)), "/markup"),
        ("put_rate", ("USD", "EUR"), contract.RateSettings(Decimal(1), Decimal("-0.1")), "/markup"),
        ("put_rate", ("USD", "USD"), contract.RateSettings(Decimal(2)), "/mid"),
        ("put_limit", ("bank-alpha", "USD"), contract.LimitSettings(Decimal(-1)), "/amount"),
        (
            "put_limit",
            ("bank-alpha", "USD"),
            contract.LimitSettings(Decimal(1), contract.LimitAction("?")),
            "/action",
        ),
        ("put_commission", ("*", "*", "USD"), contract.CommissionSettings(percent=Decimal(101)), "/percent"),
        ("put_commission", ("*", "*", "USD"), contract.CommissionSettings(fixed=Decimal("0.001")), "/fixed"),
        (
            "put_commission",
            ("*", "*", "USD"),
            contract.CommissionSettings(minimum=Decimal(2), maximum=Decimal(1)),
            "/maximum",
        ),
        ("put_institution", ("a:b",), contract.InstitutionSettings("x"), "institution"),
        ("put_institution", ("b",), contract.InstitutionSettings("x", contract.Connector("?")), "/connector"),
        ("put_service", ("bank-beta", "*"), contract.ServiceSettings("USD"), "service"),
        (
            "put_simulator_rules",
            ("bank-beta",),
            contract.SimulatorRules([contract.SimulatorRule("ok"), contract.SimulatorRule("?")]),
            "/rules/1/behaviour",
        ),
    ],
)
def test_settings_are_checked(
    rail: Rail, name: str, path: tuple[str, ...], settings: Any, pointer: str
) -> None:
    before = rail.core.store.version
    with pytest.raises(InvalidInput) as refused:
        rail.do(getattr(rail.operator, name)(OPERATOR, *path, settings))
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert rail.core.store.version == before


def test_settings_are_shown_as_they_were_put(rail: Rail) -> None:
    service = rail.do(rail.operator.list_services(OPERATOR, "bank-beta")).services[0]
    assert (service.id, service.settings.currency, service.settings.dispatch_delay_ms) == (
        "card-payout",
        "UZS",
        500,
    )
    assert service.settings.data_schema is not None
    assert service.settings.data_schema["required"] == ["passport"]
    rates = rail.do(rail.operator.list_rates(OPERATOR)).rates
    usd = next(each for each in rates if (each.currency_credit, each.currency_debit) == ("USD", "UZS"))
    assert (usd.mid, usd.client_rate) == (Decimal("13000.00"), Decimal("12675.00"))
    institutions = rail.do(rail.operator.list_institutions(OPERATOR)).institutions
    assert [each.id for each in institutions] == ["bank-alpha", "bank-beta"]
    assert rail.do(rail.operator.list_commissions(OPERATOR)).commissions
    rail.set_rules(contract.SimulatorRule("slow", recipient="x*"))
    rules = rail.do(rail.operator.list_simulator_rules(OPERATOR, "bank-beta")).rules
    assert rules == [contract.SimulatorRule("slow", "*", "x*")]


def test_payments_are_listed_in_pages(rail: Rail) -> None:
    payments = [rail.pay("decline-1" if number % 2 else "ok-1") for number in range(5)]
    rail.advance(SECOND)
    first = rail.do(rail.operator.list_payments(OPERATOR, limit=3))
    second = rail.do(rail.operator.list_payments(OPERATOR, limit=3, before=first.next))
    assert [each.id for each in first.payments + second.payments] == payments[::-1]
    assert second.next is None
    failed = rail.do(rail.operator.list_payments(OPERATOR, institution="bank-alpha", status=FAILED)).payments
    assert [each.id for each in failed] == [payments[3], payments[1]]
    assert rail.do(rail.operator.list_payments(OPERATOR, institution="bank-beta")).payments == []


def test_movements_and_audit_are_listed(rail: Rail) -> None:
    rail.cash("deposit", "bank-alpha", "5.00")
    newest = rail.do(rail.operator.list_movements(OPERATOR, limit=1))
    assert (newest.movements[0].kind, newest.movements[0].party) == ("deposit", "bank-alpha")
    older = rail.do(rail.operator.list_movements(OPERATOR, before=newest.next))
    assert [each.party for each in older.movements] == ["bank-beta", "bank-beta"]
    entry = rail.do(rail.operator.list_audit(OPERATOR, limit=1)).entries[0]
    assert (entry.action, entry.actor, entry.detail["amount"]) == ("deposit", "olga", "5.00 USD")
    assert int(entry.at.timestamp() * 1_000_000) == T0


def test_the_trial_balance_is_zero_for_each_currency(rail: Rail) -> None:
    done(rail)
    book = rail.do(rail.operator.trial_balance(OPERATOR))
    assert dict(book.sums) == {"USD": 0, "UZS": 0}
    assert book.problems == []


def test_the_contract_carries_a_whole_round_of_back_office_work(rail: Rail) -> None:
    """Bytes in, bytes out, for every kind of endpoint."""
    put = rail.wire(
        bound(rail, "put_institution"),
        {"name": "Gamma", "connector": "simulated"},
        path={"institution": "bank-gamma"},
    )
    assert put["id"] == "bank-gamma"
    service = {"currency": "KWD", "schema": {"type": "object"}, "stuck_after_ms": 60000}
    put = rail.wire(bound(rail, "put_service"), service, path={"bank": "bank-gamma", "service": "wire"})
    assert put["settings"]["schema"] == {"type": "object"}
    put = rail.wire(
        bound(rail, "put_rate"), {"mid": 0.3075}, path={"currency_credit": "USD", "currency_debit": "KWD"}
    )
    assert put["client_rate"] == Decimal("0.3075")
    order = {"institution": "bank-alpha", "amount": 250, "currency": "USD", "reason": "wire 1"}
    assert rail.wire(bound(rail, "deposit"), order)["amount"] == Decimal("250.00")
    payment = rail.pay(bank="bank-gamma", service="wire")
    rail.advance(SECOND)
    shown = rail.wire(bound(rail, "get_payment"), path={"transaction_id": str(payment)})
    assert shown["summary"]["amount_debit"] == Decimal("30.750")
    assert [entry["step"] for entry in shown["postings"]].count("done") == 3
    assert rail.wire(bound(rail, "list_payments"), query=[("status", "1")])["payments"][0]["id"] == payment
    exposures = rail.wire(bound(rail, "list_exposures"), path={"institution": "bank-alpha"})["exposures"]
    assert {each["currency"] for each in exposures} == {"EUR", "USD"}
    assert rail.wire(bound(rail, "trial_balance"))["problems"] == []


def test_binding_is_typed(rail: Rail) -> None:
    """The type checker proves that service and contract agree; these lines are such proofs."""
    assert route(MilkywayOperator.trial_balance, rail.operator.trial_balance)
    assert route(MilkywayOperator.resolve, rail.operator.resolve)
