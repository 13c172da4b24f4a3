"""Who may call the services of a Formance stack: bearer tokens of its own issuer, and their scopes."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

from bursar.engine.auth.formance.authority import Authority
from bursar.engine.auth.tokens import InvalidToken

OWNER: Final = "bursar.owner"
"""Name of the ASGI extension of requests from the process that has the books open. None come over a network."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Access:
    """The lock of one service.

    With `scopes`, reading needs `<service>:read` or `<service>:write`, everything else `<service>:write`; without,
    any good token will do. The process that embeds the engine needs no token: the books are its own.
    """

    def __init__(self, authority: Authority, service: str, *, scopes: bool) -> None:
        self._authority = authority
        self._write = f"{service}:write"
        self._read = frozenset({f"{service}:read", self._write})
        self._scopes = scopes

    async def allows(self, scope: Scope, authorization: str) -> bool:
        """Whether a request with this ``Authorization`` field may be served; notes who calls, for the access log."""
        if not authorization and OWNER in scope.get("extensions", {}):
            return True
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            identity = await self._authority.identify(token.strip())
        except InvalidToken:
            return False
        scope["state"]["client_id"] = identity.client_id
        if not self._scopes:
            return True
        if scope["method"] in _READING:
            return bool(self._read & identity.scopes)
        return self._write in identity.scopes
