"""Keys of issuers elsewhere, found by OpenID discovery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from bursar.engine.auth import keys
from bursar.engine.auth.formance.claims import VerifyingKey

Get = Callable[[str], Awaitable[bytes]]
"""Fetches what is at a URL. Raises `Unreachable`."""
DISCOVERY: Final = "/.well-known/openid-configuration"
PAUSE: Final = 30.0
"""Seconds between two fetches, however many tokens name keys that are not known."""


class Unreachable(Exception):
    """An issuer that cannot be asked for its keys, or answers nonsense."""


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class RemoteKeys:
    """The keys of one issuer: fetched when a token needs one that is not known yet, and kept."""

    def __init__(self, issuer: str, get: Get, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._get = get
        self._monotonic = monotonic
        self._keys: list[VerifyingKey] = []
        self._fetched: float | None = None
        self._lock = asyncio.Lock()

    async def keys(self, kid: str | None) -> list[VerifyingKey]:
        """Return the keys that may have signed a token with this key id. Raises `Unreachable`."""
        async with self._lock:
            due = self._fetched is None or self._monotonic() - self._fetched >= PAUSE
            if due and not self._matching(kid):
                self._fetched = self._monotonic()
                self._keys = await self._fetch()
        return self._matching(kid)

    def _matching(self, kid: str | None) -> list[VerifyingKey]:
        return [known for known in self._keys if kid is None or known.kid == kid]

    async def _fetch(self) -> list[VerifyingKey]:
        try:
            found = msgspec.json.decode(
                await self._get(self._issuer.rstrip("/") + DISCOVERY), type=_Discovery
            )
            if found.issuer != self._issuer:
                raise Unreachable(f"{self._issuer} calls itself {found.issuer}")
            document = msgspec.json.decode(await self._get(found.jwks_uri), type=_KeySet)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{self._issuer} does not describe its keys: {error}") from None
        return [key for members in document.keys if (key := _verifying(members)) is not None]


def _verifying(members: dict[str, Any]) -> VerifyingKey | None:
    """A key of a key set; None for one of another kind, or none at all."""
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    usable = members.get("use", "sig") == "sig" and members.get("alg", keys.ALGORITHM) == keys.ALGORITHM
    if members.get("kty") != "RSA" or not usable:
        return None
    try:
        kid = members.get("kid")
        public = {name: members[name] for name in ("kty", "n", "e")}
        return VerifyingKey(kid if isinstance(kid, str) else None, RSAKey.import_key(public))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
