"""What is stored about OAuth clients and signing keys."""

from __future__ import annotations

import msgspec

from bursar.engine.store.table import Table


class OAuthClient(msgspec.Struct, frozen=True):
    """A client of a realm. Secrets are digests (`secrets.digest`), never texts.

    `roles` and `scopes` are separated by blanks. `generation` rises when the client is revoked or restored, and every
    token carries the one it was issued in. `previous` is the secret before the last rotation, while it still works.
    Times are microseconds.
    """

    realm: str
    client_id: str
    roles: str
    scopes: str
    secret: str
    previous: str | None
    generation: int
    created_at: int
    revoked_at: int | None


class StoredKey(msgspec.Struct, frozen=True):
    """A private signing key of a realm, as PEM. The newest signs, all verify."""

    realm: str
    kid: str
    pem: str
    created_at: int

    def __repr__(self) -> str:
        return f"StoredKey(realm={self.realm!r}, kid={self.kid!r})"


CLIENTS = Table("oauth_client", OAuthClient, key=("realm", "client_id"), cached=True)
SIGNING_KEYS = Table("oauth_signing_key", StoredKey, key=("realm", "kid"))
TABLES = (CLIENTS, SIGNING_KEYS)
