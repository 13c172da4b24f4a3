"""Where events are sent; paths begin at the base URL without ``/api``.

Rotation, deliveries and replay are Bursar's own.
"""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, delete, endpoint, get, post
from bursar.piaxis.models.base import Limit, Offset, Text
from bursar.piaxis.models.webhook_endpoints import (
    DeliveryPage,
    DeliveryStatus,
    NewWebhookEndpoint,
    ReplayDeliveries,
    Replayed,
    TestDelivery,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointChange,
    WebhookEndpoints,
)

from .parameters import ACTED, REFUSED, UNKNOWN

ONE = "/users/merchant/webhooks/{endpoint_id}"


class WebhookEndpointsApi(Resource[C]):
    """The addresses that take a merchant's events, and what was sent there."""

    @post("/users/webhooks", effect=Effect.ONCE, errors=REFUSED)
    def create_webhook_endpoint(self, payload: NewWebhookEndpoint) -> WebhookEndpoint:
        """Register an address. The secret is in this answer and in no later one."""
        ...

    @get("/users/merchant/webhooks")
    def list_webhook_endpoints(self) -> WebhookEndpoints:
        """Return all endpoints of the merchant."""
        ...

    @endpoint("PATCH", ONE, effect=Effect.IDEMPOTENT, errors=ACTED)
    def update_webhook_endpoint(self, endpoint_id: Text, payload: WebhookEndpointChange) -> WebhookEndpoint:
        """Change an endpoint, or switch it on again."""
        ...

    @delete(ONE, errors={404: UNKNOWN})
    def delete_webhook_endpoint(self, endpoint_id: Text) -> None:
        """Remove an endpoint; what was not delivered yet is not sent any more."""
        ...

    @post(ONE + "/test", effect=Effect.ONCE, errors=ACTED)
    def test_webhook_endpoint(self, endpoint_id: Text) -> TestDelivery:
        """Send a test event now."""
        ...

    @post(ONE + "/rotate-secret", effect=Effect.ONCE, errors=ACTED)
    def rotate_webhook_secret(self, endpoint_id: Text) -> WebhookEndpoint:
        """Make a new secret, which the answer shows once; the old one stays valid for 24 hours (PS108)."""
        ...

    @get(ONE + "/deliveries", errors={404: UNKNOWN})
    def list_webhook_deliveries(
        self,
        endpoint_id: Text,
        *,
        status: DeliveryStatus | None = None,
        limit: Limit | None = None,
        offset: Offset | None = None,
    ) -> DeliveryPage:
        """Return a page of an endpoint's deliveries, newest first; 50 to a page, at most 100."""
        ...

    @get(ONE + "/deliveries/{delivery_id}", errors={404: UNKNOWN})
    def get_webhook_delivery(self, endpoint_id: Text, delivery_id: Text) -> WebhookDelivery:
        """Return a delivery with its attempts."""
        ...

    @post(ONE + "/deliveries/{delivery_id}/replay", effect=Effect.ONCE, errors=ACTED)
    def replay_webhook_delivery(self, endpoint_id: Text, delivery_id: Text) -> WebhookDelivery:
        """Send one delivery again."""
        ...

    @post(ONE + "/replay", effect=Effect.ONCE, errors=ACTED)
    def replay_webhook_deliveries(self, endpoint_id: Text, payload: ReplayDeliveries) -> Replayed:
        """Send many deliveries again."""
        ...
