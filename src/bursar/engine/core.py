"""The engine's core: one store, one writer, one clock, one source of ids, one worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from bursar.engine.books import LOGS
from bursar.engine.clock import Clock, SystemClock
from bursar.engine.ids import Ids
from bursar.engine.metrics import Metrics
from bursar.engine.store.base import Changes, Store
from bursar.engine.store.opening import open_store
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import Command, Query, ReadView
from bursar.engine.work import Worker
from bursar.engine.writer import Writer

T = TypeVar("T")


class Core:
    """What the domains build on. Belongs to the event loop that opened it."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self.clock = clock
        self.ids = ids
        self.store = store
        self.metrics: Metrics = Metrics()
        self.metrics.commit_number.read = lambda: store.version
        self._gauges: list[Callable[[ReadView], None]] = []
        self.writer: Writer = Writer(store, clock, ids, self.metrics)
        self.writer.committed = self._committed
        self._listeners: list[Callable[[Changes], None]] = []
        self.worker: Worker = Worker(self)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        tables: Sequence[AnyTable] | None = None,
    ) -> Core:
        """Open a database (see `store.opening.open_store`); `tables` None means all of the engine.

        Raises StoreUnusable, or StoreInUse when another process writes to the file.
        """
        from bursar.engine.tables import all_tables

        store = await open_store(url, all_tables() if tables is None else tables)
        return cls(store, clock or SystemClock(), ids or Ids())

    async def submit(self, command: Command[T], *, reads: Iterable[tuple[AnyTable, Key]] = ()) -> T:
        """Run a command; see `Writer.submit`."""
        return await self.writer.submit(command, reads=reads)

    async def read(self, query: Query[T]) -> T:
        """Run a query on committed rows, all as of one moment."""
        return await self.store.read(lambda rows: query(ReadView(rows, self.clock.now())))

    def on_commit(self, listener: Callable[[Changes], None]) -> None:
        """Tell `listener` what each batch of this process changed, after its commit."""
        self._listeners.append(listener)

    def on_measure(self, gauge: Callable[[ReadView], None]) -> None:
        """Let `gauge` set the metrics that only the database knows, whenever somebody looks at them."""
        self._gauges.append(gauge)

    async def measure(self) -> None:
        """Bring those metrics up to date, all as of one moment. Raises what the store raises."""
        await self.read(self._measure)

    def _measure(self, view: ReadView) -> None:
        for gauge in self._gauges:
            gauge(view)

    def _committed(self, changes: Changes) -> None:
        self.metrics.logs.add(len(changes.get(LOGS, ())))
        for listener in self._listeners:
            listener(changes)

    async def close(self) -> None:
        """Stop the worker, finish what was accepted, close the store."""
        await self.worker.stop()
        await self.writer.close()
        await self.store.close()
