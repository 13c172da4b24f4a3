"""How to get in."""

from __future__ import annotations

from dataclasses import dataclass, field

TOKENS_AT = "/api/auth/oauth/token"


@dataclass(slots=True)
class Security:
    """Credentials of an OAuth client; without both of `client_id` and `client_secret` calls carry no token.

    A relative `token_url` is resolved against the server's URL (RFC 3986 section 5): a path with a slash at its start
    replaces the whole path of a stack that is not at the root of its host.
    """

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = TOKENS_AT
    """Where tokens come from, a path or a whole URL."""


SecurityTypedDict = dict
