"""What surrounds every request: its id, the access log, and the last resort for exceptions."""

from __future__ import annotations

import itertools
import json
import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.server import limits
from bursar.server.exchange import answer
from bursar.server.failure import unexpected
from bursar.server.replies import render_plain

access_log = logging.getLogger("bursar.access")
"""One JSON object per request at level INFO. Off until somebody sets a level: `bursar serve --access-log` does.

It has neither query nor headers nor bodies, so it holds no secret, token or personal data (MS71).
"""

_PROCESS = secrets.token_hex(4)
_number = itertools.count(1)

_ID = re.compile(rb"[\x21-\x7e]{1,%d}" % limits.REQUEST_ID_LENGTH)


class Edge:
    """Gives each request an id (the caller's ``x-request-id`` when it sent a usable one) and echoes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request_id = _request_id(scope)
        scope["state"] = {"request_id": request_id}
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
            if access_log.isEnabledFor(logging.INFO):
                _log(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode("ascii"))
    return f"{_PROCESS}{next(_number):08x}"


def _log(scope: Scope, status: int, seconds: float) -> None:
    line = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000, 3),
        "request_id": scope["state"]["request_id"],
        "client": scope["state"].get("client_id"),
    }
    access_log.info("%s", json.dumps(line))
