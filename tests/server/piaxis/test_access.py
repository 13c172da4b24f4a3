"""Who may call (PS01 to PS06), what an error looks like (PS101 to PS103), and replays (PS97 to PS100)."""

import json

import pytest

from bursar.engine.piaxis import merchants, oauth_apps
from tests.server.piaxis.scene import CLIENT, KEY, MERCHANT, detail

OTHER_KEY = "other-key"


def submit(engine, command):
    """Do what an operator would."""
    return engine._loop.submit(engine._runtime.core.submit(command)).result()


@pytest.fixture
def other(bursar_sandbox):
    """A second merchant with a key and a client."""

    def make(view):
        account = merchants.create_account(view, "test", merchants.MERCHANT, "Other Merchant")
        merchants.add_key(view, "test", account.id, OTHER_KEY, sandbox=True)
        oauth_apps.add(view, "other-client", account.id, "other-secret", sandbox=True)
        return account.id

    return submit(bursar_sandbox, make)


@pytest.mark.parametrize(
    ("key", "code"), [(None, "NOT_AUTHENTICATED"), ("wrong", "INVALID_API_KEY"), ("", "INVALID_API_KEY")]
)
def test_ps01_without_a_good_key(http, key, code):
    answer = http("GET", "/merchant-payments", key=key)
    assert (answer.status, detail(answer)[0]) == (401, code)
    assert answer.headers.get("www-authenticate")


def test_ps02_a_revoked_key_is_refused_at_once(http, bursar_sandbox):
    assert http("GET", "/merchant-payments").status == 200
    submit(bursar_sandbox, lambda view: merchants.revoke_key(view, "test", merchants.by_key(view, KEY)))
    assert http("GET", "/merchant-payments").status == 401


def test_ps03_a_client_that_is_named_must_be_the_merchants(http, other):
    for named, status in ((CLIENT["client_id"], 200), ("other-client", 403), ("nobody", 403), ("", 403)):
        answer = http("GET", "/disbursements", headers={"X-piaxis-Client-ID": named})
        assert answer.status == status, named


def test_ps03_a_merchant_may_want_it_named_always(http, bursar_sandbox):
    """Clients before 0.2.4 never name it, so that is a setting (B1.1, PS116)."""
    assert http("GET", "/disbursements").status == 200
    change = {"require_client_id": True}
    submit(bursar_sandbox, lambda view: merchants.set_profile(view, "test", MERCHANT, change))
    answer = http("GET", "/disbursements")
    assert (answer.status, detail(answer)[0]) == (400, "CLIENT_ID_REQUIRED")
    assert http("GET", "/disbursements", headers={"x-piaxis-client-id": CLIENT["client_id"]}).status == 200
    assert http("GET", "/merchant-payments").status == 200


def test_ps04_a_customers_token_pays_the_merchant_of_the_grant(http):
    body = {"amount": "100", "currency": "UGX", "payment_method": "piaxis_external"}
    token = http.tokens()["access_token"]
    payment = json.loads(http("POST", "/payments/create", json=body, token=token).body)["payment_id"]
    assert json.loads(http("GET", f"/payments/{payment}").body)["merchant_details"]["id"] == MERCHANT
    assert http("GET", f"/payments/{payment}", token=token).status == 200


def test_ps04_a_customer_sees_only_what_is_his(http):
    payment = json.loads(http.pay().body)["payment_id"]
    assert http("GET", f"/payments/{payment}", token=http.tokens()["access_token"]).status == 404


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/merchant-payments"),
        ("GET", "/disbursements"),
        ("POST", "/request-otp"),
        ("POST", "/disbursements"),
    ],
)
def test_ps04_what_is_the_merchants_needs_his_key(http, verb, path):
    answer = http(verb, path, token=http.tokens()["access_token"], json={} if verb == "POST" else None)
    assert (answer.status, detail(answer)[0]) == (403, "API_KEY_REQUIRED")


def test_ps04_a_token_opens_what_its_scope_says(http):
    token = http.tokens(scope="payments:read")["access_token"]
    body = {"amount": "100", "currency": "UGX", "payment_method": "piaxis_external"}
    answer = http("POST", "/payments/create", json=body, token=token)
    assert (answer.status, detail(answer)[0]) == (403, "INSUFFICIENT_SCOPE")


def test_ps05_a_grant_to_another_merchant(http, other):
    token = http.tokens()["access_token"]
    headers = {"api-key": OTHER_KEY}
    answer = http("GET", "/payments/x", token=token, headers=headers)
    assert (answer.status, detail(answer)[0]) == (403, "GRANT_MISMATCH")
    assert http("GET", "/payments/x", token=token, headers={"api-key": KEY}).status == 404


def test_ps10_a_code_is_worth_nothing_to_another_merchants_client(http, other):
    code = http.code()
    stolen = http.exchange(code, client_id="other-client", client_secret="other-secret")
    assert json.loads(stolen.body)["error"] == "invalid_grant"
    assert http.exchange(code).status == 200


def test_a_revoked_client_and_its_tokens_end_at_once(http, bursar_sandbox):
    tokens = http.tokens()
    submit(bursar_sandbox, lambda view: oauth_apps.revoke(view, CLIENT["client_id"]))
    assert http("GET", "/payments/x", token=tokens["access_token"]).status == 401
    assert http.refresh(tokens["refresh_token"]).status == 401


def test_a_disabled_merchants_credentials_end_at_once(http, bursar_sandbox):
    token = http.tokens()["access_token"]
    submit(bursar_sandbox, lambda view: merchants.set_disabled(view, "test", MERCHANT, "why", disabled=True))
    assert http("GET", "/payments/x", token=token).status == 401
    assert detail(http("GET", "/merchant-payments"))[0] == "ACCOUNT_DISABLED"


def test_ps06_every_answer_names_its_request(http):
    assert http("GET", "/payments/x").headers.get("x-request-id")
    assert http("GET", "/nothing", headers={"x-request-id": "abc"}).headers.get("x-request-id") == "abc"
    assert http("POST", "/token", headers={"x-request-id": "a b"}).headers.get("x-request-id") != "a b"


def test_ps36_of_another_merchant_is_not_found(http, other):
    payment = json.loads(http.pay().body)["payment_id"]
    mine, foreign = (
        http("GET", "/payments/x", key=OTHER_KEY),
        http("GET", f"/payments/{payment}", key=OTHER_KEY),
    )
    assert mine.status == foreign.status == 404
    assert detail(mine)[0] == detail(foreign)[0]


def test_ps101_shape_errors_have_fastapis_form(http):
    answer = http("POST", "/payments/create", json={"currency": "UGX", "payment_method": "mtn"})
    assert answer.status == 422
    assert json.loads(answer.body) == {
        "detail": [{"loc": ["body", "amount"], "msg": "is required", "type": "missing"}]
    }
    deep = http(
        "POST",
        "/disbursements",
        json={"recipients": [{"amount": "x"}], "currency": "UGX", "payment_method": "mtn"},
    )
    assert json.loads(deep.body)["detail"][0]["loc"] == ["body", "recipients", 0, "amount"]
    query = http("GET", "/merchant-payments?offset=-1")
    assert json.loads(query.body)["detail"][0]["loc"] == ["query", "offset"]
    header = http("POST", "/payments/create", body=b"{", headers={})
    assert json.loads(header.body)["detail"][0]["type"] == "json_invalid"


def test_ps103_paths_and_methods(http):
    assert http("GET", "/nothing").status == 404
    answer = http("DELETE", "/payments/create")
    assert (answer.status, answer.headers.get("allow")) == (405, "POST")


BODY = {"amount": "100", "currency": "UGX", "payment_method": "piaxis_external"}


class TestReplays:
    def pay(self, http, token, body=BODY, **headers):
        return http("POST", "/payments/create", json=body, token=token, headers=headers)

    def test_ps97_the_same_bytes_and_a_sign(self, http):
        token = http.tokens()["access_token"]
        first = self.pay(http, token, **{"X-Idempotency-Key": "k"})
        before = http.commit()
        for name in ("X-Idempotency-Key", "Idempotency-Key"):  # E13
            again = self.pay(http, token, **{name: "k"})
            assert (again.status, again.body) == (first.status, first.body)
            assert again.headers.get("idempotent-replayed") == "true"
        assert http.commit()[1] == before[1]
        assert first.headers.get("idempotent-replayed") is None

    def test_ps98_another_body_or_route(self, http):
        token = http.tokens()["access_token"]
        self.pay(http, token, **{"X-Idempotency-Key": "k"})
        other = self.pay(http, token, {**BODY, "amount": "101"}, **{"X-Idempotency-Key": "k"})
        assert (other.status, detail(other)[0]) == (422, "IDEMPOTENCY_KEY_REUSED")
        batch = {
            "recipients": [{"recipient_id": "recipient-001", "amount": "1000"}],
            "currency": "UGX",
            "payment_method": "mtn",
        }
        route = http("POST", "/disbursements", json=batch, headers={"X-Idempotency-Key": "k"})
        assert route.status == 422

    def test_ps99_keys_are_the_merchants(self, http, other):
        http.pay(headers={"X-Idempotency-Key": "k"})
        http("POST", "/request-otp", json={"phone_number": "+256700000000"}, key=OTHER_KEY)
        again = http("GET", "/merchant-payments", key=OTHER_KEY)
        assert json.loads(again.body)["total"] == 0

    def test_ps100_without_a_key_each_call_counts(self, http):
        token = http.tokens()["access_token"]
        assert self.pay(http, token).body != self.pay(http, token).body

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Idempotency-Key": "a", "Idempotency-Key": "b"},
            {"X-Idempotency-Key": ""},
            {"X-Idempotency-Key": "x" * 300},
        ],
    )
    def test_e13_a_bad_key(self, http, headers):
        answer = self.pay(http, http.tokens()["access_token"], **headers)
        assert (answer.status, detail(answer)[0]) == (400, "IDEMPOTENCY_KEY_INVALID")


class TestOldClients:
    def test_ps31_mfa_code_in_the_query(self, http):
        """Its name alone must not disturb; what it does is a matter of the rail's tests."""
        http.otp()
        body = {
            "amount": "100",
            "currency": "UGX",
            "payment_method": "mtn",
            "user_info": {"phone_number": "+256700000000"},
        }
        assert detail(http("POST", "/payments/create", json=body))[0] == "OTP_REQUIRED"
        assert http("POST", "/payments/create?mfa_code=123456", json=body).status == 200

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_ps44_a_slash_at_the_end_is_no_matter(self, http, slash):
        assert http("GET", f"/merchant-payments{slash}").status == 200
        assert http("GET", f"/disbursements{slash}").status == 200
