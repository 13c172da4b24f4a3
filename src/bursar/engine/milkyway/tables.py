"""The rail's rows. Times in microseconds since the epoch; amounts in minor units; nested things as JSON text.

Configuration tables are small and cached.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from bursar.engine.milkyway.quote import Commission, Quote, Rate
from bursar.engine.store.table import Amount, AnyTable, Table
from bursar.milkyway.models import TransactionStatus

ANY = "*"
"""In a commission rule or a simulator rule: whichever bank, service or recipient."""


class Institution(msgspec.Struct, frozen=True):
    """A bank on the hub. Its id is its OAuth client id, the `azp` of its tokens."""

    id: str
    name: str
    connector: str
    """How payouts reach it: "simulated", or "manual" when an operator carries them out and reports."""
    enabled: bool
    created_at: int


class Service(msgspec.Struct, frozen=True):
    """A way in which a bank pays recipients."""

    bank: str
    id: str
    currency: str
    """What it pays out in."""
    schema: str | None
    """JSON Schema 2020-12 of `data`, as JSON text; None: `data` is not looked at (MS25)."""
    down_reason: str | None
    """Why the service is out of order; None when it is up."""
    dispatch_delay: int
    """From acceptance until the bank gets the instruction; a cancel within it succeeds at once (MS57)."""
    stuck_after: int
    """From acceptance until a payment without outcome is STUCK (D12)."""


class RateRow(msgspec.Struct, frozen=True):
    """The mid rate of a pair and the hub's markup, as decimal text."""

    currency_credit: str
    currency_debit: str
    mid: str
    markup: str
    updated_at: int

    @property
    def value(self) -> Rate:
        """The rate itself."""
        return Rate(Decimal(self.mid), Decimal(self.markup))


class CommissionRow(msgspec.Struct, frozen=True):
    """What is charged on payments to a bank's service in a credit currency; bank and service may be `ANY`.

    See `Commission` for the units.
    """

    bank: str
    service: str
    currency: str
    fixed: Amount
    percent: str
    minimum: Amount
    maximum: Amount | None

    @property
    def value(self) -> Commission:
        """The rule itself."""
        return Commission(self.fixed, Decimal(self.percent), self.minimum, self.maximum)


class Limit(msgspec.Struct, frozen=True):
    """How much an institution may owe in a currency, before deposits (D5)."""

    institution: str
    currency: str
    amount: Amount
    action: str
    """"block" refuses payments beyond it, "alert" records them."""


class Payment(msgspec.Struct, frozen=True):
    """A payment. Its alarm fields say what happens to it by itself, and when; see `lifecycle`."""

    id: int
    institution: str
    bank: str
    service: str
    recipient: str
    sender: str
    status: int
    quote: str
    """The stored `Quote`; later changes of rates and rules do not touch it (MS34)."""
    created_at: int
    updated_at: int
    deadline_at: int
    data: str | None = None
    """What the sender gave for the service's schema, as JSON text. Personal: shown to operators only."""
    error: str | None = None
    over_limit: bool = False
    """Accepted beyond a limit whose action is alert (MS38)."""
    dispatch_at: int | None = None
    """When the instruction goes to the bank; None once it went."""
    dispatched_at: int | None = None
    behaviour: str | None = None
    """How the simulated bank treats it, fixed at dispatch; None before, and for manual connectors."""
    reply_at: int | None = None
    """When the simulated bank reports the outcome; None: it will not."""
    cancel_reply_at: int | None = None
    """When the simulated bank answers the cancellation; None: it was not asked, or will not."""
    returned_at: int | None = None

    @property
    def state(self) -> TransactionStatus:
        """`status` by name."""
        return TransactionStatus(self.status)

    @property
    def priced(self) -> Quote:
        """The stored quote."""
        return msgspec.json.decode(self.quote, type=Quote)

    def __repr__(self) -> str:
        # `data`, sender and recipient are personal: they must not reach a log by accident (MS71).
        return f"Payment(id={self.id}, institution={self.institution!r}, status={self.state.name})"


class KeyRow(msgspec.Struct, frozen=True):
    """An idempotency key bound to an accepted payment (D2, D4)."""

    institution: str
    key: str
    payment: int
    fingerprint: bytes
    created_at: int


class Movement(msgspec.Struct, frozen=True):
    """A treasury operation: money that moved outside payments. Its postings have reference "treasury:<id>"."""

    id: int
    kind: str
    """deposit, settlement, deposit_drawn, bank_settlement, fx_cover, revaluation, return, writeoff or bank_fee."""
    party: str
    """The institution or bank concerned; empty for the hub's own operations."""
    currency: str
    amount: Amount
    """Below zero only for a revaluation loss."""
    repaid: Amount
    """How much of it lowered the party's receivable."""
    at: int


class SimulatorRules(msgspec.Struct, frozen=True):
    """What an operator told a simulated bank to do, as JSON text: an array of rules, the first match counts."""

    bank: str
    rules: str


class AuditRow(msgspec.Struct, frozen=True):
    """Who did what, to what, and why (MS64)."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    reason: str
    detail: str
    """What changed, as JSON text; never holds `data`."""


INSTITUTIONS = Table("milkyway_institutions", Institution, key=("id",), cached=True)
SERVICES = Table("milkyway_services", Service, key=("bank", "id"), cached=True)
RATES = Table("milkyway_rates", RateRow, key=("currency_credit", "currency_debit"), cached=True)
COMMISSIONS = Table("milkyway_commissions", CommissionRow, key=("bank", "service", "currency"), cached=True)
LIMITS = Table("milkyway_limits", Limit, key=("institution", "currency"), cached=True)
SIMULATOR = Table("milkyway_simulator_rules", SimulatorRules, key=("bank",), cached=True)
PAYMENTS = Table("milkyway_payments", Payment, key=("id",), indexes=(("institution", "id"), ("status", "id")))
KEYS = Table("milkyway_keys", KeyRow, key=("institution", "key"), indexes=(("created_at",),))
MOVEMENTS = Table(
    "milkyway_movements", Movement, key=("id",), indexes=(("party", "currency"),), append_only=True
)
AUDIT = Table("milkyway_audit", AuditRow, key=("id",), append_only=True)

TABLES: tuple[AnyTable, ...] = (
    INSTITUTIONS,
    SERVICES,
    RATES,
    COMMISSIONS,
    LIMITS,
    SIMULATOR,
    PAYMENTS,
    KEYS,
    MOVEMENTS,
    AUDIT,
)


def packed(value: msgspec.Struct) -> str:
    """Return a struct as the JSON text that rows keep it in; decimals and large integers exact."""
    return msgspec.json.encode(value).decode()
