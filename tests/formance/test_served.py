"""Bursar's own client of a Formance stack against Bursar's server, over HTTP and embedded: each operation."""

import asyncio
import inspect
import warnings
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from bursar.embedded import Engine
from bursar.formance import (
    AsyncFormance,
    Formance,
    FormanceApiError,
    FormanceAuthError,
    FormanceOptions,
    FormanceUnreadableAnswerError,
)
from bursar.formance.filters import match
from bursar.formance.ledger.models import NewTransaction, Posting
from bursar.server.runtime import Settings
from bursar.testing import SandboxServer
from tests.formance.cases_auth import AUTH
from tests.formance.cases_schemas import SCHEMAS
from tests.formance.cases_v1 import GONE, OLD
from tests.formance.cases_v2 import ACCOUNTS, BULKS, LEDGERS, READS, SERVER, TRANSACTIONS

CASES = [*SERVER, *LEDGERS, *ACCOUNTS, *TRANSACTIONS, *BULKS, *READS, *SCHEMAS, *OLD, *GONE, *AUTH]
ALL = ("formance-sandbox", "formance-sandbox-secret")
READER = ("reader", "reader-secret")
PAYMENT = NewTransaction(postings=[Posting("world", "users:1", 10**30, "USD/2")])


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as running:
        yield running


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine.sandbox(seed=1) as opened:
        yield opened


def options(server: SandboxServer, credentials: tuple[str, str]) -> FormanceOptions:
    client_id, secret = credentials
    return FormanceOptions(f"{server.url}/formance", client_id=client_id, client_secret=secret)


def check(told: Any) -> None:
    """An answer that is none of the server's failures: the calls' arguments are anything but sensible together."""
    if isinstance(told, Exception):
        assert isinstance(told, FormanceApiError), told
        assert not isinstance(told, FormanceUnreadableAnswerError), told
        assert told.status_code is not None
        assert told.status_code < 500


def tried(client: Formance, case: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            result = case.call(client)
            if hasattr(result, "__enter__"):
                with result as lines:
                    return list(lines)
            return result
        except FormanceApiError as error:
            return error


async def atried(client: AsyncFormance, case: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            result = case.call(client)
            if hasattr(result, "__aenter__"):
                async with result as lines:
                    return [line async for line in lines]
            return await result if isinstance(result, Awaitable) or inspect.isawaitable(result) else result
        except FormanceApiError as error:
            return error


@pytest.mark.parametrize("where", ["http", "embedded"])
def test_every_operation(where: str, server: SandboxServer, engine: Engine) -> None:
    opened = Formance(options(server, ALL)) if where == "http" else engine.formance(*ALL)
    with opened as client:
        told = {f"{number} {case}": tried(client, case) for number, case in enumerate(CASES)}
    for result in told.values():
        check(result)
    answered = {name.split(" ")[1] for name, result in told.items() if not isinstance(result, Exception)}
    assert len(answered) > 30, answered


@pytest.mark.parametrize("where", ["http", "embedded"])
def test_every_operation_asynchronously(where: str, server: SandboxServer, engine: Engine) -> None:
    async def run() -> None:
        opened = AsyncFormance(options(server, ALL)) if where == "http" else engine.async_formance(*ALL)
        async with opened as client:
            for case in CASES:
                check(await atried(client, case))

    asyncio.run(run())


@pytest.mark.parametrize("where", ["http", "embedded"])
def test_a_copy_through_streams(where: str, server: SandboxServer, engine: Engine) -> None:
    """Scripts streamed in, logs streamed out and into another ledger: the same bytes."""
    opened = Formance(options(server, ALL)) if where == "http" else engine.formance(*ALL)
    with opened as client:
        ledger = client.ledger.v2
        ledger.create_ledger("from")
        ledger.create_ledger("to")
        script = "send [USD/2 5] (\n source = @world\n destination = @a\n)"
        result = ledger.create_script_stream("from", (script for _ in range(3)))
        assert len(result.data) == 3
        assert not result.failures
        assert ledger.create_transaction("from", PAYMENT).postings[0].amount == 10**30
        with ledger.export_logs("from") as logs:
            exported = b"".join(logs.lines())
        with ledger.export_logs("from") as logs:
            ledger.import_logs("to", logs.lines())
        with ledger.export_logs("to") as logs:
            assert b"".join(logs.lines()) == exported
        assert [tx.id for tx in ledger.list_transactions("to", match("account", "a"), page_size=2)] == [
            3,
            2,
            1,
        ]


def test_scopes() -> None:
    """Where tokens are asked for: a reader reads, changes nothing, and a stranger does not even read."""
    flags = "--auth-enabled --auth-check-scopes --auth-service ledger"
    with Engine(Settings("sqlite://", "http://localhost:8787", sandbox=True, ledger_flags=flags)) as engine:
        with engine.formance(*ALL) as client:
            client.ledger.v2.create_ledger("scoped")
        with engine.formance(*READER) as reader:
            assert reader.ledger.v2.get_ledger("scoped").name == "scoped"
            assert list(reader.ledger.v2.list_transactions("scoped")) == []
            for refused in (
                lambda: reader.ledger.v2.create_transaction("scoped", PAYMENT),
                lambda: reader.ledger.v2.create_ledger("mine"),
                lambda: reader.ledger.v2.create_bulk("scoped", []),
                lambda: reader.ledger.v1.create_transaction("scoped", {"postings": []}),
                lambda: reader.auth.v1.create_client({"name": "c"}),
            ):
                with pytest.raises(FormanceAuthError):
                    refused()
        with engine.formance("reader", "wrong") as stranger, pytest.raises(FormanceAuthError):
            stranger.ledger.v2.get_ledger("scoped")
        with engine.formance(*ALL) as client:
            assert [ledger.name for ledger in client.ledger.v2.list_ledgers(match("name", "mine"))] == []
            assert list(client.ledger.v2.list_transactions("scoped")) == []
