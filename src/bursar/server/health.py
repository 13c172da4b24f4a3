"""Whether the engine takes and answers commands."""

from __future__ import annotations

import asyncio

from bursar.engine.core import Core
from bursar.engine.errors import EngineError
from bursar.server import limits


async def trouble(core: Core) -> str | None:
    """Return why the engine cannot serve now; None when it can."""
    try:
        async with asyncio.timeout(limits.HEALTH_SECONDS):
            await core.submit(lambda view: None)
    except TimeoutError:
        return "the writer does not answer"
    except EngineError as error:
        return error.message
    return None
