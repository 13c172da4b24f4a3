"""What is stored about the stack's clients."""

from __future__ import annotations

from typing import Final

import msgspec

from bursar.engine.store.table import Table


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be decided about a client. None: never given, which answers tell apart from empty."""

    public: bool = False
    redirect_uris: tuple[str, ...] | None = None
    description: str = ""
    name: str = ""
    post_logout_redirect_uris: tuple[str, ...] | None = None
    metadata: dict[str, str] | None = None
    trusted: bool = False
    scopes: tuple[str, ...] | None = None


class ClientRow(msgspec.Struct, frozen=True):
    """A client. `options` are `ClientOptions` as JSON; clients are listed by `number`.

    A `static` client belongs to the server's set-up: it gets tokens, and the API does not know it.
    """

    id: str
    number: int
    static: bool
    options: str
    created_at: int


class SecretRow(msgspec.Struct, frozen=True):
    """A secret of a client, as a digest (`secrets.digest`). `metadata` is JSON, None when none was given."""

    client_id: str
    id: str
    number: int
    name: str
    metadata: str | None
    last_digits: str
    digest: str


class RevokedToken(msgspec.Struct, frozen=True):
    """A token that is refused before it expires; `expires_at` is seconds since the epoch."""

    jti: str
    expires_at: int


CLIENTS: Final = Table("formance_client", ClientRow, key=("id",), cached=True)
SECRETS: Final = Table("formance_secret", SecretRow, key=("client_id", "id"))
REVOKED: Final = Table("formance_revoked_token", RevokedToken, key=("jti",), indexes=[("expires_at",)])
TABLES: Final = (CLIENTS, SECRETS, REVOKED)
