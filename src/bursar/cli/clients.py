"""`bursar operator`, `bursar client`, `bursar formance`: credentials, on a database that no server has open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from bursar.cli.output import print_json, refusals
from bursar.engine.auth import clients, secrets
from bursar.engine.core import Core
from bursar.server import formance
from bursar.server.milkyway import REALM, create_client

T = TypeVar("T")


def create(database: str, client_id: str, *, operator: bool, as_json: bool) -> None:
    """Add a client and print its secret."""
    secret = on_database(database, lambda core: create_client(core, client_id, operator=operator))
    _show(client_id, secret, as_json=as_json)


def create_formance(database: str, client_id: str, scopes: Sequence[str], *, as_json: bool) -> None:
    """Add a client of the Formance stack and print its secret."""
    secret = on_database(
        database, lambda core: formance.create_client(core, client_id, scopes or formance.ALL_SCOPES)
    )
    _show(client_id, secret, as_json=as_json)


def rotate(database: str, client_id: str, *, as_json: bool) -> None:
    """Give a client a second secret and print it."""
    secret = secrets.generate()
    on_database(
        database,
        lambda core: core.submit(partial(clients.rotate, realm=REALM, client_id=client_id, secret=secret)),
    )
    _show(client_id, secret, as_json=as_json)


def retire(database: str, client_id: str) -> None:
    """End a client's former secret."""
    on_database(database, lambda core: core.submit(partial(clients.retire, realm=REALM, client_id=client_id)))


def revoke(database: str, client_id: str) -> None:
    """End a client."""
    on_database(database, lambda core: core.submit(partial(clients.revoke, realm=REALM, client_id=client_id)))


def on_database(database: str, work: Callable[[Core], Awaitable[T]]) -> T:
    """Do something with an open engine. Says so and exits when a server has the database open."""

    async def run() -> T:
        core = await Core.open(database)
        try:
            return await work(core)
        finally:
            await core.close()

    with refusals():
        return asyncio.run(run())


def _show(client_id: str, secret: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"client_id": client_id, "client_secret": secret})
        return
    print(
        f"Client id:     {client_id}\nClient secret: {secret}\nThe secret is stored only as a digest: keep it now."
    )
