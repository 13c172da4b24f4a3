"""Banks and clients of both colours, closed after each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bursar.milkyway import AsyncMilkywayPaymentsClient, MilkywayPaymentsClient
from tests.client.clock import FakeClock
from tests.milkyway.bank import Bank, Blocking, Step

Open = Callable[..., Bank]
Connect = Callable[..., Blocking]


@pytest.fixture
def open_bank() -> Iterator[Open]:
    """Open a bank that answers with the given steps."""
    with ExitStack() as stack:

        def start(*steps: Step, **settings: Any) -> Bank:
            bank = Bank(*steps, **settings)
            stack.callback(bank.close)
            return bank

        yield start


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Connect]:
    """Make a client of a bank, on the fake clock; further arguments are options, or the client's own."""
    with asyncio.Runner() as runner, ExitStack() as stack:
        kind: Any = MilkywayPaymentsClient if request.param == "sync" else AsyncMilkywayPaymentsClient

        def make(bank: Bank, **settings: Any) -> Blocking:
            own = {
                name: settings.pop(name)
                for name in ("session", "token_session", "token_provider", "hooks")
                if name in settings
            }
            client = Blocking(kind(bank.options(**settings), clock=clock.clock, **own), runner)
            stack.callback(client.close)
            return client

        yield make
