"""What is stored about OAuth apps, redirect URIs, codes, grants and tokens. Times are microseconds of engine time.

Codes and tokens are random texts of 256 bits; only their SHA-256 is stored, so no row opens anything.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bursar.engine.store.table import Table


class AppRow(Struct, frozen=True):
    """Which merchant an OAuth client belongs to; its secret is with `bursar.engine.auth.clients`."""

    client_id: str
    merchant: str
    created_at: int


class RedirectRow(Struct, frozen=True):
    """A place that browsers of a merchant's customers may be sent to."""

    merchant: str
    uri: str
    added_at: int


class LinkRow(Struct, frozen=True):
    """Who a merchant's customer is: the user that gave the last consent under that external id."""

    merchant: str
    external_user_id: str
    user: str
    linked_at: int


class CodeRow(Struct, frozen=True):
    """An authorization code, bound to all that it was asked with (PS10).

    `challenge` is the PKCE challenge, "" for none; `redirect_uri` the text as it was asked. `grant` is the grant that
    it was exchanged for, "" before.
    """

    digest: str
    merchant: str
    user: str
    external_user_id: str
    redirect_uri: str
    challenge: str
    scope: str
    expires_at: int
    grant: str = ""


class GrantRow(Struct, frozen=True):
    """A consent that was exchanged for tokens: the family of all tokens that come from one code (PS17).

    `generation` is that of the client at the time: revoking a client raises it, and so ends all of its grants.
    """

    id: str
    merchant: str
    client_id: str
    user: str
    external_user_id: str
    scope: str
    generation: int
    created_at: int
    revoked_at: int | None
    reason: str = ""


class TokenRow(Struct, frozen=True):
    """An access or a refresh token of a grant. `used` refresh tokens are kept until they expire, to notice reuse."""

    digest: str
    refresh: bool
    grant: str
    scope: str
    expires_at: int
    used: bool = False


APPS: Final = Table("piaxis_oauth_app", AppRow, ("client_id",), cached=True)
REDIRECTS: Final = Table("piaxis_oauth_redirect", RedirectRow, ("merchant", "uri"), cached=True)
LINKS: Final = Table("piaxis_oauth_link", LinkRow, ("merchant", "external_user_id"))
CODES: Final = Table("piaxis_oauth_code", CodeRow, ("digest",), indexes=(("expires_at",),))
GRANTS: Final = Table("piaxis_oauth_grant", GrantRow, ("id",), indexes=(("user", "merchant"),))
TOKENS: Final = Table("piaxis_oauth_token", TokenRow, ("digest",), indexes=(("expires_at",),))
TABLES: Final = (APPS, REDIRECTS, LINKS, CODES, GRANTS, TOKENS)
