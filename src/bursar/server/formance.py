"""The Formance stack over HTTP, below one mount: its gateway, the ledger, and the auth service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from bursar.contract.http import Headers, Response
from bursar.engine.auth.formance import clients
from bursar.engine.auth.formance.authority import Authority
from bursar.engine.auth.formance.tables import ClientOptions
from bursar.engine.core import Core
from bursar.engine.ledger.service import LedgerService
from bursar.engine.pipelines.service import Pipelines
from bursar.engine.view import View
from bursar.server.auth.app import AuthApp
from bursar.server.events import EventsTo, Told
from bursar.server.exchange import answer
from bursar.server.failure import Failure
from bursar.server.health import trouble
from bursar.server.ledger.app import LedgerApp
from bursar.server.ledger.flags import Flags
from bursar.server.ledger.guard import guard
from bursar.server.ledger.info import BUILD
from bursar.server.outgoing import Outgoing
from bursar.server.replies import json_reply, render_plain, text_reply

MOUNT: Final = "/formance"
AUTH: Final = "/api/auth"
LEDGER: Final = "/api/ledger"
_SERVICES: Final = (
    "auth",
    "ledger",
    "orchestration",
    "payments",
    "reconciliation",
    "search",
    "wallets",
    "webhooks",
)
ALL_SCOPES: Final = tuple(f"{service}:{right}" for service in _SERVICES for right in ("read", "write"))
"""The rights on all services that a stack can have."""
_PLACE: Final = "local"
"""Region and environment of a stack on one's own machine."""


class Service(NamedTuple):
    """A service behind the gateway, and the path that it is below."""

    path: str
    app: ASGIApp

    @property
    def name(self) -> str:
        """What the gateway calls it."""
        return self.path.rpartition("/")[2]


class Background(Protocol):
    """What works without being asked."""

    async def start(self) -> None:
        """Begin."""
        ...

    async def close(self) -> None:
        """End."""
        ...


class FormanceStack:
    """An ASGI application that hands requests to the service that their path names, as the gateway does."""

    def __init__(
        self,
        core: Core,
        services: Sequence[Service],
        mount: str = MOUNT,
        background: Sequence[Background] = (),
    ) -> None:
        self._core = core
        self._background = background
        self._services = [Service(mount + path, app) for path, app in services]
        self._mount = mount

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        for place, service in self._services:
            if path.startswith(place) and path[len(place) : len(place) + 1] in ("", "/"):
                scope["state"]["api"] = place.rpartition("/")[2]
                await service(scope, receive, send)
                return
        await answer(send, await self._own(scope["state"], scope["method"], path[len(self._mount) :]))

    async def start(self) -> None:
        """Begin what the stack does by itself."""
        for part in self._background:
            await part.start()

    async def close(self) -> None:
        """End it, the last part first."""
        for part in reversed(self._background):
            await part.close()

    async def _own(self, state: dict[str, Any], method: str, path: str) -> Response:
        """What the gateway answers itself (section 2)."""
        if path == "/versions":
            state["route"] = self._mount + path
            if method in ("GET", "HEAD"):
                return json_reply(await self._versions(), headers=[("access-control-allow-origin", "*")])
            return Response(405, Headers([("allow", "GET, HEAD")]))
        if path.startswith("/api/"):
            return text_reply("Bad Gateway", status=502)
        return render_plain(Failure(404, "there is nothing at this path"))

    async def _versions(self) -> dict[str, Any]:
        """Which services there are. They share one engine: they are well when it is."""
        well = await trouble(self._core) is None
        names = sorted(service.name for service in self._services)
        versions = [{"name": name, "version": BUILD, "health": well} for name in names]
        return {"region": _PLACE, "env": _PLACE, "versions": versions}


def formance_stack(
    core: Core, flags: Flags, authority: Authority, events: EventsTo, *, exposed: bool
) -> FormanceStack:
    """The stack on an engine; `exposed` when other machines can reach the server: then scopes count."""
    outgoing = Outgoing()
    background: list[Background] = [outgoing, Told(core, events, outgoing)]
    pipelines = None
    if flags.settings.experimental_exporters:
        pipelines = Pipelines(core, outgoing.post, flags.pace)
        background.append(pipelines)
    ledger = LedgerApp(
        LedgerService(core, flags.settings),
        guard(flags, authority, exposed=exposed),
        MOUNT + LEDGER,
        pipelines,
    )
    auth = AuthApp(core, authority, MOUNT + AUTH, scopes=flags.auth_check_scopes or exposed)
    return FormanceStack(core, [Service(LEDGER, ledger), Service(AUTH, auth)], MOUNT, background)


async def create_client(core: Core, client_id: str, scopes: Iterable[str]) -> str:
    """Add a client and return its secret, which cannot be read again. Raises `Conflict` and `InvalidInput`."""
    secret, options = clients.new_secret(), ClientOptions(name=client_id, scopes=tuple(scopes))

    def command(view: View) -> None:
        made = clients.create(view, options, client_id)
        clients.add_secret(view, made.id, secret, "first")

    await core.submit(command)
    return secret
