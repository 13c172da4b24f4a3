"""What goes over the wire of the reconciliation service: policies, rules, evaluations.

Amounts are integers without upper bound, in the smallest unit that the asset's name tells: ``USD/2`` counts cents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.wire import Metadata, Wire

Amounts = dict[str, int]
"""By asset."""


class NewPolicy(Wire, kw_only=True):
    """Which ledger accounts and which payments pool must agree. The server insists on the pool only."""

    payments_pool_id: str = field(name="paymentsPoolID")
    """A UUID."""
    name: str | None = None
    ledger_name: str | None = None
    ledger_query: Mapping[str, Any] | None = None
    """A filter of the ledger's; not checked before it is used."""


class Policy(Wire, kw_only=True):
    """A policy."""

    id: str
    created_at: datetime
    name: str
    ledger_name: str
    ledger_query: dict[str, Any] | None
    payments_pool_id: str = field(name="paymentsPoolID")


class ReconciliationTimes(Wire, kw_only=True):
    """When to read either side, in the past."""

    reconciled_at_ledger: datetime
    reconciled_at_payments: datetime


class ReconciliationStatus(OpenEnum):
    """Whether the sides agree."""

    OK = "OK"
    NOT_OK = "NOT_OK"


class Reconciliation(Wire, kw_only=True):
    """What came of a reconciliation.

    The balances of a ledger that faces a provider are negative: drift is the absolute value of ledger plus payments.
    A negative sum is NOT_OK, a positive one is accepted.
    """

    id: str
    policy_id: str = field(name="policyID")
    created_at: datetime
    reconciled_at_ledger: datetime
    reconciled_at_payments: datetime
    status: ReconciliationStatus
    ledger_balances: Amounts
    payments_balances: Amounts
    drift_balances: Amounts
    error: str | None = None
    """Names the assets that drift; empty when none does."""


class TemplateKind(OpenEnum):
    """What a rule checks; each kind has a `template_spec` of its own."""

    LEDGER_VS_POOL_DRIFT = "ledger_vs_pool_drift"
    """``ledger``, ``ledgerQuery``, ``paymentsPoolID``, ``ledgerSign`` (1 or -1), ``tolerance`` by asset."""
    LEDGER_INVARIANT = "ledger_invariant"
    """``terms`` of ``ledger``, ``query``, ``sign``; ``tolerance`` by asset, which names what is checked."""
    ACCOUNT_THRESHOLD = "account_threshold"
    """``ledger``, ``query``, ``mode`` (``aggregate``), ``bounds`` by asset with ``min`` and ``max``."""
    SOURCE_PARITY = "source_parity"
    """``left`` and ``right``, a ledger query or a pool each, ``scope`` (``aggregate``), ``tolerance`` by asset."""


class Severity(OpenEnum):
    """How bad a failure is."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Cadence(OpenEnum):
    """In which periods failures are counted; each period has alerts of its own."""

    CONTINUOUS = "continuous"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ScheduleKind(OpenEnum):
    """What starts an evaluation."""

    ON_DEMAND = "on_demand"
    CRON = "cron"


class Schedule(Wire, kw_only=True):
    """When a rule is evaluated."""

    kind: ScheduleKind
    expr: str | None = None
    """Five fields of cron; needed for cron."""
    tz: str | None = None
    """Time zone of `expr`; None: UTC."""
    safety_margin: str | None = None
    """How long before the evaluation sources are read, as Go writes durations: ``30s``."""


class NewRule(Wire, kw_only=True):
    """A rule to create."""

    name: str
    template_kind: TemplateKind
    template_spec: Mapping[str, Any]
    cadence: Cadence | None = None
    """None: continuous. Later servers call it ``periodType``."""
    enabled: bool | None = None
    """None: true."""
    labels: Mapping[str, str] | None = None
    notifications: Sequence[str] | None = None
    schedule: Schedule | None = None
    """None: on demand."""
    severity: Severity | None = None
    """None: medium."""


class RulePatch(Wire, kw_only=True):
    """What to change of a rule; None leaves a member as it is."""

    name: str | None = None
    template_kind: TemplateKind | None = None
    template_spec: Mapping[str, Any] | None = None
    enabled: bool | None = None
    labels: Mapping[str, str] | None = None
    notifications: Sequence[str] | None = None
    schedule: Schedule | None = None
    severity: Severity | None = None


class Rule(Wire, kw_only=True):
    """A rule. Later servers send `period_type` in place of `cadence`."""

    id: str
    name: str
    template_kind: TemplateKind
    template_spec: dict[str, Any]
    enabled: bool
    severity: Severity
    created_at: datetime
    updated_at: datetime
    cadence: Cadence | None = None
    period_type: Cadence | None = None
    explanation_cel: str | None = field(name="explanationCEL", default=None)
    """The check as a readable expression; not what is run."""
    labels: Metadata | None = None
    notifications: list[str] | None = None
    schedule: Schedule | None = None


class EvaluationOptions(Wire, kw_only=True):
    """When an evaluation reads its sources."""

    at: datetime | None = None
    """In the past; None: now, a pool's latest balances. Needed with `source_pits`."""
    safety_margin: str | None = None
    """Read so long before, as Go writes durations; None: ``30s``."""
    source_pits: Mapping[str, datetime] | None = field(name="sourcePITs", default=None)
    """Times of single sources, by the names of `Evaluation.pit_per_source`; without margin."""


class EvaluationResult(OpenEnum):
    """What came of an evaluation."""

    PASSED = "PASS"
    FAILED = "FAIL"
    ERROR = "ERROR"


class Outcome(Wire, kw_only=True):
    """What an evaluation found for one fingerprint, usually ``asset:<asset>``."""

    fingerprint: str | None = None
    passed: bool | None = None
    proof: dict[str, str] | None = None
    """The balances, when it passed."""
    evidence: dict[str, Any] | None = None
    """The whole computation, when it failed."""


class Evaluation(Wire, kw_only=True):
    """What a rule found."""

    id: str
    rule_id: str = field(name="ruleID")
    started_at: datetime
    ended_at: datetime
    created_at: datetime
    result: EvaluationResult
    pit_per_source: dict[str, datetime] | None = None
    """When each source was read, by ``ledger:<name>#<i>`` or ``pool:<id>#<i>``."""
    evidence: list[Outcome] | dict[str, Any] | None = None
    """Outcomes; an object that describes the failure when `result` is ERROR."""
    cost_units: int | None = None
    error: str | None = None
