"""Tokens for clients that prove who they are, and clients for tokens that are still good."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bursar.engine.auth import keys, secrets, tokens
from bursar.engine.auth.keyring import KeyRing
from bursar.engine.auth.keys import SigningKey
from bursar.engine.auth.tables import CLIENTS, OAuthClient
from bursar.engine.auth.tokens import Claims, InvalidToken
from bursar.engine.limits import SECOND_US

if TYPE_CHECKING:
    from bursar.engine.core import Core

VERIFIED_TOKENS = 4096
"""Most tokens whose signature is remembered; above it the memory starts afresh."""

# Compared against when there is no such client, so that an unknown client takes as long as a wrong secret (MS04).
_NOBODY = secrets.digest(secrets.generate())


class InvalidClient(Exception):
    """No such client, a revoked one, or a wrong secret: which of them is not said (MS04)."""


class InvalidScope(Exception):
    """A scope that the client may not have."""


class Grant(msgspec.Struct, frozen=True):
    """An issued access token; `expires_in` is whole seconds."""

    access_token: str
    expires_in: int
    scope: str

    def __repr__(self) -> str:
        return f"Grant(expires_in={self.expires_in}, scope={self.scope!r})"


class Identity(msgspec.Struct, frozen=True):
    """Who a good token speaks for."""

    client_id: str
    roles: frozenset[str]
    scopes: frozenset[str]


class Realm:
    """The clients of one API: their tokens are signed with its own keys and name its own `issuer`.

    `lifetime` is that of a token, in seconds of engine time. `new_key` makes the signing key when the realm has none
    yet; it runs in a worker thread.
    """

    def __init__(
        self,
        core: Core,
        name: str,
        *,
        issuer: str,
        lifetime: int,
        new_key: Callable[[], SigningKey] = keys.generate,
    ) -> None:
        self.name = name
        self.issuer = issuer
        self._core = core
        self._lifetime = lifetime
        self._ring = KeyRing(core, name, new_key)
        self._verified: dict[str, Claims] = {}
        self._clients: dict[str, OAuthClient] = {}
        self._clients_version = -1

    async def grant(self, client_id: str, secret: str, scope: str = "") -> Grant:
        """Issue a token for a client that knows its secret. Raises `InvalidClient` and `InvalidScope`."""
        client = await self._client(client_id)
        if not knows_secret(client, secret) or client is None or client.revoked_at is not None:
            raise InvalidClient
        asked, allowed = scope.split(), client.scopes.split()
        if not set(asked) <= set(allowed):
            raise InvalidScope
        signing = (await self.keys())[0]
        issued_at = self._seconds()
        claims = Claims(
            iss=self.issuer,
            sub=f"service-account-{client_id}",
            azp=client_id,
            iat=issued_at,
            exp=issued_at + self._lifetime,
            jti=self._core.ids.uuid(),
            gen=client.generation,
            scope=" ".join(asked or allowed),
            roles=tuple(client.roles.split()),
        )
        token = tokens.sign(claims, signing)
        self._remember(token, claims)
        return Grant(token, self._lifetime, claims.scope)

    async def identify(self, token: str) -> Identity:
        """Return who a bearer token speaks for. Raises `InvalidToken`.

        The signature of a token is checked once; its expiry, on the engine's clock, and its client every time.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = tokens.verify(token, await self.keys(), issuer=self.issuer, now=self._seconds())
            self._remember(token, claims)
        elif self._seconds() >= claims.exp:
            del self._verified[token]
            raise InvalidToken("the token has expired")
        client = await self._client(claims.azp)
        if client is None or client.revoked_at is not None or client.generation != claims.gen:
            raise InvalidToken("the client was revoked")
        return Identity(client.client_id, frozenset(client.roles.split()), frozenset(claims.scope.split()))

    async def keys(self) -> tuple[SigningKey, ...]:
        """Return the realm's keys, the signing one first; on first need, load or make them."""
        return await self._ring.keys()

    async def _client(self, client_id: str) -> OAuthClient | None:
        """Return a client as last committed. Rows are kept until the next commit of whatever kind."""
        store = self._core.store
        if self._clients_version != store.version or not store.exclusive:
            self._clients.clear()
            self._clients_version = store.version
        client = self._clients.get(client_id)
        if client is None:
            client = await self._core.read(lambda view: view.get(CLIENTS, self.name, client_id))
            if client is not None:  # names that do not exist have no bound
                self._clients[client_id] = client
        return client

    def _remember(self, token: str, claims: Claims) -> None:
        if len(self._verified) >= VERIFIED_TOKENS:
            self._verified.clear()
        self._verified[token] = claims

    def _seconds(self) -> int:
        return self._core.clock.now() // SECOND_US


def knows_secret(client: OAuthClient | None, secret: str) -> bool:
    """Whether a secret is the client's, or was before the last rotation; takes as long when there is no client."""
    if client is None:
        secrets.matches(secret, _NOBODY)
        return False
    current = secrets.matches(secret, client.secret)
    # Both are compared in any case: the time does not say which secret it was.
    previous = secrets.matches(secret, client.previous or _NOBODY)
    return current or previous
