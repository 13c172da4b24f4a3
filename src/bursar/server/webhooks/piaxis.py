"""Piaxis's management of webhook endpoints (B10), below ``/piaxis``: the contract's answers from the engine's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bursar.contract.binding import BadRequest, Incoming, Route, route
from bursar.contract.http import Response
from bursar.contract.params import Place
from bursar.engine.core import Core
from bursar.engine.errors import Conflict, EngineError, NotFound
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Kind, Refusal
from bursar.engine.piaxis.merchants import by_key
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.engine.webhooks.errors import BadEndpoint
from bursar.engine.webhooks.policy import utc
from bursar.engine.webhooks.service import WebhooksService
from bursar.engine.webhooks.subscriptions import PIAXIS
from bursar.engine.webhooks.tables import FAILED, PENDING, SUCCEEDED, Attempt, Delivery, Endpoint, Event
from bursar.piaxis.contract import WebhookEndpointsApi as Contract
from bursar.piaxis.models import webhook_endpoints as models
from bursar.piaxis.models.webhook_endpoints import DeliveryStatus
from bursar.server.api import Api
from bursar.server.exchange import Exchange
from bursar.server.piaxis.errors import unreadable
from bursar.server.replies import json_reply

SANDBOX_SECRET: Final = "piaxis-sandbox-webhook-secret"  # noqa: S105 - the sandbox's, which everybody knows
"""What endpoints get in a sandbox when their maker names no secret."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUSES: Final[Mapping[str, str]] = {PENDING: "pending", SUCCEEDED: "delivered", FAILED: "dead"}
"""What the API calls the engine's statuses; others by their own name."""
_PAGE: Final = 50


def add_webhook_routes(api: Api, core: Core, dispatcher: Dispatcher, *, is_sandbox: bool) -> None:
    """Serve the management of a merchant's endpoints on the API below ``/piaxis``."""
    default = SANDBOX_SECRET if is_sandbox else None
    service = PiaxisWebhooks(WebhooksService(core, dispatcher, PIAXIS, default_secret=default))
    for bound in (
        route(Contract.create_webhook_endpoint, service.create_webhook_endpoint),
        route(Contract.list_webhook_endpoints, service.list_webhook_endpoints),
        route(Contract.update_webhook_endpoint, service.update_webhook_endpoint),
        route(Contract.delete_webhook_endpoint, service.delete_webhook_endpoint),
        route(Contract.test_webhook_endpoint, service.test_webhook_endpoint),
        route(Contract.rotate_webhook_secret, service.rotate_webhook_secret),
        route(Contract.list_webhook_deliveries, service.list_webhook_deliveries),
        route(Contract.get_webhook_delivery, service.get_webhook_delivery),
        route(Contract.replay_webhook_delivery, service.replay_webhook_delivery),
        route(Contract.replay_webhook_deliveries, service.replay_webhook_deliveries),
    ):
        _bind(api, core, bound)


def _bind(api: Api, core: Core, bound: Route) -> None:
    description, params = bound.endpoint.description, bound.endpoint.params
    reads_body = any(param.place in (Place.BODY, Place.MEMBER) for param in params)

    async def handle(exchange: Exchange) -> Response:
        caller = await _caller(core, exchange)
        body = await exchange.body() if reads_body else b""
        try:
            return await bound.handle(Incoming(exchange.path, exchange.query, exchange.headers, body), caller)
        except BadRequest as error:
            raise unreadable(error, params) from None
        except (BadEndpoint, NotFound, Conflict) as error:
            return _refusal(error)

    for path in (description.path, description.path + "/"):
        api.add(description.verb, path, handle)


async def _caller(core: Core, exchange: Exchange) -> Caller:
    """The merchant whose API key this is, as ``api-key`` or as a bearer token. Raises `Refusal`."""
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    key = exchange.headers.get("api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    if not key:
        raise Refusal(Kind.UNAUTHENTICATED, "NOT_AUTHENTICATED", "send your api-key")
    found = await core.read(lambda view: by_key(view, key))
    exchange.identify(found.merchant)
    return Caller(found.merchant, key=found.id, owner=found.owner)


def _refusal(error: EngineError) -> Response:
    """A refusal in the shape of the vendor's webhook management (B8)."""
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 400
    problems: Sequence[Mapping[str, Any]] = [
        {"code": error.code, "message": error.message, "field": None, "details": None}
    ]
    if isinstance(error, BadEndpoint):
        problems = [
            {"code": problem.code, "message": problem.message, "field": problem.field, "details": None}
            for problem in error.problems
        ]
    return json_reply(
        {"detail": error.message, "error_code": "WEBHOOK_ERROR", "errors": problems}, status=status
    )


class PiaxisWebhooks:
    """Serves `WebhookEndpointsApi`. What is somebody else's is not there (E15)."""

    def __init__(self, service: WebhooksService) -> None:
        self._service = service

    async def create_webhook_endpoint(
        self, caller: Caller, payload: models.NewWebhookEndpoint
    ) -> models.WebhookEndpoint:
        """Register an address."""
        made = await self._service.create(
            caller.merchant,
            payload.url,
            payload.events,
            description=payload.description or "",
            secret=payload.secret,
        )
        return _shown(made, secret=made.secret)

    async def list_webhook_endpoints(self, caller: Caller) -> models.WebhookEndpoints:
        """List the merchant's endpoints."""
        found = await self._service.list(caller.merchant)
        return models.WebhookEndpoints(webhooks=[_shown(each) for each in found])

    async def update_webhook_endpoint(
        self, caller: Caller, endpoint_id: str, payload: models.WebhookEndpointChange
    ) -> models.WebhookEndpoint:
        """Change an endpoint."""
        changed = await self._service.update(
            caller.merchant,
            endpoint_id,
            url=payload.url,
            events=payload.events,
            description=payload.description,
            active=payload.is_active,
        )
        return _shown(changed)

    async def delete_webhook_endpoint(self, caller: Caller, endpoint_id: str) -> None:
        """Remove an endpoint."""
        await self._service.delete(caller.merchant, endpoint_id)

    async def test_webhook_endpoint(self, caller: Caller, endpoint_id: str) -> models.TestDelivery:
        """Send a test event."""
        tried = await self._service.test(caller.merchant, endpoint_id)
        answer = tried.answer
        success = 200 <= answer.status_code <= 299
        return models.TestDelivery(
            success=success,
            message="delivered" if success else answer.error or f"answered {answer.status_code}",
            event_id=tried.delivery.event,
            status_code=answer.status_code or None,
        )

    async def rotate_webhook_secret(self, caller: Caller, endpoint_id: str) -> models.WebhookEndpoint:
        """Make a new secret."""
        changed = await self._service.rotate(caller.merchant, endpoint_id)
        return _shown(changed, secret=changed.secret)

    async def list_webhook_deliveries(
        self,
        caller: Caller,
        endpoint_id: str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> models.DeliveryPage:
        """List an endpoint's deliveries."""
        size, start = limit or _PAGE, offset or 0
        total, rows = await self._service.deliveries(
            caller.merchant, endpoint_id, status=_status(status), limit=size, offset=start
        )
        results = [_delivery(row, event) for row, event in rows]
        return models.DeliveryPage(total=total, offset=start, limit=size, results=results)

    async def get_webhook_delivery(
        self, caller: Caller, endpoint_id: str, delivery_id: str
    ) -> models.WebhookDelivery:
        """Return a delivery with its attempts."""
        return _delivery(*await self._service.delivery(caller.merchant, endpoint_id, delivery_id))

    async def replay_webhook_delivery(
        self, caller: Caller, endpoint_id: str, delivery_id: str
    ) -> models.WebhookDelivery:
        """Send a delivery again."""
        await self._service.replay(caller.merchant, endpoint_id, delivery_id)
        return await self.get_webhook_delivery(caller, endpoint_id, delivery_id)

    async def replay_webhook_deliveries(
        self, caller: Caller, endpoint_id: str, payload: models.ReplayDeliveries
    ) -> models.Replayed:
        """Send many deliveries again."""
        count = await self._service.replay_all(
            caller.merchant,
            endpoint_id,
            statuses=[_status(payload.status) or FAILED],
            since=_us(payload.since),
            until=_us(payload.until),
        )
        return models.Replayed(count=count)


def _shown(endpoint: Endpoint, *, secret: str | None = None) -> models.WebhookEndpoint:
    """An endpoint as the API shows it; `secret`: only at its making (PS108)."""
    return models.WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        description=endpoint.description or None,
        events=endpoint.types,
        is_active=endpoint.active,
        created_at=utc(endpoint.created_at),
        last_triggered_at=_when(endpoint.last_triggered_at),
        failure_count=endpoint.failure_count,
        secret=secret,
    )


def _delivery(
    row: Delivery, event: Event, attempts: Sequence[Attempt] | None = None
) -> models.WebhookDelivery:
    return models.WebhookDelivery(
        id=row.id,
        event_id=event.id,
        event=row.type,
        status=DeliveryStatus(_STATUSES.get(row.status, row.status)),
        attempt_count=row.attempts,
        created_at=utc(row.created_at),
        next_attempt_at=_when(row.next_attempt_at),
        delivered_at=utc(row.updated_at) if row.status == SUCCEEDED else None,
        attempts=None if attempts is None else [_attempt(each) for each in attempts],
    )


def _attempt(attempt: Attempt) -> models.DeliveryAttempt:
    return models.DeliveryAttempt(
        number=attempt.number,
        at=utc(attempt.at),
        status_code=attempt.status_code or None,
        error=attempt.error,
        duration_ms=attempt.duration_us // 1000,
    )


def _status(shown: str | None) -> str | None:
    """The engine's name of a status."""
    return next((own for own, name in _STATUSES.items() if name == shown), shown)


def _when(us: int | None) -> datetime | None:
    return None if us is None else utc(us)


def _us(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1)
