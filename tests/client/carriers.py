"""Every transport behind one blocking face, so that one test tries them all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx2

from bursar.client import asynchronous, blocking
from bursar.client.transport.async_pool import AsyncPoolTransport
from bursar.client.transport.pool import PoolTransport
from bursar.contract import Request, Response

Send = Callable[[Request, float], Response]


@contextmanager
def pool(context: ssl.SSLContext | None) -> Generator[Send]:
    transport = PoolTransport(context)
    yield transport.send
    transport.close()


@contextmanager
def async_pool(context: ssl.SSLContext | None) -> Generator[Send]:
    transport = AsyncPoolTransport(context)
    with asyncio.Runner() as runner:
        yield lambda request, timeout: runner.run(transport.send(request, timeout))
        runner.run(transport.aclose())


@contextmanager
def httpx2_client(context: ssl.SSLContext | None) -> Generator[Send]:
    with httpx2.Client(verify=context or True, trust_env=False) as client:
        yield blocking(client).send


@contextmanager
def async_httpx2_client(context: ssl.SSLContext | None) -> Generator[Send]:
    client = httpx2.AsyncClient(verify=context or True, trust_env=False)
    transport = asynchronous(client)
    with asyncio.Runner() as runner:
        yield lambda request, timeout: runner.run(transport.send(request, timeout))
        runner.run(client.aclose())


@contextmanager
def aiohttp_session(context: ssl.SSLContext | None) -> Generator[Send]:
    async def open_session() -> Any:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or True))

    with asyncio.Runner() as runner:
        session = runner.run(open_session())
        transport = asynchronous(session)
        yield lambda request, timeout: runner.run(transport.send(request, timeout))
        runner.run(session.close())


OWN = [pool, async_pool]
ALL = [*OWN, httpx2_client, async_httpx2_client, aiohttp_session]
