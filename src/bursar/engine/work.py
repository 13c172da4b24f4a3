"""Durable work: rows written in the same commit as the changes that cause them, due at engine time.

Items run in order of due time, then key. An item is claimed with a lease and carried out at least once: a handler must
finish or reschedule its item in the same command as its effects, so that a crash in between repeats neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json
from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.store.base import Changes
from bursar.engine.store.table import Table

if TYPE_CHECKING:
    from bursar.engine.core import Core
    from bursar.engine.view import ReadView, View

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class Work(Struct, frozen=True):
    """Something to do at `due_at` (engine time, microseconds); (kind, key) is its identity."""

    kind: str
    key: str
    due_at: int
    payload: Mapping[str, Any] = {}


class Claimed(Struct, frozen=True):
    """A work item in the hands of its handler; `attempt` counts from 1."""

    kind: str
    key: str
    due_at: int
    payload: dict[str, Any]
    attempt: int


class WorkRow(Struct, frozen=True, gc=False):
    """`leased_until` 0: free. `dead`: given up after too many attempts, kept to be seen and rescheduled."""

    kind: str
    key: str
    due_at: int
    payload: str
    attempts: int
    leased_until: int
    owner: str
    dead: bool
    error: str


WORK: Final = Table("work", WorkRow, ("kind", "key"), indexes=(("dead", "due_at", "kind", "key"),))

Handler = Callable[["Core", Claimed], Awaitable[None]]

_encode: Final = json.Encoder(order="deterministic").encode


def work_row(work: Work) -> WorkRow:
    """A fresh row: no attempts yet, free."""
    return WorkRow(work.kind, work.key, work.due_at, _encode(work.payload).decode(), 0, 0, "", False, "")


class Worker:
    """Claims due items and hands them to the handlers registered for their kind."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._owner = core.ids.child(core.store.version).uuid()
        self._handlers: dict[str, Handler] = {}
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        core.writer.committed = self._committed

    def register(self, kind: str, handler: Handler) -> None:
        """Name the handler of a kind. Items of kinds without a handler stay where they are."""
        if kind in self._handlers:
            raise ValueError(f"work of kind {kind!r} has a handler already")
        self._handlers[kind] = handler
        self._changed.set()

    def start(self) -> None:
        """Run items as they become due, until `stop`."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="bursar-worker")

    async def stop(self) -> None:
        """Start nothing more, and let the items in progress finish."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await asyncio.gather(*self._running.values())

    async def run_due(self) -> int:
        """Carry out, one after another, all that is due now or becomes due by it; the number of items done."""
        done = 0
        while True:
            claimed = await self._claim(1)
            if claimed:
                await self._handle(claimed[0])
                done += 1
            elif self._running:
                await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                return done

    async def next_due(self) -> int | None:
        """When the next item with a handler is due; None if there is none."""
        return await self._core.read(self._next_due)

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            free = limits.WORK_CONCURRENCY - len(self._running)
            claimed = await self._claim(free) if free > 0 else []
            for item in claimed:
                self._begin(item)
            if not claimed:
                await self._wait()

    async def _wait(self) -> None:
        """Until an item may be due: the clock reached it or was changed, an item was scheduled, or one finished."""
        due = await self.next_due() if len(self._running) < limits.WORK_CONCURRENCY else None
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if due is not None:
            waits.append(asyncio.ensure_future(self._core.clock.wait_until(due)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _begin(self, item: Claimed) -> None:
        identity = (item.kind, item.key)
        task = asyncio.create_task(self._handle(item), name=f"bursar-work-{item.kind}")
        self._running[identity] = task
        task.add_done_callback(lambda _: self._ended(identity))

    def _ended(self, identity: tuple[str, str]) -> None:
        del self._running[identity]
        self._changed.set()

    def _committed(self, changes: Changes) -> None:
        if WORK in changes:
            self._changed.set()

    async def _claim(self, most: int) -> list[Claimed]:
        """Lease due items, so that no one else carries them out meanwhile."""
        found = await self._core.read(lambda view: self._due(view, most))
        if not found:
            return []
        keys = [(row.kind, row.key) for row in found]
        return await self._core.submit(
            lambda view: self._lease(view, keys), reads=[(WORK, key) for key in keys]
        )

    def _due(self, view: ReadView, most: int) -> list[WorkRow]:
        """The first due items that may be claimed, in order of due time, then kind and key."""
        rows = view.select(
            WORK,
            {"dead": False, "due_at <=": view.now},
            order=("due_at", "kind", "key"),
            limit=most + len(self._running),
        )
        return [row for row in rows if self._claimable(row, view.now)][:most]

    def _claimable(self, row: WorkRow, now: int) -> bool:
        if row.dead or row.due_at > now or row.kind not in self._handlers:
            return False
        return row.leased_until <= now or self._abandoned(row)

    def _abandoned(self, row: WorkRow) -> bool:
        """On a store of our own, a lease of another process is the lease of a dead one."""
        return self._core.store.exclusive and row.owner != self._owner

    def _lease(self, view: View, keys: list[tuple[str, str]]) -> list[Claimed]:
        claimed: list[Claimed] = []
        for key in keys:
            row = view.get(WORK, *key)
            if row is None or not self._claimable(row, view.now):
                continue
            until = view.now + limits.WORK_LEASE_US
            leased = replace(row, attempts=row.attempts + 1, leased_until=until, owner=self._owner)
            view.put(WORK, leased)
            payload = json.decode(row.payload, type=dict[str, Any])
            claimed.append(Claimed(row.kind, row.key, row.due_at, payload, leased.attempts))
        return claimed

    async def _handle(self, item: Claimed) -> None:
        """Run the handler. What it left unfinished although it did not fail is finished here."""
        try:
            await self._handlers[item.kind](self._core, item)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"[: limits.WORK_ERROR_CHARS]
            await self._core.submit(lambda view: self._failed(view, item, text))
            return
        row = await self._core.read(lambda view: view.get(WORK, item.kind, item.key))
        if self._holds(row, item):
            await self._core.submit(lambda view: self._finish(view, item))

    def _holds(self, row: WorkRow | None, item: Claimed) -> bool:
        """Whether the row is still this claim, and not gone, rescheduled or claimed again."""
        return (
            row is not None
            and row.leased_until > 0
            and row.owner == self._owner
            and row.attempts == item.attempt
        )

    def _finish(self, view: View, item: Claimed) -> None:
        if self._holds(view.get(WORK, item.kind, item.key), item):
            view.unschedule(item.kind, item.key)

    def _failed(self, view: View, item: Claimed, error: str) -> None:
        """Try again later, or give up visibly."""
        row = view.get(WORK, item.kind, item.key)
        if row is None or not self._holds(row, item):
            return
        dead = row.attempts >= limits.WORK_ATTEMPTS
        delay = min(limits.WORK_BACKOFF_US << (row.attempts - 1), limits.WORK_BACKOFF_MAX_US)
        due_at = row.due_at if dead else view.now + delay
        view.put(WORK, replace(row, due_at=due_at, leased_until=0, owner="", dead=dead, error=error))

    def _next_due(self, view: ReadView) -> int | None:
        rows = view.select(WORK, {"dead": False}, order=("due_at", "kind", "key"))
        dues = (
            row.due_at if self._abandoned(row) else max(row.due_at, row.leased_until)
            for row in rows
            if row.kind in self._handlers
        )
        return min(dues, default=None)
