"""Where events are sent (B10). Routes of a merchant's user, beside the API's base path."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from bursar.contract import OpenEnum

from .base import Answer, Input, PageAnswer, Reason

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
EventName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_]+(\.[a-z_]+)*$(?!\n)|^\*$")]
"""Such as ``payment.succeeded``; ``*`` for all."""
SecretText = Annotated[str, Meta(min_length=16, max_length=255)]


class NewWebhookEndpoint(Input, kw_only=True):
    """An address that takes events."""

    url: Url
    events: Annotated[list[EventName], Meta(min_length=1, max_length=100)]
    description: Reason | None = None
    secret: SecretText | None = None
    """None: one is made, and shown once."""

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})


class WebhookEndpointChange(Input, kw_only=True):
    """What to change; what is left out stays."""

    url: Url | None = None
    events: Annotated[list[EventName], Meta(min_length=1, max_length=100)] | None = None
    description: Reason | None = None
    is_active: bool | None = None


class WebhookEndpoint(Answer, kw_only=True):
    """An address that takes events. `secret` is there only when it was just made."""

    id: str
    url: str
    description: str | None
    events: list[str]
    is_active: bool
    created_at: datetime
    last_triggered_at: datetime | None
    failure_count: int
    """Failed deliveries since the last one that succeeded."""
    secret: str | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})


class WebhookEndpoints(Answer, kw_only=True):
    """All endpoints of a merchant."""

    webhooks: list[WebhookEndpoint]


class DeliveryStatus(OpenEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; replay it when the receiver is well again."""


class DeliveryAttempt(Answer, kw_only=True):
    """One try at a delivery."""

    number: int
    at: datetime
    status_code: int | None
    """None: no answer came."""
    error: str | None
    duration_ms: int


class WebhookDelivery(Answer, kw_only=True):
    """One event on its way to one endpoint."""

    id: str
    event_id: str
    event: str
    status: DeliveryStatus
    attempt_count: int
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    attempts: list[DeliveryAttempt] | None = None
    """In the answer about one delivery only."""


class DeliveryPage(PageAnswer, kw_only=True):
    """A page of deliveries, newest first."""

    results: list[WebhookDelivery]


class ReplayDeliveries(Input, kw_only=True):
    """Which deliveries to send again: those in `status`, created in the span of time."""

    status: DeliveryStatus = DeliveryStatus.DEAD
    since: datetime | None = None
    until: datetime | None = None


class Replayed(Answer, kw_only=True):
    """How many deliveries go out again."""

    count: int


class TestDelivery(Answer, kw_only=True):
    """What came of a test event."""

    success: bool
    message: str
    event_id: str | None = None
    status_code: int | None = None


class WebhookEvent(Answer, kw_only=True):
    """The body of a delivery (envelope 2 with an id, E21)."""

    id: str
    event: str
    webhook_id: str
    merchant_id: str
    data: dict[str, Any]
    timestamp: datetime
