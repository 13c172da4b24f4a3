"""Scripted servers and transports, closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.client import carriers, certificate
from tests.client.server import Answer, Script, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server by its script; without one it answers 200 to everything."""
    with ExitStack() as stack:

        def start(script: Script | None = None, **options: Any) -> Server:
            return stack.enter_context(Server(script or (lambda request: Answer()), **options))

        yield start


@pytest.fixture(params=carriers.ALL, ids=lambda opener: opener.__name__)
def send(request: pytest.FixtureRequest) -> Iterator[carriers.Send]:
    with request.param(None) as sending:
        yield sending


@pytest.fixture(params=carriers.OWN, ids=lambda opener: opener.__name__)
def send_own(request: pytest.FixtureRequest) -> Iterator[carriers.Send]:
    """Bursar's own pools only."""
    with request.param(None) as sending:
        yield sending


@pytest.fixture(scope="session")
def certificate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate.make(tmp_path_factory.mktemp("tls"))
