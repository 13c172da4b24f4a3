"""What the engine's tests share: a core on a frozen clock, and short words for money."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.kernel import NewTransaction, Posting

T0 = 1_700_000_000_000_000
USD = "USD/2"
BOOK = "main"


@asynccontextmanager
async def opened(url: str = "sqlite://", **options: Any) -> AsyncGenerator[Any, None]:
    """A core of the whole engine, on a SandboxClock; closed at the end."""
    options.setdefault("clock", SandboxClock(at=T0))
    core = await Core.open(url, ids=options.pop("ids", None) or Ids(1), **options)
    try:
        yield core
    finally:
        await core.close()


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(scenario)


def pay(source: str, destination: str, amount: int, asset: str = USD, **options: Any) -> NewTransaction:
    """A transaction of one posting."""
    return NewTransaction([Posting(source, destination, amount, asset)], **options)


def post(new: NewTransaction, ledger: str = BOOK):
    """The command that posts it."""
    return lambda view: view.post(ledger, new)
