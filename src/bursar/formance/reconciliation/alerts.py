"""Alerts of the reconciliation service: one for each rule, fingerprint and period that failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.wire import Metadata, Wire

from .models import Severity


class AlertStatus(OpenEnum):
    """Where an alert stands."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


class ResolutionKind(OpenEnum):
    """How an alert ended."""

    AUTO = "auto"
    FIXED_BY_BOOKING = "fixed_by_booking"
    ACCEPTED_BY_BUSINESS = "accepted_by_business"


class Ack(Wire, kw_only=True):
    """Somebody looks into it."""

    by: str
    at: datetime
    note: str | None = None


class Snooze(Wire, kw_only=True):
    """Failures go on being counted, and nobody is notified."""

    by: str
    at: datetime
    until: datetime
    note: str | None = None


class Resolution(Wire, kw_only=True):
    """How an alert ended, and by whom: ``system`` for a check that passed."""

    kind: ResolutionKind
    by: str
    at: datetime
    note: str | None = None
    transaction_refs: list[str] | None = None
    evidence_snapshot: dict[str, Any] | None = None


class Alert(Wire, kw_only=True):
    """A check that failed in a period."""

    id: str
    rule_id: str = field(name="ruleID")
    fingerprint: str
    period_id: str = field(name="periodID")
    """``continuous``, ``2026-03-15``, ``2026-W11`` or ``2026-03``."""
    severity: Severity
    status: AlertStatus
    first_seen_at: datetime
    last_seen_at: datetime
    occurrence_count: int
    last_evaluation_id: str = field(name="lastEvaluationID")
    created_at: datetime
    updated_at: datetime
    evidence: dict[str, Any] | None = None
    labels: Metadata | None = None
    ack: Ack | None = None
    snooze: Snooze | None = None
    resolution: Resolution | None = None


class AlertEventType(OpenEnum):
    """What happened to an alert."""

    FAILED = "fail"
    PASSED = "pass"
    ACK = "ack"
    RESOLVE = "resolve"
    ACCEPT = "accept"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"


class AlertEvent(Wire, kw_only=True):
    """Something that happened to an alert."""

    id: str
    alert_id: str = field(name="alertID")
    type: AlertEventType
    prev_status: AlertStatus | None
    """None for the first."""
    new_status: AlertStatus
    at: datetime
    is_reopen: bool
    notify: bool
    """False: kept, and not published."""
    evaluation_id: str | None = field(name="evaluationID", default=None)
    payload: dict[str, Any] | None = None


class AckRequest(Wire, kw_only=True):
    """Who looks into it."""

    by: str
    note: str | None = None


class ResolveRequest(Wire, kw_only=True):
    """Who fixed it, by which transactions."""

    by: str
    note: str | None = None
    transaction_refs: Sequence[str] | None = None


class AcceptRequest(Wire, kw_only=True):
    """Who accepts it, and why."""

    by: str
    note: str


class SnoozeRequest(Wire, kw_only=True):
    """Who wants no notifications until when, in the future."""

    by: str
    until: datetime
    note: str | None = None


class UnsnoozeRequest(Wire, kw_only=True):
    """Who wants notifications again."""

    by: str
