"""Scripted APIs and clients of both colours, closed after each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bursar.piaxis import AsyncPiaxisClient, PiaxisClient
from tests.client.clock import FakeClock
from tests.piaxis.api import Api, Blocking, Step

Open = Callable[..., Api]
Connect = Callable[..., Blocking]


@pytest.fixture
def open_api() -> Iterator[Open]:
    """Open an API that answers with the given steps."""
    with ExitStack() as stack:

        def start(*steps: Step) -> Api:
            api = Api(*steps)
            stack.callback(api.close)
            return api

        yield start


@pytest.fixture
def api(open_api: Open) -> Api:
    return open_api()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Connect]:
    """Make a client of an API, on the fake clock."""
    with asyncio.Runner() as runner, ExitStack() as stack:
        kind: Any = PiaxisClient if request.param == "sync" else AsyncPiaxisClient

        def make(api: Api, **settings: Any) -> Blocking:
            given = {"base_url": api.url, "api_key": "key-1", "clock": clock.clock, **settings}
            client = Blocking(kind(**given), runner)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(api: Api, connect: Connect) -> Blocking:
    return connect(api)
