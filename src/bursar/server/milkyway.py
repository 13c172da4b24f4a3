"""The MilkyWay Payments API over HTTP: five calls for institutions, the back office for operators (D17)."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from bursar import __version__
from bursar.contract.binding import Route, route
from bursar.contract.http import Response
from bursar.contract.openapi import Service, Tag, document, endpoints
from bursar.engine import errors as refused
from bursar.engine.auth import clients, secrets
from bursar.engine.auth.service import Identity, Realm
from bursar.engine.core import Core
from bursar.engine.milkyway.errors import ServiceDown, UnknownInstitution
from bursar.engine.milkyway.operator import OperatorService
from bursar.engine.milkyway.service import MilkywayService
from bursar.milkyway import MilkywayPayments
from bursar.milkyway.operator import MilkywayOperator
from bursar.server.api import Api
from bursar.server.bearer import OPERATOR_ROLE, identify, operating, unauthorized
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure
from bursar.server.keycloak import KeycloakRealm
from bursar.server.milkyway_operator import operator_routes
from bursar.server.replies import json_reply, render_plain

MOUNT = "/milkyway"
REALM = "milkyway"
"""Name of the realm in the store."""
URL_REALM = "sandbox"
"""Name of the realm in URLs."""

# The first class that fits decides. Statuses are those that the API's clients know (A4, D2, D10, D11).
_STATUSES: tuple[tuple[type[refused.EngineError], int], ...] = (
    (UnknownInstitution, 401),
    (refused.InvalidInput, 400),
    (refused.ExposureExceeded, 402),
    (refused.NotFound, 404),
    (refused.IdempotencyMismatch, 422),
    (refused.Unavailable, 503),
    (refused.EngineError, 409),
)


def milkyway_api(payments: MilkywayService, operator: OperatorService, realm: Realm, root: str) -> Api:
    """Return the API; `root` is the absolute URL of its mount."""

    def translate(error: Exception) -> Failure | None:
        return _translate(error, realm)

    async def institution(exchange: Exchange) -> Identity:
        return await identify(exchange, realm)

    api = Api(render=render_plain, translate=translate)
    for bound in _payment_routes(payments):
        api.bind(bound, institution)
    for bound in operator_routes(operator):
        api.bind(bound, operating(realm))
    KeycloakRealm(realm, URL_REALM, root).mount(api)
    api.add("GET", "/openapi.json", _openapi)
    return api


def _payment_routes(service: MilkywayService) -> list[Route]:
    async def healthcheck(caller: Identity, third_party_id: str, service_id: str) -> str:
        try:
            return await service.healthcheck(caller, third_party_id, service_id)
        except ServiceDown as error:
            raise Failure(500, error.message, code=error.code, plain=True) from None  # MS12

    return [
        route(MilkywayPayments.healthcheck, healthcheck),
        route(MilkywayPayments.precheck, service.precheck),
        route(MilkywayPayments.pay, service.pay),
        route(MilkywayPayments.postcheck, service.postcheck),
        route(MilkywayPayments.cancel, service.cancel),
    ]


def _translate(error: Exception, realm: Realm) -> Failure | None:
    if not isinstance(error, refused.EngineError):
        return None
    if isinstance(error, UnknownInstitution):
        return unauthorized(realm, error.message, error="invalid_token")  # MS10
    if isinstance(error, refused.CommitFailed) and error.outcome == "unknown":
        # Not 503: a client takes that as proof that nothing was done.
        return Failure(
            500, "the outcome is not known: ask again with the same idempotency key", code=error.code
        )
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    soon = [("retry-after", "1")] if isinstance(error, refused.StoreBusy) else []
    errors = error.errors if isinstance(error, refused.InvalidInput) else ()
    return Failure(status, error.message, errors=errors, code=error.code, headers=soon)


class ErrorReply(msgspec.Struct, omit_defaults=True):
    """Every JSON error answer of the API (A4, D15)."""

    error: str
    errors: list[refused.FieldError] = []


_COMMON_ERRORS = {
    400: "The request does not have the documented form.",
    401: "The bearer token is missing, malformed, expired, revoked, or of no institution.",
    405: "The path does not have this method; the Allow header names those that it has.",
    500: "An error of the server, with the id under which it was logged; the outcome is not known.",
    503: "The server or the recipient bank cannot serve this now; nothing was done.",
}
_OPERATOR_ERRORS = {**_COMMON_ERRORS, 403: f"The token lacks the role {OPERATOR_ROLE}."}


@cache
def openapi_document() -> dict[str, Any]:
    """Return the API's OpenAPI 3.1 document, made from the contracts."""
    flow = {"tokenUrl": f"{MOUNT}/realms/{URL_REALM}/protocol/openid-connect/token", "scopes": {}}
    scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    return document(
        Service(
            title="MilkyWay Payments",
            version=__version__,
            description="Cross-bank payments, and the hub's back office under /operator/v1.",
            url=MOUNT,
            error=ErrorReply,
            tags=[
                Tag("payments", endpoints(MilkywayPayments), _COMMON_ERRORS, "keycloak"),
                Tag("operator", endpoints(MilkywayOperator), _OPERATOR_ERRORS, "keycloak"),
            ],
            security={"keycloak": scheme},
        )
    )


async def _openapi(exchange: Exchange) -> Response:
    return json_reply(openapi_document())


async def create_client(core: Core, client_id: str, *, operator: bool = False) -> str:
    """Add an OAuth client and return its secret, which cannot be read again. Raises `Conflict` and `InvalidInput`."""
    secret = secrets.generate()
    roles = (OPERATOR_ROLE,) if operator else ()
    await core.submit(lambda view: clients.create(view, REALM, client_id, secret, roles=roles))
    return secret
