"""A whole day at `bursar serve --sandbox`, by the vendor's unmodified client and by Bursar's own (MC80).

Each client is a process of its own, as is the server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bursar.testing import SandboxServer

pytestmark = pytest.mark.vendor
DAY = Path(__file__).with_name("hub_day.py")
ROOT = Path(__file__).resolve().parents[2]
PAUSE = "silent"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The URL of a `bursar serve --sandbox`, stopped by SIGTERM afterwards."""
    command = [sys.executable, "-m", "bursar.cli", "serve", "--sandbox", "--json", "--port", "0"]
    command += ["--database", f"sqlite:///{tmp_path}/hub.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()
            code = server.wait(30)
    assert code == 0
    verified = subprocess.run(
        [sys.executable, "-m", "bursar.cli", "verify", "--database", f"sqlite:///{tmp_path}/hub.db"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout


class Day:
    """A run of hub_day.py; `meanwhile` is what to tell it at its pause."""

    def __init__(self, python: str, package: str, url: str) -> None:
        self._process = subprocess.Popen(
            [python, str(DAY), package, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def until_the_pause(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = {}
        while PAUSE not in told:
            line = self._process.stdout.readline()
            assert line, self._process.communicate()[1]
            step, result = json.loads(line)
            told[step] = result
        return told

    def to_the_end(self, meanwhile: str) -> dict[str, Any]:
        printed, complaints = self._process.communicate(f"{meanwhile}\n", timeout=60)
        assert self._process.returncode == 0, complaints
        return dict(json.loads(line) for line in printed.splitlines())


EXPECTED = {
    "health": "Service is available",
    "quote": ["12675.00", "1267500.00", "UZS", "1.50"],
    "pay": 0,
    "done": ["DONE", None],
    "replay": [0] * 5,
    "replay, zeros": 0,
    "without key": [1, 2],
    "declined": ["FAILED", "declined"],
    "cancelled": ["CANCELLED", None],
    "cancelled again": "CANCELLED",
    "the key is free after that": 5,
    "silent": 6,
}
REFUSED = {
    "unknown service": ["MilkywayNotFoundError", 404],
    "replay, other amount": ["MilkywayApiError", 422],
    "cancel of a done one": ["MilkywayValidationError", 400],
    "blocked by the limit": ["MilkywayExposureBlockedError", 402],
    "bad passport": ["MilkywayValidationError", 400],
    "too many decimals": ["MilkywayValidationError", 400],
    "no rate": ["MilkywayValidationError", 400],
    "unknown recipient": ["MilkywayValidationError", 400],
    "foreign": ["MilkywayNotFoundError", 404],
}


def check(told: dict[str, Any]) -> None:
    """Everything is as documented, and nothing is told that is not looked at."""
    assert {step: told[step] for step in EXPECTED} == EXPECTED
    assert {step: told[step][:2] for step in REFUSED} == REFUSED
    assert told.keys() == EXPECTED.keys() | REFUSED.keys()
    assert "settle or deposit" in told["blocked by the limit"][2]
    assert "/data/passport" in told["bad passport"][2]


@pytest.fixture(params=["milkyway_payments", "bursar.milkyway"])
def client(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Interpreter and package."""
    own = request.param == "bursar.milkyway"
    return sys.executable if own else request.getfixturevalue("vendor_python"), request.param


def test_mc80_a_whole_day_at_a_hub_of_another_process(client: tuple[str, str], hub: str) -> None:
    """At its end 16 minutes pass at once, so that a payment is stuck and the token is refused and renewed."""
    day = Day(*client, hub)
    check(day.until_the_pause())
    assert day.to_the_end("advance") == {"stuck": "STUCK", "pay with a new token": 7}


def test_ms08_a_revoked_token_is_renewed_without_a_word(client: tuple[str, str]) -> None:
    with SandboxServer() as server:
        day = Day(*client, server.url)
        check(day.until_the_pause())
        server.engine.revoke_client("bank-alpha")
        server.engine.restore_client("bank-alpha")
        assert day.to_the_end("") == {"stuck": "PENDING", "pay with a new token": 7}
        with server.operator() as operator:
            assert len(operator.list_payments().payments) == 8
