"""The webhooks service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.contract import C, Resource

if TYPE_CHECKING:
    from .v1 import WebhooksV1


class WebhooksApi(Resource[C]):
    """The versions of the webhooks service's API."""

    @property
    def v1(self) -> WebhooksV1[C]:
        """The webhooks service's API."""
        from .v1 import WebhooksV1

        return WebhooksV1(self.caller)


__all__ = ["WebhooksApi"]
