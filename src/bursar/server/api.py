"""One API: its routes, who may call them, and how it says no.

Each API of the server is a module that makes one `Api`: contract endpoints with `bind`, anything else with `add`.
The order of checks is the same everywhere: path (404), method (405), caller (401, 403), media type (415),
length (413), content (400), and then the domain's own rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.types import Receive, Scope, Send

from bursar.contract.binding import BadRequest, Incoming, Route
from bursar.contract.http import Headers, Response
from bursar.contract.params import Place
from bursar.engine.errors import FieldError
from bursar.server.exchange import ClientGone, Exchange, answer
from bursar.server.failure import Failure, Render, Translate, unexpected
from bursar.server.router import Router

Handler = Callable[[Exchange], Awaitable[Response]]
_Served = tuple[str, Handler]
"""The template of a path, and what serves it."""
Who = TypeVar("Who")
Guard = Callable[[Exchange], Awaitable[Who]]
"""Returns who calls. Raises a 401 or 403 `Failure`."""


class Api:
    """An ASGI application that serves one API below its mount."""

    def __init__(self, *, render: Render, translate: Translate = lambda error: None) -> None:
        self._router: Router[_Served] = Router()
        self._render = render
        self._translate = translate

    def add(self, verb: str, path: str, handler: Handler) -> None:
        """Serve one path by hand."""
        self._router.add(verb, path, (path, handler))

    def bind(self, route: Route, guard: Guard[Who]) -> None:
        """Serve a contract's endpoint to whom `guard` lets in."""
        reads_body = any(param.place in (Place.BODY, Place.MEMBER) for param in route.endpoint.params)

        async def handle(exchange: Exchange) -> Response:
            caller = await guard(exchange)
            body = await _json_body(exchange) if reads_body else b""
            return await route.handle(Incoming(exchange.path, exchange.query, exchange.headers, body), caller)

        description = route.endpoint.description
        self.add(description.verb, description.path, handle)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._respond(scope, receive)
        except ClientGone:
            return
        await answer(send, response)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        try:
            handler, path = self._find(scope)
            return await handler(Exchange(scope, receive, path))
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the border: what nobody expected becomes a logged 500
            return self._refuse(scope, error)

    def _find(self, scope: Scope) -> tuple[Handler, dict[str, str]]:
        path, raw_path = _below_mount(scope)
        found = self._router.find(path, raw_path)
        if found is None:
            raise Failure(404, "there is nothing at this path", code="unknown_path")
        verbs, parameters = found
        template, _ = next(iter(verbs.values()))
        scope["state"]["route"] = scope.get("root_path", "") + template
        served = verbs.get(scope["method"])
        if served is None:
            allowed = ", ".join(sorted(verbs))
            raise Failure(405, f"this path allows {allowed}", code="method", headers=[("allow", allowed)])
        return served[1], parameters

    def _refuse(self, scope: Scope, error: Exception) -> Response:
        failure = error if isinstance(error, Failure) else _malformed(error) or self._translate(error)
        if failure is None:
            failure = unexpected(scope["state"]["request_id"], error)
        response = self._render(failure)
        if failure.headers:
            headers = Headers([*response.headers.items(), *failure.headers])
            return Response(response.status, headers, response.body)
        return response


def _malformed(error: Exception) -> Failure | None:
    if not isinstance(error, BadRequest):
        return None
    errors = [FieldError(error.pointer, error.message)] if error.pointer else []
    return Failure(400, error.message, errors=errors, code="malformed")


async def _json_body(exchange: Exchange) -> bytes:
    if exchange.media_type != "application/json":
        raise Failure(415, "the body must be application/json", code="media_type")
    return await exchange.body()


def _below_mount(scope: Scope) -> tuple[str, str]:
    """Return the path below the mount, unquoted and as it was sent."""
    mount: str = scope.get("root_path", "")
    path: str = scope["path"][len(mount) :]
    raw_path: str = scope.get("raw_path", b"").decode("latin-1")
    return path, raw_path[len(mount) :] if raw_path.startswith(mount) else path
