"""One stream of operations on an oracle and on the systems that must agree with it."""

import asyncio
from dataclasses import dataclass, field
from itertools import islice

from tests.model.chain import shown
from tests.model.operations import DAY, T0, Generator, Known, Operation, Read
from tests.model.oracle import Oracle, Reply, log_json
from tests.model.systems import System, difference

MOMENTS = 40


class Diverged(AssertionError):
    """A system does not answer what the oracle says."""


@dataclass
class Ledger:
    """A ledger on several systems, and its oracle."""

    name: str
    systems: list[System]
    oracle: Oracle = field(default_factory=lambda: Oracle(T0))
    done: list[tuple[int, Operation]] = field(default_factory=list)
    """All operations with their times, to be told when a system diverges."""

    async def create(self) -> None:
        """Make the ledger on each system."""
        await asyncio.gather(*(system.create(self.name) for system in self.systems))

    def known(self) -> Known:
        """What the generator aims at."""
        last = islice(reversed(self.oracle.logs.values()), MOMENTS)
        moments = tuple(log["date"] for log in last) or (T0,)
        return Known(self.oracle.now, self.oracle.head["transaction"], moments)

    async def step(self, generator: Generator) -> None:
        """Do one more operation of a generator."""
        await self.do(generator.operation(self.known()))

    async def do(self, operation: Operation) -> Reply:
        """Do an operation everywhere. Raises Diverged."""
        self.done.append((self.oracle.now, operation))
        expected = self.oracle.do(operation)
        for system in self.systems:
            actual = await system.do(self.name, operation)
            if difference(expected, actual):
                raise self._diverged(system, operation, difference(expected, actual))
        return expected

    async def finish(self) -> None:
        """Compare everything that can be read, the log with its hashes, and the exports byte by byte."""
        every = ("volumes", "effectiveVolumes")
        dates = [log["date"] for log in self.oracle.logs.values()]
        for date in dates[:: MOMENTS // 10]:
            await self.do(Read("accounts", pit=date - 1, page_size=100))
        await self.do(Read("transactions", pit=self.oracle.now + 2 * DAY, page_size=100))
        for pit in (None, *dates[::MOMENTS]):
            await self.do(Read("accounts", pit=pit, expand=every, page_size=100))
            await self.do(Read("volumes", pit=pit, page_size=100))
            await self.do(Read("balances", pit=pit))
            await self.do(Read("counts", "transactions", pit))
        for number in range(1, self.oracle.head["transaction"] + 1):
            await self.do(Read("transaction", number, expand=every))
        await self.do(Read("stats"))
        expected = [log_json(log) for log in self.oracle.logs.values()]
        first = None
        for system in self.systems:
            body, logs = await system.logs(self.name)
            first = body if first is None else first
            if logs != expected:
                pairs = zip(logs, expected, strict=False)
                differ = next((pair for pair in pairs if pair[0] != pair[1]), (len(logs), len(expected)))
                raise self._diverged(system, None, f"the logs differ: {differ}")
            assert body == first, f"exports of {self.name} are not the same bytes"

    def head(self) -> bytes:
        """The hash that every system must have reached."""
        return self.oracle.head["hash"]

    def _diverged(self, system: System, operation: Operation | None, how: str) -> Diverged:
        told = "\n".join(f"{shown(at)} {each}" for at, each in self.done[-12:])
        return Diverged(f"after\n{told}\n{system.name}, ledger {self.name}, {operation}:\n{how}")


async def run(
    systems: list[System], names: list[str], generators: list[Generator], count: int
) -> list[Ledger]:
    """So many operations on each of some ledgers, all ledgers at once; then compare all that they hold."""
    ledgers = [Ledger(name, systems) for name in names]
    await asyncio.gather(*(ledger.create() for ledger in ledgers))
    for _ in range(count):
        await asyncio.gather(
            *(ledger.step(generator) for ledger, generator in zip(ledgers, generators, strict=True))
        )
        advance(systems, ledgers, generators[0].step())
    await asyncio.gather(*(ledger.finish() for ledger in ledgers))
    for system in systems:
        await system.check()
    return ledgers


def advance(systems: list[System], ledgers: list[Ledger], us: int) -> None:
    """Move all clocks on."""
    for system in systems:
        system.advance(us)
    for ledger in ledgers:
        ledger.oracle.now += us
