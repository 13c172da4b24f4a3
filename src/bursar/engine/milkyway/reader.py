"""What the rail's rules read: the part that commands' views and queries' views have in common."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from bursar.engine.kernel import Volumes
from bursar.engine.store.table import Scalar, Table

Row = TypeVar("Row", bound=msgspec.Struct)


class Reader(Protocol):
    """Rows and volumes as of one moment."""

    @property
    def now(self) -> int:
        """Engine time in microseconds."""
        ...

    def get(self, table: Table[Row], *key: Scalar) -> Row | None:
        """Return a row by its key."""
        ...

    def volumes(self, ledger: str, account: str, asset: str) -> Volumes:
        """Return what an account received and sent."""
        ...
