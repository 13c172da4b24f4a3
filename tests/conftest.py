"""What all tests share: a fixed search order for hypothesis, and a guard against leaving this machine."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import hypothesis
import pytest

from bursar.testing import postgres as postgres_server

# The same cases on every run and machine; `HYPOTHESIS_PROFILE=search scripts/test` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _refuse_other_hosts(event: str, arguments: Sequence[object]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        message = f"a test tried to leave this machine: {address}"
        raise RuntimeError(message)


sys.addaudithook(_refuse_other_hosts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted with ``record_property("tally", [(subject, kind), ...])``: how many of each kind."""
    tallies: dict[str, Counter[str]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, pairs in report.user_properties:
            if name == "tally" and isinstance(pairs, list):
                for subject, kind in pairs:
                    tallies.setdefault(subject, Counter())[kind] += 1
    for subject, kinds in sorted(tallies.items()):
        few = (
            f": {', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items()))}"
            if len(kinds) < 10
            else ""
        )
        terminalreporter.write_line(f"{subject}: {kinds.total()} of {len(kinds)} kinds{few}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Postgres]:
    """A PostgreSQL server; each test takes a database of its own from it."""
    with postgres_server.server() as running:
        yield running


@pytest.fixture(scope="session")
def vendor_python() -> str:
    """Interpreter of the environment that holds the vendor's own client; scripts/test makes it."""
    python = os.environ.get("BURSAR_VENDOR_PYTHON")
    if not python:
        pytest.skip("BURSAR_VENDOR_PYTHON is not set: run scripts/test")
    return python
