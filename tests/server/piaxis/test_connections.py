"""OAuth clients, redirect URIs, consents (PS09) and Shopify stores (PS115), from both sides."""

import json

import pytest

from bursar.piaxis import PiaxisApiError
from tests.server.piaxis.scene import CLIENT, CUSTOMER, KEY, MERCHANT, detail


@pytest.fixture
def operator(bursar_sandbox):
    client = bursar_sandbox.piaxis_operator()
    client.list_fees()  # the first token makes the key that signs it
    return client


def test_a_new_merchant_can_be_consented_to(http, operator):
    made = operator.create_account({"kind": "merchant", "name": "Second Merchant"})
    key = operator.create_key(made.id, {"label": "first"}).key
    client = operator.create_oauth_client(made.id, {})
    operator.add_redirect_uri(made.id, {"uri": "https://second.example.com/back"})
    code = http.code(merchant_id=made.id, redirect_uri="https://second.example.com/back", key=key)
    tokens = http.exchange(
        code,
        redirect_uri="https://second.example.com/back",
        client_id=client.client_id,
        client_secret=client.client_secret,
    )
    assert json.loads(tokens.body)["user_id"] == CUSTOMER
    assert client.client_secret not in repr(client)


@pytest.mark.parametrize(
    "uri",
    [
        "http://merchant.example.com/back",
        "ftp://merchant.example.com/",
        "javascript:alert(1)",
        "/back",
        "https://",
        "https://user:secret@merchant.example.com/",
        "https://merchant.example.com/#part",
        "https://merchant.example.com/#",
        "https://*.example.com/",
        "https://merchant.example.com/a b",
        "https://merchant.example.com:99999/",
        "https://mérchant.example.com/",
        "https://merchant.example.com\\@evil.example.com/",
        "http://localhost.example.com/",
    ],
)
def test_ps09_what_cannot_be_registered(http, operator, uri):
    before = http.commit()
    with pytest.raises(PiaxisApiError) as refused:
        operator.add_redirect_uri(MERCHANT, {"uri": uri})
    assert refused.value.status_code == 400
    assert http.commit() == before


def test_a_redirect_uri_that_was_taken_back_is_refused(http, operator):
    known = operator.list_redirect_uris(MERCHANT).uris
    uri = "https://merchant.example.com/oauth/callback"
    assert uri in known
    assert uri not in operator.remove_redirect_uri(MERCHANT, {"uri": uri}).uris
    with pytest.raises(PiaxisApiError, match="not registered"):
        operator.remove_redirect_uri(MERCHANT, {"uri": uri})
    query = f"/authorize?merchant_id={MERCHANT}&external_user_id=1&redirect_uri={uri}"
    assert http("GET", query, key=None).status == 400


def test_a_customer_withdraws_what_he_allowed(http, operator):
    first, second = http.tokens(), http.tokens(external_user_id="customer-2")
    assert operator.revoke_consents(CUSTOMER, {"reason": "asked for it", "merchant": "other"}).count == 0
    assert operator.revoke_consents(CUSTOMER, {"reason": "asked for it"}).count == 2
    for tokens in (first, second):
        assert http("GET", "/payments/x", token=tokens["access_token"]).status == 401
        assert http.refresh(tokens["refresh_token"]).status == 400
    assert operator.revoke_consents(CUSTOMER, {"reason": "again"}).count == 0


def test_a_client_ends_with_its_tokens(http, operator):
    tokens = http.tokens()
    operator.revoke_oauth_client(CLIENT["client_id"], {"reason": "leaked"})
    assert http("GET", "/payments/x", token=tokens["access_token"]).status == 401
    assert "leaked" in [entry.reason for entry in operator.list_audit().entries]


class TestShopify:
    STORE = {"store_id": "store-1", "shop_domain": "demo-shop.myshopify.com"}  # noqa: RUF012 - not changed

    def connect(self, http, **changes):
        return http("POST", "/platforms/shopify/connect", json=self.STORE | changes)

    def test_ps115_connecting_gives_the_address_where_the_owner_agrees(self, http):
        answer = json.loads(self.connect(http).body)
        assert answer["install_url"].startswith("https://demo-shop.myshopify.com/admin/oauth/authorize?")
        assert (answer["shop_domain"], answer["payment_mode"]) == ("demo-shop.myshopify.com", "direct")
        assert json.loads(self.connect(http, payment_mode="escrow").body)["payment_mode"] == "escrow"

    @pytest.mark.parametrize(
        "domain", ["demo", "evil.com", "a.myshopify.com.evil.com", "-a.myshopify.com", "a/b"]
    )
    def test_what_is_no_store(self, http, domain):
        before = http.commit()
        assert self.connect(http, shop_domain=domain).status == 422
        assert http.commit() == before

    def test_ps115_sessions_are_pending_then_resolved_or_rejected(self, http, operator):
        self.connect(http)
        seen = []
        for decision in ({}, {"reject_reason": "card declined"}):
            checkout = {"shop_domain": "demo-shop.myshopify.com", "amount": "10000", "currency": "UGX"}
            session = operator.open_shopify_session(checkout).session_id
            seen.append(json.loads(http("GET", f"/platforms/shopify/sessions/{session}").body))
            operator.decide_shopify_session(session, decision)
            seen.append(json.loads(http("GET", f"/platforms/shopify/sessions/{session}").body))
            with pytest.raises(PiaxisApiError) as ended:
                operator.decide_shopify_session(session, decision)
            assert ended.value.status_code == 409
        assert [one["status"] for one in seen] == ["pending", "resolved", "pending", "rejected"]
        assert seen[0].keys() == {
            "session_id",
            "status",
            "amount",
            "currency",
            "store_name",
            "shop_domain",
            "test_mode",
            "methods",
            "reject_reason",
        }
        assert seen[0]["amount"] == "10000.00"
        assert seen[3]["reject_reason"] == "card declined"

    def test_disconnecting_ends_checkouts(self, http, operator):
        self.connect(http)
        path = "/platforms/shopify/connect/demo-shop.myshopify.com"
        for _ in range(2):
            answer = json.loads(http("DELETE", path).body)
            assert answer == {"shop_domain": "demo-shop.myshopify.com", "status": "disabled"}
        checkout = {"shop_domain": "demo-shop.myshopify.com", "amount": "1", "currency": "UGX"}
        with pytest.raises(PiaxisApiError) as refused:
            operator.open_shopify_session(checkout)
        assert refused.value.status_code == 404

    def test_a_store_is_one_merchants_and_its_owners(self, http, operator):
        made = operator.create_account({"kind": "merchant", "name": "Second Merchant"})
        owner = operator.create_key(made.id, {"label": "owner"}).key
        clerk = operator.create_key(made.id, {"label": "clerk", "owner": False}).key
        self.connect(http)
        body = self.STORE
        taken = http("POST", "/platforms/shopify/connect", json=body, key=owner)
        assert (taken.status, detail(taken)[0]) == (409, "SHOP_TAKEN")
        refused = http("POST", "/platforms/shopify/connect", json=body, key=clerk)
        assert (refused.status, detail(refused)[0]) == (403, "OWNER_REQUIRED")
        assert http("DELETE", f"/platforms/shopify/connect/{body['shop_domain']}", key=owner).status == 404
        http("DELETE", f"/platforms/shopify/connect/{body['shop_domain']}", key=KEY)
        assert http("POST", "/platforms/shopify/connect", json=body, key=owner).status == 200
