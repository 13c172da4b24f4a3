"""The sandbox's well-known credentials, and the wall between sandboxes and databases for real money."""

from __future__ import annotations

from typing import Final

import msgspec

from bursar.engine.auth import clients, secrets
from bursar.engine.auth.formance import clients as stack
from bursar.engine.auth.formance.tables import CLIENTS as STACK_CLIENTS
from bursar.engine.auth.formance.tables import ClientOptions
from bursar.engine.auth.tables import CLIENTS
from bursar.engine.books import HEADS
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.errors import StoreUnusable
from bursar.engine.milkyway.accounts import LEDGER
from bursar.engine.milkyway.sandbox import READS
from bursar.engine.milkyway.sandbox import seed as seed_milkyway
from bursar.engine.piaxis import oauth_sandbox
from bursar.engine.piaxis import sandbox as piaxis
from bursar.engine.view import ReadView, View
from bursar.server.bearer import OPERATOR_ROLE
from bursar.server.formance import ALL_SCOPES
from bursar.server.milkyway import REALM


class Credential(msgspec.Struct, frozen=True):
    """A client that every sandbox has."""

    api: str
    client_id: str
    client_secret: str
    roles: tuple[str, ...] = ()


OPERATOR = Credential("MilkyWay operator", "hub-operator", "operator-secret", (OPERATOR_ROLE,))
CREDENTIALS = (
    Credential("MilkyWay", "bank-alpha", "alpha-secret"),
    Credential("MilkyWay", "bank-beta", "beta-secret"),
    OPERATOR,
)

STATIC_CLIENTS: Final = {
    "formance-sandbox": (
        ClientOptions(trusted=True, scopes=(*ALL_SCOPES, "openid", "email", "offline_access")),
        ("formance-sandbox-secret",),
    ),
    "admin": (
        ClientOptions(trusted=True, scopes=("auth:read", "auth:write", "openid", "email")),
        ("admin-secret",),
    ),
    "reader": (ClientOptions(scopes=("auth:read", "ledger:read")), ("reader-secret", "env-secret")),
    "browser": (
        ClientOptions(
            public=True,
            redirect_uris=("http://localhost:3000/auth-callback",),
            post_logout_redirect_uris=("http://localhost:3000/",),
            scopes=("openid",),
        ),
        (),
    ),
}
"""Clients of the sandbox's Formance stack, with their secrets. Its API does not show them."""
FORMANCE = tuple(
    Credential("Formance", client_id, known[0] if known else "")
    for client_id, (_, known) in STATIC_CLIENTS.items()
)
PIAXIS = (
    Credential("Piaxis api-key", piaxis.MERCHANT_ID, piaxis.API_KEY),
    Credential("Piaxis OAuth", oauth_sandbox.CLIENT_ID, oauth_sandbox.CLIENT_SECRET),
)
"""The merchant with its API key, and its OAuth client."""


async def seed(core: Core) -> None:
    """Add the well-known institutions, services and clients; what is there already stays as it is.

    Raises `StoreUnusable` for a database that is in use without being a sandbox: it would be open to everybody.
    """
    if await core.read(_used_for_real):
        raise StoreUnusable(
            "this database is in use and no sandbox: name another file, or leave --sandbox out"
        )
    await core.submit(
        _seed,
        reads=[
            *READS,
            *piaxis.READS,
            *oauth_sandbox.READS,
            *((CLIENTS, (REALM, known.client_id)) for known in CREDENTIALS),
            *((STACK_CLIENTS, (client_id,)) for client_id in STATIC_CLIENTS),
        ],
    )


async def catch_up(core: Core, clock: SandboxClock) -> None:
    """Move the clock on to where the rail's book ends: engine time does not go back, over a restart either.

    What was done in a future that somebody moved to would wait for years.
    """
    head = await core.read(lambda view: view.get(HEADS, LEDGER))
    if head is not None:
        clock.advance(max(head.date - clock.now(), 0))


async def refuse_sandbox(core: Core) -> None:
    """Raise `StoreUnusable` for a sandbox's database: everybody knows its secrets."""
    if await core.read(_is_sandbox):
        raise StoreUnusable("this database is a sandbox's, whose secrets everybody knows: add --sandbox")


def _is_sandbox(view: ReadView) -> bool:
    rows = ((known, view.get(CLIENTS, REALM, known.client_id)) for known in CREDENTIALS)
    return any(row is not None and secrets.matches(known.client_secret, row.secret) for known, row in rows)


def _used_for_real(view: ReadView) -> bool:
    in_use = any(view.count(table) > 0 for table in (CLIENTS, STACK_CLIENTS, HEADS))
    return in_use and not _is_sandbox(view)


def _seed(view: View) -> None:
    seed_milkyway(view)
    piaxis.seed(view)
    oauth_sandbox.seed(view)
    for known in CREDENTIALS:
        if view.get(CLIENTS, REALM, known.client_id) is None:
            clients.create(view, REALM, known.client_id, known.client_secret, roles=known.roles, sandbox=True)
    for client_id, (options, known_secrets) in STATIC_CLIENTS.items():
        stack.declare(view, client_id, options, known_secrets)
