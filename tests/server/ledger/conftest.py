"""The ledger API in this process, asked with raw requests."""

import asyncio
import json as jsonlib
from dataclasses import dataclass
from typing import Any

import pytest

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.ids import Ids
from bursar.engine.ledger.service import LedgerService
from bursar.engine.verify import verify
from bursar.server.ledger.app import LedgerApp
from bursar.server.ledger.flags import parse

MOUNT = "/api/ledger"
NOON = 1_700_000_000_000_000


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def code(self) -> str:
        return self.json["errorCode"]


class Ledgers:
    """A service of its own, with an empty database; each request moves the clock on by a second."""

    def __init__(self, flags: str = "", guard=None) -> None:
        self._loop = asyncio.new_event_loop()
        self.clock = SandboxClock(at=NOON)
        self.core = self._loop.run_until_complete(Core.open("sqlite://", clock=self.clock, ids=Ids(1)))
        service = LedgerService(self.core, parse(flags).settings)
        self._app = LedgerApp(service, guard or _everybody, MOUNT)

    def __call__(self, method, path, json=None, *, body=None, headers=None) -> Reply:
        self.clock.advance(1_000_000)
        if json is not None:
            body = jsonlib.dumps(json)
        content = body.encode() if isinstance(body, str) else body or b""
        return self._loop.run_until_complete(self._ask(method, MOUNT + path, content, headers or {}))

    async def _ask(self, method, target, content, headers) -> Reply:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "state": {"request_id": "test"},
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message):
            sent.append(message)

        await self._app(scope, receive, send)
        fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Reply(sent[0]["status"], fields, b"".join(part.get("body", b"") for part in sent[1:]))

    def pay(
        self, ledger, source, destination, amount, asset="USD/2", *, query="", headers=None, **members
    ) -> Reply:
        posting = {"source": source, "destination": destination, "amount": amount, "asset": asset}
        return self(
            "POST", f"/v2/{ledger}/transactions{query}", {"postings": [posting], **members}, headers=headers
        )

    def submit(self, command) -> Any:
        """A command of somebody else on the same engine."""
        return self._loop.run_until_complete(self.core.submit(command))

    def read(self, query):
        """What a query of committed rows finds."""
        return self._loop.run_until_complete(self.core.read(query))

    def damages(self) -> list[Any]:
        """What `bursar verify` finds."""
        return list(self._loop.run_until_complete(verify(self.core.store)).damages)

    def close(self) -> None:
        self._loop.run_until_complete(self.core.close())
        self._loop.close()


async def _everybody(call) -> bool:
    return True


@pytest.fixture
def served():
    """Makes services: `served("--schema-enforcement-mode strict")`."""
    opened = []

    def serve(flags: str = "", guard=None) -> Ledgers:
        opened.append(Ledgers(flags, guard))
        return opened[-1]

    yield serve
    for ledgers in opened:
        ledgers.close()


@pytest.fixture
def api(served):
    """A service with an empty ledger `l`."""
    ledgers = served()
    assert ledgers("POST", "/v2/l").status == 204
    return ledgers
