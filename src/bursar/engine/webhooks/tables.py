"""The rows of outgoing webhooks. Times in microseconds since the epoch; nested things as JSON text."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, json

from bursar.engine.store.table import AnyTable, Table

EVERY: Final = "*"
"""In an endpoint's list of event types: all of them."""

PENDING: Final = "pending"
"""Status of a delivery that is to be made: now, at a later time, or after those before it in its lane."""
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
"""Given up after the last attempt: a dead letter, kept to be seen and replayed."""
CANCELLED: Final = "cancelled"


class Endpoint(Struct, frozen=True):
    """Where the events of an owner go. `failure_count` and `failing_since` tell of attempts since the last success."""

    source: str
    """The API whose events these are, such as "piaxis"."""
    owner: str
    """Whose events these are: a merchant's account."""
    id: str
    url: str
    description: str
    events: str
    """The subscribed event types, as a JSON array; `EVERY` in it stands for all."""
    active: bool
    disabled_reason: str | None
    """Why it was switched off by itself; None otherwise."""
    secret: str
    former_secret: str | None
    """The secret before the last rotation, good until `former_until`."""
    former_until: int | None
    former_works: bool
    """Whether the last accepted delivery was signed with the former secret: then it is tried first."""
    created_at: int
    updated_at: int
    last_triggered_at: int | None
    failure_count: int
    failing_since: int | None
    queued: int
    """How often something was put in its lanes: a worker sees by it whether anything came meanwhile."""

    @property
    def types(self) -> list[str]:
        """`events` as a list."""
        return json.decode(self.events, type=list[str])

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r}, source={self.source!r}, owner={self.owner!r})"  # never the secrets


class Event(Struct, frozen=True, gc=False):
    """Something that happened. `data` is what its API tells about it, as JSON text."""

    id: str
    source: str
    owner: str
    type: str
    object: str
    """What it happened to, such as "escrow:<id>": the events of one object keep their order."""
    data: str
    created_at: int


class Delivery(Struct, frozen=True, gc=False):
    """An event on its way to an endpoint.

    `attempts` counts those of the present cycle; a replay begins a new one, and adds 1 to `generation`.
    """

    id: str
    endpoint: str
    event: str
    object: str
    type: str
    """The event's name as this endpoint knows it: it may have subscribed to an alias."""
    status: str
    attempts: int
    generation: int
    next_attempt_at: int | None
    """When it is tried next; None when it is not to be tried, or waits behind others of its lane."""
    last_status_code: int | None
    last_error: str | None
    created_at: int
    updated_at: int
    follower: str | None
    """The delivery that waits behind this one in their lane."""


class Attempt(Struct, frozen=True, gc=False):
    """One try of a delivery. `number` counts from 1 in each cycle; `status_code` is 0 when no answer came."""

    delivery: str
    generation: int
    number: int
    at: int
    url: str
    outcome: str
    """"succeeded", "retryable_failure" or "permanent_failure"."""
    status_code: int
    error: str | None
    duration_us: int
    excerpt: str
    """The beginning of the answer's body."""


class Queued(Struct, frozen=True, gc=False):
    """A delivery that is in no lane yet."""

    endpoint: str
    delivery: str
    object: str


class Lane(Struct, frozen=True, gc=False):
    """The unfinished deliveries of one object to one endpoint, in order: only the head is tried (PS111)."""

    endpoint: str
    object: str
    due_at: int
    head: str
    tail: str


ENDPOINTS = Table("webhook_endpoints", Endpoint, key=("source", "owner", "id"))
EVENTS = Table("webhook_events", Event, key=("id",), indexes=(("source", "owner", "id"),), append_only=True)
DELIVERIES = Table(
    "webhook_deliveries",
    Delivery,
    key=("id",),
    indexes=(("endpoint", "id"), ("endpoint", "status", "id")),
)
ATTEMPTS = Table("webhook_attempts", Attempt, key=("delivery", "generation", "number"), append_only=True)
INBOX = Table("webhook_inbox", Queued, key=("endpoint", "delivery"))
LANES = Table("webhook_lanes", Lane, key=("endpoint", "object"), indexes=(("endpoint", "due_at", "head"),))

TABLES: tuple[AnyTable, ...] = (ENDPOINTS, EVENTS, DELIVERIES, ATTEMPTS, INBOX, LANES)
