"""One call of an operation: how it is made, what goes over the wire, what the vendor's SDK is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bursar.formance import Formance

WHEN = datetime(2026, 1, 2, 3, 4, 5, 120000, UTC)
TEXT = "2026-01-02T03:04:05.12Z"
KEY = "0b7b5c70-4b4e-4d53-9a3a-0d1f9a3d8a11"
FILTER = {"$match": {"address": "users:"}}
POSTING: dict[str, Any] = {"source": "world", "destination": "users:1", "amount": 10**30, "asset": "USD/2"}
TAGS = {"tier": "gold"}
V1 = "/api/ledger/main"
V2 = "/api/ledger/v2/main"
STREAM = "application/vnd.formance.ledger.api.v2.bulk+"


@dataclass(frozen=True)
class Case:
    """A call and its request."""

    operation: str
    call: Callable[[Formance], object]
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    key: str | None = None
    media: str = "application/json"
    vendor: Mapping[str, Any] | None = field(default_factory=dict[str, Any])
    """Arguments for the vendor's SDK; None when it has no such operation."""
    differs: str = ""
    """Why the vendor's request is another one; empty when it is the same."""

    def __str__(self) -> str:
        return self.operation
