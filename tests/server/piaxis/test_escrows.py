"""Escrows over HTTP: routes, statuses, and what happens when two ask at once (PS44, PS54 to PS64, PS76 to PS78)."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter

import pytest

from bursar.testing import SandboxServer
from tests.server.piaxis.scene import KEY, detail

BUYER = {"phone_number": "+256700000000", "otp": "123456"}


def terms(*types):
    return [{"type": name, "data": {}} for name in types]


@pytest.fixture
def opened(http):
    """Opens an escrow and returns it."""

    def open_(path="/escrows/", **changes):
        http.otp()
        body = {
            "amount": "50000",
            "currency_code": "UGX",
            "payment_method": "mtn",
            "terms": terms("manual_release"),
            "user_info": BUYER,
            "allocations": [
                {"allocation_key": "alpha", "amount": "20000"},
                {"allocation_key": "beta", "amount": "30000"},
            ],
        } | changes
        answer = http("POST", path, json=body)
        assert answer.status == 200, answer.text
        return json.loads(answer.body)

    return open_


@pytest.mark.parametrize("path", ["/escrows", "/escrows/"])
def test_ps44_with_and_without_the_slash(http, opened, path):
    escrow = opened(path)
    assert http("GET", f"/escrows/{escrow['id']}").status == 200
    assert json.loads(http("GET", path).body)["total"] == 1  # E29


def test_ps54_unmet_terms_name_themselves(http, opened):
    escrow = opened(terms=terms("meeting_delivery"))
    answer = http("POST", f"/escrows/{escrow['id']}/release", json={})
    assert (answer.status, detail(answer)[0]) == (409, "TERMS_NOT_MET")
    assert escrow["terms"][0]["term_id"] in answer.text


def test_ps55_force_needs_an_owner_and_a_reason(http, opened, bursar_sandbox):
    escrow = opened(terms=terms("meeting_delivery"))
    path = f"/escrows/{escrow['id']}/release"
    assert http("POST", path, json={"force": True}).status == 422
    merchant = escrow["receiver_id"]
    clerk = bursar_sandbox.piaxis_operator().create_key(merchant, {"label": "clerk", "owner": False}).key
    refused = http("POST", path, json={"force": True, "reason": "r"}, key=clerk)
    assert (refused.status, detail(refused)[0]) == (403, "OWNER_REQUIRED")
    assert json.loads(http("POST", path, json={"force": True, "reason": "r"}).body)["force"] is True


def test_ps76_ps77_a_dispute_freezes_also_by_the_query(http, opened):
    """Clients before 0.2.4 send the reason in the query."""
    escrow = opened()
    path = f"/escrows/{escrow['id']}"
    assert http("POST", f"{path}/disputes", json={}).status == 422
    answer = http("POST", f"{path}/disputes?reason=damaged&initiator_role=receiver", body=b"")
    assert json.loads(answer.body)["initiator_role"] == "receiver"
    for verb in ("release", "reverse"):
        assert http("POST", f"{path}/{verb}", json={"reason": "r"}).status == 409
    assert http("POST", f"{path}/disputes", json={"reason": "again"}).status == 409


def test_ps78_another_merchants_escrow_is_on_no_route(http, opened, bursar_sandbox):
    escrow = opened()
    operator = bursar_sandbox.piaxis_operator()
    made = operator.create_account({"kind": "merchant", "name": "Other"})
    key = operator.create_key(made.id, {"label": "k"}).key
    path = f"/escrows/{escrow['id']}"
    term = escrow["terms"][0]["term_id"]
    before = http.commit()
    for verb, place, body in (
        ("GET", path, None),
        ("GET", f"{path}/status", None),
        ("POST", f"{path}/release", {}),
        ("POST", f"{path}/reverse", {}),
        ("POST", f"{path}/disputes", {"reason": "r"}),
        ("POST", f"{path}/terms/{term}/fulfill", {"term_type": "manual_release", "data": {}}),
    ):
        assert http(verb, place, json=body, key=key).status == 404, place
    assert http.commit() == before


def test_b2_a_customer_opens_an_escrow_and_cannot_release_it(http):
    token = http.tokens()["access_token"]
    body = {
        "amount": "1000",
        "currency_code": "UGX",
        "payment_method": "piaxis_external",
        "terms": terms("manual_release"),
    }
    escrow = json.loads(http("POST", "/escrows/", json=body, token=token).body)
    assert http("GET", f"/escrows/{escrow['id']}", token=token).status == 200
    for verb in ("release", "reverse"):
        assert http("POST", f"/escrows/{escrow['id']}/{verb}", json={}, token=token).status == 403


def test_ps97_a_release_replayed_pays_once(http, opened):
    escrow = opened()
    path, body = f"/escrows/{escrow['id']}/release", {"allocation_keys": ["alpha"]}
    first = http("POST", path, json=body, headers={"X-Idempotency-Key": "release-1"})
    again = http("POST", path, json=body, headers={"X-Idempotency-Key": "release-1"})
    assert first.body == again.body
    assert again.headers.get("idempotent-replayed") == "true"
    assert http("POST", path, json=body, headers={"X-Idempotency-Key": "release-2"}).status == 409  # PS56


@pytest.fixture(scope="module")
def server():
    with SandboxServer(seed=0) as running:
        yield running


def post(server, path, body):
    """Over a socket of its own; returns the status."""
    request = urllib.request.Request(
        f"{server.url}/piaxis/api{path}",
        json.dumps(body).encode(),
        {"api-key": KEY, "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("verbs", [("release", "release"), ("reverse", "reverse"), ("release", "reverse")])
def test_ps63_ps64_of_two_at_once_one_wins(server, verbs):
    with server.piaxis() as client:
        client.request_otp({"phone_number": BUYER["phone_number"]})
        escrow = client.create_escrow(
            {
                "amount": "50000",
                "currency_code": "UGX",
                "payment_method": "mtn",
                "terms": terms("manual_release"),
                "user_info": BUYER,
                "allocations": [{"allocation_key": "alpha", "amount": "50000"}],
            }
        )
        start, statuses = threading.Barrier(8), Counter()

        def ask(verb):
            start.wait()
            body = {"allocation_keys": ["alpha"], "reason": "race"}
            statuses[post(server, f"/escrows/{escrow.id}/{verb}", body)] += 1

        threads = [threading.Thread(target=ask, args=(verbs[number % 2],)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == {200: 1, 409: 7}
        ended = client.get_escrow(escrow.id)
        assert ended.status in (("released", "reversed") if len(set(verbs)) > 1 else (f"{verbs[0]}d",))
    assert server.engine.verify().ok
