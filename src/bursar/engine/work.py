"""Durable work: rows written in the same commit as the changes that cause them, due at engine time.

Items run in order of due time, then key. A *step* is work that one command does all by itself: the item and its effects
are one commit. A *handler* may take longer and reach outside, so its item is claimed with a lease and carried out at
least once: it must finish or reschedule the item in the same command as its effects, so that a crash in between repeats
neither.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, json
from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.errors import Unavailable
from bursar.engine.store.base import Changes, Sql, Where
from bursar.engine.store.table import AnyTable, Key, Table

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
    """`ready_at`: when it may be claimed, which is when it is due or, while `owner` holds it, when the lease ends.

    `dead`: given up after too many attempts, kept to be seen and scheduled anew.
    """

    kind: str
    key: str
    due_at: int
    ready_at: int
    payload: str
    attempts: int
    owner: str
    dead: bool
    error: str


WORK: Final = Table("work", WorkRow, ("kind", "key"), indexes=(("kind", "dead", "ready_at", "key"),))

_log: Final = logging.getLogger(__name__)
_PAUSE_S: Final = 0.5
"""Pause, on the real clock, after the store failed or refused."""
_OVERDUE_US: Final = 60 * limits.SECOND_US
"""Work that waits longer than this has too few hands."""
_COUNTED: Final = 10_000
"""Metrics count no further: a look at them must not cost more when much is waiting."""
_ALWAYS: Final = 2**63 - 1
_COUNT: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM work WHERE kind = ? AND dead = ? AND ready_at <= ? LIMIT ?) AS found"
)
_LOOK_AGAIN_S: Final = 1.0
"""How often, on the real clock, to look for what another process scheduled and did not live to do."""

Handler = Callable[["Core", Claimed], Awaitable[None]]
Step = Callable[["View", str], object]
"""A command that does what is due for a key."""
Reads = Callable[[str], Iterable[tuple[AnyTable, Key]]]
"""The rows that a step on a key will probably read."""

_encode: Final = json.Encoder(order="deterministic").encode


def work_row(work: Work) -> WorkRow:
    """A fresh row: no attempts yet, free."""
    payload = _encode(work.payload).decode()
    return WorkRow(work.kind, work.key, work.due_at, work.due_at, payload, 0, "", False, "")


class Worker:
    """Carries out due items by the steps and handlers registered for their kinds."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._owner = core.ids.child(core.store.version).uuid()
        self._handlers: dict[str, Handler] = {}
        self._rooms: dict[str, int] = {}
        """Kinds that do not share `limits.WORK_CONCURRENCY` with the others, and how much room each has."""
        self._steps: dict[str, tuple[Step, Reads]] = {}
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._adopted = not core.store.exclusive
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        core.on_commit(self._committed)
        core.on_measure(self._measure)

    @property
    def stopping(self) -> bool:
        """Whether handlers should come to an end: the engine closes, or its clock is moved by hand."""
        return self._stopping or self._task is None

    def register(self, kind: str, handler: Handler, *, room: int | None = None) -> None:
        """Name the handler of a kind. Items of kinds that nobody registered stay where they are.

        `room`: most items of this kind in hand at once, beside those of other kinds; None shares the common room. For
        work that waits for others' servers, which must not hold up the engine's own.
        """
        self._check_free(kind)
        self._handlers[kind] = handler
        if room is not None:
            self._rooms[kind] = room
        self._changed.set()

    def register_step(self, kind: str, step: Step, reads: Reads = lambda key: ()) -> None:
        """Name the command that does the work of a kind; an item that it does not reschedule is finished."""
        self._check_free(kind)
        self._steps[kind] = (step, reads)
        self._changed.set()

    def _check_free(self, kind: str) -> None:
        if kind in self._handlers or kind in self._steps:
            raise ValueError(f"work of kind {kind!r} has a handler already")

    def start(self) -> None:
        """Run items as they become due, until `stop`."""
        if self._task is None:
            self._stopping = False
            self._task = asyncio.create_task(self._run(), name="bursar-worker")

    async def stop(self) -> None:
        """Start nothing more, and let the items in progress finish."""
        if self._task is not None:
            self._stopping = True
            self._changed.set()
            await self._task
            self._task = None
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def run_due(self) -> int:
        """Carry out, one after another, all that is due now or becomes due by it; the number of items done."""
        done = 0
        while True:
            due = await self._due((*self._steps, *self._handlers), 1)
            if due and due[0].kind in self._steps:
                await self._take(due)
                done += 1
            elif claimed := await self._claim(due):
                await self._handle(claimed[0])
                done += 1
            elif self._running:
                await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                return done

    async def next_due(self) -> int | None:
        """When the next item of a registered kind is due; None if there is none."""
        await self._adopt()
        return await self._core.read(lambda view: self._next_due(view, (*self._steps, *self._handlers)))

    async def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            try:
                if not await self._round():
                    await self._wait()
            except Exception as error:  # noqa: BLE001 - whatever a store raises: without this loop nothing falls due
                _log.warning("work cannot be done, trying again: %s", error)
                await asyncio.sleep(_PAUSE_S)

    async def _round(self) -> bool:
        """Begin what is due for handlers, as far as there is room, and take the steps that are due."""
        begun = 0
        for kinds, free in self._free():
            for item in await self._claim(await self._due(kinds, free)):
                self._begin(item)
                begun += 1
        due = await self._due(self._steps, limits.WORK_STEPS)
        await self._take(due)
        return bool(begun or due)

    def _free(self) -> list[tuple[list[str], int]]:
        """Which kinds of handlers have room for how many more items."""
        running = Counter(kind for kind, _ in self._running)
        shared = [kind for kind in self._handlers if kind not in self._rooms]
        common = limits.WORK_CONCURRENCY - sum(running[kind] for kind in shared)
        rooms = [(shared, common), *(([kind], room - running[kind]) for kind, room in self._rooms.items())]
        return [(kinds, free) for kinds, free in rooms if kinds and free > 0]

    async def _wait(self) -> None:
        """Until an item may be due: the clock reached it or was changed, an item was scheduled, or one finished."""
        kinds = [*self._steps, *chain.from_iterable(kinds for kinds, _ in self._free())]
        due = await self._core.read(lambda view: self._next_due(view, kinds))
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if due is not None:
            waits.append(asyncio.ensure_future(self._core.clock.wait_until(due)))
        if not self._core.store.exclusive:
            waits.append(asyncio.ensure_future(asyncio.sleep(_LOOK_AGAIN_S)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _begin(self, item: Claimed) -> None:
        identity = (item.kind, item.key)
        task = asyncio.create_task(self._handle(item), name=f"bursar-work-{item.kind}")
        self._running[identity] = task
        task.add_done_callback(lambda task: self._ended(identity, task))

    def _ended(self, identity: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._running[identity]
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("work %s %s will be tried again when its lease ends: %s", *identity, error)

    def _committed(self, changes: Changes) -> None:
        if WORK in changes:
            self._changed.set()

    def _measure(self, view: ReadView) -> None:
        metrics, kinds = self._core.metrics, (*self._steps, *self._handlers)
        running = Counter(kind for kind, _ in self._running)
        metrics.work_running.replace({(kind,): running[kind] for kind in kinds})
        metrics.work_due.replace({(kind,): _waiting(view, kind, 0) for kind in kinds})
        metrics.work_overdue.replace({(kind,): _waiting(view, kind, _OVERDUE_US) for kind in kinds})
        metrics.work_dead.replace({(kind,): _given_up(view, kind) for kind in kinds})
        first = {kind: _ready(view, kind, 1) for kind in kinds}
        metrics.work_oldest.replace(
            {
                (kind,): (view.now - rows[0].ready_at) / limits.SECOND_US if rows else 0
                for kind, rows in first.items()
            }
        )

    async def _take(self, due: list[WorkRow]) -> None:
        """Take steps, all at once: each is a command of its own. Raises Unavailable when the store refused one."""
        for outcome in await asyncio.gather(*map(self._take_one, due), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _take_one(self, found: WorkRow) -> None:
        step, reads = self._steps[found.kind]
        item: tuple[AnyTable, Key] = (WORK, (found.kind, found.key))
        try:
            await self._core.submit(lambda view: _step(view, found, step), reads=[item, *reads(found.key)])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a step raises, its item is tried again
            text = _shown(error)
            await self._core.submit(lambda view: _step_failed(view, found, text), reads=[item])

    async def _claim(self, due: list[WorkRow]) -> list[Claimed]:
        """Lease items, so that no one else carries them out meanwhile."""
        if not due:
            return []
        keys = [(row.kind, row.key) for row in due]
        return await self._core.submit(
            lambda view: self._lease(view, keys), reads=[(WORK, key) for key in keys]
        )

    async def _adopt(self) -> None:
        """Once: on a store of our own, a lease of an earlier process is a dead one's, and its item is due at once."""
        if self._adopted:
            return
        self._adopted = True
        left = await self._core.read(lambda view: view.select(WORK, {"owner !=": ""}))
        if left:
            await self._core.submit(lambda view: self._release(view, left))

    def _release(self, view: View, left: list[WorkRow]) -> None:
        for row in left:
            view.put(WORK, replace(row, ready_at=row.due_at, owner=""))

    async def _due(self, kinds: Iterable[str], most: int) -> list[WorkRow]:
        """The first items of these kinds that may be carried out, in order of time, then kind and key."""
        await self._adopt()
        first = await self._core.read(lambda view: [_ready(view, kind, most) for kind in kinds])
        return sorted(chain.from_iterable(first), key=lambda row: (row.ready_at, row.kind, row.key))[:most]

    def _lease(self, view: View, keys: list[tuple[str, str]]) -> list[Claimed]:
        claimed: list[Claimed] = []
        for key in keys:
            row = view.get(WORK, *key)
            if row is None or row.dead or row.ready_at > view.now:
                continue
            until = view.now + limits.WORK_LEASE_US
            leased = replace(row, attempts=row.attempts + 1, ready_at=until, owner=self._owner)
            view.put(WORK, leased)
            payload = json.decode(row.payload, type=dict[str, Any])
            claimed.append(Claimed(row.kind, row.key, row.due_at, payload, leased.attempts))
        return claimed

    async def _handle(self, item: Claimed) -> None:
        """Run the handler. What it left unfinished although it did not fail is finished here."""
        try:
            await self._handlers[item.kind](self._core, item)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its item is tried again
            text = _shown(error)
            await self._core.submit(lambda view: self._failed(view, item, text))
            return
        row = await self._core.read(lambda view: view.get(WORK, item.kind, item.key))
        if self._holds(row, item):
            await self._core.submit(lambda view: self._finish(view, item))

    def _holds(self, row: WorkRow | None, item: Claimed) -> bool:
        """Whether the row is still this claim, and not gone, rescheduled or claimed again."""
        return row is not None and row.owner == self._owner and row.attempts == item.attempt

    def _finish(self, view: View, item: Claimed) -> None:
        if self._holds(view.get(WORK, item.kind, item.key), item):
            view.unschedule(item.kind, item.key)

    def _failed(self, view: View, item: Claimed, error: str) -> None:
        row = view.get(WORK, item.kind, item.key)
        if row is not None and self._holds(row, item):
            _put_off(view, row, row.attempts, error)

    def _next_due(self, view: ReadView, kinds: Iterable[str]) -> int | None:
        first = (_first(view, kind) for kind in kinds)
        return min((row.ready_at for rows in first for row in rows), default=None)


_ORDER: Final = ("kind", "dead", "ready_at", "key")


def _ready(view: ReadView, kind: str, most: int) -> list[WorkRow]:
    free: Where = {"kind": kind, "dead": False, "ready_at <=": view.now}
    return view.select(WORK, free, order=_ORDER, limit=most)


def _waiting(view: ReadView, kind: str, us: int) -> int:
    """How many items of a kind have been due for so long and are in nobody's hands."""
    return int(view.query(Sql(_COUNT, (kind, False, view.now - us, _COUNTED)))[0][0])


def _given_up(view: ReadView, kind: str) -> int:
    return int(view.query(Sql(_COUNT, (kind, True, _ALWAYS, _COUNTED)))[0][0])


def _first(view: ReadView, kind: str) -> list[WorkRow]:
    return view.select(WORK, {"kind": kind, "dead": False}, order=_ORDER, limit=1)


def _step(view: View, found: WorkRow, step: Step) -> None:
    """Take a step, unless its item changed since it was found. An item that it leaves as it was is finished."""
    row = view.get(WORK, found.kind, found.key)
    if row != found:
        return
    step(view, found.key)
    if view.get(WORK, found.kind, found.key) is row:
        view.unschedule(found.kind, found.key)


def _step_failed(view: View, found: WorkRow, error: str) -> None:
    if view.get(WORK, found.kind, found.key) == found:
        _put_off(view, found, found.attempts + 1, error)


def _put_off(view: View, row: WorkRow, attempts: int, error: str) -> None:
    """Try again later, or give up visibly."""
    dead = attempts >= limits.WORK_ATTEMPTS
    delay = min(limits.WORK_BACKOFF_US << (attempts - 1), limits.WORK_BACKOFF_MAX_US)
    due_at = row.due_at if dead else view.now + delay
    view.put(
        WORK,
        replace(row, due_at=due_at, ready_at=due_at, attempts=attempts, owner="", dead=dead, error=error),
    )


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[: limits.WORK_ERROR_CHARS]
