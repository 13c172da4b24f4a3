"""Bad input on every endpoint: a documented 4xx that says what is wrong, and nothing is changed (PS20, PS27, PS101).

The fuzzer of test_openapi.py makes what a schema can describe; these are bodies and queries that none can.
"""

import json
import re

import pytest

from bursar.contract.openapi import endpoints
from bursar.contract.params import Place
from bursar.piaxis.connections import PiaxisConnections
from bursar.piaxis.contract import Monitoring, WebhookEndpointsApi
from bursar.piaxis.operator import PiaxisOperator
from bursar.server.piaxis.openapi import MERCHANTS
from tests.server.piaxis.scene import MERCHANT
from tests.server.test_bad_input import BODIES

PATH = {
    "account": MERCHANT,
    "shop_domain": "a.myshopify.com",
    "kind": "payout",
    "method": "mtn",
    "currency": "UGX",
}
OPTIONAL = {"retry_refund"}
"""Whose body may be left out."""
LENIENT = {
    "release_escrow",
    "reverse_escrow",
    "cancel_disbursement",
    "release_escrow_disbursement",
    "cancel_escrow_disbursement",
    "create_oauth_client",
    "decide_shopify_session",
    "update_webhook_endpoint",
    "replay_webhook_deliveries",
}
"""Whose members are all optional: one that is not known is ignored, since newer clients send more."""


def described(resource, base):
    """Each endpoint as (name, verb, path with values, whether it reads a body, its query parameters)."""
    for endpoint in endpoints(resource):
        description = endpoint.description
        path = re.sub(r"\{(\w+)\}", lambda found: PATH.get(found[1], "mtn"), description.path)
        places = {param.place for param in endpoint.params}
        query = [param.wire_name for param in endpoint.params if param.place is Place.QUERY]
        yield endpoint.name, description.verb, base + path, bool(places & {Place.BODY, Place.MEMBER}), query


ALL = [
    *(case for group in MERCHANTS.values() for case in described(group, "/piaxis/api")),
    *described(WebhookEndpointsApi, "/piaxis"),
    *described(Monitoring, "/piaxis"),
    *described(PiaxisOperator, "/piaxis"),
    *described(PiaxisConnections, "/piaxis"),
]


@pytest.fixture
def call(http, bursar_sandbox):
    """Sends with the credentials that the path needs."""
    operator = bursar_sandbox.piaxis_operator_options()
    form = {
        "grant_type": "client_credentials",
        "client_id": operator.client_id,
        "client_secret": operator.client_secret,
    }
    path = operator.token_url.removeprefix(bursar_sandbox.url)
    http.base = ""
    token = json.loads(http.form(path, form).body)["access_token"]

    def send(verb, path, **kwargs):
        return http(verb, path, token=token if "/operator/" in path else None, **kwargs)

    return send


def refused(answer, *statuses):
    assert answer.status in statuses, (answer.status, answer.text[:200])
    found = json.loads(answer.body)["detail"]
    message = found
    if not isinstance(found, str):  # webhooks' refusals are texts (B8)
        message = found["message"] if isinstance(found, dict) else found[0]["msg"]
    assert 5 < len(message) < 500, message
    if isinstance(found, list):
        assert found[0]["loc"][0] in ("body", "query", "path", "header")
        assert found[0]["type"]


@pytest.mark.parametrize("case", [case for case in ALL if case[3]], ids=lambda case: case[0])
def test_no_endpoint_takes_a_malformed_body(http, call, case):
    name, verb, path, _, _ = case
    before = http.commit()
    for body in BODIES:
        if name in OPTIONAL and not body.strip():
            continue
        if body == b'{"no such member": 1}' and name in LENIENT:
            continue
        # Reports are bounded more tightly than anything else.
        refused(call(verb, path, body=body), 422, 413 if name == "report_client_error" else 400)
    refused(call(verb, path, body=b"0" * 1_000_001), 413)
    assert http.commit() == before


TEXTS = {"kind", "status", "external_order_id"}
"""Filters of the back office and by free text: what nothing is like, nothing is found by."""


@pytest.mark.parametrize("case", [case for case in ALL if case[4]], ids=lambda case: case[0])
def test_no_endpoint_takes_a_malformed_query(http, call, case):
    _, verb, path, _, names = case
    before = http.commit()
    for name in names:
        for value in ("%ff", "%00", "a%0A", "%ED%A0%80", f"1&{name}=1"):
            answer = call(verb, f"{path}?{name}={value}")
            if answer.status == 200 and name in TEXTS:
                assert (
                    json.loads(answer.body) in ({"accounts": []}, {"refunds": []}) or "total" in answer.text
                )
                continue
            refused(answer, 400, 422, 404)
    assert http.commit() == before


IDS = ("%00", "%ff", "%2F", "..%2f..", "a" * 5000, "%C3%A9", "%0a", "'%20OR%201=1")


@pytest.mark.parametrize("case", [case for case in ALL if "mtn" in case[2]], ids=lambda case: case[0])
def test_no_endpoint_takes_a_malformed_id(http, call, case):
    _, verb, path, reads_body, _ = case
    before = http.commit()
    for hostile in IDS:
        answer = call(verb, path.replace("mtn", hostile, 1), json={} if reads_body else None)
        assert 400 <= answer.status < 500 or verb == "GET", (hostile, answer.status, answer.text)
    assert http.commit() == before


AMOUNTS = [
    0,
    -1,
    "0",
    "-5",
    "0.00",
    "NaN",
    "Infinity",
    "1,000",
    "1e3",
    "1_000",
    "१०००",
    " 5",
    "",
    "0x10",
    "100.50",
    "1" * 400,
    True,
    None,
    [],
    {},
    "9" * 40,
    9.5e300,
]


@pytest.mark.parametrize("amount", AMOUNTS, ids=str)
def test_ps27_ps28_bad_amounts(http, amount):
    """UGX has no minor unit; amounts are plain decimals."""
    http.otp()
    before = http.commit()
    info = {"phone_number": "+256700000000", "otp": "123456"}
    body = {"amount": amount, "currency": "UGX", "payment_method": "mtn", "user_info": info}
    refused(http("POST", "/payments/create", json=body), 422)
    batch = {
        "recipients": [{"phone_number": "+256700000009", "amount": amount}],
        "currency": "UGX",
        "payment_method": "mtn",
    }
    refused(http("POST", "/disbursements", json=batch), 422)
    refused(http("POST", "/disbursements/quote", json=batch), 422)
    assert http.commit() == before


@pytest.mark.parametrize("amount", ["100.00", "100", 100, 100.0])
def test_ps28_good_amounts(http, amount):
    assert json.loads(http.pay(amount=amount).body)["amount"] == "100.00"


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "XXX"},
        {"currency": "ugx"},
        {"currency": "UGXX"},
        {"currency": None},
        {"payment_method": "cash"},
        {"payment_method": 1},
        {"user_info": "x"},
        {"user_info": {"phone_number": "0700000000"}},
        {"user_info": {"phone_number": "+0700000000"}},
        {"user_info": {"phone_number": "+2567000000001234"}},
        {"user_info": {"phone_number": 256700000000}},
        {"user_info": {"phone_number": "+256700000000", "email": "no"}},
        {"products": {}},
        {"products": [1]},
        {"customer_pays_fees": "yes"},
        {"recipient_id": ""},
        {"mfa_code": 5},
    ],
    ids=str,
)
def test_ps20_ps29_bad_payments(http, change):
    http.otp()
    before = http.commit()
    info = {"phone_number": "+256700000000", "otp": "123456"}
    body = {"amount": "100", "currency": "UGX", "payment_method": "mtn", "user_info": info} | change
    refused(http("POST", "/payments/create", json=body), 422, 400)
    assert http.commit() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": None, "phone_number": None},
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a b@example.com"},
        {"phone_number": "256700000000"},
        {"phone_number": "+256 700"},
        {"phone_number": "+256700000000\n"},
        {"email": "a@example.com\n"},
    ],
    ids=str,
)
def test_ps20_where_no_code_can_be_sent(http, body):
    before = http.commit()
    refused(http("POST", "/request-otp", json=body), 422)
    assert http.commit() == before


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1e1",
        "offset=-1",
        "from_date=yesterday",
        "to_date=2026-13-01",
        "offset=9" + "9" * 30,
    ],
)
@pytest.mark.parametrize("path", ["/merchant-payments", "/disbursements"])
def test_ps38_bad_pages(http, path, query):
    refused(http("GET", f"{path}?{query}"), 422)


def test_ps114_reports_are_bounded(http, bursar_sandbox):
    report = {"source": "s", "severity": "error", "name": "n", "message": "m"}
    path = "/piaxis/monitoring/client-errors"
    assert http("POST", path, json=report, key=None).status == 202
    assert http("POST", path, json={**report, "message": "m" * 4001}, key=None).status == 422
    assert http("POST", path, body=b"x" * 70_000, key=None).status == 413
    answers = [http("POST", path, json=report, key=None) for _ in range(120)]
    assert [answer.status for answer in answers[:117]] == [202] * 117
    assert answers[-1].status == 429
    assert 0 < int(answers[-1].headers.get("retry-after")) <= 60
    bursar_sandbox.clock.advance(60)
    assert http("POST", path, json=report, key=None).status == 202
