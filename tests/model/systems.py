"""The systems that are compared with the oracle: operations become requests of the API, in process or over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlencode

from bursar.client.transport.asgi import AsgiTransport
from bursar.client.transport.async_pool import AsyncPoolTransport
from bursar.client.transport.base import AsyncTransport
from bursar.contract import Request as HttpRequest
from bursar.contract import Response
from bursar.engine.clock import SandboxClock
from bursar.engine.verify import verify
from bursar.server.listener import HttpServer, address, listen
from bursar.server.runtime import Runtime, Settings
from tests.model.chain import shown
from tests.model.operations import (
    T0,
    Bulk,
    Create,
    DeleteMetadata,
    Operation,
    Read,
    Request,
    Revert,
    SetMetadata,
    Write,
)
from tests.model.oracle import ACTIONS, Reply

Row = dict[str, Any]
API = "/formance/api/ledger/v2/"
TIMEOUT_S = 60
SHOWN = 500
READS = {
    "balances": "aggregate/balances",
    "accounts": "accounts",
    "transactions": "transactions",
    "volumes": "volumes",
    "stats": "stats",
    "logs": "logs",
}


class System:
    """A server with a clock that stands still."""

    def __init__(self, name: str, runtime: Runtime, transport: AsyncTransport, root: str) -> None:
        self.name = name
        self._runtime = runtime
        self._transport = transport
        self._root = root + API

    async def do(self, ledger: str, operation: Operation) -> Response:
        """Carry out an operation on a ledger."""
        return await self.send(*request_of(ledger, operation))

    async def send(
        self, method: str, path: str, body: bytes | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> Response:
        """Ask the API."""
        return await self._transport.send(HttpRequest(method, self._root + path, headers, body), TIMEOUT_S)

    async def create(self, ledger: str) -> None:
        """Make a ledger."""
        made = await self.send("POST", ledger, b"{}")
        assert made.status == 204, made

    async def logs(self, ledger: str) -> tuple[bytes, list[Row]]:
        """The export of a ledger, as bytes and as JSON."""
        body = (await self.send("POST", f"{ledger}/logs/export")).body
        return body, [json.loads(line) for line in body.splitlines()]

    def now(self) -> int:
        """What the clock says, in microseconds."""
        return self._runtime.core.clock.now()

    def advance(self, us: int) -> None:
        """Move the clock on."""
        clock = self._runtime.core.clock
        assert isinstance(clock, SandboxClock)
        clock.advance(us)

    async def check(self) -> None:
        """Verify all books."""
        report = await verify(self._runtime.core.store)
        assert report.ok, (self.name, [str(damage) for damage in report.damages])


@contextlib.asynccontextmanager
async def opened(name: str, url: str, *, http: bool = False) -> AsyncGenerator[System]:
    """A system on a database, closed at the end."""
    runtime = await Runtime.open(Settings(url, "http://localhost", sandbox=True, seed=1, frozen_at=T0))
    try:
        if http:
            async with _served(runtime) as (transport, root):
                yield System(name, runtime, transport, root)
        else:
            yield System(name, runtime, AsgiTransport(runtime.app), "http://localhost")
    finally:
        await runtime.close()


@contextlib.asynccontextmanager
async def together(url: str, servers: int) -> AsyncGenerator[list[System]]:
    """Some servers on one database, their clocks at the same moment: a later one begins after what it finds."""
    async with contextlib.AsyncExitStack() as stack:
        opens = [opened(f"server {number}", url) for number in range(servers)]
        systems = [await stack.enter_async_context(each) for each in opens]
        latest = max(system.now() for system in systems)
        for system in systems:
            system.advance(latest - system.now())
        yield systems


@contextlib.asynccontextmanager
async def _served(runtime: Runtime) -> AsyncGenerator[tuple[AsyncTransport, str]]:
    listener = listen("127.0.0.1", 0)
    ready = asyncio.Event()
    server = HttpServer(runtime.app, ready.set)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await ready.wait()
    transport = AsyncPoolTransport()
    try:
        yield transport, address(listener)
    finally:
        await transport.aclose()
        server.stop()
        await serving


def request_of(
    ledger: str, operation: Operation
) -> tuple[str, str, bytes | None, tuple[tuple[str, str], ...]]:
    """Method, path, body and headers of an operation."""
    match operation:
        case Write():
            method, path, body, query = _write(operation.request)
            query += [("dryRun", "true")] * operation.dry_run
            key = (("Idempotency-Key", operation.key),) if operation.key else ()
            return method, _path(ledger, path, query), body, key
        case Bulk():
            flags = {"atomic": operation.atomic, "continueOnFailure": operation.keep_going}
            query = [(name, "true") for name, flag in flags.items() if flag]
            body = _json([_element(write) for write in operation.elements])
            return "POST", _path(ledger, "_bulk", query), body, ()
        case Read():
            return _read(ledger, operation)


def _write(request: Request) -> tuple[str, str, bytes | None, list[tuple[str, str]]]:
    match request:
        case Create():
            query = [("force", "true")] * request.force
            return "POST", "transactions", _json(_new(request)), query
        case Revert():
            flags = {"force": request.force, "atEffectiveDate": request.at_effective_date}
            query = [(name, "true") for name, flag in flags.items() if flag]
            body = None if request.metadata is None else _json({"metadata": request.metadata})
            return "POST", f"transactions/{request.id}/revert", body, query
        case SetMetadata():
            return "POST", f"{_target(request.target)}/metadata", _json(request.metadata), []
        case DeleteMetadata():
            key = quote(request.key, safe="")
            return "DELETE", f"{_target(request.target)}/metadata/{key}", None, []


def _element(write: Write) -> Row:
    request = write.request
    data: Row
    match request:
        case Create():
            data = {**_new(request), "force": request.force}
        case Revert():
            data = {
                "id": request.id,
                "force": request.force,
                "atEffectiveDate": request.at_effective_date,
                "metadata": request.metadata,
            }
        case SetMetadata() | DeleteMetadata():
            kind = "ACCOUNT" if isinstance(request.target, str) else "TRANSACTION"
            data = {"targetType": kind, "targetId": request.target}
            if isinstance(request, SetMetadata):
                data["metadata"] = request.metadata
            else:
                data["key"] = request.key
    key = {"ik": write.key} if write.key else {}
    return {"action": ACTIONS[type(request)], "data": data, **key}


def _new(request: Create) -> Row:
    dated = {} if request.timestamp is None else {"timestamp": shown(request.timestamp)}
    return {**request.body, **dated}


def _read(ledger: str, read: Read) -> tuple[str, str, bytes | None, tuple[tuple[str, str], ...]]:
    query: list[tuple[str, str]] = [("expand", name) for name in read.expand]
    for name, moment in (("pit", read.pit), ("oot", read.oot)):
        if moment is not None:
            query.append((name, shown(moment)))
    if read.filter is not None:
        operator, name, value = read.filter
        query.append(("query", json.dumps({operator: {name: value}})))
    match read.what:
        case "account":
            return "GET", _path(ledger, _target(str(read.target)), query), None, ()
        case "transaction":
            return "GET", _path(ledger, _target(int(read.target)), query), None, ()
        case "counts":
            return "HEAD", _path(ledger, str(read.target), query), None, ()
        case "balances":
            query += [("useInsertionDate", "true")] * read.insertion
        case "stats":
            pass
        case _:
            query.append(("pageSize", str(read.page_size)))
            query += [("insertionDate", "true")] * read.insertion
            query += [("groupBy", str(read.group_by))] * bool(read.group_by)
    return "GET", _path(ledger, READS[read.what], query), None, ()


def _target(target: str | int) -> str:
    return f"accounts/{target}" if isinstance(target, str) else f"transactions/{target}"


def _path(ledger: str, path: str, query: list[tuple[str, str]]) -> str:
    return f"{ledger}/{path}" + (f"?{urlencode(query)}" if query else "")


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def difference(expected: Reply, actual: Response) -> str:
    """How an answer differs from what the oracle says; "" when it does not."""
    body = json.loads(actual.body) if actual.body else None
    if isinstance(body, dict):
        body = _comparable(body, expected)
    count = actual.headers.get("count")
    found = Reply(
        actual.status,
        body,
        actual.headers.get("idempotency-hit") == "true",
        None if count is None else int(count),
        expected.text,
    )
    if found == expected:
        return ""
    place, wanted, got = _first(asdict(expected), asdict(found))
    return f"at {place} expected {wanted}\n     got {got}\n     in {str(found)[:SHOWN]}"


def _first(expected: Any, found: Any, place: str = "") -> tuple[str, Any, Any]:
    """Where two values differ first."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        pairs = [(name, expected[name], found[name]) for name in expected]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = [(str(index), expected[index], found[index]) for index in range(len(expected))]
    else:
        return place, expected, found
    name, wanted, got = next(pair for pair in pairs if pair[1] != pair[2])
    return _first(wanted, got, f"{place}.{name}")


def _comparable(body: Row, expected: Reply) -> Row:
    """Without tokens, and without messages, once they contain what they must."""
    if "errorCode" in body and "data" not in body:
        message = body.pop("errorMessage")
        return body if expected.text in message else {**body, "errorMessage": message}
    if "cursor" in body:
        cursor = dict(body["cursor"])
        assert ("next" in cursor) == cursor["hasMore"], cursor
        return {"cursor": {name: value for name, value in cursor.items() if name != "next"}}
    if isinstance(body.get("data"), list):
        for result in body["data"]:
            result.pop("errorDescription", None)
    return body
