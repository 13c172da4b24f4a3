"""Random histories against an oracle: after each step statuses, balances and the invariants of A12 hold (MS66)."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bursar.engine.books import VOLUMES
from bursar.engine.errors import (
    Conflict,
    EngineError,
    ExposureExceeded,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidInput,
)
from bursar.engine.milkyway.invariants import check
from bursar.engine.milkyway.tables import PAYMENTS
from bursar.engine.view import ReadView
from bursar.milkyway import operator as contract
from tests.engine.milkyway.oracle import (
    CANCEL_PENDING,
    CANCELLED,
    DONE,
    FAILED,
    PENDING,
    STUCK,
    Expected,
    Oracle,
)
from tests.engine.milkyway.rail import MINUTE, OPERATOR, SECOND, Rail

cents = st.sampled_from([1, 49, 50, 999, 100_00, 2_500_50, 4_900_00])
banks = st.sampled_from(["bank-beta", "bank-beta", "bank-beta", "bank-gamma"])
behaviours = st.sampled_from(["ok", "slow", "decline", "silent", "refuse-cancel"])
pauses = st.sampled_from([0, SECOND // 10, SECOND // 2, SECOND, 21 * SECOND, 5 * MINUTE, 16 * MINUTE])
picks = st.integers(0, 10**6)


class History(RuleBasedStateMachine):
    """The rail and the oracle, told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.rail = Rail()
        self.oracle = Oracle()
        self.rail.do(
            self.rail.operator.put_institution(OPERATOR, "bank-gamma", contract.InstitutionSettings("Gamma"))
        )
        self.rail.set_service("wire", "bank-gamma", currency="USD")

    @rule(amount=cents, bank=banks, behaviour=behaviours, key=st.sampled_from([None, None, "a", "b", "c"]))
    def pay(self, amount: int, bank: str, behaviour: str, key: str | None) -> None:
        expected = Expected(amount, bank, behaviour, self.rail.clock.now())
        meaning = (amount, bank, behaviour)
        earlier = self.oracle.keys.get(key or "")
        service = "card-payout" if bank == "bank-beta" else "wire"
        try:
            payment = self.rail.pay(
                f"{behaviour}-1", str(Decimal(amount).scaleb(-2)), bank=bank, service=service, key=key
            )
        except IdempotencyMismatch:
            assert earlier is not None
            assert earlier[1] != meaning
            return
        except ExposureExceeded:
            assert earlier is None
            assert not self.oracle.fits(expected)
            return
        if earlier is not None:
            assert earlier == (payment, meaning)
            return
        assert self.oracle.fits(expected)
        assert payment not in self.oracle.payments
        self.oracle.payments[payment] = expected
        if key is not None:
            self.oracle.keys[key] = payment, meaning

    @precondition(lambda self: self.oracle.payments)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        number, payment = self.picked(pick)
        if payment.status in (DONE, FAILED, STUCK):
            self.refused(InvalidInput, lambda: self.rail.cancel(number))
            return
        if payment.status == PENDING and payment.dispatched:
            payment.status, payment.cancel_asked = CANCEL_PENDING, self.rail.clock.now()
        elif payment.status == PENDING:
            payment.status = CANCELLED
        assert self.rail.cancel(number) == payment.status

    @rule(pause=pauses)
    def wait(self, pause: int) -> None:
        self.rail.advance(pause)
        for payment in self.oracle.payments.values():
            payment.pass_time(self.rail.clock.now())

    @precondition(lambda self: self.oracle.payments)
    @rule(pick=picks, outcome=st.sampled_from([DONE, FAILED, CANCELLED]))
    def report(self, pick: int, outcome: int) -> None:
        number, payment = self.picked(pick)
        allowed = payment.bank == "bank-gamma" and payment.dispatched
        allowed = allowed and payment.status in (PENDING, CANCEL_PENDING)
        allowed = allowed and (outcome != CANCELLED or payment.status == CANCEL_PENDING)
        self.decided("report_outcome", number, payment, outcome, allowed)

    @precondition(lambda self: self.oracle.payments)
    @rule(pick=picks, outcome=st.sampled_from([DONE, FAILED, CANCELLED]))
    def resolve(self, pick: int, outcome: int) -> None:
        number, payment = self.picked(pick)
        self.decided("resolve", number, payment, outcome, payment.status == STUCK)

    @precondition(lambda self: self.oracle.payments)
    @rule(pick=picks)
    def turn_round(self, pick: int) -> None:
        number, payment = self.picked(pick)
        order = contract.ReturnOrder("pacs.004")
        if payment.status != DONE:
            self.refused(
                Conflict, lambda: self.rail.do(self.rail.operator.return_payment(OPERATOR, number, order))
            )
            return
        self.rail.do(self.rail.operator.return_payment(OPERATOR, number, order))
        payment.returned = True

    @rule(amount=cents)
    def deposit(self, amount: int) -> None:
        self.rail.cash("deposit", "bank-alpha", str(Decimal(amount).scaleb(-2)))
        self.oracle.deposit += amount
        self.oracle.received += amount

    @rule(amount=cents)
    def settle(self, amount: int) -> None:
        owed = min(max(self.oracle.used(), 0), amount)
        self.rail.cash("settle", "bank-alpha", str(Decimal(amount).scaleb(-2)))
        self.oracle.repaid += owed
        self.oracle.deposit += amount - owed
        self.oracle.received += amount

    @rule(amount=cents)
    def draw(self, amount: int) -> None:
        asked = str(Decimal(amount).scaleb(-2))
        if amount > max(self.oracle.used(), 0):
            self.refused(Conflict, lambda: self.rail.cash("draw_deposit", "bank-alpha", asked))
        elif amount > self.oracle.deposit:
            self.refused(InsufficientFunds, lambda: self.rail.cash("draw_deposit", "bank-alpha", asked))
        else:
            self.rail.cash("draw_deposit", "bank-alpha", asked)
            self.oracle.repaid += amount
            self.oracle.deposit -= amount

    @rule(amount=cents)
    def settle_bank(self, amount: int) -> None:
        tiyin = amount * 12675
        asked = str(Decimal(tiyin).scaleb(-2))
        if tiyin > self.oracle.payable() or tiyin > 1_000_000_000_00 - self.oracle.paid_out:
            self.refused(Conflict, lambda: self.rail.cash("settle_bank", "bank-beta", asked, "UZS"))
        else:
            self.rail.cash("settle_bank", "bank-beta", asked, "UZS")
            self.oracle.paid_out += tiyin

    @invariant()
    def agrees(self) -> None:
        statuses, balances, damages = self.rail.do(self.rail.core.read(_snapshot))
        assert statuses == {number: payment.status for number, payment in self.oracle.payments.items()}
        assert balances == self.oracle.balances()
        assert damages == []

    def teardown(self) -> None:
        try:
            assert self.rail.damages() == []
        finally:
            self.rail.close()

    def picked(self, pick: int) -> tuple[int, Expected]:
        numbers = list(self.oracle.payments)
        number = numbers[pick % len(numbers)]
        return number, self.oracle.payments[number]

    def decided(self, operation: str, number: int, payment: Expected, outcome: int, allowed: bool) -> None:
        if not allowed and payment.status != outcome:
            self.refused(Conflict, lambda: self.rail.decide(operation, number, outcome))
            return
        assert self.rail.decide(operation, number, outcome).summary.status == outcome
        payment.status = outcome

    def refused(self, kind: type[EngineError], call: Callable[[], object]) -> None:
        """A refusal changes nothing (invariant 8)."""
        version = self.rail.core.store.version
        with pytest.raises(kind):
            call()
        assert self.rail.core.store.version == version


def _snapshot(view: ReadView) -> tuple[dict[int, int], dict[tuple[str, str], int], list[str]]:
    statuses = {row.id: row.status for row in view.select(PAYMENTS)}
    volumes = view.select(VOLUMES, {"ledger": "milkyway"})
    balances = {(row.account, row.asset.split("/")[0]): row.input - row.output for row in volumes}
    damages = [str(damage) for damage in check(view)]
    return statuses, {account: balance for account, balance in balances.items() if balance}, damages


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=120, stateful_step_count=40)
