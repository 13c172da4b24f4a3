"""OAuth clients over a store: tokens, rotation, revocation, restarts."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest

from bursar.engine.auth import clients, keys, secrets, tokens
from bursar.engine.auth.service import InvalidClient, InvalidScope, Realm
from bursar.engine.auth.tables import CLIENTS, SIGNING_KEYS, TABLES
from bursar.engine.auth.tokens import InvalidToken
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.errors import Conflict, InvalidInput, NotFound
from bursar.engine.limits import SECOND_US

ISSUER = "http://localhost/realms/sandbox"
T0 = 1_700_000_000 * SECOND_US


@asynccontextmanager
async def opened(url="sqlite://", **options):
    core = await Core.open(url, clock=SandboxClock(at=T0), tables=TABLES)
    try:
        yield core, Realm(core, "milkyway", issuer=ISSUER, lifetime=300, new_key=keys.shared, **options)
    finally:
        await core.close()


def create(core, client_id="bank-alpha", secret="alpha-secret", **options):
    return core.submit(
        partial(clients.create, realm="milkyway", client_id=client_id, secret=secret, sandbox=True, **options)
    )


def advance(core, seconds):
    assert isinstance(core.clock, SandboxClock)
    core.clock.advance(seconds * SECOND_US)


def run(scenario):
    return asyncio.run(scenario)


def test_ms02_ms03_a_client_gets_a_token_that_names_it():
    async def scenario():
        async with opened() as (core, realm):
            await create(core, roles=["institution"])
            grant = await realm.grant("bank-alpha", "alpha-secret")
            assert grant.expires_in == 300
            claims = tokens.verify(grant.access_token, await realm.keys(), issuer=ISSUER, now=T0 // SECOND_US)
            assert claims.azp == "bank-alpha"
            identity = await realm.identify(grant.access_token)
            assert identity.client_id == "bank-alpha"
            assert identity.roles == {"institution"}

    run(scenario())


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [("bank-alpha", "wrong"), ("nobody", "alpha-secret"), ("bank-alpha", ""), ("", "")],
)
def test_ms04_wrong_credentials_are_refused_without_saying_which(client_id, secret):
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            with pytest.raises(InvalidClient):
                await realm.grant(client_id, secret)

    run(scenario())


def test_ms08_revoking_ends_live_tokens_and_restoring_does_not_revive_them():
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            old = (await realm.grant("bank-alpha", "alpha-secret")).access_token
            assert await realm.identify(old)
            await core.submit(partial(clients.revoke, realm="milkyway", client_id="bank-alpha"))
            with pytest.raises(InvalidToken, match="revoked"):
                await realm.identify(old)
            with pytest.raises(InvalidClient):
                await realm.grant("bank-alpha", "alpha-secret")
            await core.submit(partial(clients.restore, realm="milkyway", client_id="bank-alpha"))
            with pytest.raises(InvalidToken, match="revoked"):
                await realm.identify(old)
            new = (await realm.grant("bank-alpha", "alpha-secret")).access_token
            assert await realm.identify(new)

    run(scenario())


def test_ms07_a_remembered_token_still_expires_on_the_engines_clock():
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            token = (await realm.grant("bank-alpha", "alpha-secret")).access_token
            advance(core, 299)
            assert await realm.identify(token)
            advance(core, 1)
            for _ in range(2):
                with pytest.raises(InvalidToken, match="expired"):
                    await realm.identify(token)

    run(scenario())


def test_a_warm_token_costs_no_signature_check(monkeypatch):
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            token = (await realm.grant("bank-alpha", "alpha-secret")).access_token
            again = Realm(core, "milkyway", issuer=ISSUER, lifetime=300)
            assert await again.identify(token)
            monkeypatch.setattr(tokens, "verify", lambda *a, **k: pytest.fail("checked the signature again"))
            assert await again.identify(token)

    run(scenario())


def test_rotation_keeps_the_old_secret_until_it_is_retired():
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            new = secrets.generate()
            await core.submit(partial(clients.rotate, realm="milkyway", client_id="bank-alpha", secret=new))
            assert await realm.grant("bank-alpha", "alpha-secret")
            assert await realm.grant("bank-alpha", new)
            await core.submit(partial(clients.retire, realm="milkyway", client_id="bank-alpha"))
            assert await realm.grant("bank-alpha", new)
            with pytest.raises(InvalidClient):
                await realm.grant("bank-alpha", "alpha-secret")

    run(scenario())


def test_scopes_are_those_of_the_client():
    async def scenario():
        async with opened() as (core, realm):
            await create(core, scopes=["ledger:read", "ledger:write"])
            assert (await realm.grant("bank-alpha", "alpha-secret")).scope == "ledger:read ledger:write"
            assert (await realm.grant("bank-alpha", "alpha-secret", "ledger:read")).scope == "ledger:read"
            with pytest.raises(InvalidScope):
                await realm.grant("bank-alpha", "alpha-secret", "payments:write")

    run(scenario())


def test_clients_are_created_once_with_sound_names_and_secrets():
    async def scenario():
        async with opened() as (core, _):
            await create(core)
            with pytest.raises(Conflict):
                await create(core)
            for bad in ("", " ", "a" * 256, "a\nb"):
                with pytest.raises(InvalidInput):
                    await create(core, client_id=bad)
            with pytest.raises(InvalidInput, match="32"):
                await core.submit(
                    partial(clients.create, realm="milkyway", client_id="short", secret="alpha-secret")
                )
            with pytest.raises(NotFound):
                await core.submit(partial(clients.revoke, realm="milkyway", client_id="nobody"))

    run(scenario())


def test_restart_keeps_clients_keys_and_live_tokens(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"

    async def first():
        async with opened(url) as (core, realm):
            await create(core)
            return (await realm.grant("bank-alpha", "alpha-secret")).access_token

    async def second(token):
        async with opened(url) as (_, realm):
            assert (await realm.identify(token)).client_id == "bank-alpha"
            assert await realm.grant("bank-alpha", "alpha-secret")

    run(second(run(first())))


def test_concurrent_first_needs_make_one_key():
    async def scenario():
        async with opened() as (core, realm):
            found = await asyncio.gather(*(realm.keys() for _ in range(10)))
            assert len(set(found)) == 1
            stored = await core.read(lambda view: view.select(SIGNING_KEYS))
            assert len(stored) == 1

    run(scenario())


def test_no_secret_is_in_the_store_or_in_a_repr():
    async def scenario():
        async with opened() as (core, realm):
            await create(core)
            grant = await realm.grant("bank-alpha", "alpha-secret")
            row = await core.read(lambda view: view.get(CLIENTS, "milkyway", "bank-alpha"))
            key = (await core.read(lambda view: view.select(SIGNING_KEYS)))[0]
            assert "alpha-secret" not in repr(row)
            assert grant.access_token not in repr(grant)
            assert "PRIVATE" not in repr(key)

    run(scenario())
