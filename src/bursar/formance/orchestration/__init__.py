"""The orchestration service: `v2`, and the older `v1` whose lists have no pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import OrchestrationV1
    from .v2 import OrchestrationV2


class OrchestrationApi(Resource[C]):
    """The versions of the orchestration service's API."""

    @property
    def v1(self) -> OrchestrationV1[C]:
        """The older API; new programs use `v2`."""
        from .v1 import OrchestrationV1

        return OrchestrationV1(self.caller)

    @property
    def v2(self) -> OrchestrationV2[C]:
        """The orchestration service's API."""
        from .v2 import OrchestrationV2

        return OrchestrationV2(self.caller)


__all__ = ["OrchestrationApi"]
