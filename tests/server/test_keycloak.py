"""The token endpoint as Keycloak has it (MS01 to MS06), JWKS and discovery."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

GOOD = {"grant_type": "client_credentials", "client_id": "bank-alpha", "client_secret": "alpha-secret"}


def basic(text):
    return ("authorization", "Basic " + base64.b64encode(text.encode()).decode())


def test_ms01_ms02_credentials_give_a_token_with_keycloaks_members(http):
    answer = http.form(GOOD)
    assert answer.status == 200
    assert answer.media_type == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = json.loads(answer.body)
    assert body.keys() == {
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    }
    assert body["token_type"] == "Bearer"
    assert type(body["expires_in"]) is int
    assert body["refresh_expires_in"] == 0


def test_ms03_the_token_names_the_client_and_verifies_with_the_published_keys(http):
    published = json.loads(http("GET", "/milkyway/realms/sandbox/protocol/openid-connect/certs").body)
    assert all("d" not in key and "p" not in key for key in published["keys"])
    decoded = jwt.decode(http.token(), KeySet.import_key_set(published), algorithms=["RS256"])
    assert decoded.claims["azp"] == "bank-alpha"
    assert decoded.claims["typ"] == "Bearer"
    assert {"iss", "sub", "exp", "iat", "jti"} <= decoded.claims.keys()


def test_discovery_leads_to_the_endpoints(http):
    found = json.loads(http("GET", "/milkyway/realms/sandbox/.well-known/openid-configuration").body)
    path = found["token_endpoint"].removeprefix(http.engine.url)
    assert http.form(GOOD, path=path).status == 200
    assert http("GET", found["jwks_uri"].removeprefix(http.engine.url)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"client_id": "nobody"},
        {"client_secret": ""},
        {"client_id": "", "client_secret": ""},
        {"client_secret": "alpha-secret "},
        {"client_secret": "😀"},
    ],
)
def test_ms04_wrong_secret_and_unknown_client_look_the_same(http, changes):
    answer = http.form({**GOOD, **changes})
    assert answer.status == 401
    assert json.loads(answer.body) == {
        "error": "invalid_client",
        "error_description": "Invalid client or Invalid client credentials",
    }


def test_ms05_other_grants_are_refused(http):
    answer = http.form({**GOOD, "grant_type": "password"})
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "unsupported_grant_type")
    missing = http.form({"client_id": "bank-alpha"})
    assert (missing.status, json.loads(missing.body)["error"]) == (400, "invalid_request")


def test_ms06_http_basic_is_accepted(http):
    grant = {"grant_type": "client_credentials"}
    assert http.form(grant, headers=[basic("bank-alpha:alpha-secret")]).status == 200
    assert (
        http.form({**grant, "client_id": "bank-alpha"}, headers=[basic("bank-alpha:alpha-secret")]).status
        == 200
    )
    wrong = http.form(grant, headers=[basic("bank-alpha:wrong")])
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic /w==", "é"])
def test_malformed_authorization_is_a_wrong_client(http, header):
    answer = http.form({"grant_type": "client_credentials"}, headers=[("authorization", header)])
    assert answer.status == 401


def test_rfc_6749_two_ways_to_authenticate_at_once_are_refused(http):
    assert http.form(GOOD, headers=[basic("bank-alpha:alpha-secret")]).status == 401


def test_ms01_a_body_that_is_no_form_is_refused(http):
    path = "/milkyway/realms/sandbox/protocol/openid-connect/token"
    assert http("POST", path, json=GOOD).status == 415
    assert http("GET", path).status == 405
    form = ("content-type", "application/x-www-form-urlencoded")
    for body in (b"grant_type=a&grant_type=b", b"grant_type=%ff", b"\xff\xfe", b"&" * 200, b""):
        assert http("POST", path, body=body, headers=[form]).status == 400
    assert http("POST", path, body=b"a=" + b"a" * 20_000, headers=[form]).status == 413


def test_another_realm_does_not_exist(http):
    answer = http.form(GOOD, path="/milkyway/realms/master/protocol/openid-connect/token")
    assert answer.status == 404


def test_scopes_that_a_client_has_not_are_refused(http):
    answer = http.form({**GOOD, "scope": "everything"})
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_scope")
