"""The audit trail: one row for each thing that a person did, or that the rail wants a person to see (MS64)."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.engine.milkyway.tables import AUDIT, AuditRow
from bursar.engine.writer import View

ENGINE = "engine"
"""The actor of what nobody asked for."""


def record(view: View, actor: str, action: str, subject: str, reason: str = "", /, **detail: Any) -> None:
    """Write an audit row in the command that does the thing. `detail` must never hold a payment's `data`."""
    view.put(
        AUDIT,
        AuditRow(
            id=view.next_id("milkyway.audit"),
            at=view.now,
            actor=actor,
            action=action,
            subject=subject,
            reason=reason,
            detail=msgspec.json.encode(detail, order="deterministic").decode(),
        ),
    )
