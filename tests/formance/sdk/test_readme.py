"""The code of the vendor's README, taken out of its package, runs with only the import changed."""

import ast
import asyncio
import json
import logging
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bursar.client.transport.async_pool import AsyncPoolTransport
from bursar.client.transport.pool import PoolTransport
from bursar.contract import Headers, Request, Response

pytestmark = pytest.mark.vendor
README = "from importlib.metadata import metadata; print(metadata('formance-sdk-python').get_payload())"
VERSIONS = {
    "region": "eu",
    "env": "sandbox",
    "versions": [{"name": "ledger", "version": "2", "health": True}],
}
REFUSAL = {"errorCode": "VALIDATION", "errorMessage": "no such transaction", "details": "look it up"}
NAMES = {"Any": typing.Any, "Optional": typing.Optional, "Union": typing.Union}
"""What one of the blocks uses and does not import."""


class Stack:
    """Answers as a stack would, and remembers."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []

    def answer(self, request: Request) -> Response:
        self.requests.append((request.method, request.url))
        self.headers.append(dict(request.headers))
        if request.url.endswith("/oauth/token"):
            return answer(200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        if request.url.endswith("/versions"):
            return answer(200, VERSIONS)
        return Response(204) if request.url.endswith("/logs/import") else answer(400, REFUSAL)


def answer(status: int, body: Any) -> Response:
    return Response(status, Headers([("content-type", "application/json")]), json.dumps(body).encode())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    """In place of the network; the working directory has the file that the README uploads."""
    found = Stack()

    async def asend(_: object, request: Request, timeout: float) -> Response:
        return found.answer(request)

    monkeypatch.setattr(PoolTransport, "send", lambda _, request, timeout: found.answer(request))
    monkeypatch.setattr(AsyncPoolTransport, "send", asend)
    monkeypatch.setitem(sys.modules, "httpx", httpx2)  # which is what httpx goes on as
    monkeypatch.chdir(tmp_path)
    (tmp_path / "example.file").write_bytes(b'{"id": 1}\n')
    level = logging.getLogger().level
    yield found
    logging.getLogger().setLevel(level)


@pytest.fixture(scope="module")
def blocks(vendor_python: str) -> list[str]:
    """The Python in the README, the import changed; what is no Python at all, as the vendor has it, left out."""
    run = subprocess.run([vendor_python, "-c", README], capture_output=True, text=True, check=True)
    found = re.findall(r"^```python\n(.*?)^```", run.stdout, re.MULTILINE | re.DOTALL)
    changed = [block.replace("formance_sdk_python", "bursar.formance.sdk") for block in found]
    return [block for block in changed if is_python(block)]


def is_python(block: str) -> bool:
    try:
        ast.parse(block)
    except SyntaxError:
        return False
    return True


# One of the blocks does not close the file that it opens.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_readmes_code_runs(blocks: list[str], stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(blocks) >= 12
    for block in blocks:
        exec(compile(block, "README", "exec"), {"__name__": "__main__", **NAMES})
    printed = capsys.readouterr().out
    paths = {url.partition("/api")[1] + url.partition("/api")[2] or url for _, url in stack.requests}
    assert paths == {
        "/api/auth/oauth/token",
        "/api/ledger/v2/ledger001/logs/import",
        "/api/ledger/v2/ledger001/transactions/1234/metadata?dryRun=true&schemaVersion=v1.0.0",
        "http://localhost/versions",
        "https://orgID-stackID.us-east-1.formance.cloud/versions",
        "https://orgID-stackID.eu.sandbox.formance.cloud/versions",
    }
    for words in ("no such transaction", "look it up", "VALIDATION", "400", "region='eu'"):
        assert words in printed


def test_the_readmes_clients_are_used(blocks: list[str]) -> None:
    """Its blocks with the caller's own HTTP clients make an SDK `s`; its calls go through them."""
    seen: list[httpx2.Request] = []

    def answering(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=VERSIONS)

    class Client(httpx2.Client):
        def __init__(self, **settings: Any) -> None:
            super().__init__(transport=httpx2.MockTransport(answering), **settings)

    class AsyncClient(httpx2.AsyncClient):
        def __init__(self, **settings: Any) -> None:
            super().__init__(transport=httpx2.MockTransport(answering), **settings)

    class Library:
        """httpx, but for its network."""

        def __getattr__(self, name: str) -> Any:
            return {"Client": Client, "AsyncClient": AsyncClient}.get(name) or getattr(httpx2, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "httpx", Library())  # type: ignore[arg-type] # all that a block asks it for
        for block in blocks:
            if "SDK(client=" in block:
                made: dict[str, Any] = {**NAMES}
                exec(compile(block, "README", "exec"), made)
                assert made["s"].get_versions().get_versions_response.region == "eu"
            elif "SDK(async_client=" in block:
                made = {**NAMES}
                exec(compile(block, "README", "exec"), made)
                given = asyncio.run(made["s"].get_versions_async())
                assert given.get_versions_response.versions[0].name == "ledger"
    assert [request.headers.get("x-custom-header") for request in seen] == ["someValue", None]
    assert seen[1].headers["client-level-header"] == "added by client"
