"""Group commit: commands run one after another, and all that arrive during a commit form the next batch.

The next batch runs in memory while the one before it is being committed; when that commit fails, what ran on top of it
never happened, and runs again. A reply leaves only after its batch is durable (invariant 6). A command that raises
changes nothing (invariant 8).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar, cast

from bursar.engine import limits
from bursar.engine.clock import Clock
from bursar.engine.errors import CommitFailed, EngineError, StoreBusy, StoreClosed
from bursar.engine.ids import Ids
from bursar.engine.metrics import Metrics
from bursar.engine.store.base import Changes, Missing, Store, Wanted
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import Command, Memory, View

__all__ = ["Command", "View", "Writer"]

T = TypeVar("T")


class _Submitted(Generic[T]):
    """A command waiting for its turn and its commit."""

    __slots__ = ("command", "error", "future", "number", "reads", "result")

    def __init__(self, command: Command[T], reads: Sequence[tuple[AnyTable, Key]], number: int) -> None:
        self.command = command
        self.reads = reads
        self.number = number
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.result: T | None = None
        self.error: Exception | None = None

    def settle(self) -> None:
        """Answer the caller, unless it went away."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(cast(T, self.result))
        else:
            self.future.set_exception(self.error)

    def fail(self, error: EngineError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Writer:
    """The only one who changes the store. `committed` is told what each batch changed."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, metrics: Metrics | None = None) -> None:
        self._store = store
        self._metrics = metrics or Metrics()
        self._metrics.queue.read = lambda: len(self._queue)
        self._clock = clock
        # A reopened database must not draw the ids of its earlier life again.
        self._ids = ids.child(store.version)
        self._memory = Memory()
        self._queue: deque[_Submitted[Any]] = deque()
        self._news = asyncio.Event()
        """A command arrived, a commit ended, or the engine closes."""
        self._flight: asyncio.Task[bool] | None = None
        """The last commit; see `_commit`."""
        self._closing = False
        self._submitted = 0
        self._latest = 0
        self._task = asyncio.create_task(self._run(), name="bursar-writer")
        self.committed: Callable[[Changes], None] = lambda changes: None

    async def submit(self, command: Command[T], *, reads: Iterable[tuple[AnyTable, Key]] = ()) -> T:
        """Run a command and answer after its commit; `reads` names rows worth loading beforehand.

        Raises what the command raises, StoreBusy, StoreClosed or CommitFailed. When the waiting caller is cancelled
        the command may still be carried out.
        """
        if self._closing:
            raise StoreClosed("the engine is closed")
        if len(self._queue) >= limits.QUEUED_COMMANDS:
            self._metrics.refused.add()
            raise StoreBusy(f"{limits.QUEUED_COMMANDS} commands are waiting already; try again later")
        self._submitted += 1
        submitted = _Submitted(command, tuple(reads), self._submitted)
        self._queue.append(submitted)
        self._news.set()
        return await submitted.future

    async def close(self) -> None:
        """Accept nothing more, finish what was accepted."""
        self._closing = True
        self._news.set()
        await self._task

    async def _run(self) -> None:
        while True:
            if self._queue:
                await self._process()
            elif self._closing and not self._flying():
                return
            else:
                await self._wait()

    def _flying(self) -> asyncio.Task[bool] | None:
        """The commit that is under way."""
        return None if self._flight is None or self._flight.done() else self._flight

    async def _wait(self) -> None:
        """Return when something has happened; sometimes earlier."""
        self._news.clear()
        await self._news.wait()

    async def _process(self) -> None:
        """Run a batch, which grows as long as another commit is under way, and begin to commit it."""
        batch: list[_Submitted[Any]] = []
        before = self._flying()
        try:
            while True:
                room = await self._execute_some(batch)
                if before is None or before.done() or not room:
                    break
                await self._wait()
            sound = before is None or await before
        except Exception as error:  # noqa: BLE001 - every caller must be answered, whatever a store raises
            self._fail(batch, error)
            return
        if not sound:
            self._run_again(batch)
            return
        if not batch:
            return
        self._flight = asyncio.create_task(self._commit(batch, self._memory.depart()), name="bursar-commit")
        self._flight.add_done_callback(lambda task: self._news.set())
        await asyncio.sleep(0)  # the commit starts before anything else runs

    async def _commit(self, batch: Sequence[_Submitted[Any]], changes: Changes) -> bool:
        """Commit and answer. False when nothing of it is stored: what ran on top of it must run again."""
        version, started = self._store.version, time.perf_counter()
        try:
            # A refusal changes nothing, and yet must rest on what is true now.
            stored = await (self._store.commit(version, changes) if changes else self._store.confirm(version))
            if stored and changes:
                self.committed(changes)
        except Exception as error:  # noqa: BLE001 - every caller must be answered, whatever a store raises
            self._fail(batch, error)
            return False
        self._metrics.batch_ended(len(batch), bool(changes), stored, time.perf_counter() - started)
        if not stored:  # another writer was faster: the commands run again on what it wrote
            self._run_again(batch)
            return False
        for submitted in batch:
            submitted.settle()
        return True

    def _run_again(self, batch: Sequence[_Submitted[Any]]) -> None:
        """Forget what the commands did, and put them back into the queue where they were."""
        self._memory.forget()
        self._metrics.retried.add(len(batch))
        self._queue = deque(sorted((*batch, *self._queue), key=lambda submitted: submitted.number))

    def _fail(self, batch: Sequence[_Submitted[Any]], error: Exception) -> None:
        self._memory.forget()
        self._metrics.batches.add(1, ("failed",))
        failed = error if isinstance(error, CommitFailed) else _unexpected(error)
        for submitted in batch:
            submitted.fail(failed)

    async def _execute_some(self, batch: list[_Submitted[Any]]) -> bool:
        """Run what is in the queue. False when the batch has no room for more."""
        upcoming = islice(self._queue, limits.BATCH_COMMANDS - len(batch))
        await self._load(Wanted([read for waiting in upcoming for read in waiting.reads]))
        while len(batch) < limits.BATCH_COMMANDS and self._memory.changed < limits.BATCH_ROWS:
            if not self._queue:
                return True
            submitted = self._queue.popleft()
            if not submitted.future.cancelled():
                batch.append(submitted)
                await self._execute(submitted)
        return False

    async def _execute(self, submitted: _Submitted[Any]) -> None:
        """Run one command until it has all the rows that it reads; each run draws the same ids."""
        self._latest = max(self._latest, self._clock.now())
        for _ in range(limits.COMMAND_RUNS):
            view = View(self._memory, self._latest, self._ids, submitted.number)
            submitted.result = submitted.error = None
            try:
                submitted.result = submitted.command(view)
                return
            except Missing as missing:
                view.roll_back()
                # What it said it would read may not be here either: it came when the batch had begun.
                await self._load(Wanted([*missing.wanted.keys, *submitted.reads], missing.wanted.ranges))
            except Exception as error:  # noqa: BLE001 - what a command raises is its caller's
                view.roll_back()
                submitted.error = error
                return
        submitted.error = RuntimeError(f"a command still lacked rows after {limits.COMMAND_RUNS} runs")

    async def _load(self, wanted: Wanted) -> None:
        """Load what is lacking. A commit under way ends first: until then what the store has is not yet the truth."""
        lacking = self._memory.lacks(wanted)
        if lacking.keys or lacking.ranges:
            flight = self._flying()
            if flight is not None:
                await flight
            self._memory.load(await self._store.fetch(lacking))


def _unexpected(error: Exception) -> CommitFailed:
    """A fault in a store is no caller's fault; what became of the batch is not known."""
    failed = CommitFailed(f"the store failed: {error!r}", "unknown")
    failed.__cause__ = error
    return failed
