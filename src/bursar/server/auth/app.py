"""The auth service as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.types import Receive, Scope, Send

from bursar.contract.http import Headers, Response
from bursar.engine import errors as refused
from bursar.engine.auth.formance.authority import Authority
from bursar.engine.core import Core
from bursar.server.access import Access
from bursar.server.auth import replies
from bursar.server.auth.clients import Clients
from bursar.server.auth.openid import OpenId
from bursar.server.auth.tokens import Tokens
from bursar.server.exchange import ClientGone, answer
from bursar.server.failure import unexpected
from bursar.server.health import trouble
from bursar.server.ledger import answers, cors
from bursar.server.ledger.answers import Answer
from bursar.server.ledger.call import Call, TooLarge
from bursar.server.ledger.info import BUILD
from bursar.server.ledger.paths import BadEscape, seen_by_router, unescape

SERVICE: Final = "auth"
Handler = Callable[[Call], Awaitable[Answer]]


class AuthApp:
    """Serves the auth service below the path `mount`. Clients and users always want a token; `scopes`: with scopes."""

    def __init__(self, core: Core, authority: Authority, mount: str, *, scopes: bool) -> None:
        self._core = core
        self._mount = mount
        self._access = Access(authority, SERVICE, scopes=scopes)
        self._clients = Clients(core).routes()
        self._open = self._open_paths(Tokens(authority), OpenId(authority))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive, {})
        try:
            preflight = cors.preflight(call)
            found = preflight or await self._answered(call)
        except ClientGone:
            return
        fields = [("content-type", found.media), *found.headers]
        if call.headers.get("origin") and preflight is None:
            fields += cors.headers(call)
        await answer(send, Response(found.status, Headers(fields), found.body))

    def _open_paths(self, tokens: Tokens, openid: OpenId) -> dict[str, Handler]:
        return {
            "/.well-known/openid-configuration": openid.discovery,
            "/keys": openid.keys,
            "/authorize": openid.authorize,
            "/authorize/callback": openid.callback,
            "/end_session": openid.end_session,
            "/device_authorization": openid.device,
            "/oauth/token": tokens.issue,
            "/oauth/introspect": tokens.introspect,
            "/revoke": tokens.revoke,
            "/userinfo": tokens.user,
            "/healthz": _alive,
            "/ready": self._ready,
        }

    async def _answered(self, call: Call) -> Answer:
        raw: str = call.scope.get("raw_path", b"").decode("latin-1") or call.scope["path"]
        try:
            below = raw.partition("?")[0][len(self._mount) :]
            path = seen_by_router(below or "/")
            return await self._dispatched(call, path, below)
        except BadEscape:
            return Answer(400, b"400 Bad Request", answers.TEXT)
        except TooLarge:
            return _refusal(413, "VALIDATION", "the body is too large")
        except refused.NotFound:
            return replies.MISSING
        except refused.Unavailable as error:
            unknown = isinstance(error, refused.CommitFailed) and error.outcome == "unknown"
            return _refusal(500 if unknown else 503, "INTERNAL", error.message)
        except refused.EngineError as error:
            return _refusal(400, "VALIDATION", error.message)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the border: what nobody expected becomes a logged 500
            failure = unexpected(call.scope["state"]["request_id"], error)
            return _refusal(500, "INTERNAL", failure.message)

    async def _dispatched(self, call: Call, path: str, raw: str) -> Answer:
        if path.startswith(("/clients/", "/users/")) or path in ("/clients", "/users"):
            return await self._guarded(call, raw)
        if path in self._open or path in ("/_info", "/_healthcheck"):
            call.scope["state"]["route"] = self._mount + path
        if call.scope["method"] == "GET" and path == "/_info":
            return replies.json({"version": BUILD, "debug": False})
        if call.scope["method"] == "GET" and path == "/_healthcheck":
            reason = await trouble(self._core)
            body = answers.encode({"Database": reason or "OK"})
            return Answer(500 if reason else 200, body, answers.TEXT)
        handler = self._open.get(path)
        return answers.NOT_FOUND if handler is None else await handler(call)

    async def _guarded(self, call: Call, raw: str) -> Answer:
        """A token is asked for first, whatever the path and the method. Any id can be written with escapes."""
        found = self._clients.find(raw, call.scope["method"])
        if found is not None:
            call.scope["state"]["route"] = self._mount + found[0].template
        if not await self._access.allows(call.scope, call.headers.get("authorization", "")):
            return replies.UNAUTHORIZED
        if found is None:
            return answers.NOT_FOUND
        route, parameters = found
        call.path = {name: unescape(value) for name, value in parameters.items()}
        handler = route.handlers.get(call.scope["method"])
        return answers.wrong_method(list(route.handlers)) if handler is None else await handler(call)

    async def _ready(self, call: Call) -> Answer:
        reason = await trouble(self._core)
        return replies.json({"status": "ok" if reason is None else reason}, status=500 if reason else 200)


async def _alive(call: Call) -> Answer:
    return replies.json({"status": "ok"})


def _refusal(status: int, code: str, message: str) -> Answer:
    return Answer(status, answers.encode({"errorCode": code, "errorMessage": message}))
