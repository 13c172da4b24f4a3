"""The payments service: `v3` whole, and the older `v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import PaymentsV1
    from .v3 import PaymentsV3


class PaymentsApi(Resource[C]):
    """The versions of the payments API."""

    @property
    def v1(self) -> PaymentsV1[C]:
        """The older API; new programs use `v3`."""
        from .v1 import PaymentsV1

        return PaymentsV1(self.caller)

    @property
    def v3(self) -> PaymentsV3[C]:
        """The payments API."""
        from .v3 import PaymentsV3

        return PaymentsV3(self.caller)


__all__ = ["PaymentsApi"]
