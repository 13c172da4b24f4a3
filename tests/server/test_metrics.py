"""/metrics moves as traffic does, in a bounded number of series, and OpenTelemetry shows the same."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse

from bursar.embedded import Engine
from bursar.engine.core import Core
from bursar.engine.errors import Unavailable
from bursar.engine.events import publisher
from bursar.engine.events.publisher import NotTaken
from bursar.engine.instruments import Counter, Gauge, Histogram, Registry
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.requests import SetMetadata
from bursar.engine.ledger.service import LedgerService
from bursar.engine.ledger.settings import Settings
from bursar.engine.limits import SECOND_US
from bursar.engine.metrics import Metrics
from bursar.engine.pipelines.follower import Pace
from bursar.engine.pipelines.service import Pipelines
from bursar.engine.webhooks.sending import Answer
from bursar.engine.work import WORK, Work, work_row
from bursar.server import otel
from bursar.server.edge import _TRACE
from bursar.server.metrics import HttpMetrics, exposition, measure
from bursar.server.process import add_process
from tests.engine.scene import opened, run
from tests.engine.webhooks.hooks import Hooks

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
LEDGER = "/formance/api/ledger/v2/books"
POSTINGS = {"postings": [{"source": "world", "destination": "a", "amount": 1, "asset": "USD/2"}]}
DURATION = "bursar_http_request_duration_seconds_count"


def scrape(http):
    """All samples: {(name, labels): value}; each line must be one."""
    answer = http("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(parse(answer.body.decode()))


def samples(families):
    found = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def requests(found):
    """{(api, method, route, status): how many}."""
    return {
        tuple(value for _, value in labels): int(value)
        for (name, labels), value in found.items()
        if name == DURATION
    }


def test_requests_are_counted_by_route_and_class_of_status(http):
    before = requests(scrape(http))
    http("POST", LEDGER, json={})
    for _ in range(3):
        http("POST", LEDGER + "/transactions", json=POSTINGS)
    http("GET", LEDGER + "/transactions/1")
    http("GET", LEDGER + "/transactions/77")
    http("GET", LEDGER + "/nothing/at/all")
    http("POST", LEDGER + "/stats", json={})
    http("GET", "/milkyway/payments/v1/postcheck?transaction_id=1")
    http("GET", "/no/such/path")
    http("BREW", "/healthz")
    root = "/formance/api/ledger/v2/{ledger}"
    after = requests(scrape(http))
    assert {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key)} == {
        ("bursar", "GET", "/metrics", "2xx"): 1,
        ("ledger", "POST", root, "2xx"): 1,
        ("ledger", "POST", root + "/transactions", "2xx"): 3,
        ("ledger", "GET", root + "/transactions/{id}", "2xx"): 1,
        ("ledger", "GET", root + "/transactions/{id}", "4xx"): 1,
        ("ledger", "GET", "unknown", "4xx"): 1,
        ("ledger", "POST", root + "/stats", "4xx"): 1,
        ("milkyway", "GET", "/milkyway/payments/v1/postcheck", "4xx"): 1,
        ("bursar", "GET", "unknown", "4xx"): 1,
        ("bursar", "other", "/healthz", "4xx"): 1,
    }


def test_the_writer_and_the_logs_are_counted(http):
    before = scrape(http)
    http("POST", LEDGER, json={})
    for _ in range(4):
        http("POST", LEDGER + "/transactions", json=POSTINGS)
    after = scrape(http)

    def moved(name, *labels):
        return after[name, labels] - before.get((name, labels), 0)

    assert moved("bursar_ledger_logs_total") == 4
    assert moved("bursar_writer_commands_total") >= 5
    assert moved("bursar_writer_batches_total", ("outcome", "committed")) >= 5
    assert moved("bursar_store_commit_number") == moved(
        "bursar_writer_batches_total", ("outcome", "committed")
    )
    assert moved("bursar_writer_commit_seconds_count") == moved("bursar_store_commit_number")
    assert after["bursar_writer_queue_commands", ()] == 0
    assert after["bursar_http_in_flight_requests", ()] == 1  # this one
    assert after["bursar_store_reachable", ()] == 1
    assert after["process_resident_memory_bytes", ()] > 1e6
    assert after["process_cpu_seconds_total", ()] > 0


SENT = "q7"
"""In every segment of every path that a caller makes up."""


@settings(max_examples=25)
@given(
    st.lists(st.text(max_size=12).map(SENT.__add__), min_size=1, max_size=4),
    st.sampled_from(["GET", "POST", "PURGE", "🙂"]),
)
def test_callers_cannot_make_series(fuzzed, path, method):
    """Whatever the path and the method, labels come from a fixed set: templates, and one word for the rest."""
    for root in (
        "/",
        LEDGER + "/",
        "/formance/api/ledger/",
        "/formance/api/auth/clients/",
        "/piaxis/api/payments/",
    ):
        fuzzed.ask(method, root + "/".join(path))
    for _, known, route, status in requests(samples(parse(exposition(fuzzed.registry)))):
        assert known in {"GET", "POST", "other"}
        assert route == "unknown" or (route.startswith("/") and SENT not in route)
        assert status in {"2xx", "3xx", "4xx"}


class Fuzzed:
    """Raw ASGI requests to one engine."""

    def __init__(self, engine):
        self._engine = engine
        self.registry = engine._runtime.core.metrics

    def ask(self, method, path):
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": b"",
            "headers": [],
            "extensions": {},
        }

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            pass

        self._engine._loop.submit(self._engine._runtime.app(scope, receive, send)).result()


@pytest.fixture(scope="module")
def fuzzed():
    with Engine.sandbox() as engine:
        yield Fuzzed(engine)


def test_open_metrics_has_the_same_numbers(http):
    http("GET", "/healthz")
    answer = http(
        "GET", "/metrics", headers=[("accept", "application/openmetrics-text; version=1.0.0, */*;q=0.5")]
    )
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.body.endswith(b"# EOF\n")
    open_metrics, plain = samples(parse_open_metrics(answer.body.decode())), scrape(http)
    assert {name for name, _ in open_metrics} == {name for name, _ in plain}
    key = (
        DURATION,
        tuple(sorted({"api": "bursar", "method": "GET", "route": "/healthz", "status": "2xx"}.items())),
    )
    assert open_metrics[key] == plain[key] == 1


def test_labels_and_texts_are_escaped_and_buckets_are_cumulative():
    registry = Registry()
    registry.add(Gauge("strange", 'back\\slash and\nline "quoted"', ["a"])).set(1.5, ('x"\\\n',))
    times = registry.add(Histogram("times", "h", bounds=(1, 2.5)))
    for value in (1, 2, 2.5, 3):
        times.observe(value)
    assert exposition(registry) == (
        '# HELP strange back\\\\slash and\\nline "quoted"\n# TYPE strange gauge\n'
        'strange{a="x\\"\\\\\\n"} 1.5\n'
        "# HELP times h\n# TYPE times histogram\n"
        'times_bucket{le="1"} 1\ntimes_bucket{le="2.5"} 3\ntimes_bucket{le="+Inf"} 4\ntimes_sum 8.5\ntimes_count 4\n'
    )
    with pytest.raises(ValueError, match="already"):
        registry.add(Counter("times", "again"))


def test_opentelemetry_sees_the_same_names_and_numbers():
    registry = Metrics()
    HttpMetrics(registry).began()
    registry.events.add(3, ("http",))
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    otel.publish(registry, provider.get_meter("bursar"), {"worker": "1"})
    registry.commit_seconds.observe(0.003)
    registry.queue.set(7)
    data = reader.get_metrics_data()
    assert data is not None
    found: dict[str, Any] = {
        metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics
    }
    provider.shutdown()
    shown = samples(parse(exposition(registry)))
    for (name, labels), value in shown.items():
        if not name.startswith("bursar_writer_commit_seconds"):
            points = found[name].data.data_points
            mine = [
                point.value for point in points if dict(point.attributes) == {**dict(labels), "worker": "1"}
            ]
            assert mine == [value], name
    assert found["bursar_events_published_total"].data.is_monotonic
    [point] = found["bursar_writer_commit_seconds"].data.data_points
    assert (found["bursar_writer_commit_seconds"].unit, point.count, point.sum) == ("s", 1, 0.003)
    assert tuple(point.explicit_bounds) == registry.commit_seconds.bounds
    assert {
        name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket") for name, _ in shown
    } == {*found}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    if request.param == "sqlite":
        return "sqlite://"
    return request.getfixturevalue("postgres").database()


class Destination:
    """Refuses once, then takes events."""

    def __init__(self):
        self.refused = 0

    async def send(self, events):
        if not self.refused:
            self.refused += 1
            raise NotTaken("not now")


async def _never(core, item):
    raise AssertionError


def _work(view):
    for number, seconds in enumerate((5, 90, 3600)):
        view.schedule(Work("mail", str(number), view.now - seconds * SECOND_US))
    view.schedule(Work("mail", "later", view.now + 3600 * SECOND_US))


def test_waiting_work_is_measured_on_both_stores(database):
    async def scenario():
        async with opened(database) as core:
            core.worker.register("mail", _never)
            await core.submit(_work)
            await core.submit(lambda view: view.put(WORK, replace(work_row(Work("mail", "x", 1)), dead=True)))
            await measure(core)
            metrics = core.metrics
            assert metrics.reachable.value() == 1
            assert [each.value("mail") for each in (metrics.work_due, metrics.work_overdue)] == [3, 2]
            assert [each.value("mail") for each in (metrics.work_oldest, metrics.work_dead)] == [3600, 1]

    run(scenario())


def test_events_are_counted_and_their_lag_is_measured_on_both_stores(database, monkeypatch):
    monkeypatch.setattr(publisher, "FIRST_PAUSE_S", 0)

    async def scenario():
        async with opened(database) as core:
            ledgers, metrics = LedgerService(core, Settings()), core.metrics
            telling = publisher.Publisher(core, "http", Destination().send)
            for ledger in ("one", "two"):
                await ledgers.create_ledger(ledger)
            await core.submit(telling._know)
            for ledger in ("one", "two", "two"):
                await ledgers.write(ledger, SetMetadata("a", {"b": "c"}), Options())
            await measure(core)
            assert (metrics.events_lag.value("http"), metrics.events_lag_most.value("http")) == (3, 2)
            await telling.start()
            while metrics.events_lag.value("http"):
                await asyncio.sleep(0)
                await measure(core)
            await telling.close()
            assert (metrics.events.value("http"), metrics.events_failed.value("http")) == (3, 1)
            assert metrics.logs.value() == 3

    run(scenario())


def test_pipelines_are_measured_on_both_stores(database):
    async def post(url, fields, body):
        return 500, b""

    async def scenario():
        async with opened(database) as core:
            ledgers, metrics, given = (
                LedgerService(core, Settings()),
                core.metrics,
                {"url": "http://x.example/"},
            )
            await ledgers.create_ledger("l")
            await ledgers.write("l", SetMetadata("a", {"b": "c"}), Options())
            pipelines = Pipelines(core, post, Pace())
            made = await pipelines.create_exporter(
                "http", '{"url": "http://x.example/"}', given, present=True
            )
            await pipelines.create_pipeline("l", made["id"])
            await measure(core)
            assert metrics.pipelines.value("running") == 1
            assert (metrics.pipelines_lag.value(), metrics.pipelines_lag_most.value()) == (1, 1)
            await pipelines.start()
            while not metrics.pipelines.value("failing"):
                await asyncio.sleep(0)
                await measure(core)
            assert metrics.pipelines_failed.value() == 1
            await pipelines.close()

    run(scenario())


def test_webhooks_are_counted_and_what_waits_is_measured():
    with Hooks() as hooks:
        hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if len(hooks.received) < 3 else 204)
        hooks.emit("payment.succeeded", "payment:1")
        hooks.emit("payment.succeeded", "payment:2")
        hooks.do(measure(hooks.core))
        metrics = hooks.core.metrics
        assert metrics.webhooks_arrived.value() == 2
        hooks.run()
        hooks.do(measure(hooks.core))
        assert metrics.webhooks_lanes.value() == 2
        hooks.run_all()
        hooks.do(measure(hooks.core))
        assert metrics.webhooks_lanes.value() == metrics.webhooks_oldest.value() == 0
        assert metrics.webhooks.value("retryable_failure") == 2
        assert metrics.webhooks.value("succeeded") == 2


def test_a_database_that_does_not_answer_leaves_the_other_numbers():
    async def scenario():
        core = await Core.open("sqlite://")
        await measure(core)
        assert core.metrics.reachable.value() == 1

        def broken(view):
            raise Unavailable("gone")

        core.on_measure(broken)
        await measure(core)
        assert core.metrics.reachable.value() == 0
        assert "bursar_store_reachable 0" in exposition(core.metrics)
        await core.close()

    run(scenario())


def documented():
    """The table of docs/operations.md: {name: (type, labels, meaning)}."""
    row = re.compile(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| ([^|]*) \|$", re.MULTILINE)
    return {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)), meaning)
        for name, kind, labels, meaning in row.findall(OPERATIONS.read_text("utf-8"))
    }


def test_the_documented_table_is_the_truth():
    registry = Metrics()
    HttpMetrics(registry)
    add_process(registry, "sqlite:///x.db")
    actual = {each.name: (each.kind, each.labels, each.help) for each in registry}
    assert documented() == actual


@pytest.mark.parametrize("each", list(Metrics()), ids=lambda each: each.name)
def test_names_follow_the_conventions(each):
    assert re.fullmatch(r"bursar(_[a-z]+)+", each.name)
    assert each.name.endswith("_total") == (each.kind == "counter")
    assert each.help.endswith(".")


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"0af7651916cd43dd8448eb211c80319c"),
        (
            b"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            b"0af7651916cd43dd8448eb211c80319c",
        ),
        (b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", None),
        (b"00-00000000000000000000000000000000-b7ad6b7169203331-01", None),
        (b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None),
        (b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", None),
        (b"secret", None),
    ],
)
def test_w3c_trace_context(sent, found):
    match = _TRACE.fullmatch(sent)
    assert (match and match[1]) == found
