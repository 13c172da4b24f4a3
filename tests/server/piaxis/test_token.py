"""``/token`` and what tokens open (PS10 to PS19): RFC 6749, 7636 and 9700 as a client sees them."""

import base64
import json
from urllib.parse import urlencode

import pytest

from tests.server.piaxis.scene import CALLBACK, CLIENT, KEY, VERIFIER, challenge, detail

PKCE = {"code_challenge": challenge(), "code_challenge_method": "S256"}


def error(answer):
    """The error in both forms (E25): RFC 6749's members, and `detail`."""
    body = json.loads(answer.body)
    assert body["detail"] == {"code": body["error"], "message": body["error_description"]}
    return answer.status, body["error"]


def works(http, token) -> bool:
    """Whether an access token opens anything."""
    answer = http("GET", "/payments/none", token=token)
    assert answer.status in (401, 404)
    return answer.status == 404


def test_ps16_the_answer_has_the_documented_members(http):
    answer = http.exchange(http.code())
    body = json.loads(answer.body)
    assert answer.status == 200
    assert answer.headers.get("cache-control") == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert body["user_id"] == "22222222-2222-4222-8222-222222222222"
    assert len(body["access_token"]) >= 43
    assert len(body["refresh_token"]) >= 43


def test_ps15_old_clients_send_everything_in_the_query(http):
    fields = {"grant_type": "authorization_code", "code": http.code(), "redirect_uri": CALLBACK, **CLIENT}
    answer = http("POST", f"/token?{urlencode(fields)}", key=None)
    assert json.loads(answer.body)["token_type"] == "bearer"


def test_a_client_may_use_http_basic(http):
    basic = base64.b64encode(b"piaxis-sandbox-client:piaxis-sandbox-secret").decode()
    fields = {"grant_type": "authorization_code", "code": http.code(), "redirect_uri": CALLBACK}
    assert http.form("/token", fields, authorization=f"Basic {basic}").status == 200
    twice = http.form("/token", {**fields, **CLIENT}, authorization=f"Basic {basic}")
    assert error(twice) == (400, "invalid_request")


def test_credentials_of_the_api_do_not_disturb(http):
    """Clients of the vendor send their api-key and bearer token here, too (B12)."""
    fields = {"grant_type": "authorization_code", "code": http.code(), "redirect_uri": CALLBACK, **CLIENT}
    assert http.form("/token", fields, authorization="Bearer old", api_key=KEY).status == 200


def test_ps10_a_code_lives_five_minutes(http, bursar_sandbox):
    code = http.code()
    bursar_sandbox.clock.advance(299)
    assert http.exchange(code).status == 200
    code = http.code()
    bursar_sandbox.clock.advance(300)
    assert error(http.exchange(code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": f"{CALLBACK}/"},
        {"redirect_uri": "http://localhost/oauth/callback"},
        {"code": "x" * 43},
        {"code": "\x00"},
    ],
)
def test_ps10_a_code_is_bound_to_what_it_was_asked_with(http, changes):
    code = http.code()
    before = http.commit()
    assert error(http.exchange(**{"code": code, **changes})) == (400, "invalid_grant")
    assert http.commit() == before
    assert http.exchange(code).status == 200  # an honest mistake costs nothing


@pytest.mark.parametrize(
    "verifier", [None, "w" * 64, "short", VERIFIER[:-1], VERIFIER + "v", "é" * 64, challenge()]
)
def test_ps12_without_its_verifier_a_code_is_worth_nothing(http, verifier):
    code = http.code(**PKCE)
    assert error(http.exchange(code, verifier=verifier)) == (400, "invalid_grant")
    assert http.exchange(code, verifier=VERIFIER).status == 200


def test_ps13_a_verifier_without_challenge_is_refused(http):
    """Somebody took the challenge out of the request (RFC 9700 section 4.8.2)."""
    assert error(http.exchange(http.code(), verifier=VERIFIER)) == (400, "invalid_grant")


def test_ps19_a_code_used_twice_ends_the_tokens_of_the_first_time(http):
    code = http.code()
    first = json.loads(http.exchange(code).body)
    assert works(http, first["access_token"])
    assert error(http.exchange(code)) == (400, "invalid_grant")
    assert not works(http, first["access_token"])
    assert error(http.refresh(first["refresh_token"])) == (400, "invalid_grant")


def test_ps17_refreshing_rotates(http):
    first = http.tokens()
    second = json.loads(http.refresh(first["refresh_token"]).body)
    assert second["refresh_token"] != first["refresh_token"]
    assert second["user_id"] == first["user_id"]
    assert works(http, second["access_token"])
    assert json.loads(http.refresh(second["refresh_token"]).body)["expires_in"] == 3600


def test_ps17_reuse_of_a_refresh_token_revokes_the_family(http):
    first, other = http.tokens(), http.tokens(external_user_id="customer-2")
    second = json.loads(http.refresh(first["refresh_token"]).body)
    assert error(http.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert not works(http, second["access_token"])
    assert error(http.refresh(second["refresh_token"])) == (400, "invalid_grant")
    assert works(http, other["access_token"])


def test_an_access_token_lives_an_hour_and_a_refresh_token_a_month(http, bursar_sandbox):
    tokens = http.tokens()
    bursar_sandbox.clock.advance(3599)
    assert works(http, tokens["access_token"])
    bursar_sandbox.clock.advance(1)
    assert not works(http, tokens["access_token"])
    tokens = json.loads(http.refresh(tokens["refresh_token"]).body)
    bursar_sandbox.clock.advance(30 * 86_400)
    assert error(http.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_what_expired_is_forgotten(http, bursar_sandbox):
    """Codes and tokens leave the database a day after they expired; consents stay."""
    http.tokens()
    bursar_sandbox.clock.advance(32 * 86_400)
    assert bursar_sandbox.clock.state().next_due is None


def test_a_refresh_may_narrow_the_scope_and_never_widen_it(http):
    tokens = http.tokens(scope="payments:create payments:read")
    narrow = json.loads(http.refresh(tokens["refresh_token"], scope="payments:read").body)
    assert narrow["scope"] == "payments:read"
    assert error(http.refresh(narrow["refresh_token"], scope="payments:create")) == (400, "invalid_scope")


def test_an_access_token_is_no_refresh_token_and_the_reverse(http):
    tokens = http.tokens()
    assert error(http.refresh(tokens["access_token"])) == (400, "invalid_grant")
    assert not works(http, tokens["refresh_token"])


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"client_id": "nobody"},
        {"client_id": "piaxis-sandbox-client\x00"},
        {"client_secret": ""},
        {"client_id": ""},
    ],
)
def test_ps18_a_wrong_client(http, changes):
    answer = http.exchange(http.code(), **changes)
    assert error(answer) == (401, "invalid_client")


def test_ps18_does_not_say_what_is_wrong(http):
    wrong, unknown = http.exchange("x", client_secret="wrong"), http.exchange("x", client_id="nobody")
    assert wrong.body == unknown.body


@pytest.mark.parametrize(
    ("fields", "status", "name"),
    [
        ({}, 401, "invalid_client"),
        ({**CLIENT}, 400, "invalid_request"),
        ({**CLIENT, "grant_type": ""}, 400, "invalid_request"),
        ({**CLIENT, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**CLIENT, "grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({**CLIENT, "grant_type": "authorization_code"}, 400, "invalid_request"),
        ({**CLIENT, "grant_type": "authorization_code", "code": "x"}, 400, "invalid_request"),
        ({**CLIENT, "grant_type": "refresh_token"}, 400, "invalid_request"),
        ({**CLIENT, "grant_type": "refresh_token", "refresh_token": "x" * 9000}, 400, "invalid_grant"),
    ],
)
def test_bad_requests_change_nothing(http, fields, status, name):
    before = http.commit()
    assert error(http.form("/token", fields)) == (status, name)
    assert http.commit() == before


@pytest.mark.parametrize("body", [b"", b"%ff=1", b"\xff", b"grant_type=a&grant_type=b", b"{}", b"&" * 400])
def test_what_is_no_form_is_an_oauth_error(http, body):
    before = http.commit()
    answer = http(
        "POST", "/token", body=body, key=None, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert error(answer)[0] in (400, 401)
    assert http.commit() == before


def test_too_large_a_form(http):
    answer = http.form("/token", {"code": "x" * 20_000})
    assert (answer.status, detail(answer)[0]) == (413, "TOO_LARGE")
