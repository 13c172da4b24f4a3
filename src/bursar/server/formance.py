"""The Formance stack over HTTP, below one mount: the ledger so far."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from bursar.engine.auth.service import Realm
from bursar.engine.core import Core
from bursar.engine.ledger.service import LedgerService
from bursar.server.exchange import answer
from bursar.server.failure import Failure
from bursar.server.ledger.app import LedgerApp
from bursar.server.ledger.flags import Flags
from bursar.server.ledger.guard import guard
from bursar.server.replies import render_plain

MOUNT: Final = "/formance"
REALM: Final = "formance"
"""Name of the stack's realm in the store."""
AUTH: Final = "/api/auth"
LEDGER: Final = "/api/ledger"


class FormanceStack:
    """An ASGI application that hands requests to the service that their path names."""

    def __init__(self, services: dict[str, ASGIApp], mount: str = MOUNT) -> None:
        self._services = {mount + path: app for path, app in services.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        for place, service in self._services.items():
            if path.startswith(place) and path[len(place) : len(place) + 1] in ("", "/"):
                await service(scope, receive, send)
                return
        await answer(send, render_plain(Failure(404, "there is nothing at this path")))


def formance_stack(core: Core, flags: Flags, realm: Realm, *, exposed: bool) -> FormanceStack:
    """The stack on an engine; `exposed` when other machines can reach the server."""
    ledger = LedgerApp(
        LedgerService(core, flags.settings), guard(flags, realm, exposed=exposed), MOUNT + LEDGER
    )
    return FormanceStack({LEDGER: ledger})
