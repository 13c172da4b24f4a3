"""Exporters and pipelines as the API offers them, and the followers of those that run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import Raw

from bursar.engine.books import HEADS, LOGS
from bursar.engine.core import Core
from bursar.engine.kernel.model import format_time
from bursar.engine.lease import Lease
from bursar.engine.pipelines import commands
from bursar.engine.pipelines.config import read
from bursar.engine.pipelines.drivers import Post
from bursar.engine.pipelines.follower import Follower, Pace
from bursar.engine.pipelines.tables import EXPORTERS, PIPELINES, ExporterRow, PipelineRow
from bursar.engine.store.base import Changes
from bursar.engine.view import ReadView, View

T = TypeVar("T")
_ORDER: Final = ("number",)


class Pipelines:
    """All exporters and pipelines of an engine. Methods raise `NotFound`, `LedgerNotFound` and `Validation`."""

    def __init__(self, core: Core, post: Post, pace: Pace) -> None:
        self._core = core
        self._post = post
        self._pace = pace
        self._following: dict[str, _Following] = {}
        self._leading = False
        self._lease = Lease(core, "pipelines", self._lead)
        core.on_commit(self._committed)
        core.on_measure(self._measure)

    async def start(self) -> None:
        """Take up the pipelines that run, unless another process has them."""
        await self._lease.start()

    async def close(self) -> None:
        """Stop sending; what was not confirmed is sent again at the next start."""
        await self._lease.close()

    async def exporters(self) -> list[Mapping[str, Any]]:
        """All of them, in the order of their making."""
        rows = await self._core.read(lambda view: view.select(EXPORTERS, order=_ORDER))
        return [shown_exporter(row) for row in rows]

    async def exporter(self, id: str) -> Mapping[str, Any]:
        """One of them."""
        return shown_exporter(await self._submit(lambda view: commands.exporter(view, id)))

    async def create_exporter(
        self, driver: str, config: str, given: Any, *, present: bool
    ) -> Mapping[str, Any]:
        """Make a destination. `given` is the decoded configuration, `config` the same as JSON."""
        read(driver, given, present=present)
        row = await self._submit(lambda view: commands.create_exporter(view, driver, config))
        return shown_exporter(row)

    async def update_exporter(self, id: str, driver: str, config: str, given: Any, *, present: bool) -> None:
        """Change a destination; running pipelines go on there."""
        read(driver, given, present=present)
        await self._submit(lambda view: commands.update_exporter(view, id, driver, config))
        await self._take_up()

    async def delete_exporter(self, id: str) -> None:
        """Remove a destination with its pipelines."""
        await self._submit(lambda view: commands.delete_exporter(view, id))
        await self._take_up()

    async def pipelines(self) -> list[Mapping[str, Any]]:
        """Those of all ledgers, in the order of their making."""
        rows = await self._core.read(lambda view: view.select(PIPELINES, order=_ORDER))
        return [shown_pipeline(row) for row in rows]

    async def pipeline(self, id: str) -> Mapping[str, Any]:
        """One of them."""
        return shown_pipeline(await self._submit(lambda view: commands.pipeline(view, id)))

    async def create_pipeline(self, ledger: str, exporter: str) -> Mapping[str, Any]:
        """Begin to send a ledger's logs."""
        row = await self._submit(lambda view: commands.create_pipeline(view, ledger, exporter))
        await self._take_up()
        return shown_pipeline(row)

    async def change(self, command: Callable[[View, str], None], id: str) -> None:
        """Start, stop, reset or delete a pipeline: `command` is one of `commands`."""
        await self._submit(lambda view: command(view, id))
        await self._take_up()

    async def _submit(self, command: Callable[[View], T]) -> T:
        return await self._core.submit(command)

    async def _lead(self, held: bool) -> None:
        self._leading = held
        if held:
            await self._take_up()
            return
        tasks = [following.task for following in self._following.values()]
        for task in tasks:
            task.cancel()
        self._following.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_up(self) -> None:
        """Follow the pipelines that run; anew those that were stopped, reset or sent elsewhere meanwhile."""
        if not self._leading:
            return
        wanted = await self._core.read(_running)
        for id_, following in [*self._following.items()]:
            if following.task.done() or wanted.get(id_) != following.what:
                self._following.pop(id_).task.cancel()
        for id_, what in wanted.items():
            if id_ not in self._following:
                follower = Follower(self._core, self._post, self._pace, id_)
                task = asyncio.create_task(follower.run(), name=f"bursar-pipeline-{id_}")
                self._following[id_] = _Following(what, follower, task)

    def _measure(self, view: ReadView) -> None:
        metrics, states, lags = self._core.metrics, Counter[str](), [0]
        for row in view.select(PIPELINES):
            states["stopped" if not row.running else "failing" if row.error else "running"] += 1
            head = view.get(HEADS, row.ledger) if row.running else None
            if head is not None:
                lags.append(head.log - (row.last_log or 0))
        metrics.pipelines.replace({(state,): states[state] for state in ("running", "failing", "stopped")})
        metrics.pipelines_lag.set(sum(lags))
        metrics.pipelines_lag_most.set(max(lags))

    def _committed(self, changes: Changes) -> None:
        written = {key[0] for key in changes.get(LOGS, ())} if self._following else ()
        for following in self._following.values():
            if following.what.ledger in written:
                following.follower.wake()


class _What(NamedTuple):
    """What makes a pipeline another one to its follower."""

    ledger: str
    resets: int
    exporter: ExporterRow | None


class _Following(NamedTuple):
    what: _What
    follower: Follower
    task: asyncio.Task[None]


def _running(view: ReadView) -> dict[str, _What]:
    return {
        row.id: _What(row.ledger, row.resets, view.get(EXPORTERS, row.exporter))
        for row in view.select(PIPELINES, {"running": True}, order=_ORDER)
    }


def shown_exporter(row: ExporterRow) -> Mapping[str, Any]:
    """An exporter as the API writes it."""
    return {
        "id": row.id,
        "createdAt": format_time(row.created_at),
        "driver": row.driver,
        "config": Raw(row.config.encode()),
    }


def shown_pipeline(row: PipelineRow) -> Mapping[str, Any]:
    """A pipeline as the API writes it; it is `enabled` also when it is stopped, as with the real service."""
    out: dict[str, Any] = {
        "ledger": row.ledger,
        "exporterID": row.exporter,
        "createdAt": format_time(row.created_at),
        "id": row.id,
        "enabled": True,
    }
    if row.last_log is not None:
        out["lastLogID"] = row.last_log
    if row.error:
        out["error"] = row.error
    return out
