"""The sender of `bench.webhooks`, to be killed: emits and delivers, and goes on where an earlier one ended."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

import uvloop

from bench.webhook_sink import SECRET
from bursar.engine.core import Core
from bursar.engine.store.base import Changes
from bursar.engine.view import SEQUENCES, ReadView, View
from bursar.engine.webhooks import emit
from bursar.engine.webhooks.dispatch import Dispatcher
from bursar.engine.webhooks.piaxis import PiaxisSource
from bursar.engine.webhooks.service import WebhooksService
from bursar.engine.webhooks.tables import ATTEMPTS, DELIVERIES, INBOX, LANES, PENDING
from bursar.server.webhooks.guard import Guard
from bursar.server.webhooks.sender import HttpSender

OBJECTS = 5_000
BATCH = 200
BACKLOG = 4_000
"""Emitting pauses when so many events are under way."""
COUNTER = "bench"


class Load:
    """Emits `count` events, numbered by a durable sequence: none twice, whenever the process is killed."""

    def __init__(self, core: Core, count: int, endpoints: int) -> None:
        self._core = core
        self._count = count
        self._endpoints = endpoints
        self._open = 0
        self._progress = asyncio.Event()
        core.on_commit(self._committed)

    async def run(self) -> None:
        """Emit what is still to be emitted, and return when everything is delivered."""
        emitted = await self._core.read(self._emitted)
        self._open = await self._core.read(lambda view: view.count(DELIVERIES, {"status": PENDING}))
        while emitted < self._count:
            size = min(BATCH, self._count - emitted)
            await self._core.submit(partial(self._emit, size=size))
            emitted += size
            self._open += size
            while self._open > BACKLOG:
                await self._waited()
        while await self._core.read(lambda view: view.count(INBOX) + view.count(LANES)):
            await self._waited()

    async def _waited(self) -> None:
        self._progress.clear()
        await self._progress.wait()

    def _emit(self, view: View, size: int) -> None:
        for _ in range(size):
            number = view.next_id(COUNTER, start=0)
            name = f"escrow:{number % OBJECTS}"
            data = {"n": number, "object": name, "amount": "5000.00", "currency": "UGX", "status": "released"}
            owner = f"merchant-{number % OBJECTS % self._endpoints}"
            emit(view, source="piaxis", owner=owner, type="escrow.released", object=name, data=data)

    def _emitted(self, view: ReadView) -> int:
        row = view.get(SEQUENCES, COUNTER)
        return 0 if row is None else row.last + 1

    def _committed(self, changes: Changes) -> None:
        self._open -= len(changes.get(ATTEMPTS, ()))
        self._progress.set()


async def work(database: str, count: int, endpoints: int, port: int) -> None:
    """Emit and deliver until nothing is left."""
    core = await Core.open(database)
    dispatcher = Dispatcher(core, HttpSender(Guard(local=True)), [PiaxisSource()])
    dispatcher.register()
    service = WebhooksService(core, dispatcher, "piaxis")
    for number in range(endpoints):
        owner = f"merchant-{number}"
        if not await service.list(owner):
            await service.create(owner, f"http://127.0.0.1:{port}/hooks", ["*"], secret=SECRET)
    core.worker.start()
    await Load(core, count, endpoints).run()
    await core.close()
    await dispatcher.sender.aclose()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--endpoints", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    uvloop.run(work(chosen.database, chosen.count, chosen.endpoints, chosen.port))


if __name__ == "__main__":
    main()
