"""Logs on their way out: in order, at least once, from where they stopped (ledger specification, section 15)."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from bursar.engine import lease
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.errors import NotFound, Validation
from bursar.engine.ledger.requests import SetMetadata
from bursar.engine.ledger.service import LedgerService
from bursar.engine.ledger.settings import Settings
from bursar.engine.pipelines import commands
from bursar.engine.pipelines.config import duration, read
from bursar.engine.pipelines.follower import Pace
from bursar.engine.pipelines.service import Pipelines

NOON = 1_700_000_000_000_000
PACE = Pace(retry=10_000_000, page=3)
URL = "http://logs.example.com/in?x=1"


class Destination:
    """Takes what is posted; answers with `answers` in turn, then 200."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.posted = []
        self.came = asyncio.Event()

    async def post(self, url, fields, body):
        answer = self.answers.pop(0) if self.answers else 200
        self.posted.append((url, dict(fields), body))
        self.came.set()
        if isinstance(answer, OSError):
            raise answer
        if isinstance(answer, tuple):
            return answer
        return answer, b""

    @property
    def ids(self):
        """The log ids of each delivery."""
        return [[log["id"] for log in json.loads(body)] for _, _, body in self.posted]


class Place:
    """A ledger `l` and its pipelines."""

    def __init__(self, core, destination, clock):
        self.core, self.destination, self.clock = core, destination, clock
        self.committed = asyncio.Event()
        core.on_commit(lambda changes: self.committed.set())
        self.ledgers = LedgerService(core, Settings())
        self.pipelines = Pipelines(core, destination.post, PACE)

    async def write(self, *names):
        for name in names:
            await self.ledgers.write("l", SetMetadata(name, {"a": "b"}), Options())

    async def connect(self, driver="http", **config):
        given = {"url": URL, **config} if driver == "http" else config
        made = await self.pipelines.create_exporter(driver, json.dumps(given), given, present=True)
        return await self.pipelines.create_pipeline("l", made["id"])

    async def until(self, pipeline, condition):
        """The pipeline's state once it meets a condition."""
        while True:
            self.committed.clear()
            if condition(state := await self.pipelines.pipeline(pipeline["id"])):
                return state
            await self.committed.wait()

    async def arrived(self, pipeline, last):
        return await self.until(pipeline, lambda state: state.get("lastLogID") == last)


@asynccontextmanager
async def opened(destination, url="sqlite://", seed=1):
    clock = SandboxClock(at=NOON)
    core = await Core.open(url, clock=clock, ids=Ids(seed))
    place = Place(core, destination, clock)
    await place.pipelines.start()
    try:
        yield place
    finally:
        await place.pipelines.close()
        await core.close()


def play(scenario, *answers):
    async def run():
        destination = Destination(*answers)
        async with opened(destination) as place:
            await place.ledgers.create_ledger("l")
            async with asyncio.timeout(10):
                await scenario(place)

    asyncio.run(run())


def test_logs_go_out_in_order_each_with_its_ledger_in_pages():
    async def scenario(place):
        await place.write("a", "b", "c", "d")
        pipeline = await place.connect()
        await place.arrived(pipeline, 4)
        await place.write("e")
        await place.arrived(pipeline, 5)
        assert place.destination.ids == [[1, 2, 3], [4], [5]]
        url, fields, body = place.destination.posted[0]
        assert (url, fields) == (URL, {})
        assert {log["ledger"] for log in json.loads(body)} == {"l"}

    play(scenario)


def test_a_configuration_may_ask_for_smaller_deliveries():
    async def scenario(place):
        await place.write("a", "b")
        await place.arrived(await place.connect(batching={"maxItems": 1}), 2)
        assert place.destination.ids == [[1], [2]]

    play(scenario)


@pytest.mark.parametrize("answer", [500, 302, OSError("refused")])
def test_what_did_not_arrive_is_sent_again_after_a_pause_and_nothing_overtakes_it(answer):
    async def scenario(place):
        await place.write("a")
        pipeline = await place.connect()
        state = await place.until(pipeline, lambda state: "error" in state)
        assert "lastLogID" not in state
        await place.write("b")
        place.clock.advance(9_999_999)
        for _ in range(50):
            await asyncio.sleep(0)
        assert place.destination.ids == [[1]]
        place.clock.advance(1)
        assert "error" not in await place.arrived(pipeline, 2)
        assert place.destination.ids == [[1], [1, 2]]

    play(scenario, answer)


def test_a_crash_before_the_position_is_saved_repeats_and_loses_nothing(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/books.db"

    async def life():
        first = Destination()
        async with opened(first, url) as place:
            await place.ledgers.create_ledger("l")
            await place.write("a", "b")

            exporter = await place.pipelines.create_exporter(
                "http", f'{{"url":"{URL}"}}', {"url": URL}, present=True
            )
            await place.pipelines.create_pipeline("l", exporter["id"])
            with monkeypatch.context() as patch:
                patch.setattr(place.core.writer, "submit", _stuck)
                await first.came.wait()
                await place.pipelines.close()
        second = Destination()
        async with opened(second, url) as place:
            (pipeline,) = await place.pipelines.pipelines()
            await place.arrived(pipeline, 2)
        assert first.ids == second.ids == [[1, 2]]

    asyncio.run(life())


async def _stuck(command, *, reads=()):
    """A commit that never comes."""
    await asyncio.Event().wait()


def test_stopped_nothing_is_sent_and_started_it_goes_on():
    async def scenario(place):
        await place.write("a")
        pipeline = await place.connect()
        await place.arrived(pipeline, 1)
        await place.pipelines.change(commands.stop, pipeline["id"])
        await place.write("b")
        for _ in range(50):
            await asyncio.sleep(0)
        assert place.destination.ids == [[1]]
        with pytest.raises(NotFound):
            await place.pipelines.change(commands.stop, pipeline["id"])
        with pytest.raises(NotFound):
            await place.pipelines.change(commands.delete_pipeline, pipeline["id"])
        await place.pipelines.change(commands.start, pipeline["id"])
        with pytest.raises(Validation):
            await place.pipelines.change(commands.start, pipeline["id"])
        await place.arrived(pipeline, 2)
        assert place.destination.ids == [[1], [2]]

    play(scenario)


def test_reset_sends_everything_again():
    async def scenario(place):
        await place.write("a", "b")
        pipeline = await place.connect()
        await place.arrived(pipeline, 2)
        await place.pipelines.change(commands.reset, pipeline["id"])
        await place.arrived(pipeline, 2)
        assert place.destination.ids == [[1, 2], [1, 2]]

    play(scenario)


def test_an_exporter_changed_during_a_pause_goes_on_at_once_from_where_it_was():
    async def scenario(place):
        await place.write("a")
        pipeline = await place.connect()
        await place.until(pipeline, lambda state: "error" in state)
        await place.pipelines.update_exporter(pipeline["exporterID"], "noop", "{}", {}, present=True)
        await place.arrived(pipeline, 1)
        await place.pipelines.delete_exporter(pipeline["exporterID"])
        assert await place.pipelines.pipelines() == []

    play(scenario, 500)


def test_elasticsearch_documents_have_ids_of_their_own_and_an_error_of_one_is_a_failure():
    async def scenario(place):
        await place.write("a")
        pipeline = await place.connect(
            "elasticsearch",
            endpoint="http://es",
            index="i",
            authentication={"username": "u", "password": "p"},
        )
        state = await place.until(pipeline, lambda state: "error" in state)
        assert state["error"] == "elasticsearch refused some of the logs"
        place.clock.advance(PACE.retry)
        await place.arrived(pipeline, 1)
        url, fields, body = place.destination.posted[1]
        assert url == "http://es/_bulk?refresh=true"
        assert fields == {"Content-Type": "application/x-ndjson", "Authorization": "Basic dTpw"}
        action, document = map(json.loads, body.splitlines())
        assert action["index"]["_index"] == "i"
        assert action["index"]["_id"] == document["id"] == "eyJsb2dJRCI6MSwibGVkZ2VyIjoibCJ9"
        assert document["module"] == "l"
        assert document["payload"]["targetId"] == "a"

    play(scenario, (200, b'{"errors": true}'), (200, b'{"took":1,"errors": false,"items":[]}'))


def test_clickhouse_without_its_library_says_so_and_with_it_inserts_rows(monkeypatch):
    inserted = []
    client = SimpleNamespace(
        command=lambda text: inserted.append(text.split("(")[0].strip()),
        insert=lambda table, rows, column_names: inserted.append((table, [row[:3] for row in rows])),
        close=lambda: None,
    )

    async def scenario(place):
        monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
        await place.write("a")
        pipeline = await place.connect("clickhouse", dsn="clickhouse://h/db")
        state = await place.until(pipeline, lambda state: "error" in state)
        assert "pip install clickhouse-connect" in state["error"]
        library = SimpleNamespace(get_client=lambda dsn: client)
        monkeypatch.setitem(sys.modules, "clickhouse_connect", library)
        place.clock.advance(PACE.retry)
        await place.arrived(pipeline, 1)
        assert inserted == ["CREATE TABLE IF NOT EXISTS logs", ("logs", [("l", 1, "SET_METADATA")])]

    play(scenario)


def test_stdout_prints_each_log(capsys):
    async def scenario(place):
        await place.write("a")
        await place.arrived(await place.connect("stdout"), 1)

    play(scenario)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["ledger"], printed["id"]) == ("l", 1)


@pytest.mark.parametrize(
    ("driver", "config"),
    [
        ("nope", {}),
        ("HTTP", {"url": URL}),
        ("http", {}),
        ("http", {"url": "nohost"}),
        ("http", {"url": "://bad"}),
        ("http", {"url": "http://["}),
        ("http", {"url": 1}),
        ("http", []),
        ("http", {"url": URL, "batching": {"maxItems": -1}}),
        ("http", {"url": URL, "batching": {"maxItems": True}}),
        ("http", {"url": URL, "batching": {"flushInterval": "soon"}}),
        ("elasticsearch", {"endpoint": "http://x", "authentication": {"username": "u"}}),
        ("clickhouse", {"dsn": ""}),
        ("stdout", 1),
    ],
)
def test_configurations_that_no_driver_understands_are_refused(driver, config):
    with pytest.raises(Validation):
        read(driver, config)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("1m30s", 90_000_000), ("200ms", 200_000), ("1.5h", 5_400_000_000), ("0", 0), ("-2s", -2_000_000)],
)
def test_durations(text, microseconds):
    assert duration(text) == microseconds


@pytest.mark.parametrize("text", ["", "s", "1", "1 s", "1d", "--1s", "1s!"])
def test_texts_that_are_no_durations(text):
    assert duration(text) is None


def test_two_processes_on_one_database_share_the_sending(postgres, monkeypatch):
    """One of them follows; when it ends, the other goes on where it was."""
    monkeypatch.setattr(lease, "RENEWAL_S", 0.02)
    url = postgres.database()

    async def scenario():
        async with (
            asyncio.timeout(30),
            opened(Destination(), url) as one,
            opened(Destination(), url, seed=2) as two,
        ):
            await one.ledgers.create_ledger("l")
            await one.write("a")
            pipeline = await one.connect()
            await first_of(one.destination.came, two.destination.came)
            leader, other = (one, two) if one.destination.posted else (two, one)
            await leader.arrived(pipeline, 1)
            await leader.pipelines.close()
            await other.write("b")
            await other.destination.came.wait()
            assert (leader.destination.ids, other.destination.ids) == ([[1]], [[2]])

    asyncio.run(scenario())


async def first_of(*events):
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
