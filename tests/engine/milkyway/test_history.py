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
from bursar.engine.milkyway.errors import ServiceDown
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
    RATES,
    STUCK,
    Expected,
    Oracle,
)
from tests.engine.milkyway.rail import DAY, MINUTE, OPERATOR, SECOND, Rail

cents = st.sampled_from([1, 49, 50, 999, 100_00, 2_500_50, 4_900_00])
banks = st.sampled_from(["bank-beta", "bank-beta", "bank-beta", "bank-gamma"])
behaviours = st.sampled_from(["ok", "slow", "decline", "silent", "refuse-cancel"])
pauses = st.sampled_from(
    [0, SECOND // 10, SECOND // 2, SECOND, 21 * SECOND, 5 * MINUTE, 16 * MINUTE, 7 * DAY]
)
picks = st.integers(0, 10**6)
keys = st.sampled_from([None, None, "a", "b", "c"])


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

    @rule(amount=cents, bank=banks, behaviour=behaviours, key=keys)
    def pay_anew(self, amount: int, bank: str, behaviour: str, key: str | None) -> None:
        self.pay(amount, bank, behaviour, key)

    @rule(
        amount=cents,
        bank=banks,
        behaviour=behaviours,
        mid=st.sampled_from(sorted(RATES)),
        pause=st.sampled_from([0, MINUTE - 1, MINUTE]),
    )
    def pay_as_quoted(self, amount: int, bank: str, behaviour: str, mid: str, pause: int) -> None:
        """The rate changes between quote and payment; for a minute the quote is kept."""
        self.quote(amount, bank, behaviour)
        self.change_rate(mid)
        self.wait(pause)
        self.pay(amount, bank, behaviour, None)

    @precondition(lambda self: self.oracle.keys)
    @rule(pick=picks, pause=st.sampled_from([0, 7 * DAY - 1, 7 * DAY]))
    def pay_again(self, pick: int, pause: int) -> None:
        """The same request under its key: the same payment for a week, a new one after it."""
        key = sorted(self.oracle.keys)[pick % len(self.oracle.keys)]
        payment, meaning = self.oracle.keys[key]
        self.wait(max(self.oracle.payments[payment].created + pause - self.rail.clock.now(), 0))
        self.pay(*meaning, key)

    def pay(self, amount: int, bank: str, behaviour: str, key: str | None) -> None:
        meaning, now = (amount, bank, behaviour), self.rail.clock.now()
        expected = Expected(*meaning, now, self.oracle.price(meaning, now))
        earlier = self.oracle.bound(key, now)
        try:
            payment = self.rail.pay(*asked(amount, behaviour), **addressed(bank), key=key)
        except IdempotencyMismatch:
            assert earlier is not None
            assert earlier[1] != meaning
            return
        except ServiceDown:
            assert earlier is None
            assert bank == "bank-beta"
            assert not self.oracle.open
            return
        except ExposureExceeded:
            assert earlier is None
            assert not self.oracle.fits(expected)
            return
        if earlier is not None:
            assert earlier == (payment, meaning)
            return
        assert self.oracle.open or bank == "bank-gamma"
        assert self.oracle.fits(expected)
        assert payment not in self.oracle.payments
        self.oracle.payments[payment] = expected
        if key is not None:
            self.oracle.keys[key] = payment, meaning

    def quote(self, amount: int, bank: str, behaviour: str) -> None:
        if bank == "bank-beta" and not self.oracle.open:
            self.refused(
                ServiceDown, lambda: self.rail.precheck(*asked(amount, behaviour), **addressed(bank))
            )
            return
        now = self.rail.clock.now()
        expected = Expected(amount, bank, behaviour, now, self.oracle.mid)
        told = self.rail.precheck(*asked(amount, behaviour), **addressed(bank))
        assert (told.amount_debit, told.commission) == (
            dollars(expected.payout),
            dollars(expected.commission),
        )
        self.oracle.quotes[amount, bank, behaviour] = now, self.oracle.mid

    def change_rate(self, mid: str) -> None:
        """Payments under way and quotes held keep theirs."""
        self.rail.set_rate("USD", "UZS", mid, "0.025")
        self.oracle.mid = mid

    @rule(limit=st.sampled_from([0, 500_00, 10_000_00, 10_000_00]))
    def change_limit(self, limit: int) -> None:
        """Also below what is used: then nothing fits until it is settled."""
        self.rail.set_limit(str(dollars(limit)))
        self.oracle.limit = limit

    @rule(enabled=st.sampled_from([True, True, False]))
    def change_bank(self, enabled: bool) -> None:
        settings = contract.InstitutionSettings("Beta", contract.Connector.SIMULATED, enabled=enabled)
        self.rail.do(self.rail.operator.put_institution(OPERATOR, "bank-beta", settings))
        self.oracle.open = enabled

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
        self.rail.cash("deposit", "bank-alpha", str(dollars(amount)))
        self.oracle.deposit += amount
        self.oracle.received += amount

    @rule(amount=cents)
    def settle(self, amount: int) -> None:
        owed = min(max(self.oracle.used(), 0), amount)
        self.rail.cash("settle", "bank-alpha", str(dollars(amount)))
        self.oracle.repaid += owed
        self.oracle.deposit += amount - owed
        self.oracle.received += amount

    @rule(amount=cents)
    def draw(self, amount: int) -> None:
        asked = str(dollars(amount))
        if amount > max(self.oracle.used(), 0):
            self.refused(Conflict, lambda: self.rail.cash("draw_deposit", "bank-alpha", asked))
        elif amount > self.oracle.deposit:
            self.refused(InsufficientFunds, lambda: self.rail.cash("draw_deposit", "bank-alpha", asked))
        else:
            self.rail.cash("draw_deposit", "bank-alpha", asked)
            self.oracle.repaid += amount
            self.oracle.deposit -= amount

    @rule(amount=cents)
    def write_off(self, amount: int) -> None:
        asked = str(dollars(amount))
        if amount > max(self.oracle.used(), 0):
            self.refused(Conflict, lambda: self.rail.cash("write_off", "bank-alpha", asked))
        else:
            self.rail.cash("write_off", "bank-alpha", asked)
            self.oracle.repaid += amount
            self.oracle.written_off += amount

    @rule(amount=cents)
    def settle_bank(self, amount: int) -> None:
        tiyin = amount * 12675
        asked = str(dollars(tiyin))
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


def asked(amount: int, behaviour: str) -> tuple[str, str]:
    return f"{behaviour}-1", str(dollars(amount))


def addressed(bank: str) -> dict[str, str]:
    return {"bank": bank, "service": "card-payout" if bank == "bank-beta" else "wire"}


def dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _snapshot(view: ReadView) -> tuple[dict[int, int], dict[tuple[str, str], int], list[str]]:
    statuses = {row.id: row.status for row in view.select(PAYMENTS)}
    volumes = view.select(VOLUMES, {"ledger": "milkyway"})
    balances = {(row.account, row.asset.split("/")[0]): row.input - row.output for row in volumes}
    damages = [str(damage) for damage in check(view)]
    return statuses, {account: balance for account, balance in balances.items() if balance}, damages


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=150, stateful_step_count=40)
