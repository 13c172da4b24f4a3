"""The sandbox's well-known credentials. Nothing outside a sandbox knows them."""

from __future__ import annotations

import msgspec

from bursar.engine.auth import clients
from bursar.engine.auth.tables import CLIENTS
from bursar.engine.core import Core
from bursar.engine.milkyway.sandbox import seed as seed_milkyway
from bursar.engine.view import View
from bursar.server.milkyway import OPERATOR_ROLE, REALM


class Credential(msgspec.Struct, frozen=True):
    """A client that every sandbox has."""

    api: str
    client_id: str
    client_secret: str
    roles: tuple[str, ...] = ()


OPERATOR = Credential("milkyway operator", "hub-operator", "operator-secret", (OPERATOR_ROLE,))
CREDENTIALS = (
    Credential("milkyway", "bank-alpha", "alpha-secret"),
    Credential("milkyway", "bank-beta", "beta-secret"),
    OPERATOR,
)


async def seed(core: Core) -> None:
    """Add the well-known institutions, services and clients; what is there already stays as it is."""
    await core.submit(_seed)


def _seed(view: View) -> None:
    seed_milkyway(view)
    for known in CREDENTIALS:
        if view.get(CLIENTS, REALM, known.client_id) is None:
            clients.create(view, REALM, known.client_id, known.client_secret, roles=known.roles, sandbox=True)
