"""The webhooks service's API. Where the published contract and the server disagree, this speaks with the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from bursar.contract import (
    Body,
    C,
    Effect,
    IdempotencyKey,
    Query,
    Resource,
    endpoint,
    get,
    listing,
    post,
    put,
)
from bursar.formance.wire import PAGES, Cursor, PageSize

from .models import (
    Attempt,
    ConfigOptions,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    NewSecret,
    ReplayRequest,
    ReplayResult,
    WebhookConfig,
)

_SERVICE: Final = "/api/webhooks"
_CONFIGS: Final = f"{_SERVICE}/configs"
_CONFIG: Final = f"{_CONFIGS}/{{id}}"
_DELIVERIES: Final = f"{_SERVICE}/deliveries"
_DELIVERY: Final = f"{_DELIVERIES}/{{id}}"

_REFUSED: Final = {
    400: "The request breaks a rule.",
    401: "No good token, or one without webhooks:read or webhooks:write.",
}
_MISSING: Final = {**_REFUSED, 404: "There is none of that id."}
_REPLAY: Final = {
    **_MISSING,
    409: "The delivery cannot be replayed, or the idempotency key was used with another request.",
}

ReplayKey = Annotated[str | None, IdempotencyKey("Idempotency-Key", mint=True)]
"""At most 255 characters, remembered for 24 hours. The service wants one; None: a fresh UUID."""


class WebhooksV1(Resource[C]):
    """Configurations, which say where events are sent, and deliveries.

    Bodies are models or plain mappings of the same shape. Reading needs the scope webhooks:read or webhooks:write,
    everything else webhooks:write.
    """

    # -- configurations

    @listing(_CONFIGS, paging=PAGES, errors=_REFUSED)
    def get_many_configs(
        self,
        *,
        id: Annotated[str | None, Query()] = None,
        endpoint: Annotated[str | None, Query()] = None,
    ) -> WebhookConfig:
        """List configurations, the latest updated first, all in one page, whose answer has no ``pageSize``."""
        ...

    @post(_CONFIGS, effect=Effect.ONCE, unwrap="data", errors=_REFUSED)
    def insert_config(self, config: ConfigOptions | Mapping[str, Any]) -> WebhookConfig:
        """Create a configuration, which is active. Nothing keeps the same endpoint from being there twice."""
        ...

    @put(_CONFIG, errors=_REFUSED)
    def update_config(self, id: str, config: ConfigOptions | Mapping[str, Any]) -> None:
        """Replace a configuration's options; an unknown one is no error.

        Without `secret` a fresh one is made, hence a repetition makes another: `get_many_configs` shows it.
        """
        ...

    @endpoint("DELETE", _CONFIG, effect=Effect.IDEMPOTENT, errors=_MISSING)
    def delete_config(self, id: str) -> None:
        """Delete a configuration and cancel its pending deliveries."""
        ...

    @put(f"{_CONFIG}/activate", unwrap="data", errors=_MISSING)
    def activate_config(self, id: str) -> WebhookConfig:
        """Send events again. Deliveries that were cancelled stay cancelled."""
        ...

    @put(f"{_CONFIG}/deactivate", unwrap="data", errors=_MISSING)
    def deactivate_config(self, id: str) -> WebhookConfig:
        """Send no events, and cancel pending deliveries."""
        ...

    @put(f"{_CONFIG}/secret/change", unwrap="data", errors=_MISSING)
    def change_config_secret(
        self, id: str, secret: Annotated[NewSecret | Mapping[str, Any] | None, Body()] = None
    ) -> WebhookConfig:
        """Sign with another secret from the next attempt on; None: a fresh one. The answer has the old `updated_at`."""
        ...

    @endpoint("GET", f"{_CONFIG}/test", effect=Effect.ONCE, unwrap="data", errors=_MISSING)
    def test_config(self, id: str) -> Attempt:
        """Send ``{"data":"test"}`` to the endpoint, once, also of an inactive configuration.

        A failure of the endpoint is no error here: see the answer's `status`.
        """
        ...

    # -- deliveries

    @listing(_DELIVERIES, paging=PAGES, errors=_REFUSED)
    def get_deliveries(
        self,
        *,
        config_id: Annotated[str | None, Query("configId")] = None,
        status: Annotated[DeliveryStatus | None, Query()] = None,
        created_at_from: Annotated[datetime | None, Query("createdAtFrom")] = None,
        created_at_to: Annotated[datetime | None, Query("createdAtTo")] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Delivery:
        """List deliveries, newest first, without payloads. Pages hold 1 to 1000, 100 by default.

        Succeeded ones are kept for 30 days, failed ones for 90.
        """
        ...

    @get(_DELIVERY, unwrap="data", errors=_MISSING)
    def get_delivery(self, id: str) -> Delivery:
        """Return a delivery with its payload."""
        ...

    @listing(f"{_DELIVERY}/attempts", paging=PAGES, errors=_MISSING)
    def get_delivery_attempts(
        self, id: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> DeliveryAttempt:
        """List the attempts of a delivery. Pages as in `get_deliveries`."""
        ...

    @post(f"{_DELIVERY}/replay", effect=Effect.KEYED, unwrap="data", errors=_REPLAY)
    def replay_delivery(self, id: str, *, idempotency_key: ReplayKey = None) -> Delivery:
        """Try a failed delivery again from the start, or a pending one now; any other is `FormanceConflictError`."""
        ...

    @post(f"{_DELIVERIES}/replay", effect=Effect.KEYED, unwrap="data", errors=_REPLAY)
    def replay_deliveries(
        self, request: ReplayRequest | Mapping[str, Any], *, idempotency_key: ReplayKey = None
    ) -> ReplayResult:
        """Replay a page of failed and pending deliveries. Each page is a call with a key of its own."""
        ...
