"""Answers that do not belong to one API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bursar.contract.http import Headers, Response
from bursar.server.failure import Failure

_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_reply(
    value: Any, *, status: int = 200, headers: Sequence[tuple[str, str]] = (), media: str = "application/json"
) -> Response:
    """Return `value` as a JSON answer."""
    return Response(status, Headers([("content-type", media), *headers]), _encode(value))


def text_reply(text: str, *, status: int = 200, media: str = "text/plain; charset=utf-8") -> Response:
    """Return a text as an answer."""
    return Response(status, Headers([("content-type", media)]), text.encode())


def render_plain(failure: Failure) -> Response:
    """Return a failure as ``{"error": text}``, with ``errors`` beside it when places are known (D15)."""
    if failure.plain:
        return text_reply(failure.message, status=failure.status)
    body: Mapping[str, Any] = {"error": failure.message}
    if failure.errors:
        body = {**body, "errors": failure.errors}
    return json_reply(body, status=failure.status)
