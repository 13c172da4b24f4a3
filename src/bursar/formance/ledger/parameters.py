"""Parameters that many operations of the ledger share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from bursar.contract import Query
from bursar.formance.wire import Names

Pit = Annotated[datetime | None, Query("pit")]
"""Point in time: how it was then, this moment included. None: how it is now, future-dated money included."""
StartTime = Annotated[datetime | None, Query("startTime")]
EndTime = Annotated[datetime | None, Query("endTime")]
Expand = Annotated[Names, Query("expand")]
"""What to add: ``volumes``, ``effectiveVolumes``."""
DryRun = Annotated[bool | None, Query("dryRun")]
"""Answer as if, and change nothing. It uses up ids."""
SchemaVersion = Annotated[str | None, Query("schemaVersion")]
"""The version of the ledger's schema that the write keeps to."""

SCOPES: Final = "Reading needs the scope ledger:read or ledger:write, everything else ledger:write."
REFUSED: Final = {400: "The request breaks a rule.", 401: f"No good token. {SCOPES}", 404: "No such ledger."}
MISSING: Final = {**REFUSED, 404: "No such ledger, or no such thing in it."}
