"""The whole server as one ASGI application: each API on its mount, the surroundings around them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bursar import __version__
from bursar.contract.http import Response
from bursar.engine.books import HEADS
from bursar.engine.core import Core
from bursar.engine.view import ReadView
from bursar.server.api import Api
from bursar.server.edge import Edge
from bursar.server.exchange import Exchange, answer
from bursar.server.failure import Failure
from bursar.server.faults import Faults, FaultyApp
from bursar.server.health import trouble
from bursar.server.index import page
from bursar.server.replies import json_reply, render_plain, text_reply


def application(core: Core, mounts: Mapping[str, ASGIApp], faults: Faults | None = None) -> ASGIApp:
    """Return the application that serves each API of `mounts` below its path, ``/healthz`` and ``/``.

    With `faults`, requests suffer by its rules.
    """
    routes = [Mount(path, app=api) for path, api in mounts.items()]
    inner: ASGIApp = Router(
        [*routes, Mount("", app=_root(core, list(mounts)))], redirect_slashes=False, default=_nothing
    )
    if faults is not None:
        inner = FaultyApp(inner, faults)
    return Edge(inner)


def _root(core: Core, mounts: list[str]) -> Api:
    async def health(exchange: Exchange) -> Response:
        return await _health(core)

    async def index(exchange: Exchange) -> Response:
        return text_reply(page(mounts), media="text/html; charset=utf-8")

    api = Api(render=render_plain)
    api.add("GET", "/", index)
    api.add("GET", "/healthz", health)
    return api


async def _health(core: Core) -> Response:
    """Say whether the writer takes and answers commands; 503 when it does not."""
    reason = await trouble(core)
    if reason is not None:
        return json_reply({"status": "down", "reason": reason, "version": __version__}, status=503)
    heads = await core.read(_heads)
    return json_reply({"status": "ok", "version": __version__, "commit": core.store.version, "heads": heads})


def _heads(view: ReadView) -> dict[str, dict[str, object]]:
    """Return the last log entry of each ledger: its number and its hash."""
    return {row.ledger: {"log": row.log, "hash": row.hash.hex()} for row in view.select(HEADS)}


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for paths that not even the mount for the rest takes, such as those with a line break."""
    await answer(send, render_plain(Failure(404, "there is nothing at this path")))
