"""The OAuth and OpenID endpoints (section 3.2)."""

import base64
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.server.formance_auth.conftest import AUTH, LEDGER, URL, data


def basic(client, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()}


ADMIN = basic("admin", "admin-secret")


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def error(answer):
    body = data(answer)
    return answer.status, body["error"], bool(body.get("error_description"))


def test_17_a_token_says_who_and_what_and_nothing_else(stack):
    answer = stack.grant(scope="auth:read nothing auth:write")
    body = data(answer)
    assert {**body, "access_token": ""} == {"access_token": "", "token_type": "Bearer", "expires_in": 3599}
    said = claims(body["access_token"])
    now = 1_767_225_600
    assert said == {
        "aud": ["admin"],
        "exp": now + 3600,
        "iat": now,
        "iss": URL + AUTH,
        "jti": said["jti"],
        "nbf": now,
        "scope": "auth:read auth:write",
    }
    assert answer.headers["cache-control"] == "no-store"


def test_18_basic_wins_over_the_form(stack):
    body = {"grant_type": "client_credentials"}
    assert stack.form("/oauth/token", headers=ADMIN, **body).status == 200
    wrong = basic("admin", "wrong")
    right = {**body, "client_id": "admin", "client_secret": "admin-secret"}
    assert error(stack.form("/oauth/token", headers=wrong, **right)) == (401, "invalid_client", False)
    # What is no Basic field at all is as none.
    for field in ("Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Bearer x"):
        assert stack.form("/oauth/token", headers={"Authorization": field}, **right).status == 200


def test_basic_credentials_are_form_encoded(stack):
    token = stack.token()
    stack("POST", "/clients", {"id": "a:b c%"}, token=token)
    made = data(stack("POST", "/clients/a:b%20c%25/secrets", {}, token=token))
    encoded = basic("a%3Ab+c%25", made["data"]["clear"])
    assert stack.form("/oauth/token", headers=encoded, grant_type="client_credentials").status == 200
    broken = basic("a%zz", "x")
    answer = stack.form("/oauth/token", headers=broken, grant_type="client_credentials")
    assert error(answer) == (401, "invalid_client", False)


ADMINS = {"client_id": "admin", "client_secret": "admin-secret"}
WRONG = {"client_id": "admin", "client_secret": "wrong"}
PUBLIC = {"client_id": "browser"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (400, "invalid_request", True)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", True)),
        ({"grant_type": "client_credentials", **PUBLIC}, (401, "invalid_client", False)),
        ({"grant_type": "refresh_token", **ADMINS}, (400, "invalid_request", True)),
        ({"grant_type": "refresh_token", "refresh_token": "x", **ADMINS}, (400, "invalid_grant", False)),
        ({"grant_type": "refresh_token", "refresh_token": "x", **PUBLIC}, (400, "invalid_grant", False)),
        ({"grant_type": "refresh_token", "refresh_token": "x", **WRONG}, (401, "invalid_client", True)),
        (
            {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "nobody"},
            (400, "server_error", True),
        ),
        ({"grant_type": "authorization_code", **ADMINS}, (400, "invalid_request", True)),
        ({"grant_type": "authorization_code", "code": "x", **ADMINS}, (400, "invalid_grant", True)),
        ({"grant_type": "authorization_code", "code": "x", **PUBLIC}, (400, "invalid_grant", True)),
        ({"grant_type": "authorization_code", "code": "x", **WRONG}, (401, "invalid_client", True)),
        (
            {"grant_type": "authorization_code", "code": "x", "client_id": "nobody"},
            (401, "invalid_client", False),
        ),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, (400, "server_error", True)),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
            (400, "unsupported_grant_type", True),
        ),
    ],
)
def test_refusals_of_the_token_endpoint(stack, fields, expected):
    assert error(stack.form("/oauth/token", **fields)) == expected


def test_parameters_come_from_form_and_query_alike(stack):
    query = urlencode({**ADMINS, "grant_type": "client_credentials"})
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert stack(method, f"/oauth/token?{query}").status == 200
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert stack("PATCH", "/oauth/token", text=query, headers=kind).status == 200
    assert stack("DELETE", "/oauth/token", text=query, headers=kind).status == 400  # its body is not read
    assert stack("POST", "/oauth/token", text="bad=%zz&a;b&" + query, headers=kind).status == 200
    assert stack("POST", "/oauth/token", text="x" * 20_000, headers=kind).status == 413


def test_22_tokens_verify_with_the_published_key(stack):
    from joserfc import jws
    from joserfc.jwk import RSAKey

    keys = data(stack("GET", "/keys"))["keys"]
    assert [set(key) for key in keys] == [{"kid", "n", "e", "kty", "alg", "use"}]
    assert (keys[0]["kid"], keys[0]["alg"], keys[0]["use"]) == ("id", "RS256", "sig")
    token = stack.token()
    signed = jws.deserialize_compact(token, RSAKey.import_key(keys[0]), algorithms=["RS256"])
    assert signed.headers()["kid"] == "id"
    issuer = data(stack("GET", "/.well-known/openid-configuration"))["issuer"]
    assert claims(token)["iss"] == issuer


def test_23_discovery_names_endpoints_below_the_issuer(stack):
    document = data(stack("GET", "/.well-known/openid-configuration"))
    issuer = document["issuer"]
    assert issuer == URL + AUTH
    endpoints = {
        name: url for name, url in document.items() if name.endswith("_endpoint") or name == "jwks_uri"
    }
    assert len(endpoints) == 8
    for url in endpoints.values():
        assert url.startswith(issuer + "/")
        assert stack("GET", url.removeprefix(issuer)).status != 404


def test_24_introspection_tells_live_tokens_from_others(stack):
    token = stack.token("auth:read", client="admin", secret="admin-secret")
    seen = data(stack.form("/oauth/introspect", headers=basic("reader", "env-secret"), token=token))
    assert seen == {"active": True, "client_id": "admin", "token_type": "Bearer", **claims(token)}
    for other in ("", "rubbish", token[:-8] + "AAAAAAAA"):
        assert data(stack.form("/oauth/introspect", headers=ADMIN, token=other)) == {"active": False}
    for headers, fields in [({}, {}), ({}, ADMINS), (basic("admin", "wrong"), {}), (basic("no", "x"), {})]:
        answer = stack.form("/oauth/introspect", headers=headers, token=token, **fields)
        assert answer.status == 401
        assert answer.headers["content-type"].startswith("text/plain")
    stack.engine.clock.advance(3600)
    assert data(stack.form("/oauth/introspect", headers=ADMIN, token=token)) == {"active": False}


@pytest.mark.parametrize(
    ("headers", "fields"), [(ADMIN, {}), ({}, ADMINS), ({}, PUBLIC), (basic("reader", "reader-secret"), {})]
)
def test_24_a_revoked_token_is_refused_everywhere(stack, headers, fields):
    token = stack.token("auth:read")
    assert stack("GET", "/users", token=token).status == 200
    answer = stack.form("/revoke", headers=headers, token=token, **fields)
    assert (answer.status, answer.body) == (200, b"")
    assert stack("GET", "/users", token=token).status == 401
    assert stack("GET", "/userinfo", token=token).status == 401
    assert data(stack.form("/oauth/introspect", headers=ADMIN, token=token)) == {"active": False}
    assert stack.form("/revoke", headers=headers, token="rubbish", **fields).status == 200


@pytest.mark.parametrize(
    ("headers", "fields", "described"),
    [
        ({}, {}, True),
        ({}, {"client_id": "admin"}, True),
        ({}, WRONG, True),
        ({}, {"client_id": "nobody"}, False),
        (basic("admin", "wrong"), {}, True),
        (basic("nobody", "x"), {}, True),
    ],
)
def test_revocation_wants_a_client(stack, headers, fields, described):
    token = stack.token("auth:read")
    answer = stack.form("/revoke", headers=headers, token=token, **fields)
    assert error(answer) == (401, "invalid_client", described)
    assert stack("GET", "/users", token=token).status == 200


def test_no_client_token_speaks_for_a_user(stack):
    token = stack.token("openid")
    for answer in (stack("GET", "/userinfo", token=token), stack.form("/userinfo", access_token=token)):
        assert (answer.status, data(answer)) == (403, {})
    for given in (None, "rubbish"):
        answer = stack("GET", "/userinfo", token=given)
        assert answer.status == 401
        assert answer.headers["content-type"].startswith("text/plain")


CALLBACK = "http://localhost:3000/auth-callback"
GOOD = {"client_id": "browser", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"client_id": ""},
        {"client_id": "nobody"},
        {"redirect_uri": ""},
        {"redirect_uri": "http://evil.example/"},
        {"response_type": "id_token"},
        {"response_type": ""},
        {"request": "x"},
    ],
)
def test_nobody_can_log_in(stack, changes):
    answer = stack("GET", "/authorize?" + urlencode({**GOOD, **changes}))
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scope": ""}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"id_token_hint": "x"}, "login_required"),
    ],
)
def test_a_good_redirect_is_told_what_is_wrong(stack, changes, expected):
    answer = stack("GET", "/authorize?" + urlencode({**GOOD, "state": "s 1", **changes}))
    assert answer.status == 302
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == CALLBACK
    told = parse_qs(target.query)
    assert (told["error"], told["state"]) == ([expected], ["s 1"])


@pytest.mark.parametrize(
    ("changes", "expected", "where"),
    [
        ({"response_type": "id_token"}, "unauthorized_client", "fragment"),
        ({"response_type": "id_token", "response_mode": "query"}, "unauthorized_client", "query"),
        ({"response_type": ""}, "invalid_request", "query"),
        ({"response_type": "", "response_mode": "fragment"}, "invalid_request", "fragment"),
    ],
)
def test_errors_go_where_the_response_type_wants_them(stack, changes, expected, where):
    secure = "https://app.example/cb?a=1"
    stack("POST", "/clients", {"id": "web", "redirectUris": [secure]}, token=stack.token())
    request = {**GOOD, "client_id": "web", "redirect_uri": secure, **changes}
    target = urlsplit(stack("GET", "/authorize?" + urlencode(request)).headers["location"])
    assert parse_qs(getattr(target, where))["error"] == [expected]
    assert parse_qs(target.query)["a"] == ["1"]


def test_callbacks_have_nothing_to_come_back_to(stack):
    assert stack("GET", "/authorize/callback").status == 404
    assert stack("GET", "/authorize/callback?id=x").status == 400


def test_the_end_of_a_session_keeps_the_state(stack):
    assert stack("GET", "/end_session?state=a%20b").headers["location"] == "/logged-out?state=a+b"
    ignored = stack("GET", "/end_session?post_logout_redirect_uri=http%3A%2F%2Fevil.example%2F")
    assert ignored.headers["location"] == "/logged-out"
    answer = stack("GET", "/end_session?client_id=nobody")
    assert error(answer) == (400, "server_error", False)


@pytest.mark.parametrize("path", ["/healthz", "/ready", "/keys", "/.well-known/openid-configuration"])
def test_open_paths_answer_any_method(stack, path):
    assert stack("GET", path).status == stack("POST", path).status == 200


def test_browsers_of_other_origins_may_ask(stack):
    answer = stack("GET", "/keys", headers={"Origin": "http://app.example"})
    assert answer.headers["access-control-allow-origin"] == "http://app.example"
    for mount in (AUTH, LEDGER):
        asked = {"Origin": "http://app.example", "Access-Control-Request-Method": "POST"}
        preflight = stack("OPTIONS", "/oauth/token", headers=asked, mount=mount)
        assert preflight.status == 200
        # Named once: browsers refuse two.
        assert preflight.headers["access-control-allow-origin"] == "http://app.example"
        assert preflight.headers["access-control-allow-methods"] == "POST"
