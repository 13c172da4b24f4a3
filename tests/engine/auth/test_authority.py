"""Clients, secrets and tokens of a Formance stack over a store (section 3)."""

import asyncio
import json
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from bursar.engine.auth import keys
from bursar.engine.auth.formance import claims, clients, remote
from bursar.engine.auth.formance.authority import Authority, UnauthorizedClient
from bursar.engine.auth.formance.remote import PAUSE, RemoteKeys, Unreachable
from bursar.engine.auth.formance.tables import REVOKED, SECRETS, ClientOptions
from bursar.engine.auth.service import InvalidClient
from bursar.engine.auth.tokens import InvalidToken
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.errors import Conflict, InvalidInput, NotFound
from bursar.engine.limits import CLIENT_SECRETS, SECOND_US
from tests.engine.auth.test_stack_claims import signed

ISSUER = "http://localhost/api/auth"
T0 = 1_700_000_000
READER = ClientOptions(name="books", scopes=("ledger:read", "auth:read"))


@asynccontextmanager
async def opened(url="sqlite://", **options):
    core = await Core.open(url, clock=SandboxClock(at=T0 * SECOND_US))
    settings: dict[str, Any] = {"issuer": ISSUER, "new_key": keys.shared, **options}
    try:
        yield core, Authority(core, **settings)
    finally:
        await core.close()


async def made(core, options=READER, secret="a-secret", client_id=""):
    client = await core.submit(partial(clients.create, options=options, client_id=client_id))
    await core.submit(partial(clients.add_secret, client_id=client.id, clear=secret, name="first"))
    return client.id


def advance(core, seconds):
    core.clock.advance(seconds * SECOND_US)


def run(scenario):
    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("ledger:read foo:bar", "ledger:read"),
        ("", ""),
        ("auth:read ledger:read", "auth:read ledger:read"),
        ("ledger:read ledger:read", "ledger:read ledger:read"),
        ("ledger:write", ""),
    ],
)
def test_20_a_token_holds_what_was_asked_for_and_may_be_had(asked, granted):
    async def scenario():
        async with opened() as (core, authority):
            client = await made(core)
            grant = await authority.grant(client, "a-secret", asked)
            assert (grant.expires_in, grant.scope) == (3599, granted)
            presented = await authority.check(grant.access_token)
            assert presented.members["scope"] == granted
            assert presented.members["aud"] == [client]
            assert "sub" not in presented.members
            identity = await authority.identify(grant.access_token)
            assert (identity.client_id, identity.scopes) == (client, set(granted.split()))

    run(scenario)


def test_19_secrets_work_side_by_side_until_they_are_deleted():
    async def scenario():
        async with opened() as (core, authority):
            client = await made(core)
            second = await core.submit(
                partial(clients.add_secret, client_id=client, clear="another", name="second")
            )
            assert second.last_digits == "ther"
            for secret in ("a-secret", "another"):
                await authority.authenticate(client, secret)
            await core.submit(partial(clients.delete_secret, client_id=client, secret_id=second.id))
            await authority.authenticate(client, "a-secret")
            for wrong in ("another", "", "a-secret "):
                with pytest.raises(InvalidClient):
                    await authority.grant(client, wrong)
            with pytest.raises(InvalidClient):
                await authority.grant("nobody", "a-secret")
            with pytest.raises(NotFound):
                await core.submit(partial(clients.delete_secret, client_id=client, secret_id=second.id))

    run(scenario)


def test_21_a_public_client_has_no_tokens_of_its_own():
    async def scenario():
        async with opened() as (core, authority):
            client = await made(core, ClientOptions(public=True))
            with pytest.raises(UnauthorizedClient):
                await authority.grant(client, "a-secret")
            with pytest.raises(InvalidClient):
                await authority.grant(client, "wrong")

    run(scenario)


def test_deleting_a_client_ends_its_secrets_and_not_its_tokens():
    async def scenario():
        async with opened() as (core, authority):
            client = await made(core)
            token = (await authority.grant(client, "a-secret", "ledger:read")).access_token
            await core.submit(partial(clients.update, client_id=client, options=ClientOptions()))
            assert (await authority.identify(token)).scopes == {"ledger:read"}
            assert (await authority.grant(client, "a-secret", "ledger:read")).scope == ""
            await core.submit(partial(clients.delete, client_id=client))
            assert await core.read(lambda view: view.count(SECRETS)) == 0
            with pytest.raises(InvalidClient):
                await authority.grant(client, "a-secret")
            advance(core, 3599)
            await authority.identify(token)
            advance(core, 1)
            with pytest.raises(InvalidToken, match="expired"):
                await authority.identify(token)

    run(scenario)


def test_24_a_revoked_token_is_refused_after_a_restart_too(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"

    async def first():
        async with opened(url) as (core, authority):
            client = await made(core)
            token, other = [(await authority.grant(client, "a-secret")).access_token for _ in range(2)]
            await authority.identify(token)
            await authority.revoke(token)
            await authority.revoke("rubbish")
            with pytest.raises(InvalidToken, match="revoked"):
                await authority.identify(token)
            return token, other

    token, other = run(first)

    async def later():
        async with opened(url) as (core, authority):
            with pytest.raises(InvalidToken, match="revoked"):
                await authority.identify(token)
            await authority.identify(other)
            advance(core, 4000)  # both are over: the note of the first goes with the next revocation
            client = await made(core)
            await authority.revoke((await authority.grant(client, "a-secret")).access_token)
            assert await core.read(lambda view: view.count(REVOKED)) == 1

    run(later)


def test_static_clients_have_tokens_and_are_not_shown():
    async def scenario():
        async with opened() as (core, authority):
            for _ in range(2):  # declaring again changes nothing
                await core.submit(
                    partial(clients.declare, client_id="admin", options=READER, clear=["s", "t"])
                )
            assert (await authority.grant("admin", "t", "auth:read")).scope == "auth:read"
            assert await core.read(clients.listed) == []
            for command in (
                partial(clients.update, client_id="admin", options=READER),
                partial(clients.add_secret, client_id="admin", clear="x", name=""),
                partial(clients.delete_secret, client_id="admin", secret_id="1"),
            ):
                with pytest.raises(NotFound):
                    await core.submit(command)
            await core.submit(partial(clients.delete, client_id="admin"))
            await authority.grant("admin", "s")
            with pytest.raises(Conflict):
                await core.submit(partial(clients.create, options=READER, client_id="admin"))

    run(scenario)


def test_ids_and_the_number_of_secrets_have_bounds():
    async def scenario():
        async with opened() as (core, _):
            for bad in ("a\nb", "x" * 256):
                with pytest.raises(InvalidInput):
                    await core.submit(partial(clients.create, options=READER, client_id=bad))
            client = await made(core)
            for _ in range(CLIENT_SECRETS - 1):
                await core.submit(partial(clients.add_secret, client_id=client, clear="s", name=""))
            with pytest.raises(InvalidInput):
                await core.submit(partial(clients.add_secret, client_id=client, clear="s", name=""))

    run(scenario)


def test_no_secret_is_stored_as_it_is():
    async def scenario():
        async with opened() as (core, authority):
            await made(core, secret="a-secret")
            rows = await core.read(lambda view: view.select(SECRETS))
            assert "a-secret" not in repr(rows)
            assert "PRIVATE" not in repr(await authority.keys())

    run(scenario)


def test_the_key_is_called_id_and_lasts(tmp_path):
    url = f"sqlite:///{tmp_path}/books.db"

    async def key():
        async with opened(url, new_key=keys.generate) as (_, authority):
            return await authority.keys()

    first = run(key)
    assert [one.kid for one in first] == [claims.KEY_ID]
    assert run(key) == first


def test_an_issuer_is_called_by_the_host_that_was_asked_for():
    async def scenario():
        others = ("http://other.example", "http://third.example/api/auth")
        async with opened(others=others) as (core, authority):
            assert authority.issuer_for("other.example") == "http://other.example/api/auth"
            assert authority.issuer_for("localhost") == ISSUER
            assert authority.issuer_for("evil.example") == ISSUER
            client = await made(core)
            for host, good in (("third.example", True), ("other.example", False)):
                # Taken only if that very URL is trusted.
                issuer = authority.issuer_for(host)
                token = (await authority.grant(client, "a-secret", issuer=issuer)).access_token
                if good:
                    await authority.identify(token)
                else:
                    with pytest.raises(InvalidToken):
                        await authority.identify(token)

    run(scenario)


THEIRS = "https://idp.example/realm"
THEIR_KEY = claims.signing_key(keys.generate())


class Elsewhere:
    """An issuer somewhere else, with a key that has the same id as ours."""

    def __init__(self, **changes):
        self.asked = []
        self.documents = {
            THEIRS + remote.DISCOVERY: {"issuer": THEIRS, "jwks_uri": "https://idp.example/keys"},
            "https://idp.example/keys": {"keys": [{"kty": "EC"}, self.key()]},
            **changes,
        }

    @staticmethod
    def key(kid="id"):
        members = keys.load(THEIR_KEY).as_dict(private=False)
        return {"kty": "RSA", "use": "sig", "kid": kid, "n": members["n"], "e": members["e"]}

    async def __call__(self, url):
        self.asked.append(url)
        if url not in self.documents:
            raise Unreachable(url)
        return json.dumps(self.documents[url]).encode()


def theirs(**changes):
    return signed({"iss": THEIRS, "exp": T0 + 60, "scope": "ledger:read", **changes}, key=THEIR_KEY)


def test_tokens_of_a_trusted_issuer_elsewhere_are_taken():
    async def scenario():
        get = Elsewhere()
        async with opened(others=(THEIRS,), get=get) as (_, authority):
            for audience in ("app", ["app"]):
                identity = await authority.identify(theirs(aud=audience))
                assert (identity.client_id, identity.scopes) == ("app", {"ledger:read"})
            assert len(get.asked) == 2
            for bad in (theirs(exp=T0), theirs(iss=ISSUER), theirs(iss="https://evil.example")):
                with pytest.raises(InvalidToken):
                    await authority.identify(bad)
            ours = signed({"iss": THEIRS, "exp": T0 + 60}, key=claims.signing_key(keys.generate()))
            with pytest.raises(InvalidToken):
                await authority.identify(ours)

    run(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {
            THEIRS + remote.DISCOVERY: {
                "issuer": "https://evil.example",
                "jwks_uri": "https://idp.example/keys",
            }
        },
        {THEIRS + remote.DISCOVERY: {}},
        {
            "https://idp.example/keys": {
                "keys": [{"kty": "RSA"}, {"kty": "RSA", "kid": "id", "n": 5, "e": "x"}]
            }
        },
        {"https://idp.example/keys": []},
    ],
)
def test_an_issuer_that_does_not_describe_its_keys_is_not_believed(changes):
    async def scenario():
        async with opened(others=(THEIRS,), get=Elsewhere(**changes)) as (_, authority):
            with pytest.raises(InvalidToken):
                await authority.identify(theirs())

    run(scenario)


def test_unknown_key_ids_cost_one_fetch_in_a_while():
    async def scenario():
        now, get = [0.0], Elsewhere()
        known = RemoteKeys(THEIRS, get, lambda: now[0])
        assert len(await known.keys(None)) == 1
        for _ in range(3):
            assert await known.keys("new") == []
        assert len(get.asked) == 2
        get.documents["https://idp.example/keys"] = {"keys": [Elsewhere.key("new")]}
        now[0] = PAUSE
        assert [key.kid for key in await known.keys("new")] == ["new"]
        assert len(get.asked) == 4

    run(scenario)
