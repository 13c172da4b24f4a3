"""The back office as methods: what each endpoint of `bursar.milkyway.operator.MilkywayOperator` does, without HTTP.

The caller is an operator; its client id is the name in the audit trail.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bursar.engine.core import Core
from bursar.engine.currency import digits, to_minor
from bursar.engine.errors import FieldError, InvalidInput, NotFound
from bursar.engine.milkyway import decisions, setup, shown, treasury
from bursar.engine.milkyway.exposure import exposure
from bursar.engine.milkyway.queries import currencies_of, page, trial_balance
from bursar.engine.milkyway.service import Caller
from bursar.engine.milkyway.tables import (
    AUDIT,
    COMMISSIONS,
    INSTITUTIONS,
    MOVEMENTS,
    PAYMENTS,
    RATES,
    SERVICES,
    SIMULATOR,
    Movement,
    Payment,
)
from bursar.engine.store.base import Where
from bursar.engine.view import ReadView
from bursar.engine.writer import View
from bursar.milkyway import operator as contract
from bursar.milkyway.models import TransactionStatus

Operation = Callable[[View, treasury.Order, str], Movement]


class OperatorService:
    """Serves operators. Every change is one command: all of it is durable when the method returns, or none."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # How the hub is set up.

    async def put_institution(
        self, caller: Caller, institution: str, settings: contract.InstitutionSettings
    ) -> contract.Institution:
        """Add or change an institution."""
        who = caller.client_id
        row = await self._core.submit(lambda view: setup.put_institution(view, who, institution, settings))
        return shown.institution(row)

    async def list_institutions(self, caller: Caller) -> contract.Institutions:
        """Return all institutions."""
        rows = await self._core.read(lambda view: view.select(INSTITUTIONS))
        return contract.Institutions([shown.institution(row) for row in rows])

    async def put_service(
        self, caller: Caller, bank: str, service: str, settings: contract.ServiceSettings
    ) -> contract.Service:
        """Add or change a service."""
        who = caller.client_id
        row = await self._core.submit(lambda view: setup.put_service(view, who, bank, service, settings))
        return shown.service(row)

    async def list_services(self, caller: Caller, bank: str | None = None) -> contract.Services:
        """Return services."""
        where: Where = {} if bank is None else {"bank": bank}
        rows = await self._core.read(lambda view: view.select(SERVICES, where))
        return contract.Services([shown.service(row) for row in rows])

    async def put_rate(
        self, caller: Caller, currency_credit: str, currency_debit: str, settings: contract.RateSettings
    ) -> contract.Rate:
        """Set a rate."""
        who = caller.client_id
        row = await self._core.submit(
            lambda view: setup.put_rate(view, who, currency_credit, currency_debit, settings)
        )
        return shown.rate(row)

    async def list_rates(self, caller: Caller) -> contract.Rates:
        """Return all rates."""
        rows = await self._core.read(lambda view: view.select(RATES))
        return contract.Rates([shown.rate(row) for row in rows])

    async def put_commission(
        self, caller: Caller, bank: str, service: str, currency: str, settings: contract.CommissionSettings
    ) -> contract.Commission:
        """Set a commission rule."""
        who = caller.client_id
        row = await self._core.submit(
            lambda view: setup.put_commission(view, who, bank, service, currency, settings)
        )
        return shown.commission(row)

    async def list_commissions(self, caller: Caller) -> contract.Commissions:
        """Return all commission rules."""
        rows = await self._core.read(lambda view: view.select(COMMISSIONS))
        return contract.Commissions([shown.commission(row) for row in rows])

    async def put_limit(
        self, caller: Caller, institution: str, currency: str, settings: contract.LimitSettings
    ) -> contract.Exposure:
        """Set an exposure limit."""

        def command(view: View) -> contract.Exposure:
            setup.put_limit(view, caller.client_id, institution, currency, settings)
            return shown.exposure(institution, exposure(view, institution, currency))

        return await self._core.submit(command)

    async def list_exposures(self, caller: Caller, institution: str) -> contract.Exposures:
        """Return an institution's exposures. Raises `NotFound`."""

        def query(view: ReadView) -> contract.Exposures:
            if view.get(INSTITUTIONS, institution) is None:
                raise NotFound(f"there is no institution {institution}")
            held = (exposure(view, institution, currency) for currency in currencies_of(view, institution))
            return contract.Exposures([shown.exposure(institution, each) for each in held])

        return await self._core.read(query)

    async def put_simulator_rules(
        self, caller: Caller, bank: str, settings: contract.SimulatorRules
    ) -> contract.SimulatorRules:
        """Replace a simulated bank's rules."""
        who = caller.client_id
        return await self._core.submit(lambda view: setup.put_simulator_rules(view, who, bank, settings))

    async def list_simulator_rules(self, caller: Caller, bank: str) -> contract.SimulatorRules:
        """Return a simulated bank's rules. Raises `NotFound`."""

        def query(view: ReadView) -> contract.SimulatorRules:
            if view.get(INSTITUTIONS, bank) is None:
                raise NotFound(f"there is no institution {bank}")
            row = view.get(SIMULATOR, bank)
            return shown.simulator_rules(None if row is None else row.rules)

        return await self._core.read(query)

    # The hub's own money.

    async def deposit(self, caller: Caller, order: contract.CashOrder) -> contract.Movement:
        """Book a deposit."""
        return await self._book(caller, order, treasury.deposit)

    async def settle(self, caller: Caller, order: contract.CashOrder) -> contract.Movement:
        """Book a settlement."""
        return await self._book(caller, order, treasury.settle)

    async def draw_deposit(self, caller: Caller, order: contract.CashOrder) -> contract.Movement:
        """Pay a debt out of a deposit."""
        return await self._book(caller, order, treasury.draw_deposit)

    async def write_off(self, caller: Caller, order: contract.CashOrder) -> contract.Movement:
        """Give up a debt."""
        return await self._book(caller, order, treasury.write_off)

    async def settle_bank(self, caller: Caller, order: contract.CashOrder) -> contract.Movement:
        """Pay a recipient bank."""
        return await self._book(caller, order, treasury.settle_bank)

    async def charge_fee(self, caller: Caller, order: contract.FeeOrder) -> contract.Movement:
        """Book a settlement bank's fee."""
        booked = _order(caller, order.reason, order.amount, order.currency, "/amount", order.settlement_bank)
        row = await self._core.submit(lambda view: treasury.charge_fee(view, booked))
        return shown.movement(row)

    async def cover_fx(self, caller: Caller, order: contract.CoverOrder) -> contract.Movement:
        """Book an exchange of the hub's cash."""
        sold = _order(caller, order.reason, order.sold, order.sold_currency, "/sold", order.settlement_bank)
        bought = _amount(order.bought, order.bought_currency, "/bought")
        row = await self._core.submit(
            lambda view: treasury.cover_fx(view, sold, bought, order.bought_currency)
        )
        return shown.movement(row)

    async def revalue(self, caller: Caller, order: contract.RevaluationOrder) -> contract.Movement:
        """Book a revaluation gain or loss."""
        if order.gain == 0:
            raise InvalidInput("gain must not be 0", errors=[FieldError("/gain", "must not be 0")])
        size = _amount(order.gain.copy_abs(), order.currency, "/gain")
        gain = -size if order.gain.is_signed() else size
        booked = treasury.Order(caller.client_id, order.reason, gain, order.currency)
        row = await self._core.submit(lambda view: treasury.revalue(view, booked))
        return shown.movement(row)

    async def list_movements(
        self, caller: Caller, before: int | None = None, limit: int = 100
    ) -> contract.Movements:
        """Return treasury operations, newest first."""
        rows, following = await self._core.read(lambda view: page(view, MOVEMENTS, {}, before, limit))
        return contract.Movements([shown.movement(row) for row in rows], following)

    # Payments.

    async def list_payments(
        self,
        caller: Caller,
        institution: str | None = None,
        status: TransactionStatus | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> contract.Payments:
        """Return payments, newest first."""
        where: dict[str, str | int] = {}
        if institution is not None:
            where["institution"] = institution
        if status is not None:
            where["status"] = int(status)
        rows, following = await self._core.read(lambda view: page(view, PAYMENTS, where, before, limit))
        return contract.Payments([shown.summary(row) for row in rows], following)

    async def get_payment(self, caller: Caller, transaction_id: int) -> contract.PaymentDetail:
        """Return all of a payment. Raises `NotFound`."""

        def query(view: ReadView) -> contract.PaymentDetail:
            payment = view.get(PAYMENTS, transaction_id)
            if payment is None:
                raise NotFound(f"there is no payment {transaction_id}")
            return shown.detail(view, payment)

        return await self._core.read(query)

    async def report_outcome(
        self, caller: Caller, transaction_id: int, decision: contract.Decision
    ) -> contract.PaymentDetail:
        """Take down what a manual bank did."""
        taken = _decision(caller, decision)
        return await self._decide(
            transaction_id, lambda view: decisions.report_outcome(view, transaction_id, taken)
        )

    async def resolve(
        self, caller: Caller, transaction_id: int, decision: contract.Decision
    ) -> contract.PaymentDetail:
        """Decide about a stuck payment."""
        taken = _decision(caller, decision)
        return await self._decide(transaction_id, lambda view: decisions.resolve(view, transaction_id, taken))

    async def return_payment(
        self, caller: Caller, transaction_id: int, order: contract.ReturnOrder
    ) -> contract.PaymentDetail:
        """Turn a DONE payment round."""
        who, why = caller.client_id, order.reason
        return await self._decide(
            transaction_id, lambda view: decisions.return_payment(view, transaction_id, who, why)
        )

    # The books.

    async def list_audit(
        self, caller: Caller, before: int | None = None, limit: int = 100
    ) -> contract.AuditTrail:
        """Return the audit trail, newest first."""
        rows, following = await self._core.read(lambda view: page(view, AUDIT, {}, before, limit))
        return contract.AuditTrail([shown.audit_entry(row) for row in rows], following)

    async def trial_balance(self, caller: Caller) -> contract.TrialBalance:
        """Return every account, the sums by currency, and what the invariants say."""
        return await self._core.read(trial_balance)

    async def _book(
        self, caller: Caller, order: contract.CashOrder, operation: Operation
    ) -> contract.Movement:
        booked = _order(caller, order.reason, order.amount, order.currency, "/amount", order.settlement_bank)

        def command(view: View) -> Movement:
            setup.institution(view, order.institution)
            return operation(view, booked, order.institution)

        return shown.movement(await self._core.submit(command))

    async def _decide(
        self, transaction_id: int, command: Callable[[View], Payment]
    ) -> contract.PaymentDetail:
        payment = await self._core.submit(command, reads=[(PAYMENTS, (transaction_id,))])
        return await self._core.read(lambda view: shown.detail(view, payment))


def _amount(amount: Decimal, currency: str, pointer: str) -> int:
    minor = to_minor(amount, currency, pointer)
    if minor == 0:
        message = f"{pointer.removeprefix('/')} must be > 0"
        raise InvalidInput(message, errors=[FieldError(pointer, message)])
    return minor


def _order(
    caller: Caller, why: str, amount: Decimal, currency: str, pointer: str, bank: str
) -> treasury.Order:
    digits(currency)
    return treasury.Order(caller.client_id, why, _amount(amount, currency, pointer), currency, bank)


def _decision(caller: Caller, decision: contract.Decision) -> decisions.Decision:
    return decisions.Decision(caller.client_id, decision.reason, decision.outcome, decision.error)
