"""The wallets service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import WalletsV1


class WalletsApi(Resource[C]):
    """The versions of the wallets service's API."""

    @property
    def v1(self) -> WalletsV1[C]:
        """The wallets service's API."""
        from .v1 import WalletsV1

        return WalletsV1(self.caller)


__all__ = ["WalletsApi"]
