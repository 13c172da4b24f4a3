"""The signing keys of a realm, loaded or made on first need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bursar.engine.auth.keys import SigningKey
from bursar.engine.auth.tables import SIGNING_KEYS, StoredKey

if TYPE_CHECKING:
    from bursar.engine.core import Core
    from bursar.engine.writer import View


class KeyRing:
    """The keys of the realm called `realm`; `new_key` makes the first one, in a worker thread."""

    def __init__(self, core: Core, realm: str, new_key: Callable[[], SigningKey]) -> None:
        self._core = core
        self._realm = realm
        self._new_key = new_key
        self._keys: tuple[SigningKey, ...] = ()
        self._lock = asyncio.Lock()

    async def keys(self) -> tuple[SigningKey, ...]:
        """Return the realm's keys, the signing one first."""
        if not self._keys:
            async with self._lock:
                if not self._keys:
                    self._keys = await self._load() or await self._make()
        return self._keys

    async def _load(self) -> tuple[SigningKey, ...]:
        stored = await self._core.read(
            lambda view: view.select(SIGNING_KEYS, {"realm": self._realm}, order=("-created_at", "kid"))
        )
        return tuple(SigningKey(row.kid, row.pem) for row in stored)

    async def _make(self) -> tuple[SigningKey, ...]:
        made = await asyncio.to_thread(self._new_key)
        await self._core.submit(partial(_store, self._realm, made))
        return await self._load()


def _store(realm: str, key: SigningKey, view: View) -> None:
    """Keep a realm's first key; that of another process may have come first."""
    if view.scan(SIGNING_KEYS, realm):
        return
    view.put(SIGNING_KEYS, StoredKey(realm, key.kid, key.pem, view.now))
