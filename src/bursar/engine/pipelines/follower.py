"""One pipeline at work: the next logs go out in order, and the position moves when they arrived.

A crash between the two sends logs again: each arrives at least once. Logs that were committed meanwhile go together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from bursar.engine.books import LOGS, LogRow
from bursar.engine.core import Core
from bursar.engine.errors import Unavailable
from bursar.engine.ledger.query.logs import shown
from bursar.engine.ledger.wire import first_value
from bursar.engine.pipelines import commands
from bursar.engine.pipelines.config import Configuration, read
from bursar.engine.pipelines.drivers import DeliveryFailed, Exported, Post, driver
from bursar.engine.pipelines.tables import EXPORTERS, PIPELINES, PipelineRow
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView


class Pace(Struct, frozen=True):
    """How fast pipelines go; times in microseconds of engine time.

    `poll`: how often to look for logs that another process wrote; `retry`: the pause after a failed delivery; `page`:
    most logs of one delivery.
    """

    poll: int = 5_000_000
    retry: int = 10_000_000
    page: int = 100


class _Due(NamedTuple):
    """What a pipeline is to send next."""

    row: PipelineRow
    config: Configuration
    logs: Sequence[LogRow]


class Follower:
    """Sends a ledger's logs as long as its pipeline runs."""

    def __init__(self, core: Core, post: Post, pace: Pace, id: str) -> None:
        self._core = core
        self._post = post
        self._pace = pace
        self._id = id
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._news.set()

    async def run(self) -> None:
        """Send until the pipeline is stopped or removed."""
        while True:
            self._news.clear()
            try:
                due = await self._core.read(self._next)
                if due is None:
                    return
                if due.logs:
                    await self._send(due)
                else:
                    await self._idle()
            except Unavailable:
                await self._pause(self._pace.retry)
            except DeliveryFailed as error:
                await self._failed(str(error))

    def _next(self, view: ReadView) -> _Due | None:
        row = view.get(PIPELINES, self._id)
        if row is None or not row.running:
            return None
        exporter = view.get(EXPORTERS, row.exporter)
        if exporter is None:
            return None
        config = read(exporter.driver, first_value(exporter.config.encode()))
        most = min(config.at_once or self._pace.page, self._pace.page)
        after: dict[str, Scalar] = {"ledger": row.ledger}
        if row.last_log is not None:
            after["id >"] = row.last_log
        return _Due(row, config, view.select(LOGS, after, order=("id",), limit=most))

    async def _send(self, due: _Due) -> None:
        logs = [Exported(row.ledger, row.id, row.type, row.date, row.data, shown(row)) for row in due.logs]
        await driver(due.config, self._post)(logs)
        self._core.metrics.pipeline_logs.add(len(logs))
        await self._core.submit(lambda view: commands.arrived(view, due.row, logs[-1].id))

    async def _failed(self, error: str) -> None:
        self._core.metrics.pipelines_failed.add()
        row = await self._core.read(lambda view: view.get(PIPELINES, self._id))
        if row is not None:
            await self._core.submit(lambda view: commands.failed(view, row, error))
        await self._pause(self._pace.retry)

    async def _pause(self, us: int) -> None:
        until = self._core.clock.now() + us
        while self._core.clock.now() < until:
            await self._core.clock.wait_until(until)

    async def _idle(self) -> None:
        """Until there is news; a store that others write to is looked at again after a while."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
        if not self._core.store.exclusive:
            waits.append(asyncio.ensure_future(self._pause(self._pace.poll)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
