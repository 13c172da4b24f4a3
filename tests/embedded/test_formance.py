"""The Formance stack in process: the same clients, without a server."""

import asyncio
import socket
from datetime import timedelta

import pytest

from bursar.embedded import Engine
from bursar.formance import (
    AsyncFormance,
    Formance,
    FormanceAuthError,
    FormanceInsufficientFundsError,
    FormanceOptions,
)
from bursar.formance.auth import ClientOptions, SecretOptions
from bursar.formance.ledger.models import NewTransaction, Posting
from bursar.server.ledger.flags import UnknownFlag
from bursar.testing.plugin import START

DEPOSIT = NewTransaction(postings=[Posting("world", "users:1", 10**30, "USD/2")], reference="order-17")
SCOPED = "--auth-enabled --auth-check-scopes --auth-service=ledger"


def credentials(client, *scopes):
    made = client.auth.v1.create_client(ClientOptions(name="books", scopes=scopes))
    return made.id, client.auth.v1.create_secret(made.id, SecretOptions(name="s")).clear


def test_books_are_kept_without_a_server(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"
    with Engine.open(url) as engine:
        client = engine.formance()
        assert type(client) is Formance
        client.ledger.v2.create_ledger("main")
        made = client.ledger.v2.create_transaction("main", DEPOSIT, idempotency_key="k")
        assert client.ledger.v2.create_transaction("main", DEPOSIT, idempotency_key="k").id == made.id
        overdraft = NewTransaction(postings=[Posting("users:2", "users:1", 1, "USD/2")])
        with pytest.raises(FormanceInsufficientFundsError):
            client.ledger.v2.create_transaction("main", overdraft)
        assert [service.health for service in client.get_versions().versions] == [True, True]
    with Engine.open(url) as engine:
        read = engine.formance().ledger.v2.get_transaction("main", made.id)
        assert read.postings == DEPOSIT.postings
        assert engine.verify().ok


def test_the_asynchronous_twin_works_on_any_loop():
    with Engine.open("sqlite://") as engine:
        client = engine.async_formance()
        assert type(client) is AsyncFormance

        async def scenario(ledger):
            await client.ledger.v2.create_ledger(ledger)
            await asyncio.gather(
                *(
                    client.ledger.v2.create_transaction(
                        ledger, NewTransaction(postings=[Posting("world", f"users:{n}", n, "USD")])
                    )
                    for n in range(1, 11)
                )
            )
            return [one.id async for one in client.ledger.v2.list_transactions(ledger, page_size=3)]

        for ledger in ("one", "two"):
            assert asyncio.run(scenario(ledger)) == list(range(10, 0, -1))


def test_the_owner_needs_no_token_and_clients_do():
    """Whoever embeds the engine may do everything, whatever the flags; with credentials, what these may do."""
    with Engine.open("sqlite://", ledger_flags=SCOPED) as engine:
        owner = engine.formance()
        owner.ledger.v2.create_ledger("main")
        reader = engine.formance(*credentials(owner, "ledger:read"))
        assert [ledger.name for ledger in reader.ledger.v2.list_ledgers()] == ["main"]
        with pytest.raises(FormanceAuthError):
            reader.ledger.v2.create_transaction("main", DEPOSIT)
        with pytest.raises(FormanceAuthError):
            reader.auth.v1.list_clients()
        with pytest.raises(FormanceAuthError):
            engine.formance("nobody", "x").ledger.v2.list_ledgers()
        assert engine.formance(*credentials(owner, "ledger:write")).ledger.v2.create_transaction(
            "main", DEPOSIT
        )


def test_a_listening_engine_trusts_nobody_on_the_wire():
    with Engine.open("sqlite://", ledger_flags=SCOPED) as engine:
        listener = socket.create_server(("127.0.0.1", 0))
        host, port = listener.getsockname()
        engine.listen(listener)
        with Formance(FormanceOptions(f"http://{host}:{port}/formance")) as stranger:
            for call in (stranger.ledger.v2.list_ledgers, stranger.auth.v1.list_clients):
                with pytest.raises(FormanceAuthError):
                    list(call())


def test_a_socket_that_others_reach_is_refused():
    with (
        Engine.open("sqlite://") as engine,
        socket.create_server(("0.0.0.0", 0)) as listener,
        pytest.raises(ValueError, match="bursar serve"),
    ):
        engine.listen(listener)


def test_flags_are_those_of_the_server():
    with pytest.raises(UnknownFlag):
        Engine.open("sqlite://", ledger_flags="--nonsense")


def test_a_sandbox_has_well_known_clients(bursar_sandbox):
    for client_id in ("formance-sandbox", "admin"):
        client = bursar_sandbox.formance(client_id, f"{client_id}-secret", scopes=("auth:read",))
        assert client.auth.v1.list_clients() == []
        assert client.auth.v1.list_users() == []


def test_a_token_that_ran_out_is_renewed(bursar_sandbox):
    client = bursar_sandbox.formance("admin", "admin-secret")
    assert client.auth.v1.list_clients() == []
    bursar_sandbox.clock.advance(timedelta(hours=2))
    assert client.auth.v1.list_clients() == []


def test_every_sandbox_is_the_same_twice():
    hashes = set()
    for _ in range(2):
        with Engine.sandbox(seed=7, at=START) as engine:
            client = engine.formance()
            client.ledger.v2.create_ledger("main")
            client.ledger.v2.create_transaction("main", DEPOSIT)
            hashes.add(next(iter(client.ledger.v2.list_logs("main"))).hash)
    assert len(hashes) == 1


def test_the_test_server_has_clients_too(bursar_server):
    with bursar_server.formance() as client:
        client.ledger.v2.create_ledger("main")
        assert client.ledger.v2.create_transaction("main", DEPOSIT).reference == "order-17"

    async def scenario():
        async with bursar_server.async_formance("reader") as reader:
            return [ledger.name async for ledger in reader.ledger.v2.list_ledgers()]

    assert "main" in asyncio.run(scenario())
