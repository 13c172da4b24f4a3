"""Group commit: commands run one after another, and all that arrive during a commit form the next batch.

A reply leaves only after its batch is durable (invariant 6). A command that raises changes nothing (invariant 8).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from bursar.engine import limits
from bursar.engine.clock import Clock
from bursar.engine.errors import CommitFailed, EngineError, StoreBusy, StoreClosed
from bursar.engine.ids import Ids
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

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        # A reopened database must not draw the ids of its earlier life again.
        self._ids = ids.child(store.version)
        self._memory = Memory()
        self._queue: deque[_Submitted[Any]] = deque()
        self._arrived = asyncio.Event()
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
            raise StoreBusy(f"{limits.QUEUED_COMMANDS} commands are waiting already; try again later")
        self._submitted += 1
        submitted = _Submitted(command, tuple(reads), self._submitted)
        self._queue.append(submitted)
        self._arrived.set()
        return await submitted.future

    async def close(self) -> None:
        """Accept nothing more, finish what was accepted."""
        self._closing = True
        self._arrived.set()
        await self._task

    async def _run(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            size = min(len(self._queue), limits.BATCH_COMMANDS)
            batch = [self._queue.popleft() for _ in range(size)]
            await self._process([submitted for submitted in batch if not submitted.future.cancelled()])

    async def _process(self, batch: Sequence[_Submitted[Any]]) -> None:
        """Run and commit a batch; every caller gets an answer, whatever happens."""
        try:
            while not await self._attempt(batch):
                self._memory.forget()
        except Exception as error:  # noqa: BLE001 - every caller must be answered, whatever a store raises
            self._memory.forget()
            failed = error if isinstance(error, CommitFailed) else _unexpected(error)
            for submitted in batch:
                submitted.fail(failed)
        else:
            for submitted in batch:
                submitted.settle()

    async def _attempt(self, batch: Sequence[_Submitted[Any]]) -> bool:
        """False when another writer was faster: the commands must run again on what it wrote."""
        await self._load(Wanted([read for submitted in batch for read in submitted.reads]))
        for submitted in batch:
            await self._execute(submitted)
        changes = self._memory.changes()
        version = self._store.version
        # A refusal changes nothing, and yet must rest on what is true now.
        if not await (self._store.commit(version, changes) if changes else self._store.confirm(version)):
            return False
        self._memory.settle()
        if changes:
            self.committed(changes)
        return True

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
                await self._load(missing.wanted)
            except Exception as error:  # noqa: BLE001 - what a command raises is its caller's
                view.roll_back()
                submitted.error = error
                return
        submitted.error = RuntimeError(f"a command still lacked rows after {limits.COMMAND_RUNS} runs")

    async def _load(self, wanted: Wanted) -> None:
        lacking = self._memory.lacks(wanted)
        if lacking.keys or lacking.ranges:
            self._memory.load(await self._store.fetch(lacking))


def _unexpected(error: Exception) -> CommitFailed:
    """A fault in a store is no caller's fault; what became of the batch is not known."""
    failed = CommitFailed(f"the store failed: {error!r}", "unknown")
    failed.__cause__ = error
    return failed
