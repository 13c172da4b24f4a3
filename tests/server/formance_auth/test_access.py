"""Who may call the stack's services (section 1.5; the ledger's section 17), and the gateway (section 2)."""

import base64

import pytest

from bursar.embedded import Engine
from bursar.engine.auth import keys
from bursar.engine.auth.formance import claims
from bursar.server.runtime import MEMORY, Settings
from tests.engine.auth.test_stack_claims import signed
from tests.server.formance_auth.conftest import AUTH, LEDGER, START, URL, Stack, data

NOW = START // 1_000_000
KEY = claims.signing_key(keys.shared())
ENABLED = "--auth-enabled"
SCOPED = "--auth-enabled --auth-check-scopes --auth-service=ledger"
TRANSACTION = {"postings": [{"source": "world", "destination": "bank", "amount": 100, "asset": "USD/2"}]}


def token(key=KEY, header=None, **changes):
    return signed({"iss": URL + AUTH, "exp": NOW + 60, **changes}, key=key, header=header)


def is_refused(answer):
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["content-type"] == "application/json"
    assert "www-authenticate" not in answer.headers
    return True


FORGED = {
    "none": None,
    "rubbish": "Bearer rubbish",
    "bare": token(),
    "basic": "Basic " + base64.b64encode(b"admin:admin-secret").decode(),
    "another key": "Bearer " + token(key=claims.signing_key(keys.generate())),
    "expired": "Bearer " + token(exp=NOW),
    "without exp": "Bearer " + token(exp=None),
    "not yet": "Bearer " + token(nbf=NOW + 1),
    "another issuer": "Bearer " + token(iss="http://evil.example"),
    "another key id": "Bearer " + token(header={"alg": "RS256", "kid": "x"}),
}


@pytest.mark.parametrize("field", FORGED.values(), ids=FORGED.keys())
def test_5_whoever_proves_nothing_is_refused(stacks, field):
    stack = stacks(ENABLED)
    headers = {"Authorization": "None" if field is None else field}
    for mount, paths in (
        (LEDGER, ["/v2", "/v2/_info", "/none/stats"]),
        (AUTH, ["/clients", "/users/x", "/clients/a/b"]),
    ):
        for path in paths:
            assert is_refused(stack("GET", path, headers=headers, mount=mount))


def test_248_a_good_token_does_everything_where_scopes_are_not_looked_at(stacks):
    stack = stacks(ENABLED)
    for good in (token(), token(scope="other:read")):
        for word in ("Bearer ", "bearer "):
            headers = {"Authorization": word + good}
            assert stack("GET", "/v2", headers=headers, mount=LEDGER).status == 200
            assert stack("GET", "/users", headers=headers).status == 200
    made = stack("POST", "/v2/l", token=token(), mount=LEDGER)
    assert made.status == 204
    assert stack("POST", "/v2/l/transactions", TRANSACTION, token=token(), mount=LEDGER).status == 200
    assert stack("GET", "/l/stats", token=token(), mount=LEDGER).status == 200


READS = [("GET", "/v2/l/stats"), ("HEAD", "/v2/l/accounts"), ("GET", "/v2/_info"), ("OPTIONS", "/v2/l")]
WRITES = [
    ("POST", "/v2/new"),
    ("POST", "/v2/l/transactions"),
    ("POST", "/v2/l/logs/export"),
    ("POST", "/v2/l/queries/q/run?schemaVersion=v1"),
    ("DELETE", "/v2/l/metadata/k"),
]


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("ledger:write", True, True),
        ("ledger:read", True, False),
        ("ledger:read ledger:write", True, True),
        ("  ledger:read  other ", True, False),
        ("payments:read payments:write", False, False),
        (None, False, False),
        ("", False, False),
        ("LEDGER:READ", False, False),
        ("ledger:readonly", False, False),
        ("ledger:read,ledger:write", False, False),
        (["ledger:read", "ledger:write"], False, False),
        (5, False, False),
    ],
)
def test_6_scopes_say_who_reads_and_who_writes(stacks, scope, reads, writes):
    """The scenarios of ledger/v2/auth, with tokens signed here."""
    stack = stacks(SCOPED)
    assert stack("POST", "/v2/l", token=token(scope="ledger:write"), mount=LEDGER).status == 204
    held = token(scope=scope, scp=["ledger:write"], scopes="ledger:write")
    for allowed, requests in ((reads, READS), (writes, WRITES)):
        for method, path in requests:
            answer = stack(method, path, token=held, mount=LEDGER)
            assert (answer.status != 401) if allowed else is_refused(answer)


def test_the_service_of_the_scopes_may_have_no_name(stacks):
    stack = stacks("--auth-enabled --auth-check-scopes")
    assert is_refused(stack("GET", "/v2", token=token(scope="ledger:read"), mount=LEDGER))
    assert stack("GET", "/v2", token=token(scope=":read"), mount=LEDGER).status == 200


@pytest.mark.parametrize("path", ["/_/info", "/_/healthcheck", "/_healthcheck", "/_info"])
def test_4_information_needs_no_token(stacks, path):
    assert stacks(SCOPED)("GET", path, mount=LEDGER).status == 200


def test_a_revoked_token_is_refused_by_the_ledger_too(stacks):
    stack = stacks(SCOPED)
    held = stack.token("ledger:read")
    assert stack("GET", "/v2", token=held, mount=LEDGER).status == 200
    fields = {"client_id": "admin", "client_secret": "admin-secret", "token": held}
    assert stack.form("/revoke", **fields).status == 200
    assert is_refused(stack("GET", "/v2", token=held, mount=LEDGER))


def test_a_server_that_others_reach_wants_tokens_with_scopes():
    """Also when no flag says so, or any token could make itself a client with all rights."""
    with Engine(Settings(MEMORY, URL, exposed=True)) as engine:
        stack, owner = Stack(engine), engine.formance()
        assert is_refused(stack("GET", "/v2", mount=LEDGER))
        made = owner.auth.v1.create_client({"scopes": ["ledger:read"]})
        clear = owner.auth.v1.create_secret(made.id, {"name": "s"}).clear
        held = stack.token("ledger:read", client=made.id, secret=clear)
        assert stack("GET", "/v2", token=held, mount=LEDGER).status == 200
        assert is_refused(stack("POST", "/v2/l", token=held, mount=LEDGER))
        assert is_refused(stack("POST", "/clients", {"scopes": ["auth:write"]}, token=held))
        assert is_refused(stack("GET", "/clients", token=held))


def test_without_the_sandbox_nobody_is_known():
    with Engine(Settings(MEMORY, URL)) as engine:
        for client, secret in [("admin", "admin-secret"), ("formance-sandbox", "formance-sandbox-secret")]:
            assert Stack(engine).grant(client, secret).status == 401


def test_1_the_gateway_says_what_runs(stack):
    answer = stack("GET", "/versions", mount="/formance")
    assert data(answer) == {
        "region": "local",
        "env": "local",
        "versions": [{"name": name, "version": "develop", "health": True} for name in ("auth", "ledger")],
    }
    assert stack("POST", "/versions", mount="/formance").status == 405


@pytest.mark.parametrize("path", ["/api/unknown/x", "/api/", "/api/ledgers", "/api/authx/_info"])
def test_3_an_unknown_service_is_a_bad_gateway(stack, path):
    answer = stack("GET", path, mount="/formance")
    assert (answer.status, answer.body) == (502, b"Bad Gateway")


def test_what_is_no_api_is_not_there(stack):
    assert stack("GET", "/elsewhere", mount="/formance").status == 404
