"""The consent page and the test path (PS07 to PS14), as a browser without a screen sees them."""

import json
from urllib.parse import urlencode

import pytest

from tests.server.piaxis.conftest import Visit
from tests.server.piaxis.scene import CALLBACK, CUSTOMER, CUSTOMER_PHONE, KEY, MERCHANT, VERIFIER, detail


def test_a_customer_allows_and_the_merchant_can_use_the_wallet(http, visit):
    assert visit.open().status == 200
    assert "Piaxis Demo Merchant wants to use your Piaxis wallet" in visit.page
    assert visit.press("code", contact=CUSTOMER_PHONE).status == 200
    assert visit.press("allow", otp="123456").status == 303
    assert visit.left.startswith(f"{CALLBACK}?")
    assert visit.brought_back["state"] == "the state"  # PS11
    tokens = json.loads(http.exchange(visit.brought_back["code"], verifier=VERIFIER).body)
    assert tokens["user_id"] == CUSTOMER  # PS16
    body = {"amount": "500", "currency": "UGX", "payment_method": "piaxis_external"}
    paid = http("POST", "/payments/create", json=body, token=tokens["access_token"])
    assert json.loads(paid.body)["status"] == "succeeded"


def test_a_customer_denies(visit):
    visit.open()
    assert visit.press("deny").status == 303
    told = visit.brought_back
    assert (told["error"], told["state"]) == ("access_denied", "the state")
    assert "code" not in told


def test_denying_on_the_second_page_does_not_use_the_code_up(visit):
    visit.open()
    visit.press("code", contact=CUSTOMER_PHONE)
    visit.press("deny")
    assert visit.brought_back["error"] == "access_denied"


def test_a_wrong_code_is_said_and_five_lock_it(http, visit):
    visit.open()
    visit.press("code", contact=CUSTOMER_PHONE)
    for left in ("4 more", "3 more", "2 more", "1 more", "ask for a new one"):
        assert visit.press("allow", otp="000000").status == 400
        assert left in visit.page
    assert visit.press("allow", otp="123456").status == 400
    assert visit.press("code", contact=CUSTOMER_PHONE).status == 200
    assert visit.press("allow", otp="123456").status == 303


def test_the_page_does_not_tell_who_has_a_wallet(http, visit):
    """The same page for a stranger; no code is good."""
    visit.open()
    visit.press("code", contact=CUSTOMER_PHONE)
    known = visit.page.replace(CUSTOMER_PHONE, "X")
    visit.press("code", contact="+256799999999")
    assert visit.page.replace("+256799999999", "X") == known
    assert visit.press("allow", otp="123456").status == 400


def test_a_code_that_the_merchant_knows_is_no_consent(http, visit):
    """A merchant may ask for codes for payments, and is told them; it must not consent for its customers."""
    http.otp(CUSTOMER_PHONE)
    visit.open()
    visit.page = visit.page.replace(
        "</form>", f'<input type="hidden" name="contact" value="{CUSTOMER_PHONE}">'
    )
    assert visit.press("allow", otp="123456").status == 400


def test_asking_writes_nothing(http, visit):
    before = http.commit()
    visit.open()
    visit.press("deny")
    assert http.commit() == before


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"merchant_id": "33333333-3333-4333-8333-333333333333"}, 404, "no account"),
        ({"merchant_id": CUSTOMER}, 404, "no merchant"),
        ({"merchant_id": None}, 400, "merchant_id"),
        ({"redirect_uri": None}, 400, "redirect_uri"),
        ({"external_user_id": ""}, 400, "external_user_id"),
        ({"redirect_uri": "https://evil.example.com/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": f"{CALLBACK}/"}, 400, "not registered"),
        ({"redirect_uri": f"{CALLBACK}?a=1"}, 400, "not registered"),
        ({"redirect_uri": "https://MERCHANT.example.com/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "https://merchant.example.com:443/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "http://merchant.example.com/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "http://localhost:8000/other"}, 400, "not registered"),
        ({"redirect_uri": "https://localhost/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "http://localhost.evil.com/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "http://localhost:99999999/oauth/callback"}, 400, "not registered"),
        ({"redirect_uri": "javascript:alert(1)"}, 400, "not registered"),
        ({"redirect_uri": "x" * 4000}, 400, "not registered"),
    ],
)
def test_ps07_what_must_not_be_redirected_is_shown(http, visit, changes, status, words):
    before = http.commit()
    answer = visit.open(**changes)
    assert answer.status == status
    assert words in visit.page
    assert not visit.left
    assert http.commit() == before


def test_ps07_a_repeated_parameter_is_refused(http):
    query = urlencode([("merchant_id", MERCHANT), ("merchant_id", MERCHANT), ("external_user_id", "1")])
    assert http("GET", f"/authorize?{query}&redirect_uri={CALLBACK}", key=None).status == 400


@pytest.mark.parametrize("port", ["", ":80", ":5173", ":65535"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_ps08_on_this_machine_the_port_is_free(visit, host, port):
    visit.open(redirect_uri=f"http://{host}{port}/oauth/callback")
    visit.press("deny")
    assert visit.left.startswith(f"http://{host}{port}/oauth/callback?error=access_denied")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "payments:create root"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"external_user_id": "x" * 256}, "invalid_request"),
    ],
)
def test_ps12_what_else_is_wrong_goes_back_to_the_merchant(visit, changes, error):
    assert visit.open(**changes).status == 303
    assert visit.brought_back["error"] == error
    assert visit.brought_back["state"] == "the state"


def test_ps116_the_text_none_of_old_clients_is_nothing(visit):
    """Clients up to 0.2.4 write None for what they leave out (B12)."""
    assert visit.open(code_challenge="None", code_challenge_method="None", state="None").status == 200
    visit.press("deny")
    assert visit.brought_back["state"] == "None"


def test_the_rights_that_are_asked_for_are_shown(visit):
    visit.open(scope="payments:read")
    assert "See the payments" in visit.page
    assert "Pay from your wallet" not in visit.page


def test_what_comes_in_the_query_is_text_in_the_page(visit):
    visit.open(state='"><script>alert(1)</script>', external_user_id="<b>&")
    assert "<script" not in visit.page
    assert "<b>" not in visit.page


def test_the_page_cannot_be_framed_cached_or_scripted(visit):
    answer = visit.open()
    policy = answer.headers.get("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers.get("cache-control") == "no-store"
    assert "HttpOnly" in answer.headers.get("set-cookie")
    assert "SameSite=Lax" in answer.headers.get("set-cookie")


class TestForms:
    """A form counts only from the browser that was shown it, with what it was shown for."""

    def test_without_the_cookie(self, http, visit):
        visit.open()
        visit.cookie = ""
        assert visit.press("deny").status == 400
        assert not visit.left

    def test_with_the_cookie_of_another_browser(self, http, visit):
        other = Visit(http)
        other.open()
        visit.open()
        visit.cookie = other.cookie
        assert visit.press("code", contact=CUSTOMER_PHONE).status == 400

    @pytest.mark.parametrize("name", ["external_user_id", "redirect_uri", "state", "code_challenge", "token"])
    def test_with_a_member_changed(self, http, visit, name):
        visit.open()
        before = http.commit()
        assert (
            visit.press("code", contact=CUSTOMER_PHONE, **{name: "http://localhost/oauth/callback"}).status
            == 400
        )
        assert http.commit() == before

    def test_from_another_site(self, http, visit):
        from tests.server.piaxis.conftest import hidden

        visit.open()
        fields = {**hidden(visit.page), "step": "deny"}
        answer = http.form("/authorize", fields, cookie=visit.cookie, sec_fetch_site="cross-site")
        assert answer.status == 400

    @pytest.mark.parametrize("body", [b"", b"%ff", b"a=1&a=2", b"x" * 20_000, b"=&=&", b"token=\xff"])
    def test_that_are_none(self, http, body):
        before = http.commit()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert http("POST", "/authorize", body=body, key=None, headers=headers).status in (400, 413)
        assert http.commit() == before


class TestWithoutBrowser:
    def ask(self, http, key=KEY, **changes):
        query = {"merchant_id": MERCHANT, "external_user_id": "c", "redirect_uri": CALLBACK} | changes
        return http("GET", f"/authorize?{urlencode(query)}", key=key, headers={"x-test-request": "true"})

    def test_ps14_an_owner_gets_a_code_in_the_documented_form(self, http):
        answer = json.loads(self.ask(http, state="s").body)
        assert set(answer) == {"redirect_url", "code", "next_step", "token_parameters"}
        assert answer["redirect_url"] == f"{CALLBACK}?code={answer['code']}&state=s"
        assert json.loads(http.form("/token", answer["token_parameters"]).body)["token_type"] == "bearer"

    @pytest.mark.parametrize("key", [None, "wrong"])
    def test_ps14_for_others_the_header_means_nothing(self, http, key):
        answer = self.ask(http, key)
        assert answer.status == 200
        assert "<h1>" in answer.text

    def test_errors_are_json(self, http):
        assert self.ask(http, merchant_id=CUSTOMER).status == 404
        refused = self.ask(http, redirect_uri="https://evil.example.com/")
        assert refused.status == 400
        assert "not registered" in detail(refused)[1]
        answer = json.loads(self.ask(http, response_type="token").body)
        assert answer["error"] == answer["detail"]["code"] == "unsupported_response_type"
