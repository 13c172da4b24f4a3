"""Plain functions that wait for a database without blocking the event loop.

A query is written once, as a plain function of `Rows`. SQLite answers it in place; a server answers later, and
meanwhile the function steps aside: it runs in a greenlet of the loop's own thread, so there is nothing to lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import greenlet

T = TypeVar("T")


def wait_for(awaitable: Awaitable[T]) -> T:
    """The result of an awaitable, inside a function that `step` runs."""
    parent = greenlet.getcurrent().parent
    if parent is None:
        raise RuntimeError("this query waits for a database, so it must be run by `step`")
    return cast(T, parent.switch(awaitable))


async def step(function: Callable[[], T]) -> T:
    """Run a plain function to its end, awaiting what it waits for."""
    runner: Any = greenlet.greenlet(function)
    outcome: Any = runner.switch()
    while not runner.dead:
        try:
            answer = await outcome
        except BaseException as error:  # noqa: BLE001 - also a cancellation belongs where the function waits
            outcome = runner.throw(error)
        else:
            outcome = runner.switch(answer)
    return cast(T, outcome)
