"""What an operator sees of `bursar serve`: logs as JSON lines without secrets, metrics on ports of their own."""

import contextlib
import io
import json
import logging
import re
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime
from urllib.parse import urlencode

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from rich.console import Console

from bursar.cli import verify as verifying
from bursar.cli.logs import JsonLines, TextLines
from bursar.server.edge import current
from tests.engine.scene import opened, pay, post, run

BURSAR = [sys.executable, "-m", "bursar.cli"]
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRETS = ("alpha-secret", "eyJ", "piaxis-sandbox-key", "123456", "AA1234567", "passport")


@contextlib.contextmanager
def serving(*arguments):
    """The ready line of `bursar serve`, and, once it ended, the lines of its log."""
    process = subprocess.Popen(
        [*BURSAR, "serve", "--json", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    log: list[str] = []
    try:
        yield json.loads(process.stdout.readline()), log
        process.terminate()
        _, errors = process.communicate(timeout=30)
        log += errors.splitlines()
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def ask(url, body=None, **headers):
    """Status and body of an answer."""
    request = urllib.request.Request(
        url, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_each_line_of_the_log_is_json_and_no_secret_is_in_it():
    arguments = (
        "--sandbox",
        "--database",
        "sqlite://",
        "--access-log",
        "--log-format",
        "json",
        "--log-level",
        "debug",
    )
    with serving(*arguments) as (ready, log):
        url = ready["url"]
        form = {
            "grant_type": "client_credentials",
            "client_id": "bank-alpha",
            "client_secret": "alpha-secret",
        }
        token_url = f"{url}/milkyway/realms/sandbox/protocol/openid-connect/token"
        _, body = ask(token_url, urlencode(form).encode())
        token = json.loads(body)["access_token"]
        payment = {"third_party_id_debit": "bank-beta", "data": {"passport": "AA1234567"}}
        media = "application/json"
        ask(
            f"{url}/milkyway/payments/v1?secret=alpha-secret",
            json.dumps(payment).encode(),
            authorization=f"Bearer {token}",
            content_type=media,
        )
        ask(f"{url}/piaxis/api/otp", b'{"otp": "123456"}', api_key="piaxis-sandbox-key", content_type=media)
        traced = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "x_request_id": "find-me"}
        ask(f"{url}/formance/api/ledger/v2/books/stats", **traced)
        ask(f"{url}/a%0Ab%22c")
        assert ready["metrics"] == [f"{url}/metrics"]
    lines = [json.loads(line) for line in log]
    for line in lines:
        assert {"time", "level", "logger", "message"} <= {*line}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
    for secret in (*SECRETS, token):
        assert not [line for line in log if secret in line]
    requests = {line["path"]: line for line in lines if line["logger"] == "bursar.access"}
    assert len(requests) == 5
    traced_line = requests["/formance/api/ledger/v2/books/stats"]
    assert (traced_line["request_id"], traced_line["trace_id"]) == ("find-me", TRACE)
    assert traced_line["route"] == "/formance/api/ledger/v2/{ledger}/stats"
    assert (traced_line["api"], traced_line["method"], traced_line["status"]) == ("ledger", "GET", 404)
    assert traced_line["duration_ms"] > 0
    assert 'a\nb"c' in "".join(requests)
    assert {line["logger"] for line in lines} >= {"bursar.access", "uvicorn.error"}


def test_each_worker_has_a_port_for_its_metrics_and_the_server_has_none(postgres):
    arguments = ("--workers", "2", "--metrics-port", "0", "--database", postgres.database())
    with serving(*arguments) as (ready, _):
        assert len(ready["metrics"]) == 2
        starts = set()
        for page in ready["metrics"]:
            status, body = ask(page)
            assert status == 200
            values = {sample.name: sample for family in parse(body.decode()) for sample in family.samples}
            starts.add(values["process_start_time_seconds"].value)
            assert values["bursar_build_info"].labels["store"] == "postgresql"
            assert ask(page.replace("/metrics", "/healthz"))[0] == 404
        assert len(starts) == 2
        assert ask(f"{ready['url']}/metrics")[0] == 404


@pytest.mark.parametrize(
    ("arguments", "open_to_all"), [(["--sandbox"], True), ([], False)], ids=["sandbox", "for real"]
)
def test_a_server_that_others_reach_shows_no_metrics_among_its_paths(arguments, open_to_all):
    with serving("--host", "0.0.0.0", "--database", "sqlite://", *arguments) as (ready, _):
        assert (ask(f"{ready['url']}/metrics")[0] == 200) is open_to_all
        assert bool(ready["metrics"]) is open_to_all


def record(**more):
    """A warning of an exception that quotes a secret."""
    try:
        int(SECRETS[0])
    except ValueError:
        how = sys.exc_info()
    else:
        raise AssertionError
    made = logging.LogRecord("bursar.x", logging.WARNING, __file__, 1, "%s happened", ("it",), how)
    made.__dict__.update(more)
    return made


def test_an_exception_is_told_by_its_type_and_place_within_its_request():
    token = current.set({"request_id": "r-1", "api": "ledger", "route": ""})
    try:
        line = json.loads(JsonLines().format(record(fields={"size": 3, "none": None})))
        text = TextLines().format(record(fields={"note": 'a "b"\nc'}))
    finally:
        current.reset(token)
    assert (line["error"], line["request_id"], line["api"], line["size"]) == (
        "ValueError",
        "r-1",
        "ledger",
        3,
    )
    assert "in record" in line["stack"]
    assert not {"route", "none"} & {*line}
    first, rest = text.split("\n", 1)
    assert first.endswith(
        'WARNING bursar.x: it happened request_id=r-1 api=ledger note="a \\"b\\"\\nc" error=ValueError'
    )
    assert "in record" in rest
    assert "alpha-secret" not in text + json.dumps(line)


def test_what_goes_on_after_a_request_is_not_said_to_be_of_it():
    token = current.set({"request_id": "r-1", "ended": True})
    try:
        assert "request_id" not in json.loads(JsonLines().format(record()))
    finally:
        current.reset(token)


def test_verify_names_damage_on_postgresql_and_exits_1(postgres):
    database = postgres.database()

    async def write():
        async with opened(database) as core:
            await core.submit(post(pay("world", "a", 100)))

    async def forge():
        connection = await asyncpg.connect(database)
        await connection.execute("UPDATE volumes SET input = input + 1 WHERE account = 'a'")
        await connection.close()

    def verify(*arguments):
        return subprocess.run(
            [*BURSAR, "verify", "--database", database, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    run(write())
    sound = verify("--json")
    assert (sound.returncode, json.loads(sound.stdout)) == (
        0,
        {"ok": True, "ledgers": 1, "logs": 1, "damages": []},
    )
    run(forge())
    damaged, shown = verify("--json"), verify()
    report = json.loads(damaged.stdout)
    assert (damaged.returncode, shown.returncode, report["ok"]) == (1, 1, False)
    assert report["damages"][0]["where"]
    assert "is damaged" in shown.stdout


def test_verify_shows_its_progress_on_a_terminal(tmp_path, monkeypatch):
    database = f"sqlite:///{tmp_path}/books.db"

    async def write():
        async with opened(database) as core:
            for _ in range(3):
                await core.submit(post(pay("world", "a", 100)))

    run(write())
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=80, highlight=False)
    monkeypatch.setattr(verifying, "console", lambda: terminal)
    verifying.verify(database, as_json=False)
    assert "verifying" in screen.getvalue()
    assert "3/3" in screen.getvalue()
    assert "verified" in screen.getvalue()
