"""The ledger service: `v2` whole, and the older `v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import LedgerV1
    from .v2 import LedgerV2


class LedgerApi(Resource[C]):
    """The versions of the ledger's API."""

    @property
    def v1(self) -> LedgerV1[C]:
        """The older API; new programs use `v2`."""
        from .v1 import LedgerV1

        return LedgerV1(self.caller)

    @property
    def v2(self) -> LedgerV2[C]:
        """The ledger's API."""
        from .v2 import LedgerV2

        return LedgerV2(self.caller)


__all__ = ["LedgerApi"]
