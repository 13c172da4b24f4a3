"""Which process does what only one at a time should do, when several serve one database.

A lease lasts a while of engine time and is renewed long before it ends; when its holder dies, another process takes it.
On a store that has one process the lease is always held, and nothing is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from bursar.engine.core import Core
from bursar.engine.errors import Unavailable
from bursar.engine.limits import SECOND_US
from bursar.engine.store.table import Table
from bursar.engine.view import View

LEASE_US: Final = 15 * SECOND_US
RENEWAL_S: Final = 3.0
"""On the real clock: processes with clocks of their own cannot wait for each other's time."""


class LeaseRow(Struct, frozen=True, gc=False):
    """Who holds a lease until when."""

    name: str
    owner: str
    until: int


LEASES: Final = Table("leases", LeaseRow, ("name",))


class Lease:
    """A process's claim to do something: `lead` is called, and called again now and then, while it is held."""

    def __init__(self, core: Core, name: str, lead: Callable[[bool], Awaitable[None]]) -> None:
        self._core = core
        self._name = name
        self._lead = lead
        self._owner = core.ids.uuid()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; on a store that has one process, `lead(True)` is called once, before this returns."""
        if self._core.store.exclusive:
            await self._lead(True)
        else:
            self._task = asyncio.create_task(self._run(), name=f"bursar-lease-{self._name}")

    async def close(self) -> None:
        """Lead no more, and then let another process take over at once."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._lead(False)
        if task is None:
            return
        try:
            await self._core.submit(self._release)
        except Unavailable:
            return  # it ends by itself

    async def _run(self) -> None:
        while True:
            try:
                held = await self._core.submit(self._claim)
            except Unavailable:
                held = False
            await self._lead(held)
            await asyncio.sleep(RENEWAL_S)

    def _claim(self, view: View) -> bool:
        row = view.get(LEASES, self._name)
        if row is not None and row.owner != self._owner and row.until > view.now:
            return False
        view.put(LEASES, LeaseRow(self._name, self._owner, view.now + LEASE_US))
        return True

    def _release(self, view: View) -> None:
        row = view.get(LEASES, self._name)
        if row is not None and row.owner == self._owner:
            view.delete(LEASES, self._name)
