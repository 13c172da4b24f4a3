"""The OpenAPI documents of Piaxis: the partner API, and what stands beside it; made from the contracts."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from msgspec import Struct

from bursar import __version__
from bursar.contract.http import Response
from bursar.contract.openapi import Service, Tag, document, endpoints
from bursar.engine.piaxis.errors import Issue
from bursar.piaxis.connections import PiaxisConnections
from bursar.piaxis.contract import (
    Disbursements,
    EscrowDisbursements,
    Escrows,
    Monitoring,
    Otp,
    Payments,
    Shopify,
    WebhookEndpointsApi,
)
from bursar.piaxis.operator import PiaxisOperator
from bursar.server.exchange import Exchange
from bursar.server.replies import json_reply

MERCHANTS: Final = {
    "payments": Payments,
    "otp": Otp,
    "escrows": Escrows,
    "disbursements": Disbursements,
    "escrow disbursements": EscrowDisbursements,
    "shopify": Shopify,
}
"""The groups that a merchant calls with its API key."""

_COMMON: Final = {
    400: "An idempotency key or the client's name is bad, or a rule of the service is broken.",
    401: "The api-key or bearer token is missing, unknown, expired or revoked.",
    403: "The credentials are good, but not for this.",
    405: "The path does not have this method; the Allow header names those that it has.",
    422: "The request does not have the documented form; `detail` is a list of what is wrong where.",
    500: "An error of the server, with the id under which it was logged; the outcome is not known.",
    503: "The server cannot serve this now; nothing was done.",
}
_BACK_OFFICE: Final = {**_COMMON, 403: "The token lacks the role operator."}
_OPEN: Final = {status: _COMMON[status] for status in (405, 500, 503)} | {429: "Too many reports."}


class Detail(Struct):
    """Why something was refused; more members may say more."""

    code: str
    message: str


class ErrorReply(Struct):
    """An error answer: an object for a refusal, a list for a malformed request, a text for webhooks."""

    detail: Detail | list[Issue] | str


@cache
def partner_document() -> dict[str, Any]:
    """Return the partner API's document."""
    return document(
        Service(
            title="Piaxis partner API",
            version=__version__,
            description="Mobile-money checkout, escrow and disbursements. OAuth: see the documentation.",
            url="/piaxis/api",
            error=ErrorReply,
            tags=[Tag(name, endpoints(group), _COMMON, "api-key") for name, group in MERCHANTS.items()],
            security={"api-key": {"type": "apiKey", "in": "header", "name": "api-key"}},
        )
    )


@cache
def outer_document() -> dict[str, Any]:
    """Return the document of webhook endpoints, error reports and the back office."""
    flow = {"tokenUrl": "/milkyway/realms/sandbox/protocol/openid-connect/token", "scopes": {}}
    return document(
        Service(
            title="Piaxis webhooks and back office",
            version=__version__,
            description="Where events are sent, reports of failures at clients, and the rail's back office.",
            url="/piaxis",
            error=ErrorReply,
            tags=[
                Tag("webhooks", endpoints(WebhookEndpointsApi), _COMMON, "api-key"),
                Tag("monitoring", endpoints(Monitoring), _OPEN),
                Tag("operator", endpoints(PiaxisOperator), _BACK_OFFICE, "keycloak"),
                Tag("connections", endpoints(PiaxisConnections), _BACK_OFFICE, "keycloak"),
            ],
            security={
                "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
                "keycloak": {"type": "oauth2", "flows": {"clientCredentials": flow}},
            },
        )
    )


async def serve_partner(exchange: Exchange) -> Response:
    """Answer with the partner API's document."""
    return json_reply(partner_document())


async def serve_outer(exchange: Exchange) -> Response:
    """Answer with the document of what stands beside it."""
    return json_reply(outer_document())
