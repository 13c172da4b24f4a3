"""The back office over HTTP: who may call it, what it answers, how it says no."""

import json

import pytest

from bursar.contract import Request
from tests.server.piaxis.scene import MERCHANT

BASE = "/piaxis/operator/v1"
TOKEN = "/milkyway/realms/sandbox/protocol/openid-connect/token"


def token(http, client_id="hub-operator", secret="operator-secret"):
    body = f"grant_type=client_credentials&client_id={client_id}&client_secret={secret}".encode()
    fields = (("content-type", "application/x-www-form-urlencoded"),)
    answer = http.engine.transport().send(Request("POST", http.engine.url + TOKEN, fields, body), 10)
    return json.loads(answer.body)["access_token"]


@pytest.fixture
def office(http):
    """Sends an operator's request; gives status and JSON."""
    bearer = token(http)

    def send(verb, path, body=None):
        answer = http(verb, BASE + path, json=body, token=bearer)
        return answer.status, json.loads(answer.body)

    return send


def test_only_operators_come_in(http):
    assert http("GET", f"{BASE}/trial-balance").status == 401, "an API key is not enough"
    assert http("GET", f"{BASE}/trial-balance", token=token(http, "bank-alpha", "alpha-secret")).status == 403
    assert http("GET", f"{BASE}/trial-balance", token="nonsense").status == 401


def test_a_new_merchant_gets_paid(http, office):
    status, made = office("POST", "/accounts", {"kind": "merchant", "name": "Second Shop"})
    assert status == 200
    assert made["profile"]["funding"] == "async"
    status, key = office("POST", f"/accounts/{made['id']}/keys", {"label": "till"})
    assert http("GET", "/merchant-payments", key=key["key"]).status == 200
    assert office("POST", f"/keys/{key['id']}/revoke")[0] == 200
    assert http("GET", "/merchant-payments", key=key["key"]).status == 401


def test_fees_are_quoted(http, office):
    settings = {"percent": 1.5, "minimum": 100}
    assert office("PUT", "/fees/payout/mtn/UGX", settings)[0] == 200
    batch = {
        "recipients": [{"phone_number": "+256700000000", "amount": "20000"}],
        "currency": "UGX",
        "payment_method": "mtn",
    }
    quote = json.loads(http("POST", "/disbursements/quote", json=batch).body)
    assert (quote["total_fees"], quote["total_debit"]) == ("300.00", "20300.00")
    assert office("GET", "/fees")[1]["fees"][0]["settings"]["percent"] == 1.5


def disputed(http):
    """An escrow of 50000 with a slice of 20000, disputed; gives its id and the dispute's."""
    escrow = {
        "amount": "50000",
        "currency_code": "UGX",
        "payment_method": "mtn",
        "terms": [{"type": "manual_release", "data": {}}],
        "allocations": [{"allocation_key": "a", "amount": "20000"}],
    }
    customer = {"email": "buyer@example.com", "phone_number": "+256700000000"}
    otp = json.loads(http("POST", "/request-otp", json=customer).body)["otp"]
    body = {**escrow, "user_info": {**customer, "otp": otp}}
    made = json.loads(http("POST", "/escrows/", json=body).body)
    answer = http("POST", f"/escrows/{made['id']}/disputes", json={"reason": "never came"})
    return made["id"], json.loads(answer.body)["dispute_id"]


def test_a_dispute_is_resolved_by_dividing_what_is_held(http, office):
    escrow, dispute = disputed(http)
    listed = office("GET", "/disputes")[1]["disputes"]
    assert [(each["id"], each["escrow"], each["held"], each["outcome"]) for each in listed] == [
        (dispute, escrow, 50000, None)
    ]
    too_little = {"release": 30000, "reverse": 10000, "reason": "photos"}
    status, answer = office("POST", f"/disputes/{dispute}/resolve", too_little)
    assert status == 422
    assert "50000.00" in json.dumps(answer)
    status, done = office("POST", f"/disputes/{dispute}/resolve", {**too_little, "reverse": 20000})
    assert (status, done["outcome"], done["released"], done["reversed"]) == (200, "resolved", 30000, 20000)
    assert (done["held"], done["decided_by"], done["why"]) == (0, "hub-operator", "photos")
    assert office("GET", "/disputes")[1]["disputes"] == []
    assert office("POST", f"/disputes/{dispute}/dismiss", {"reason": "x"})[0] == 409
    assert json.loads(http("GET", f"/escrows/{escrow}").body)["balance_escrow_out"] == "50000.00"
    assert office("GET", "/trial-balance")[1]["problems"] == []


def test_a_dismissed_dispute_lets_the_escrow_go_on(http, office):
    escrow, dispute = disputed(http)
    assert http("POST", f"/escrows/{escrow}/release", json={}).status == 409
    status, done = office("POST", f"/disputes/{dispute}/dismiss", {"reason": "no evidence"})
    assert (status, done["outcome"], done["held"]) == (200, "dismissed", 50000)
    assert http("POST", f"/escrows/{escrow}/release", json={}).status == 200
    assert office("POST", "/disputes/none/dismiss", {"reason": "x"})[0] == 404


def test_the_books_are_in_order(office):
    status, balance = office("GET", "/trial-balance")
    assert status == 200
    assert balance["problems"] == []
    assert set(balance["sums"].values()) == {0}
    status, trail = office("GET", "/audit?limit=1")
    assert trail["next"] == trail["entries"][0]["id"]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("POST", "/accounts", {"kind": "pope", "name": "Francis"}, 400),
        ("POST", "/accounts", {"kind": "user"}, 400),
        ("POST", "/accounts", {"kind": "merchant", "name": "Again", "id": MERCHANT}, 409),
        ("GET", "/accounts/nobody", None, 404),
        ("GET", "/accounts?limit=0", None, 400),
        ("PUT", f"/accounts/{MERCHANT}/profile", {"batch_delay_ms": -1}, 400),
        ("PUT", f"/accounts/{MERCHANT}/profile", {"mfa_above": {"XXX": 1}}, 400),
        ("PUT", "/fees/tax/mtn/UGX", {}, 400),
        ("PUT", "/providers/shells/rules", {"rules": []}, 400),
        ("PUT", "/providers/mtn/rules", {"rules": [{"behaviour": "dance"}]}, 400),
        ("POST", "/instructions/none/report", {"result": "succeeded", "reason": "x"}, 404),
        ("POST", "/instructions/none/report", {"result": "perhaps", "reason": "x"}, 400),
        ("POST", "/suspense/none/settle", {"reason": "x"}, 404),
        ("POST", "/refunds/none/retry", {"reason": "x"}, 404),
        ("POST", "/payments/none/refund", {"reason": "x"}, 404),
        (
            "POST",
            "/wallets/withdraw",
            {"account": MERCHANT, "amount": 10**12, "currency": "UGX", "reason": "x"},
            402,
        ),
        (
            "POST",
            "/wallets/fund",
            {"account": MERCHANT, "amount": 1.5, "currency": "UGX", "reason": "x"},
            400,
        ),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(http, office, verb, path, body, status):
    office("GET", "/trial-balance")
    before = http.commit()
    found, answer = office(verb, path, body)
    assert found == status, answer
    assert "detail" in answer
    assert http.commit() == before
