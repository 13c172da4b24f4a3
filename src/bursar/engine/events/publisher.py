"""Tells a destination what happened, in order for each ledger, each event at least once.

A position moves when the destination has taken the events before it. While a destination is down, its ledgers wait, and
nothing else does. Imported logs are history: they are passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from bursar.engine.books import HEADS, LOGS, LogRow
from bursar.engine.core import Core
from bursar.engine.errors import Unavailable
from bursar.engine.events.message import TYPES, Event, event_of
from bursar.engine.events.tables import EVERYTHING, POSITIONS, PositionRow
from bursar.engine.lease import Lease
from bursar.engine.registry import LEDGERS
from bursar.engine.store.base import Changes, Sql
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView, View

PAGE: Final = 256
"""Most logs whose events are sent before the position is saved."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""Pauses, on the real clock, while a destination takes nothing."""
LOOK_AGAIN_S: Final = 1.0
"""How often, on the real clock, to look for what other processes wrote."""

_LAG: Final = """
    SELECT coalesce(sum(heads.log - coalesce(told.last_log, 0)), 0),
        coalesce(max(heads.log - coalesce(told.last_log, 0)), 0)
    FROM heads LEFT JOIN event_positions AS told ON told.ledger = heads.ledger AND told.destination = ?
"""
"""Logs are numbered from 1 without gaps."""
_log: Final = logging.getLogger(__name__)


class NotTaken(Exception):
    """The destination did not confirm events; the message says why, without secrets."""


Send = Callable[[Sequence[Event]], Awaitable[None]]
"""Sends events of one ledger in order, and returns when all are confirmed. Raises NotTaken."""


class _Due(NamedTuple):
    ledger: str
    logs: Sequence[LogRow]
    imported: int


class Publisher:
    """Follows all ledgers for one destination; `name` is what its positions are kept under."""

    def __init__(self, core: Core, name: str, send: Send) -> None:
        self._core = core
        self._name = name
        self._send = send
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lease = Lease(core, f"events:{name}", self._lead)
        core.on_commit(self._committed)
        core.on_measure(self._measure)

    async def start(self) -> None:
        """Begin: with what happens from now on, when the destination is new."""
        await self._core.submit(self._know)
        await self._lease.start()

    async def close(self) -> None:
        """End; what was not confirmed is sent after the next start."""
        await self._lease.close()

    def _know(self, view: View) -> None:
        """A destination that nobody told before is not told the past."""
        if view.get(POSITIONS, self._name, EVERYTHING) is not None:
            return
        view.put(POSITIONS, PositionRow(self._name, EVERYTHING, 0))
        for head in view.scan(HEADS):
            view.put(POSITIONS, PositionRow(self._name, head.ledger, head.log))

    async def _lead(self, held: bool) -> None:
        if held and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name=f"bursar-events-{self._name}")
        elif not held and self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _committed(self, changes: Changes) -> None:
        if LOGS in changes:
            self._news.set()

    async def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            self._news.clear()
            try:
                if not await self._round():
                    await self._idle()
                pause = FIRST_PAUSE_S
            except (NotTaken, Unavailable) as error:
                self._core.metrics.events_failed.add(1, (self._name,))
                _log.warning("events wait for %s: %s", self._name, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _round(self) -> bool:
        """Send what is due of each ledger; whether there was anything."""
        due = await self._core.read(self._due)
        for ledger in due:
            events = [event_of(row) for row in ledger.logs if row.id > ledger.imported and row.type in TYPES]
            if events:
                await self._send(events)
                self._core.metrics.events.add(len(events), (self._name,))
            await self._core.submit(partial(self._told, ledger))
        return bool(due)

    def _due(self, view: ReadView) -> list[_Due]:
        positions = {row.ledger: row.last_log for row in view.select(POSITIONS, {"destination": self._name})}
        due: list[_Due] = []
        for head in view.select(HEADS):
            last = positions.get(head.ledger, 0)
            if head.log <= last:
                continue
            after: dict[str, Scalar] = {"ledger": head.ledger, "id >": last}
            logs = view.select(LOGS, after, order=("id",), limit=PAGE)
            if logs:
                row = view.get(LEDGERS, head.ledger)
                imported = -1 if row is None or row.imported_log is None else row.imported_log
                due.append(_Due(head.ledger, logs, imported))
        return due

    def _measure(self, view: ReadView) -> None:
        metrics, labels = self._core.metrics, (self._name,)
        [(all_of_it, most)] = view.query(Sql(_LAG, (self._name,)))
        metrics.events_lag.set(int(all_of_it), labels)
        metrics.events_lag_most.set(int(most), labels)

    def _told(self, told: _Due, view: View) -> None:
        view.put(POSITIONS, PositionRow(self._name, told.ledger, told.logs[-1].id))

    async def _idle(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._core.store.exclusive else LOOK_AGAIN_S):
                await self._news.wait()
