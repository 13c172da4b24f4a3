"""The audit trail: one row for each thing that a person did, or that the rail wants a person to see."""

from __future__ import annotations

from typing import Any, Final

from bursar.engine.piaxis.tables import AUDIT, AuditRow, packed
from bursar.engine.view import View

ENGINE: Final = "engine"
"""The actor of what nobody asked for."""


def record(view: View, actor: str, action: str, subject: str, reason: str = "", /, **detail: Any) -> None:
    """Write an audit row in the command that does the thing. `detail` must hold no personal data and no secret."""
    number = view.next_id("piaxis.audit")
    view.put(AUDIT, AuditRow(number, view.now, actor, action, subject, reason, packed(detail)))
