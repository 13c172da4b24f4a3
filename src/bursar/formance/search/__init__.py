"""The search service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import SearchV1


class SearchApi(Resource[C]):
    """The versions of the search service's API."""

    @property
    def v1(self) -> SearchV1[C]:
        """The search service's API."""
        from .v1 import SearchV1

        return SearchV1(self.caller)


__all__ = ["SearchApi"]
