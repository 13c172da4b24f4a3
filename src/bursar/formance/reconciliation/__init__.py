"""The reconciliation service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import ReconciliationV1


class ReconciliationApi(Resource[C]):
    """The versions of the reconciliation service's API."""

    @property
    def v1(self) -> ReconciliationV1[C]:
        """The reconciliation service's API."""
        from .v1 import ReconciliationV1

        return ReconciliationV1(self.caller)


__all__ = ["ReconciliationApi"]
