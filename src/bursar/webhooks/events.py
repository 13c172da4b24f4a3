"""What deliveries say. Types stay open: an event that this version does not know is an event all the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bursar.contract import OpenEnum, UnreadableAnswer
from bursar.contract.json import loads, members

from .errors import Reason, WebhookVerificationError


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `repr` does not show what is in it, since that may be personal data."""

    type: str
    id: str | None
    """The same whenever the event is delivered again; None where the sender gives none."""
    timestamp: datetime | None
    """When it happened, as far as it says."""
    data: Mapping[str, Any] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)
    """All members of the body."""
    key: str = field(repr=False)
    """What to remember to handle each event once: its id, or a hash of the body where it has none (PC88)."""


class PiaxisEventType(OpenEnum):
    """Names of Piaxis's events; a name this version does not know is kept, with `is_known` False."""

    PAYMENT_PENDING = "payment.pending"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_COMPLETED = "payment.completed"
    """What older documents call a payment that succeeded."""
    PAYMENT_FAILED = "payment.failed"
    ESCROW_CREATED = "escrow.created"
    ESCROW_FUNDED = "escrow.funded"
    ESCROW_TERM_FULFILLED = "escrow.term_fulfilled"
    ESCROW_TERM_EXPIRED = "escrow.term_expired"
    ESCROW_RELEASED = "escrow.released"
    ESCROW_REVERSED = "escrow.reversed"
    ESCROW_DISPUTED = "escrow.disputed"
    ESCROW_RESOLVED = "escrow.resolved"
    ESCROW_CANCELLED = "escrow.cancelled"
    DISBURSEMENT_PROCESSING = "disbursement.processing"
    DISBURSEMENT_COMPLETED = "disbursement.completed"
    DISBURSEMENT_PARTIALLY_COMPLETED = "disbursement.partially_completed"
    DISBURSEMENT_FAILED = "disbursement.failed"
    DISBURSEMENT_CANCELLED = "disbursement.cancelled"
    ESCROW_DISBURSEMENT_RELEASED = "escrow_disbursement.released"
    ESCROW_DISBURSEMENT_CANCELLED = "escrow_disbursement.cancelled"


@dataclass(frozen=True, slots=True)
class PiaxisEvent(Event):
    """An event of Piaxis. The older envelope has only `data` and `timestamp`: its `type` is empty then."""

    type: PiaxisEventType
    webhook_id: str | None
    """The endpoint it was sent to."""
    merchant_id: str | None

    @property
    def subject(self) -> str:
        """What it is about: ``payment``, ``escrow``, ``disbursement``, ..."""
        return self.type.partition(".")[0]

    @property
    def status(self) -> str | None:
        """The status that the object has after it, where `data` says so."""
        return _optional(self.data, "status")


@dataclass(frozen=True, slots=True)
class FormanceEvent(Event):
    """An event of a Formance stack, such as ``ledger.committed_transactions``; `data` is its payload."""

    app: str | None
    version: str | None
    is_test: bool
    """True for the delivery that an operator tries an endpoint with."""


@dataclass(frozen=True, slots=True)
class StandardEvent(Event):
    """An event in the form that Standard Webhooks recommends."""


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object. Raises `WebhookVerificationError`."""
    try:
        found = members(loads(body))
    except UnreadableAnswer as error:
        raise WebhookVerificationError(f"the body cannot be read: {error}", Reason.MALFORMED) from None
    if found is None:
        raise WebhookVerificationError("the body is no JSON object", Reason.MALFORMED)
    return found


def open_event(
    body: bytes, name: str, *, claimed: str | None = None, moment: str = "timestamp", data: str = "data"
) -> dict[str, Any]:
    """Return the fields that all events share; `name`, `moment` and `data` are the members to look at."""
    found = json_object(body)
    known = claimed or _optional(found, "id")
    return {
        "type": _optional(found, name) or "",
        "id": known,
        "timestamp": _moment(found.get(moment)),
        "data": members(found.get(data)) or {},
        "body": found,
        "key": known or f"sha256:{hashlib.sha256(body).hexdigest()}",
    }


def _optional(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None


def optional(event: Mapping[str, Any], name: str) -> str | None:
    """Return a text of the body; None when there is none."""
    return _optional(event["body"], name)


def _moment(value: object) -> datetime | None:
    """Return a time that is ISO 8601 or Unix seconds; None for anything else."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
