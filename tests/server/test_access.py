"""Who may call what (MS07 to MS10, D17)."""

import base64
import json
from typing import Any

import pytest

from bursar.engine.auth import keys, tokens
from bursar.engine.auth.tokens import Claims
from bursar.testing.plugin import START

NOW = int(START.timestamp())
HEALTH = "/milkyway/payments/v1/healthcheck?third_party_id=bank-beta&service_id=card-payout"
ISSUER = "http://localhost/milkyway/realms/sandbox"


def claims(**changes):
    good: Any = {
        "iss": ISSUER,
        "sub": "s",
        "azp": "bank-alpha",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "j",
        "gen": 1,
    }
    return Claims(**{**good, **changes})


def refused(answer):
    assert answer.status == 401
    assert answer.media_type == "application/json"
    assert isinstance(json.loads(answer.body)["error"], str)
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    return answer


def test_a_good_token_is_let_in(http):
    assert http("GET", HEALTH, token=http.token()).text == "Service is available"
    # The key of in-memory sandboxes is shared, so a token of our own making is as good.
    assert http("GET", HEALTH, token=tokens.sign(claims(), keys.shared())).status == 200


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer é", "bearer x.y.z"]
)
def test_ms07_without_a_usable_token_the_answer_is_401(http, header):
    headers = [] if header is None else [("authorization", header)]
    refused(http("GET", HEALTH, headers=headers))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW},
        {"iss": "http://localhost/milkyway/realms/other"},
        {"iss": "http://evil.example/milkyway/realms/sandbox"},
        {"gen": 0},
        {"typ": "Refresh"},
        {"azp": "nobody"},
    ],
)
def test_ms07_a_signed_token_that_is_not_good_is_refused(http, changes):
    answer = refused(http("GET", HEALTH, token=tokens.sign(claims(**changes), keys.shared())))
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_ms07_unsigned_and_foreign_signatures_are_refused(http):
    refused(http("GET", HEALTH, token=tokens.sign(claims(), keys.generate())))
    payload = http.token().split(".")[1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    refused(http("GET", HEALTH, token=f"{unsigned}.{payload}."))


def test_ms07_a_token_expires_on_the_engines_clock(http, bursar_sandbox):
    token = http.token()
    bursar_sandbox.clock.advance(299)
    assert http("GET", HEALTH, token=token).status == 200
    bursar_sandbox.clock.advance(1)
    refused(http("GET", HEALTH, token=token))


def test_ms08_revoking_a_client_ends_its_tokens_and_the_client_replays_once_let_in_again(
    http, bursar_sandbox
):
    bank = bursar_sandbox.milkyway("bank-alpha", "alpha-secret")
    assert bank.healthcheck("bank-beta", "card-payout")
    token = http.token()
    bursar_sandbox.revoke_client("bank-alpha")
    refused(http("GET", HEALTH, token=token))
    bursar_sandbox.restore_client("bank-alpha")
    refused(http("GET", HEALTH, token=token))
    assert bank.healthcheck("bank-beta", "card-payout")  # 401, a new token, replay


def test_ms09_the_credit_party_cannot_be_sent(http):
    answer = http.pay(third_party_id_credit="bank-beta")
    assert answer.status == 400
    assert json.loads(answer.body)["errors"][0]["pointer"] == "/third_party_id_credit"


def test_ms10_a_client_without_institution_is_refused(http, bursar_sandbox):
    secret = bursar_sandbox.create_client("bank-gamma")
    refused(http("GET", HEALTH, token=http.token("bank-gamma", secret)))


def test_d17_the_back_office_needs_the_operators_role(http):
    path = "/milkyway/operator/v1/trial-balance"
    refused(http("GET", path))
    answer = http("GET", path, token=http.token())
    assert answer.status == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert http("GET", path, token=http.token("hub-operator", "operator-secret")).status == 200


def test_d17_an_operator_is_no_institution(http):
    refused(http("GET", HEALTH, token=http.token("hub-operator", "operator-secret")))


def test_a_created_client_has_a_strong_secret_and_no_default(bursar_sandbox):
    first, second = (bursar_sandbox.create_client(name, operator=True) for name in ("a", "b"))
    assert first != second
    assert len(first) == 43
    assert bursar_sandbox.operator("a", first).trial_balance().problems == []
