"""The back office of a MilkyWay hub: set it up, move its own money, look into payments, decide about stuck ones.

The vendor's API has nothing of the kind; this is Bursar's own, on another path prefix and for operator credentials
only (D17). Amounts are decimals in units of their currency (not minor units); times are RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from bursar.client import (
    SYSTEM,
    AsyncClient,
    Clock,
    Given,
    Hook,
    RawCaller,
    SyncClient,
    asynchronous,
    blocking,
)
from bursar.contract import (
    Async,
    C,
    Effect,
    Model,
    OpenEnum,
    Query,
    RawAsync,
    RawSync,
    Resource,
    Sync,
    get,
    post,
    put,
)

from .client import TokenProvider, session_for
from .models import Currency, MilkywayOptions, Text, TransactionId, TransactionStatus

# Python's $ would let a line break follow.
InstitutionId = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]+$(?!\n)", max_length=64)]
"""An institution's id, which is also its OAuth client id and a part of account names."""
Name = Annotated[str, Meta(pattern=r"^(\*|[a-zA-Z0-9._-]+)$(?!\n)", max_length=64)]
"""A bank or service in a rule; ``*`` stands for any."""
Limit = Annotated[int, Meta(ge=1, le=1000)]
Cursor = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Where a page ended: the following one holds what is older."""
Reason = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S")]
"""Why: goes to the audit trail."""

_INVALID = "The request does not have the documented form, or breaks a rule."
_UNKNOWN = "There is no such thing."
_STATE = "The thing is in a state that does not allow this."
_REFUSED = {400: _INVALID, 404: _UNKNOWN, 409: _STATE}


class Connector(OpenEnum):
    """How payouts reach a bank."""

    SIMULATED = "simulated"
    MANUAL = "manual"
    """An operator carries them out and reports what came of it."""


class LimitAction(OpenEnum):
    """What happens beyond an exposure limit."""

    BLOCK = "block"
    ALERT = "alert"


class InstitutionSettings(Model, omit_defaults=True):
    """What an operator decides about an institution."""

    name: Text
    connector: Connector = Connector.MANUAL
    enabled: bool = True


class Institution(Model):
    """A bank on the hub."""

    id: str
    name: str
    connector: Connector
    enabled: bool
    created_at: datetime


class Institutions(Model):
    """All institutions, by id."""

    institutions: list[Institution]


class ServiceSettings(Model, omit_defaults=True):
    """A way in which a bank pays recipients."""

    currency: Currency
    """What it pays out in."""
    data_schema: Mapping[str, Any] | None = field(default=None, name="schema")
    """JSON Schema 2020-12 of a payment's `data`; None: `data` is not looked at."""
    down_reason: Text | None = None
    """Why it is out of order; None when it is up."""
    dispatch_delay_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 0
    """From acceptance until the bank gets the instruction; a cancel within it succeeds at once."""
    stuck_after_ms: Annotated[int, Meta(ge=1000, le=30 * 86_400_000)] = 900_000
    """From acceptance until a payment without outcome is STUCK."""


class Service(Model):
    """A service of a bank."""

    bank: str
    id: str
    settings: ServiceSettings


class Services(Model):
    """Services, by bank and id."""

    services: list[Service]


class RateSettings(Model, omit_defaults=True):
    """A mid rate (debit units for one credit unit) and the hub's markup: 0.025 keeps back 2.5 %."""

    mid: Decimal
    markup: Decimal = Decimal(0)


class Rate(Model):
    """The rate of a pair. `client_rate` is what institutions see."""

    currency_credit: str
    currency_debit: str
    mid: Decimal
    markup: Decimal
    client_rate: Decimal
    updated_at: datetime


class Rates(Model):
    """All rates, by pair."""

    rates: list[Rate]


class CommissionSettings(Model, omit_defaults=True):
    """`fixed` plus `percent` of the amount (1.5 is 1.5 %), then at least `minimum` and at most `maximum`."""

    fixed: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    maximum: Decimal | None = None


class Commission(Model):
    """A commission rule. The rule for bank and service counts, else that for the bank, else that for any."""

    bank: str
    service: str
    currency: str
    fixed: Decimal
    percent: Decimal
    minimum: Decimal
    maximum: Decimal | None


class Commissions(Model):
    """All commission rules."""

    commissions: list[Commission]


class LimitSettings(Model, omit_defaults=True):
    """How much an institution may owe in a currency, before its deposit."""

    amount: Decimal
    action: LimitAction = LimitAction.BLOCK


class Exposure(Model):
    """How much an institution owes in a currency, and may still."""

    institution: str
    currency: str
    used: Decimal
    """Pending, cancel-pending, stuck and unsettled payments, with commission."""
    limit: Decimal
    action: LimitAction
    deposit: Decimal
    available: Decimal


class Exposures(Model):
    """An institution's exposure in each currency that it has a limit, a debt or a deposit in."""

    exposures: list[Exposure]


class SimulatorRule(Model, omit_defaults=True):
    """What a simulated bank does with matching payments. Shell patterns; the first matching rule counts.

    Behaviours: ok, slow, down, decline, silent, refuse-cancel, unknown.
    """

    behaviour: str
    service: Text = "*"
    recipient: Text = "*"


class SimulatorRules(Model):
    """All rules of a simulated bank; none of them: the recipient id's prefix decides."""

    rules: list[SimulatorRule]


class CashOrder(Model, omit_defaults=True):
    """Money that came in from, or goes out to, an institution or bank."""

    institution: InstitutionId
    amount: Decimal
    currency: Currency
    reason: Reason
    settlement_bank: InstitutionId = "house"
    """Where the hub's cash account is."""


class FeeOrder(Model, omit_defaults=True):
    """A fee that a settlement bank took."""

    amount: Decimal
    currency: Currency
    reason: Reason
    settlement_bank: InstitutionId = "house"


class CoverOrder(Model, omit_defaults=True):
    """Cash sold for cash in another currency."""

    sold: Decimal
    sold_currency: Currency
    bought: Decimal
    bought_currency: Currency
    reason: Reason
    settlement_bank: InstitutionId = "house"


class RevaluationOrder(Model):
    """A gain, or a loss when below zero, on the FX position of a currency."""

    gain: Decimal
    currency: Currency
    reason: Reason


class Movement(Model):
    """A treasury operation that was booked."""

    id: int
    kind: str
    party: str
    amount: Decimal
    currency: str
    repaid: Decimal
    """How much of it lowered the party's debt; the rest of a settlement became deposit."""
    at: datetime


class Movements(Model, omit_defaults=True):
    """Treasury operations, newest first; `next` is the `before` of the following page."""

    movements: list[Movement]
    next: int | None = None


class Decision(Model, omit_defaults=True):
    """What became of a payment, as an operator knows it. `error` is what the sender is told when it failed."""

    outcome: TransactionStatus
    """DONE, FAILED or CANCELLED."""
    reason: Reason
    """The evidence: who said so, which document shows it."""
    error: Text | None = None


class ReturnOrder(Model):
    """Why a DONE payment is turned round."""

    reason: Reason


class PaymentSummary(Model, omit_defaults=True):
    """A payment in a list."""

    id: int
    institution: str
    bank: str
    service: str
    status: TransactionStatus
    amount_credit: Decimal
    currency_credit: str
    amount_debit: Decimal
    currency_debit: str
    created_at: datetime
    updated_at: datetime
    error: str | None = None


class Payments(Model, omit_defaults=True):
    """Payments, newest first; `next` is the `before` of the following page."""

    payments: list[PaymentSummary]
    next: int | None = None


class StoredQuote(Model):
    """The quote that a payment was accepted at (D1, MS34)."""

    rate: Decimal
    mid: Decimal
    markup: Decimal
    commission: Decimal
    mid_debit: Decimal
    """What the mid rate would have paid out."""


class BookedPosting(Model):
    """Dr `debit`, Cr `credit`."""

    transaction: int
    step: str
    debit: str
    credit: str
    amount: Decimal
    currency: str
    at: datetime


class PaymentDetail(Model, omit_defaults=True):
    """All that is known of a payment."""

    hidden: ClassVar[frozenset[str]] = frozenset({"data", "sender_id", "recipient_id"})

    summary: PaymentSummary
    sender_id: str
    recipient_id: str
    quote: StoredQuote
    postings: list[BookedPosting]
    deadline_at: datetime
    over_limit: bool = False
    """Accepted beyond a limit that only alerts."""
    dispatched_at: datetime | None = None
    returned_at: datetime | None = None
    data: Mapping[str, Any] | None = None


class AuditEntry(Model):
    """Who did what, to what, and why."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    detail: Mapping[str, Any]


class AuditTrail(Model, omit_defaults=True):
    """Audit entries, newest first; `next` is the `before` of the following page."""

    entries: list[AuditEntry]
    next: int | None = None


class AccountBalance(Model):
    """An account's balance: credits less debits, so that assets are below zero."""

    account: str
    currency: str
    debits: Decimal
    credits: Decimal
    balance: Decimal


class TrialBalance(Model):
    """Every account of the hub's book. The balances of a currency sum to zero."""

    accounts: list[AccountBalance]
    sums: Mapping[str, Decimal]
    """Sum of balances by currency: always zero."""
    problems: list[str]
    """What the book's invariants say is wrong: always empty."""


class MilkywayOperator(Resource[C]):
    """The back office of the hub."""

    @put("/operator/v1/institutions/{institution}", errors=_REFUSED)
    def put_institution(self, institution: InstitutionId, settings: InstitutionSettings) -> Institution:
        """Add or change an institution. Its id is the OAuth client id that its tokens must carry."""
        ...

    @get("/operator/v1/institutions")
    def list_institutions(self) -> Institutions:
        """Return all institutions."""
        ...

    @put("/operator/v1/services/{bank}/{service}", errors=_REFUSED)
    def put_service(self, bank: InstitutionId, service: Name, settings: ServiceSettings) -> Service:
        """Add or change a bank's service."""
        ...

    @get("/operator/v1/services")
    def list_services(self, bank: Annotated[InstitutionId | None, Query()] = None) -> Services:
        """Return all services, or those of one bank."""
        ...

    @put("/operator/v1/rates/{currency_credit}/{currency_debit}", errors=_REFUSED)
    def put_rate(self, currency_credit: Currency, currency_debit: Currency, settings: RateSettings) -> Rate:
        """Set a pair's rate. Payments accepted before keep theirs, quotes held keep it for their minute."""
        ...

    @get("/operator/v1/rates")
    def list_rates(self) -> Rates:
        """Return all rates."""
        ...

    @put("/operator/v1/commissions/{bank}/{service}/{currency}", errors=_REFUSED)
    def put_commission(
        self, bank: Name, service: Name, currency: Currency, settings: CommissionSettings
    ) -> Commission:
        """Set what is charged on payments to a bank's service in a currency; bank and service may be ``*``."""
        ...

    @get("/operator/v1/commissions")
    def list_commissions(self) -> Commissions:
        """Return all commission rules."""
        ...

    @put("/operator/v1/limits/{institution}/{currency}", errors=_REFUSED)
    def put_limit(self, institution: InstitutionId, currency: Currency, settings: LimitSettings) -> Exposure:
        """Set an institution's exposure limit. A currency without limit has the limit zero."""
        ...

    @get("/operator/v1/exposures/{institution}", errors=_REFUSED)
    def list_exposures(self, institution: InstitutionId) -> Exposures:
        """Return what an institution owes and may owe."""
        ...

    @put("/operator/v1/simulator/{bank}", errors=_REFUSED)
    def put_simulator_rules(self, bank: InstitutionId, settings: SimulatorRules) -> SimulatorRules:
        """Tell a simulated bank how to treat payments; replaces all its rules."""
        ...

    @get("/operator/v1/simulator/{bank}", errors=_REFUSED)
    def list_simulator_rules(self, bank: InstitutionId) -> SimulatorRules:
        """Return a simulated bank's rules."""
        ...

    @post("/operator/v1/deposits", effect=Effect.ONCE, errors=_REFUSED)
    def deposit(self, order: CashOrder) -> Movement:
        """Book collateral that an institution funded; its effective limit rises at once."""
        ...

    @post("/operator/v1/settlements", effect=Effect.ONCE, errors=_REFUSED)
    def settle(self, order: CashOrder) -> Movement:
        """Book an institution's payment of what it owes; what is more becomes deposit."""
        ...

    @post("/operator/v1/deposit-draws", effect=Effect.ONCE, errors=_REFUSED)
    def draw_deposit(self, order: CashOrder) -> Movement:
        """Pay an institution's debt out of its deposit."""
        ...

    @post("/operator/v1/write-offs", effect=Effect.ONCE, errors=_REFUSED)
    def write_off(self, order: CashOrder) -> Movement:
        """Give up a debt of an institution."""
        ...

    @post("/operator/v1/bank-settlements", effect=Effect.ONCE, errors=_REFUSED)
    def settle_bank(self, order: CashOrder) -> Movement:
        """Book the hub's payment of what it owes a recipient bank."""
        ...

    @post("/operator/v1/bank-fees", effect=Effect.ONCE, errors=_REFUSED)
    def charge_fee(self, order: FeeOrder) -> Movement:
        """Book a fee that a settlement bank took from the hub's cash."""
        ...

    @post("/operator/v1/fx-covers", effect=Effect.ONCE, errors=_REFUSED)
    def cover_fx(self, order: CoverOrder) -> Movement:
        """Book cash sold for cash in a currency that the hub owes."""
        ...

    @post("/operator/v1/revaluations", effect=Effect.ONCE, errors=_REFUSED)
    def revalue(self, order: RevaluationOrder) -> Movement:
        """Book a gain or loss on the FX position."""
        ...

    @get("/operator/v1/movements")
    def list_movements(
        self, before: Annotated[Cursor | None, Query()] = None, limit: Annotated[Limit, Query()] = 100
    ) -> Movements:
        """Return treasury operations, newest first."""
        ...

    @get("/operator/v1/payments", errors=_REFUSED)
    def list_payments(
        self,
        institution: Annotated[InstitutionId | None, Query()] = None,
        status: Annotated[TransactionStatus | None, Query()] = None,
        before: Annotated[Cursor | None, Query()] = None,
        limit: Annotated[Limit, Query()] = 100,
    ) -> Payments:
        """Return payments, newest first, of one institution or status if given."""
        ...

    @get("/operator/v1/payments/{transaction_id}", errors=_REFUSED)
    def get_payment(self, transaction_id: TransactionId) -> PaymentDetail:
        """Return all that is known of a payment, with its stored quote and postings."""
        ...

    @post("/operator/v1/payments/{transaction_id}/outcome", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def report_outcome(self, transaction_id: TransactionId, decision: Decision) -> PaymentDetail:
        """Report what a bank with a manual connector did with a PENDING or CANCEL_PENDING payment."""
        ...

    @post("/operator/v1/payments/{transaction_id}/resolution", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def resolve(self, transaction_id: TransactionId, decision: Decision) -> PaymentDetail:
        """Decide about a STUCK payment (MS64)."""
        ...

    @post("/operator/v1/payments/{transaction_id}/return", effect=Effect.IDEMPOTENT, errors=_REFUSED)
    def return_payment(self, transaction_id: TransactionId, order: ReturnOrder) -> PaymentDetail:
        """Turn a DONE payment round by a new, opposite transaction; the payment stays DONE (D13)."""
        ...

    @get("/operator/v1/audit")
    def list_audit(
        self, before: Annotated[Cursor | None, Query()] = None, limit: Annotated[Limit, Query()] = 100
    ) -> AuditTrail:
        """Return the audit trail, newest first."""
        ...

    @get("/operator/v1/trial-balance")
    def trial_balance(self) -> TrialBalance:
        """Return every account's balance, and what the book's invariants say."""
        ...


class MilkywayOperatorClient(SyncClient, MilkywayOperator[Sync]):
    """Calls the back office and blocks; options, errors and hooks are those of `MilkywayPaymentsClient`."""

    options: MilkywayOptions

    def __init__(
        self,
        options: MilkywayOptions,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client with an operator's credentials; nothing is sent yet."""
        token_transport = None if token_session is None else blocking(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(options, given, shared)

    @property
    def raw(self) -> MilkywayOperator[RawSync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayOperator(RawCaller(self._calls.reply))


class AsyncMilkywayOperatorClient(AsyncClient, MilkywayOperator[Async]):
    """The asynchronous twin of `MilkywayOperatorClient`."""

    options: MilkywayOptions

    def __init__(
        self,
        options: MilkywayOptions,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client with an operator's credentials; nothing is sent yet."""
        token_transport = None if token_session is None else asynchronous(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(options, given, shared)

    @property
    def raw(self) -> MilkywayOperator[RawAsync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayOperator(RawCaller(self._calls.reply))
