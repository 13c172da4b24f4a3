"""What the rail's tests share: the sandbox on a frozen clock, driven step by step from plain functions."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self, TypeVar

from bursar.contract.binding import Incoming, Route, route
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.milkyway import sandbox, worker
from bursar.engine.milkyway.operator import OperatorService
from bursar.engine.milkyway.service import MilkywayService
from bursar.engine.milkyway.tables import PAYMENTS, Payment
from bursar.engine.verify import verify
from bursar.milkyway import MilkywayPayments
from bursar.milkyway import operator as contract
from bursar.milkyway.models import PayRequest, PrecheckRequest, TransactionStatus

T = TypeVar("T")
T0 = 1_700_000_000_000_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
PASSPORT = {"passport": "AA1234567"}


@dataclass(frozen=True)
class Caller:
    client_id: str


ALPHA, BETA, OPERATOR = Caller("bank-alpha"), Caller("bank-beta"), Caller("olga")


class Rail:
    """The sandbox rail; every method returns when its effect is durable."""

    def __init__(self, url: str = "sqlite://", *, at: int = T0, seed: int = 7) -> None:
        self._runner = asyncio.Runner()
        self.clock = SandboxClock(at)
        self.core: Core = self.do(Core.open(url, clock=self.clock, ids=Ids(seed)))
        worker.register(self.core)
        self.service = MilkywayService(self.core)
        self.operator = OperatorService(self.core)
        self.do(self.core.submit(sandbox.seed))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.do(self.core.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Calls of an institution.

    def pay(self, recipient: str = "ok-1", amount: str = "100.00", **options: Any) -> int:
        caller, key = options.pop("caller", ALPHA), options.pop("key", None)
        return self.do(self.service.pay(caller, pay_request(recipient, amount, **options), key))

    def precheck(self, recipient: str = "ok-1", amount: str = "100.00", **options: Any) -> Any:
        caller = options.pop("caller", ALPHA)
        return self.do(self.service.precheck(caller, precheck_request(recipient, amount, **options)))

    def status(self, payment: int, caller: Caller = ALPHA) -> TransactionStatus:
        return self.do(self.service.postcheck(caller, payment)).status

    def error(self, payment: int) -> str | None:
        return self.do(self.service.postcheck(ALPHA, payment)).error

    def cancel(self, payment: int, caller: Caller = ALPHA) -> TransactionStatus:
        return self.do(self.service.cancel(caller, payment)).status

    # The same over the contract: bytes in, bytes out, still no HTTP.

    def wire_pay(self, body: object, key: str | None = None) -> Any:
        headers = {} if key is None else {"idempotency-key": key}
        return self.wire(route(MilkywayPayments.pay, self.service.pay), body=body, headers=headers)

    def wire_precheck(self, body: object) -> Any:
        return self.wire(route(MilkywayPayments.precheck, self.service.precheck), body=body)

    def wire(self, bound: Route, body: object = b"", **parts: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.do(bound.handle(Incoming(body=raw, **parts), ALPHA))
        return json.loads(answer.body, parse_float=Decimal)

    # Time, operators, and what is stored.

    def advance(self, microseconds: int) -> None:
        """Move the clock on and let everything happen that is due."""
        self.clock.advance(microseconds)
        self.do(self.core.worker.run_due())

    def cash(self, operation: str, institution: str, amount: str, currency: str = "USD") -> contract.Movement:
        order = contract.CashOrder(institution, Decimal(amount), currency, "test")
        return self.do(getattr(self.operator, operation)(OPERATOR, order))

    def exposure(self, institution: str = "bank-alpha", currency: str = "USD") -> contract.Exposure:
        every = self.do(self.operator.list_exposures(OPERATOR, institution)).exposures
        return next(each for each in every if each.currency == currency)

    def set_limit(self, amount: str, action: str = "block", currency: str = "USD") -> None:
        settings = contract.LimitSettings(Decimal(amount), contract.LimitAction(action))
        self.do(self.operator.put_limit(OPERATOR, "bank-alpha", currency, settings))

    def set_rate(self, credit: str, debit: str, mid: str, markup: str = "0") -> None:
        settings = contract.RateSettings(Decimal(mid), Decimal(markup))
        self.do(self.operator.put_rate(OPERATOR, credit, debit, settings))

    def set_service(self, service: str = "card-payout", bank: str = "bank-beta", **settings: Any) -> None:
        settings.setdefault("currency", "UZS")
        self.do(self.operator.put_service(OPERATOR, bank, service, contract.ServiceSettings(**settings)))

    def set_rules(self, *rules: contract.SimulatorRule, bank: str = "bank-beta") -> None:
        self.do(self.operator.put_simulator_rules(OPERATOR, bank, contract.SimulatorRules(list(rules))))

    def set_manual(self, bank: str = "bank-beta") -> None:
        settings = contract.InstitutionSettings(bank, contract.Connector.MANUAL)
        self.do(self.operator.put_institution(OPERATOR, bank, settings))

    def decide(
        self, operation: str, payment: int, outcome: int, reason: str = "camt.029"
    ) -> contract.PaymentDetail:
        decision = contract.Decision(TransactionStatus(outcome), reason)
        return self.do(getattr(self.operator, operation)(OPERATOR, payment, decision))

    def detail(self, payment: int) -> contract.PaymentDetail:
        return self.do(self.operator.get_payment(OPERATOR, payment))

    def row(self, payment: int) -> Payment:
        row = self.do(self.core.read(lambda view: view.get(PAYMENTS, payment)))
        assert row is not None
        return row

    def payments(self) -> list[Payment]:
        return self.do(self.core.read(lambda view: view.select(PAYMENTS)))

    def balances(self) -> dict[str, Decimal]:
        """Non-zero balances of all accounts: credits less debits."""
        book = self.do(self.operator.trial_balance(OPERATOR))
        return {each.account: each.balance for each in book.accounts if each.balance}

    def steps(self, payment: int) -> dict[str, list[tuple[str, str, Decimal]]]:
        """The postings of a payment by step: (Dr, Cr, amount)."""
        found: dict[str, list[tuple[str, str, Decimal]]] = {}
        for entry in self.detail(payment).postings:
            found.setdefault(entry.step, []).append((entry.debit, entry.credit, entry.amount))
        return found

    def damages(self) -> list[str]:
        """What verification finds: the ledger's own invariants and those of A12."""
        return [str(damage) for damage in self.do(verify(self.core.store, clock=self.clock)).damages]


def pay_request(
    recipient: str = "ok-1", amount: str = "100.00", sender: str = "sender-1", **options: Any
) -> PayRequest:
    return PayRequest(sender_id=sender, **_common(recipient, amount, **options))


def precheck_request(recipient: str = "ok-1", amount: str = "100.00", **options: Any) -> PrecheckRequest:
    return PrecheckRequest(**_common(recipient, amount, **options))


def _common(
    recipient: str,
    amount: str,
    currency: str = "USD",
    bank: str = "bank-beta",
    service: str = "card-payout",
    data: Mapping[str, Any] | None = PASSPORT,
) -> dict[str, Any]:
    return {
        "third_party_id_debit": bank,
        "service_id": service,
        "recipient_id": recipient,
        "amount_credit": Decimal(amount),
        "currency_credit": currency,
        "data": data,
    }


def body(**changes: Any) -> dict[str, Any]:
    """A pay request as JSON members; a member changed to None is left out."""
    members: dict[str, Any] = {
        "third_party_id_debit": "bank-beta",
        "service_id": "card-payout",
        "sender_id": "sender-1",
        "recipient_id": "ok-1",
        "amount_credit": 100,
        "currency_credit": "USD",
        "data": PASSPORT,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}
