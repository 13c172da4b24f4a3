"""X-1: after a fork no child reads an answer that is meant for another process.

The children are started by a program of its own (forking.py), since a test runner has threads. The server knows which
connection each request came on, so the proof does not depend on who wins a race.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bursar.client import SYSTEM, Credentials, TokenManager
from bursar.contract import Secret
from tests.client import certificate
from tests.client.flows import answer
from tests.client.server import Answer, Recorded, Server
from tests.contract.shop import ShopAuth

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
PROGRAM = Path(__file__).with_name("forking.py")


def echo(request: Recorded) -> Answer:
    return Answer(200, request.path.removeprefix("/").encode())


def run(server: Server, **settings: Any) -> subprocess.CompletedProcess[str]:
    defaults = {"cafile": None, "threads": 1, "calls": 60, "face": "sync", "timeout": 10, "naive": False}
    arguments = json.dumps({"url": server.url, **defaults, **settings})
    return subprocess.run(
        [sys.executable, str(PROGRAM), arguments], capture_output=True, text=True, timeout=60, check=False
    )


def connections(server: Server) -> dict[str, set[int]]:
    """Return who used which connections."""
    used: dict[str, set[int]] = {}
    for request in server.requests:
        used.setdefault(request.path.strip("/").partition("-")[0], set()).add(request.connection)
    return used


def assert_apart(server: Server) -> None:
    used = connections(server)
    assert used.keys() == {"warm", "parent", "one", "two"}
    assert used["warm"] == used["parent"], "the parent keeps its connection, unharmed"
    assert not used["parent"] & (used["one"] | used["two"])
    assert not used["one"] & used["two"]


@pytest.mark.parametrize("face", ["sync", "async"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_x1_children_of_a_warm_client_get_their_own_answers(
    serve: Callable[..., Server], certificate_file: Path, face: str, tls: bool
) -> None:
    server = serve(echo, tls=certificate.server_context(certificate_file) if tls else None)
    result = run(server, face=face, cafile=str(certificate_file) if tls else None)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(server.requests) == 1 + 3 * 60
    assert_apart(server)


def test_x1_threads_of_a_child_never_meet_the_inherited_connection(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    result = run(server, threads=8, calls=15)
    assert result.returncode == 0, result.stdout + result.stderr
    assert_apart(server)


def test_x1_the_test_notices_a_client_that_shares_its_connection(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    run(server, naive=True, calls=2, timeout=0.3)
    used = connections(server)
    # Whichever child is first takes the inherited connection; the other shares it, or finds it busy.
    assert used["warm"] & (used["one"] | used["two"])


def test_a_fetch_under_way_in_the_parent_does_not_hold_up_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child inherits a token request that never ends there, and a lock that may be held."""
    manager = TokenManager(
        Credentials("https://id.example", "c", Secret("s")), auth_error=ShopAuth, clock=SYSTEM
    )
    parents = manager.get(1e9, None)
    next(parents)
    manager._desk.lock.acquire()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    childs = manager.get(1e9, None)
    next(childs)
    with pytest.raises(StopIteration) as stop:
        childs.send(answer(200, b'{"access_token":"t","expires_in":300}'))
    assert stop.value.value.text == "t"
    monkeypatch.undo()


def test_clients_of_the_caller_are_refused_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pools cannot be replaced from here, so nothing is sent on them."""
    import httpx2

    from bursar.client import blocking
    from bursar.contract import Request, TransportError

    with httpx2.Client() as client:
        transport = blocking(client)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(TransportError, match="make a new one in the child") as caught:
            transport.send(Request("GET", "http://127.0.0.1:1/"), 1)
        assert not caught.value.sent
        monkeypatch.undo()
