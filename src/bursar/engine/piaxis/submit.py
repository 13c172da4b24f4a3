"""How the rail's services run commands: a refusal undoes everything, except the trace of a `Counted` one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from bursar.engine.core import Core
from bursar.engine.piaxis.errors import Counted
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import Command, View

T = TypeVar("T")
Reads = Iterable[tuple[AnyTable, Key]]


async def submit(core: Core, command: Command[T], *, reads: Reads = ()) -> T:
    """Run a command and answer after its commit. Raises what it raises."""
    outcome = await core.submit(_guarded(command), reads=reads)
    if isinstance(outcome, Counted):
        raise outcome
    return outcome


def _guarded(command: Command[T]) -> Callable[[View], T | Counted]:
    def run(view: View) -> T | Counted:
        mark = view.savepoint()
        try:
            return command(view)
        except Counted as refusal:
            view.roll_back(mark)
            refusal.trace(view)
            return refusal

    return run
