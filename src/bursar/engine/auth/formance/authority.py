"""The stack's token issuer: tokens for clients that know a secret, and who a token speaks for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from bursar.engine.auth import keys, secrets
from bursar.engine.auth.formance import claims as jwt
from bursar.engine.auth.formance.claims import Claims, Presented
from bursar.engine.auth.formance.clients import options_of
from bursar.engine.auth.formance.remote import Get, RemoteKeys, Unreachable
from bursar.engine.auth.formance.tables import CLIENTS, REVOKED, SECRETS, ClientOptions, RevokedToken
from bursar.engine.auth.keyring import KeyRing
from bursar.engine.auth.keys import SigningKey
from bursar.engine.auth.service import VERIFIED_TOKENS, Grant, Identity, InvalidClient
from bursar.engine.auth.tokens import InvalidToken
from bursar.engine.limits import SECOND_US

if TYPE_CHECKING:
    from bursar.engine.core import Core
    from bursar.engine.view import ReadView, View

_log: Final = logging.getLogger(__name__)
REALM: Final = "formance"
"""Name of the stack's keys in the store."""
LIFETIME: Final = 3600
"""Life of a client's token in seconds."""
_FORGOTTEN: Final = 1000
"""Most expired revocations that one revocation cleans up."""

# Compared against when there is no such client, so that an unknown client takes as long as a wrong secret.
_NOBODY = secrets.digest(secrets.generate())


class UnauthorizedClient(Exception):
    """A client that may not have tokens of its own: a public one."""


class Authority:
    """Issues and checks the tokens of one stack.

    `issuer` is the URL of the auth service. `others` are further issuers that are trusted: this stack under another
    host, for callers that reach it there, or somebody else, whose keys are fetched with `get`.
    """

    def __init__(
        self,
        core: Core,
        *,
        issuer: str,
        others: Sequence[str] = (),
        new_key: Callable[[], SigningKey] = keys.generate,
        get: Get | None = None,
    ) -> None:
        self.issuer = issuer
        self._core = core
        self._issuers = frozenset({issuer, *others})
        self._hosts = {urlsplit(known).netloc for known in self._issuers}
        self._ring = KeyRing(core, REALM, lambda: jwt.signing_key(new_key()))
        self._remote = {} if get is None else {other: RemoteKeys(other, get) for other in others}
        self._verified: dict[str, Presented] = {}
        self._revoked: set[str] = set()
        self._revoked_known = False

    def issuer_for(self, host: str) -> str:
        """Return what the stack calls itself for a caller that asked for `host`: the default but for known hosts."""
        parts = urlsplit(self.issuer)
        return urlunsplit(parts._replace(netloc=host)) if host in self._hosts else self.issuer

    async def keys(self) -> tuple[SigningKey, ...]:
        """Return the keys that verify tokens, the signing one first."""
        return await self._ring.keys()

    async def find(self, client_id: str) -> ClientOptions | None:
        """Return the options of a client, static ones included."""
        row = await self._core.read(lambda view: view.get(CLIENTS, client_id))
        return None if row is None else options_of(row)

    async def authenticate(self, client_id: str, secret: str) -> ClientOptions:
        """Return the options of a client that knows one of its secrets. Raises `InvalidClient`."""
        options, digests = await self._core.read(lambda view: _credentials(view, client_id))
        # All are compared in any case: the time does not say which it was, or that there is no such client.
        known = [secrets.matches(secret, digest) for digest in digests or [_NOBODY]]
        if options is None or not any(known):
            raise InvalidClient
        return options

    async def grant(self, client_id: str, secret: str, scope: str = "", *, issuer: str = "") -> Grant:
        """Issue a token. It holds what was asked for and the client may have, in the order asked.

        Raises `InvalidClient`, and `UnauthorizedClient` for a public one.
        """
        options = await self.authenticate(client_id, secret)
        if options.public:
            raise UnauthorizedClient
        allowed = options.scopes or ()
        now = self._seconds()
        claims = Claims(
            aud=(client_id,),
            exp=now + LIFETIME,
            iat=now,
            iss=issuer or self.issuer,
            jti=self._core.ids.uuid(),
            nbf=now,
            scope=" ".join(asked for asked in scope.split(" ") if asked in allowed),
        )
        token = jwt.sign(claims, (await self.keys())[0])
        # The real service counts from just after it made the token, and cuts the fraction off.
        return Grant(token, LIFETIME - 1, claims.scope)

    async def check(self, token: str) -> Presented:
        """Return what a good token says. Raises `InvalidToken`.

        The signature of a token is checked once; its times, on the engine's clock, and revocation every time.
        """
        presented = self._verified.get(token)
        if presented is None:
            presented = await self._proved(token)
            if len(self._verified) >= VERIFIED_TOKENS:
                self._verified.clear()
            self._verified[token] = presented
        else:
            jwt.check_times(presented, self._seconds())
        if presented.jti and await self._is_revoked(presented.jti):
            raise InvalidToken("the token was revoked")
        return presented

    async def identify(self, token: str) -> Identity:
        """Return who a token speaks for and with which scopes. Raises `InvalidToken`."""
        presented = await self.check(token)
        return Identity(presented.audience, frozenset(), frozenset(presented.scope.split(" ")) - {""})

    async def revoke(self, token: str) -> None:
        """Refuse a token from now on; one that is no good anyway is left at that."""
        try:
            presented = await self.check(token)
        except InvalidToken:
            return
        now = self._seconds()
        over = await self._core.read(
            lambda view: view.select(REVOKED, {"expires_at <": now}, limit=_FORGOTTEN)
        )

        def note(view: View) -> None:
            view.put(REVOKED, RevokedToken(presented.jti, presented.exp))
            for row in over:
                view.delete(REVOKED, row.jti)

        await self._core.submit(note)
        self._revoked.add(presented.jti)

    async def _proved(self, token: str) -> Presented:
        """Return what a token says whose signature has not been checked yet. Raises `InvalidToken`."""
        issuer, kid = jwt.claimed(token)
        remote, now = self._remote.get(issuer), self._seconds()
        try:
            return jwt.verify(token, jwt.verifying(await self.keys()), issuers=self._issuers, now=now)
        except InvalidToken:
            if remote is None:
                raise
        try:
            trusted = await remote.keys(kid)
        except Unreachable as error:
            _log.warning("tokens of %s are refused: %s", issuer, error)
            raise InvalidToken("the keys of the token's issuer cannot be fetched") from None
        return jwt.verify(token, trusted, issuers=(issuer,), now=now)

    async def _is_revoked(self, jti: str) -> bool:
        if not self._core.store.exclusive:  # another process may have revoked it
            return await self._core.read(lambda view: view.get(REVOKED, jti)) is not None
        if not self._revoked_known:
            rows = await self._core.read(lambda view: view.select(REVOKED))
            self._revoked.update(row.jti for row in rows)
            self._revoked_known = True
        return jti in self._revoked

    def _seconds(self) -> int:
        return self._core.clock.now() // SECOND_US


def _credentials(view: ReadView, client_id: str) -> tuple[ClientOptions | None, list[str]]:
    row = view.get(CLIENTS, client_id)
    if row is None:
        return None, []
    return options_of(row), [secret.digest for secret in view.scan(SECRETS, client_id)]
