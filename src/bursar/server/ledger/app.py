"""The ledger API as an ASGI application: which version, who may call, how errors are answered (section 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import Receive, Scope, Send

from bursar.engine import errors as engine_errors
from bursar.engine.kernel.errors import EngineError
from bursar.engine.ledger.errors import LedgerError, LedgerNotFound, NotFound, Validation
from bursar.engine.ledger.service import LedgerService
from bursar.engine.pipelines.service import Pipelines
from bursar.server.exchange import ClientGone
from bursar.server.failure import unexpected
from bursar.server.ledger import answers, cors
from bursar.server.ledger.answers import Answer
from bursar.server.ledger.call import Call, TooLarge
from bursar.server.ledger.info import build_info, server_info
from bursar.server.ledger.paths import BadEscape, seen_by_router
from bursar.server.ledger.pipelines import PipelineRoutes
from bursar.server.ledger.routes import Route
from bursar.server.ledger.v1 import Version1
from bursar.server.ledger.v2 import Version2

Guard = Callable[[Call], Awaitable[bool]]
"""Whether the caller may do what the request asks."""

BAD_REQUEST: Final = Answer(400, b"400 Bad Request", answers.TEXT)
UNAUTHORIZED: Final = Answer(401)
_FAULT: Final = answers.encode(
    {"errorCode": "INTERNAL", "errorMessage": "internal error, see the server's log"}
)


class LedgerApp:
    """Serves the ledger API below the path `mount` (with the root path of its own mount).

    Without `pipelines` there are no routes of exporters and pipelines.
    """

    def __init__(
        self, service: LedgerService, guard: Guard, mount: str, pipelines: Pipelines | None = None
    ) -> None:
        self._service = service
        self._guard = guard
        self._mount = mount
        self._v2 = Version2(service).routes()
        if pipelines is not None:
            PipelineRoutes(service, pipelines).add_to(self._v2)
        self._v1 = Version1(service)
        self._v1_routes = self._v1.routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive, {})
        try:
            answer = await self._answered(call)
        except ClientGone:
            return
        await _send(send, answer)

    async def _answered(self, call: Call) -> Answer:
        raw: str = call.scope.get("raw_path", b"").decode("latin-1") or call.scope["path"]
        try:
            path = seen_by_router(raw.partition("?")[0][len(self._mount) :] or "/")
        except BadEscape:
            return BAD_REQUEST
        if path.startswith("/_/"):
            return self._about(call, path)
        if path == "/_healthcheck" and call.scope["method"] == "GET":
            self._note(call, path)
            return _health()
        preflight = cors.preflight(call)
        if preflight is not None:
            return preflight
        answer = await self._guarded(call, path)
        if not call.headers.get("origin"):
            return answer
        fields = [*answer.headers, *cors.headers(call)]
        return Answer(answer.status, answer.body, answer.media, fields, answer.stream)

    def _about(self, call: Call, path: str) -> Answer:
        """Paths about the server, open to everybody."""
        if path == "/_/healthcheck":
            self._note(call, path)
            return _health()
        if path == "/_/info":
            self._note(call, path)
            if call.scope["method"] != "GET":
                return answers.wrong_method(["GET"])
            return Answer(200, answers.encode(build_info()))
        return answers.NOT_FOUND

    async def _guarded(self, call: Call, path: str) -> Answer:
        try:
            if path == "/":
                return answers.NOT_FOUND
            if path == "/_info" and call.scope["method"] == "GET":
                self._note(call, path)
                return answers.data(await server_info(self._service))
            newer = path.startswith("/v2")
            found = (self._v2 if newer else self._v1_routes).find(path, call.scope["method"])
            if found is not None:
                self._note(call, found[0].template)
            if not await self._guard(call):
                return UNAUTHORIZED
            if not newer:
                await self._v1.touch(path)
            if found is None:
                return answers.NOT_FOUND
            route, call.path = found
            return await self._handled(call, route)
        except ClientGone:
            raise
        except TooLarge:
            return answers.refusal(Validation("the body is too large"), status=413)
        except EngineError as error:
            nameless = isinstance(error, LedgerNotFound) and not call.ledger
            return _refused(NotFound() if nameless else error)
        except Exception as error:  # noqa: BLE001 - the border: what nobody expected becomes a logged 500
            unexpected(call.scope["state"]["request_id"], error)
            return Answer(500, _FAULT)

    def _note(self, call: Call, template: str) -> None:
        """Say which path serves a request, for metrics and logs."""
        call.scope["state"]["route"] = self._mount + template

    async def _handled(self, call: Call, route: Route) -> Answer:
        handler = route.handlers.get(call.scope["method"])
        if handler is None:
            if route.scoped:
                await self._service.ledger(call.ledger)
            known = call.scope["method"] in _KNOWN_METHODS
            return answers.wrong_method(list(route.handlers)) if known else Answer(405)
        if not route.scoped:
            return await handler(call)
        try:
            return await handler(call)
        except LedgerError:
            # An unknown ledger is said before anything that is wrong with the request.
            await self._service.ledger(call.ledger)
            raise


_KNOWN_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)


def _health() -> Answer:
    return Answer(200, answers.encode({"storage-driver-up-to-date": "OK"}))


def _refused(error: EngineError) -> Answer:
    if isinstance(error, LedgerError):
        return answers.refusal(error)
    if isinstance(error, engine_errors.CommitFailed) and error.outcome == "unknown":
        return answers.refusal(error, status=500)
    return answers.refusal(error, status=503 if isinstance(error, engine_errors.Unavailable) else 400)


async def _send(send: Send, answer: Answer) -> None:
    fields = [(b"content-type", answer.media.encode())]
    fields += [(name.encode("latin-1"), value.encode("utf-8")) for name, value in answer.headers]
    if answer.stream is None:
        if answer.status not in (204, 304):
            fields.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    async for part in answer.stream:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
