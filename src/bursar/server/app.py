"""The whole server as one ASGI application: each API on its mount, the surroundings around them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from bursar import __version__
from bursar.contract.http import Response
from bursar.engine.books import HEADS
from bursar.engine.core import Core
from bursar.engine.view import ReadView
from bursar.server.api import Api
from bursar.server.edge import Edge
from bursar.server.exchange import Exchange
from bursar.server.faults import Faults, FaultyApp
from bursar.server.health import trouble
from bursar.server.index import page
from bursar.server.metrics import PATH, HttpMetrics, MetricsPage
from bursar.server.replies import json_reply, render_plain, text_reply


def application(
    core: Core,
    mounts: Mapping[str, ASGIApp],
    http: HttpMetrics,
    faults: Faults | None = None,
    *,
    metrics: bool = True,
) -> ASGIApp:
    """Return the application that serves each API of `mounts` below its path, ``/healthz``, ``/metrics`` and ``/``.

    With `faults`, requests suffer by its rules. Without `metrics`, ``/metrics`` is not there.
    """
    root = _root(core, list(mounts))
    if metrics:
        root.add("GET", PATH, MetricsPage(core))
    inner = _mounted(mounts, root)
    if faults is not None:
        inner = FaultyApp(inner, faults)
    return Edge(inner, http)


def metrics_application(core: Core, http: HttpMetrics) -> ASGIApp:
    """Return the application of a listener of its own for ``/metrics``."""
    api = Api(render=render_plain)
    api.add("GET", PATH, MetricsPage(core))
    return Edge(api, http)


def _mounted(mounts: Mapping[str, ASGIApp], rest: ASGIApp) -> ASGIApp:
    """Return the application that gives each request to the API on whose mount it is, others to `rest`."""
    beginnings = [(mount + "/", mount, name_of(mount), api) for mount, api in mounts.items()]

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        for beginning, mount, name, api in beginnings:
            if path.startswith(beginning):
                scope["state"]["api"] = name
                await api({**scope, "root_path": mount}, receive, send)
                return
        await rest(scope, receive, send)

    return dispatch


def name_of(mount: str) -> str:
    """Return what metrics and logs call the API on a mount: "piaxis" for ``/piaxis/api``."""
    return mount.split("/")[1].lstrip("_")


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
