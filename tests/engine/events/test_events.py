"""Events of ledgers: one for each write, at least once, in order for each ledger (specification, section 16)."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.events import publisher as module
from bursar.engine.events.destinations import HttpDestination
from bursar.engine.events.publisher import NotTaken, Publisher
from bursar.engine.ids import Ids
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.importing import read
from bursar.engine.ledger.requests import DeleteMetadata, RevertTransaction, SetMetadata
from bursar.engine.ledger.service import LedgerService
from bursar.engine.ledger.settings import Settings
from tests.engine.scene import pay, post

NOON = 1_700_000_000_000_000


class Destination:
    """Notes events; refuses the first deliveries as often as it is told to."""

    def __init__(self, refusals=0):
        self.refusals = refusals
        self.events = []
        self.taken = []
        self.came = asyncio.Event()

    async def send(self, events):
        self.events += events
        self.came.set()
        if self.refusals:
            self.refusals -= 1
            raise NotTaken("not now")
        self.taken += [event.id for event in events]

    @property
    def ids(self):
        return [event.id for event in self.events]


@asynccontextmanager
async def opened(url="sqlite://"):
    core = await Core.open(url, clock=SandboxClock(at=NOON), ids=Ids(1))
    try:
        yield core, LedgerService(core, Settings())
    finally:
        await core.close()


async def until(destination, count):
    while len(destination.events) < count:
        destination.came.clear()
        await destination.came.wait()


def play(scenario):
    async def run():
        async with asyncio.timeout(20), opened() as (core, ledgers):
            await scenario(core, ledgers)

    asyncio.run(run())


async def describe(ledgers, ledger, *names):
    for name in names:
        await ledgers.write(ledger, SetMetadata(name, {"a": "b"}), Options())


def test_every_kind_of_write_is_told_once_and_nothing_else():
    async def scenario(core, ledgers):
        destination = Destination()
        publisher = Publisher(core, "d", destination.send)
        await publisher.start()
        await ledgers.create_ledger("l")
        await core.submit(post(pay("world", "bank", 100, metadata={"k": "v"}), "l"))
        await describe(ledgers, "l", "bank")
        await ledgers.write("l", SetMetadata("bank", {"a": "b"}), Options(dry_run=True))
        await ledgers.write("l", SetMetadata(1, {"n": "1"}), Options(key="k"))
        await ledgers.write("l", SetMetadata(1, {"n": "1"}), Options(key="k"))
        await ledgers.write("l", DeleteMetadata(1, "n"), Options())
        await ledgers.write("l", RevertTransaction(id=1), Options())
        await until(destination, 5)
        bodies = [json.loads(event.body) for event in destination.events]
        assert [(body["type"], body["payload"]["ledger"]) for body in bodies] == [
            ("COMMITTED_TRANSACTIONS", "l"),
            ("SAVED_METADATA", "l"),
            ("SAVED_METADATA", "l"),
            ("DELETED_METADATA", "l"),
            ("REVERTED_TRANSACTION", "l"),
        ]
        assert bodies[0]["payload"]["transactions"][0]["metadata"] == {"k": "v"}
        assert bodies[2]["payload"] == {
            "ledger": "l",
            "targetType": "TRANSACTION",
            "targetId": "1",
            "metadata": {"n": "1"},
        }
        assert bodies[4]["payload"]["revertedTransaction"]["reverted"] is True
        assert {(body["app"], body["version"], body["idempotency_key"]) for body in bodies} == {
            ("ledger", "v2", "")
        }
        await publisher.close()

    play(scenario)


def test_a_new_destination_is_told_what_happens_from_then_on_and_a_known_one_what_it_missed():
    async def scenario(core, ledgers):
        await ledgers.create_ledger("old")
        await describe(ledgers, "old", "a")
        first = Destination()
        publisher = Publisher(core, "d", first.send)
        await publisher.start()
        await describe(ledgers, "old", "b")
        await until(first, 1)
        await publisher.close()
        await describe(ledgers, "old", "c")
        await ledgers.create_ledger("new")
        await describe(ledgers, "new", "d")
        second = Destination()
        publisher = Publisher(core, "d", second.send)
        await publisher.start()
        while not {"new/1", "old/3"} <= set(second.ids):
            await until(second, len(second.events) + 1)
        await publisher.close()
        assert first.ids == ["old/2"]
        assert {"new/1", "old/3"} <= set(second.ids) <= {"new/1", "old/2", "old/3"}  # at least once

    play(scenario)


def test_what_was_not_taken_is_sent_again_and_nothing_overtakes_it(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.001)

    async def scenario(core, ledgers):
        destination = Destination(refusals=2)
        publisher = Publisher(core, "d", destination.send)
        await publisher.start()
        await ledgers.create_ledger("l")
        await describe(ledgers, "l", "a")
        await until(destination, 1)
        await describe(ledgers, "l", "b", "c")
        while "l/3" not in destination.taken:
            await until(destination, len(destination.events) + 1)
        await publisher.close()
        assert destination.taken == ["l/1", "l/2", "l/3"]
        assert destination.ids.count("l/1") == 3

    play(scenario)


def test_imported_logs_are_history():
    async def scenario(core, ledgers):
        await ledgers.create_ledger("l")
        await describe(ledgers, "l", "a", "b")
        lines, _ = await ledgers.export("l", 0)
        destination = Destination()
        publisher = Publisher(core, "d", destination.send)
        await publisher.start()
        await ledgers.create_ledger("copy")
        await ledgers.import_logs("copy", [read(json.loads(line)) for line in lines.splitlines()])
        await describe(ledgers, "copy", "c")
        await until(destination, 1)
        await publisher.close()
        assert destination.ids == ["copy/3"]

    play(scenario)


@pytest.mark.parametrize("answer", [500, 302, 404, ConnectionRefusedError("nobody")])
def test_an_endpoint_confirms_with_a_2xx_only(answer):
    posted = []

    async def post_(url, fields, body):
        posted.append((url, dict(fields)))
        if isinstance(answer, OSError):
            raise answer
        return answer, b""

    async def scenario(core, ledgers):
        await ledgers.create_ledger("l")
        destination = HttpDestination("http://example.com/events", post_)
        failed = asyncio.Event()

        async def send(events):
            try:
                await destination.send(events)
            except NotTaken:
                failed.set()
                raise

        publisher = Publisher(core, "d", send)
        await publisher.start()
        await describe(ledgers, "l", "a")
        await failed.wait()
        await publisher.close()
        fields = {"Content-Type": "application/json", "Event-Id": "l/1", "Event-Type": "SAVED_METADATA"}
        assert posted == [("http://example.com/events", fields)]

    play(scenario)
