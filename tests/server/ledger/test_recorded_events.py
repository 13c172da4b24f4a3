"""The events that the real ledger published, request by request, against those of Bursar's logs."""

import json
import re

import pytest

from bursar.engine.books import LOGS
from bursar.engine.events.message import event_of
from tests.recorded import CORPUS

EVENTS = CORPUS / "ledger_events.jsonl"
FIXED = "2023-05-01T10:00:00Z"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def steps():
    if not EVENTS.is_file():
        pytest.skip(f"no recorded events in {EVENTS} (BURSAR_SHARED)")
    recorded = [json.loads(line) for line in EVENTS.read_text("utf-8").splitlines()]
    return [step for step in recorded if step["run"].endswith("audit off")]


def without_times(value):
    """Times of the moment are no part of what is compared."""
    if isinstance(value, str):
        return value if value == FIXED else _TIME.sub("now", value)
    if isinstance(value, list):
        return [without_times(item) for item in value]
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items()}
    return value


def logs(ledgers, name):
    return ledgers.read(lambda view: view.select(LOGS, {"ledger": name}, order=("id",)))


def asked(ledgers, step):
    method, path = step["request"].split(" ", 1)
    body = step["body"]
    if path == "/v2/imp/logs/import":
        content = ledgers("POST", "/v2/ev/logs/export").body
    else:
        content = (body if isinstance(body, str) else "" if body is None else json.dumps(body)).encode()
    return ledgers(
        method, path, body=content, headers={"content-length": str(len(content)), **step["request_headers"]}
    )


def test_events_are_those_of_the_real_ledger(served):
    """A replay makes none, although the real ledger repeats its event (section 24.3); an import makes none either."""
    ledgers, told = served(), 0
    for step in steps():
        reply = asked(ledgers, step)
        assert reply.status == step["status"], (step["step"], reply.body)
        if "import" in step["step"]:
            continue
        fresh = [event_of(row) for row in logs(ledgers, "ev")][told:]
        told += len(fresh)
        expected = [] if "replay" in step["step"] else step["events"]
        assert [event.type for event in fresh] == [event["subject"] for event in expected], step["step"]
        for event, known in zip(fresh, expected, strict=True):
            assert without_times(json.loads(event.body)) == without_times(known["payload"]), step["step"]
    assert told > 10
