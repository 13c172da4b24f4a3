"""Commands on OAuth clients: create, rotate the secret, revoke, restore."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from bursar.engine.auth import secrets
from bursar.engine.auth.tables import CLIENTS, OAuthClient
from bursar.engine.errors import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from bursar.engine.writer import View

MIN_CHOSEN_SECRET = 32
"""Characters of a secret that somebody brings along; the sandbox takes shorter ones."""
MAX_TEXT = 255


def create(
    view: View,
    realm: str,
    client_id: str,
    secret: str,
    *,
    roles: Iterable[str] = (),
    scopes: Iterable[str] = (),
    sandbox: bool = False,
) -> OAuthClient:
    """Add a client. Make its secret with `secrets.generate()`.

    Raises `Conflict` when the client exists, `InvalidInput` for a blank or long id and for a secret that is too short.
    """
    if not client_id.strip() or len(client_id) > MAX_TEXT or not client_id.isprintable():
        raise InvalidInput(f"a client id is 1 to {MAX_TEXT} printable characters")
    if len(secret) > MAX_TEXT or len(secret) < (1 if sandbox else MIN_CHOSEN_SECRET):
        raise InvalidInput(f"a secret is {MIN_CHOSEN_SECRET} to {MAX_TEXT} characters")
    if view.get(CLIENTS, realm, client_id) is not None:
        raise Conflict(f"client {client_id} exists already")
    client = OAuthClient(
        realm=realm,
        client_id=client_id,
        roles=" ".join(roles),
        scopes=" ".join(scopes),
        secret=secrets.digest(secret),
        previous=None,
        generation=1,
        created_at=view.now,
        revoked_at=None,
    )
    view.put(CLIENTS, client)
    return client


def rotate(view: View, realm: str, client_id: str, secret: str) -> OAuthClient:
    """Give a client a new secret; the one before works until `retire` or the next rotation."""
    client = _known(view, realm, client_id)
    changed = msgspec.structs.replace(client, secret=secrets.digest(secret), previous=client.secret)
    view.put(CLIENTS, changed)
    return changed


def retire(view: View, realm: str, client_id: str) -> OAuthClient:
    """End the secret before the last rotation. Live tokens stay."""
    changed = msgspec.structs.replace(_known(view, realm, client_id), previous=None)
    view.put(CLIENTS, changed)
    return changed


def revoke(view: View, realm: str, client_id: str) -> OAuthClient:
    """End a client: it gets no more tokens, and those it has are refused at once (MS08)."""
    client = _known(view, realm, client_id)
    changed = msgspec.structs.replace(client, generation=client.generation + 1, revoked_at=view.now)
    view.put(CLIENTS, changed)
    return changed


def restore(view: View, realm: str, client_id: str) -> OAuthClient:
    """Let a revoked client in again, with its secrets; the tokens from before stay dead."""
    changed = msgspec.structs.replace(_known(view, realm, client_id), revoked_at=None)
    view.put(CLIENTS, changed)
    return changed


def _known(view: View, realm: str, client_id: str) -> OAuthClient:
    client = view.get(CLIENTS, realm, client_id)
    if client is None:
        raise NotFound(f"there is no client {client_id}")
    return client
