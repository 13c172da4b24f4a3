"""What server and ledgers say of themselves (sections 8.1, 8.2)."""

from __future__ import annotations

from typing import Any, Final

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger.service import LedgerService

BUILD: Final = "develop"
"""What the real service calls a build that is none of its releases, as Bursar is none."""


def build_info() -> dict[str, str]:
    """Name and build."""
    return {"server": "ledger", "version": BUILD}


async def server_info(service: LedgerService) -> dict[str, Any]:
    """Configuration, ledgers and experimental features."""
    settings = service.settings
    flags = {
        "experimental-features": settings.experimental_features,
        "experimental-exporters": settings.experimental_exporters,
        "experimental-numscript-interpreter": settings.interpreter,
    }
    return {
        **build_info(),
        "config": {
            "storage": {"driver": "postgres", "ledgers": await service.names()},
            "schemaEnforcementMode": "strict" if settings.strict else "audit",
        },
        "experimentalFeatures": [name for name, on in flags.items() if on] or None,
    }


async def ledger_info(service: LedgerService, name: str) -> dict[str, Any]:
    """A ledger's migrations: one, since a ledger is made in the newest form. Raises LedgerNotFound."""
    row = await service.ledger(name)
    date = format_time(row.added_at)
    migration = {
        "version": "1",
        "name": "Make the ledger",
        "state": "DONE",
        "date": date,
        "terminatedAt": date,
    }
    return {"name": row.name, "storage": {"migrations": [migration]}}
