"""Version 1 of the ledger API (section 18)."""

from __future__ import annotations

from bursar.engine.ledger.service import LedgerService
from bursar.server.ledger.routes import Routes


class Version1:
    """The handlers of version 1."""

    def __init__(self, service: LedgerService) -> None:
        self.service = service

    def routes(self) -> Routes:
        """All paths, as they are below the mount."""
        return Routes()

    async def touch(self, path: str) -> None:
        """Make the ledger that a path names, unless it is there."""
