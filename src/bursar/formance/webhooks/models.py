"""What goes over the wire of the webhooks service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.wire import Wire


class ConfigOptions(Wire, kw_only=True):
    """Where to send which events.

    The server takes any text as `endpoint` that parses as a URL reference; one that is none fails at each delivery.
    """

    endpoint: str
    event_types: Sequence[str]
    """For example ``ledger.committed_transactions``; kept in lower case. At least one; no wildcards."""
    secret: str | None = None
    """Base64 of 24 bytes; None: a fresh one, in updates too."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})


class NewSecret(Wire, kw_only=True):
    """A secret to sign with from now on."""

    secret: str
    """Base64 of 24 bytes."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})


class WebhookConfig(Wire, kw_only=True):
    """Where which events are sent. Deliveries are signed with the *text* of the secret."""

    id: str
    endpoint: str
    secret: str
    event_types: list[str]
    active: bool
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    """Always empty; not in the published contract."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})


class AttemptStatus(OpenEnum):
    """How a trial ended."""

    SUCCESS = "success"
    FAILED = "failed"


class Attempt(Wire, kw_only=True):
    """A trial of an endpoint. Its times are those of the year 1; it is not stored."""

    id: str
    webhook_id: str = field(name="webhookID")
    config: WebhookConfig
    payload: str
    status_code: int
    """0: no answer came."""
    retry_attempt: int
    status: AttemptStatus
    created_at: datetime
    updated_at: datetime
    next_retry_after: datetime | None = None


class DeliveryStatus(OpenEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERING = "delivering"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Delivery(Wire, kw_only=True):
    """An event on its way to an endpoint."""

    id: str
    event_id: str = field(name="eventID")
    config_id: str = field(name="configID")
    event_type: str
    status: DeliveryStatus
    attempt_count: int
    """Since the last replay."""
    replay_generation: int
    """How often it was replayed after it had failed."""
    created_at: datetime
    updated_at: datetime
    idempotency_key: str | None = None
    """The event's; ledger events have none."""
    payload: str | None = None
    """The body that is sent; not in lists."""
    cycle_started_at: datetime | None = None
    next_attempt_at: datetime | None = None
    claimed_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_status_code: int | None = None
    last_error: str | None = None
    """Why no answer came."""


class AttemptOutcome(OpenEnum):
    """What an attempt came to."""

    SUCCEEDED = "succeeded"
    RETRYABLE_FAILURE = "retryable_failure"
    PERMANENT_FAILURE = "permanent_failure"


class DeliveryAttempt(Wire, kw_only=True):
    """One attempt to deliver."""

    id: str
    delivery_id: str = field(name="deliveryID")
    attempt_number: int
    replay_generation: int
    endpoint: str
    outcome: AttemptOutcome
    status_code: int
    """0: no answer came, and `error` says why."""
    created_at: datetime
    duration_millis: int | None = None
    error: str | None = None
    response_excerpt: str | None = None


class ReplayRequest(Wire, kw_only=True):
    """Which deliveries to replay: those created in a window of at most 90 days."""

    created_at_from: datetime
    created_at_to: datetime | None = None
    """None: now. Give the answer's to continue."""
    config_ids: Sequence[str] | None = None
    statuses: Sequence[DeliveryStatus] | None = None
    """Of failed and pending; None: both."""
    page_size: int | None = None
    """At most 1000; None: 1000."""
    cursor: str | None = None
    """`next_cursor` of the answer before; everything else must be as it was."""


class ReplayResult(Wire, kw_only=True):
    """What a replay of many did."""

    replayed: int
    expedited: int
    """Pending ones whose next attempt is now."""
    skipped: int
    has_more: bool
    created_at_to: datetime
    next_cursor: str | None = None
