"""The vendor's own client beside Bursar's: same program, same wire, same results (MC80).

The vendor's package lives in an environment of its own; `vendor_python` is its interpreter.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import bursar.milkyway
from tests.client.server import Action, Recorded, reply
from tests.milkyway.bank import TOKEN_PATH, Bank, usual

pytestmark = pytest.mark.vendor
FLOW = Path(__file__).with_name("flow.py")
ROOT = Path(__file__).resolve().parents[2]


class Day:
    """The answers of one run of flow.py; stateful, so that some calls fail before they succeed."""

    def __init__(self) -> None:
        self.failures = {"key-2": [503, 408, 500]}
        self.keyless = 0
        self.polls = 0
        self.refused = False

    def __call__(self, request: Recorded) -> Action:
        if request.path.endswith("/postcheck"):
            return self._postcheck(int(request.query[0][1]))
        if request.path.endswith("/v1"):
            return self._pay(request.header("Idempotency-Key"))
        return usual(request)

    def _postcheck(self, number: int) -> Action:
        if number == 401 and not self.refused:
            self.refused = True
            return reply({"error": "expired"}, 401)
        if number >= 400 and number != 401:
            return reply({"error": f"refused {number}"}, number)
        self.polls += 1
        if self.polls == 2:
            return reply({"transaction_id": number, "status": 0})
        return reply({"transaction_id": number, "status": 3, "error": "declined"})

    def _pay(self, key: str | None) -> Action:
        if ahead := self.failures.get(key or ""):
            return reply({"error": "busy"}, ahead.pop(0))
        if key is None:
            self.keyless += 1
            if self.keyless == 3:
                return reply({"error": "down"}, 503)
        return reply({"transaction_id": 42}, 201)


def token(request: Recorded) -> Action:
    if dict(request.form)["client_secret"] == "wrong":
        return reply({"error": "invalid_client", "error_description": "no"}, 401)
    return reply({"access_token": "t", "expires_in": 300, "token_type": "Bearer"})


@pytest.fixture
def run() -> Iterator[Callable[[str, str], tuple[list[Any], list[Any]]]]:
    """Run the flow with an interpreter and a package; return what it printed and what went over the wire."""
    with ExitStack() as stack:

        def start(python: str, package: str) -> tuple[list[Any], list[Any]]:
            bank = Bank(Day(), tokens=token)
            stack.callback(bank.close)
            settings = {
                "base_url": bank.url + "/",
                "token_url": bank.server.url + TOKEN_PATH,
                "client_id": "bank-alpha",
            }
            settings = {
                **settings,
                "client_secret": "s3cr&t +é/=",
                "retry_base_delay": 0.01,
                "scope": "pay read",
            }
            printed = program(python, [str(FLOW), package, json.dumps(settings)])
            return [json.loads(line) for line in printed.splitlines()], [
                trace(each) for each in bank.server.requests
            ]

        yield start


def program(python: str, arguments: list[str]) -> str:
    done = subprocess.run(
        [python, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SAME = ("Authorization", "Content-Type", "Idempotency-Key")


def trace(request: Recorded) -> tuple[Any, ...]:
    """What of a request the server can see, numbers as they are written, without blanks between JSON's tokens."""
    headers = {name: request.header(name) for name in SAME}
    if request.path == TOKEN_PATH:
        return request.method, request.target, headers, sorted(request.form)
    body = json.loads(request.body, parse_float=str, parse_int=str) if request.body else None
    return request.method, request.target, headers, body


def test_mc80_both_clients_send_the_same_and_give_the_same(run: Any, vendor_python: str) -> None:
    theirs, their_wire = run(vendor_python, "milkyway_payments")
    ours, our_wire = run(sys.executable, "bursar.milkyway")
    assert [step for step, _ in ours] == [step for step, _ in theirs]
    for (step, our_result), (_, their_result) in zip(ours, theirs, strict=True):
        if step == "wrong secret":  # the one difference: Bursar's message gives the reason too
            assert our_result.pop("message") == "the token endpoint answered with status 401 (invalid_client)"
            assert their_result.pop("message") == "Token acquisition failed with status 401."
        assert our_result == their_result, step
    assert our_wire == their_wire
    assert len(our_wire) > 25


def test_the_vendors_readme_runs_with_only_the_import_changed(vendor_python: str) -> None:
    """Its quick start, word for word; the addresses are this machine's."""
    read = "import importlib.metadata as m; print(m.metadata('milkyway-payments').get_payload())"
    readme = program(vendor_python, ["-c", read])
    found = re.search(r"## Quick start\s+```python\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    code = found[1]
    assert code.count("from milkyway_payments import") == 1
    printed = []
    for python, package in ((vendor_python, "milkyway_payments"), (sys.executable, "bursar.milkyway")):
        bank = Bank()
        local = re.sub(r"https://milkyway[^\"]*", bank.url, code)
        local = re.sub(r"https://keycloak[^\"]*", bank.server.url + TOKEN_PATH, local)
        printed.append(
            program(python, ["-c", local.replace("from milkyway_payments import", f"from {package} import")])
        )
        assert [call.path.rpartition("/")[2] for call in bank.calls] == [
            "healthcheck",
            "precheck",
            "v1",
            "postcheck",
        ]
        bank.close()
    assert printed[0] == printed[1]
    assert "Final status: DONE" in printed[1]


def test_all_of_the_vendors_names_are_there(vendor_python: str) -> None:
    names = json.loads(
        program(vendor_python, ["-c", "import json, milkyway_payments as m; print(json.dumps(m.__all__))"])
    )
    assert set(names) - {"__version__"} <= set(bursar.milkyway.__all__)


def test_options_and_models_have_the_vendors_fields_in_order(vendor_python: str) -> None:
    """So that positional arguments mean the same."""
    ask = """
import dataclasses, inspect, json, milkyway_payments as m
print(json.dumps({n: list(inspect.signature(getattr(m, n)).parameters) for n in m.__all__
                  if dataclasses.is_dataclass(getattr(m, n))}))
"""
    for name, parameters in json.loads(program(vendor_python, ["-c", ask])).items():
        ours = list(inspect.signature(getattr(bursar.milkyway, name)).parameters)
        assert ours[: len(parameters)] == parameters, name


def test_the_recorder_itself_sees_both_bodies_alike() -> None:
    """A difference in digits would be seen: the trace keeps numbers as text."""
    one = Recorded(b"", "POST", "/x", (), b'{"a": 100.00}', 1)
    assert trace(one)[3] == {"a": "100.00"}
    assert trace(one) != trace(Recorded(b"", "POST", "/x", (), b'{"a":100.0}', 1))
