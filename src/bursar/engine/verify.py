"""`verify`: does every row say what the log says? Works on any store, also beside a running server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from bursar.engine.clock import Clock, SystemClock
from bursar.engine.store.base import Rows
from bursar.engine.store.opening import open_reader
from bursar.engine.view import ReadView

T = TypeVar("T")


class Damage(Struct, frozen=True):
    """One difference: its class, where it is, what should be there and what is."""

    kind: str
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: expected {self.expected}, found {self.found}"


class Report(Struct, frozen=True):
    """The outcome of a verification."""

    ledgers: int
    logs: int
    damages: Sequence[Damage]

    @property
    def ok(self) -> bool:
        """Whether no damage was found."""
        return not self.damages


class Progress(Protocol):
    """Told now and then how many logs of all have been checked."""

    def __call__(self, done: int, total: int, /) -> None:
        """Take note."""
        ...


class Check(Protocol):
    """An invariant over committed rows: yields one Damage for each place where it does not hold."""

    def __call__(self, view: ReadView, /) -> Iterable[Damage]:
        """Yield one Damage for each place."""
        ...


class Readable(Protocol):
    """A store, or a database opened for reading only."""

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run a query on one snapshot."""
        ...


async def verify(
    store: Readable,
    progress: Progress | None = None,
    *,
    checks: Sequence[Check] | None = None,
    clock: Clock | None = None,
) -> Report:
    """Recompute chain, volumes, moves, ids and sums of every ledger, then run the domains' checks, on one snapshot."""
    from bursar.engine.checks import all_checks
    from bursar.engine.ledger_check import LedgerCheck

    ledger_check = LedgerCheck(progress or (lambda done, total: None))
    every: list[Check] = [ledger_check, *(all_checks() if checks is None else checks)]
    now = (clock or SystemClock()).now()

    def run(rows: Rows) -> list[Damage]:
        view = ReadView(rows, now)
        return [damage for check in every for damage in _found(check, view)]

    damages = await store.read(run)
    return Report(ledger_check.ledgers, ledger_check.logs, damages)


def _found(check: Check, view: ReadView) -> Iterator[Damage]:
    """What a check finds, and as one more damage the row or page that ends it because it cannot be read."""
    try:
        yield from check(view)
    except Exception as error:  # noqa: BLE001 - there is no telling what damaged rows make a store or a check raise
        yield Damage(
            "unreadable", "the database", "rows as they were written", f"{type(error).__name__}: {error}"
        )


async def verify_database(url: str, progress: Progress | None = None) -> Report:
    """Verify a database without writing to it; servers may be running on it. Raises StoreUnusable."""
    reader = await open_reader(url)
    try:
        return await verify(reader, progress)
    finally:
        await reader.close()
