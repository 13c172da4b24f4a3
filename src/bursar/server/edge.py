"""What surrounds every request: its id, the access log, and the last resort for exceptions."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from contextvars import ContextVar
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.server import limits
from bursar.server.exchange import answer
from bursar.server.failure import unexpected
from bursar.server.metrics import HttpMetrics
from bursar.server.replies import render_plain

access_log = logging.getLogger("bursar.access")
"""One record per request at level INFO, its parts in the record's `fields`. `bursar serve --access-log` shows them.

It has neither query nor headers nor bodies, so it holds no secret, token or personal data (MS71).
"""
API: Final = "bursar"
"""What metrics and logs call the paths that belong to no API."""
current: ContextVar[dict[str, Any] | None] = ContextVar("bursar_request", default=None)
"""The state of the request that is being answered: `request_id`, `trace_id`, `api`, `route`; then `ended`."""
OF_REQUEST: Final = ("request_id", "trace_id", "api", "route")
"""What of it belongs into a log."""

_PROCESS = secrets.token_hex(4)
_number = itertools.count(1)

_ID = re.compile(rb"[\x21-\x7e]{1,%d}" % limits.REQUEST_ID_LENGTH)
# W3C Trace Context 3.2: version, trace id, parent id, flags; later versions may add more. Zeros are no id.
_TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class Edge:
    """Gives each request an id (the caller's ``x-request-id`` when it sent a usable one) and echoes it."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        state = scope["state"] = _state(scope)
        current.set(state)
        request_id: str = state["request_id"]
        self._metrics.began()
        started = time.perf_counter()
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                others = [field for field in message["headers"] if field[0] != b"x-request-id"]
                message = {**message, "headers": [*others, (b"x-request-id", request_id.encode())]}
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            if isinstance(error, ConnectionError) or status:
                raise
            await answer(send_marked, render_plain(unexpected(request_id, error)))
        finally:
            seconds = time.perf_counter() - started
            self._metrics.ended(state, scope["method"], status, seconds)
            if access_log.isEnabledFor(logging.INFO):
                _log(scope, status, seconds)
            state["ended"] = True


def _state(scope: Scope) -> dict[str, Any]:
    """What is known of a request before it is answered."""
    state: dict[str, Any] = {"api": API, "route": ""}
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            state.setdefault("request_id", value.decode("ascii"))
        elif name == b"traceparent" and (trace := _TRACE.fullmatch(value)):
            state["trace_id"] = trace[1].decode("ascii")
    if "request_id" not in state:
        state["request_id"] = f"{_PROCESS}{next(_number):08x}"
    return state


def _log(scope: Scope, status: int, seconds: float) -> None:
    state = scope["state"]
    fields = {
        **{name: state.get(name) for name in OF_REQUEST},
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "client": state.get("client_id"),
    }
    access_log.info("%s %s %d", scope["method"], state["route"] or "-", status, extra={"fields": fields})
