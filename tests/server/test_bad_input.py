"""Bad input on every endpoint: a documented 4xx that says what is wrong, and nothing is changed (MS30, MS70).

The fuzzer of test_openapi.py makes what a schema can describe; these are bodies and queries that none can.
"""

import json
import re

import pytest

from bursar.contract.openapi import endpoints
from bursar.contract.params import Place
from bursar.milkyway import MilkywayPayments
from bursar.milkyway.operator import MilkywayOperator

JSON = ("content-type", "application/json")
PATH = {
    "institution": "bank-alpha",
    "bank": "bank-beta",
    "service": "card-payout",
    "currency": "USD",
    "currency_credit": "USD",
    "currency_debit": "UZS",
    "transaction_id": "1",
}
BODIES = [
    b"",
    b" \n\t",
    b"{",
    b"null",
    b"true",
    b"[]",
    b'"{}"',
    b"0",
    b"{} {}",
    b"{,}",
    b"{'a': 1}",
    b'{"a": 1, "a": 1}',
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999999999999}',
    b'{"a": 1e-5000}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": 01}',
    b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'{"a": "\x00"}',
    b'{"no such member": 1}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    b"\xef\xbb\xbf{}",
    b"{}".decode().encode("utf-16"),
    b"\x1f\x8b\x08\x00",
]


def commit(http):
    """Number of commits, and the last log entry of each ledger with its hash."""
    health = json.loads(http("GET", "/healthz").body)
    return health["commit"], health["heads"]


def described(resource):
    """Each endpoint as (verb, path with values, whether it reads a body, its query parameters)."""
    for endpoint in endpoints(resource):
        description = endpoint.description
        path = re.sub(r"\{(\w+)\}", lambda found: PATH[found[1]], description.path)
        places = {param.place for param in endpoint.params}
        query = [param.wire_name for param in endpoint.params if param.place is Place.QUERY]
        yield description.verb, "/milkyway" + path, bool(places & {Place.BODY, Place.MEMBER}), query


PAYMENTS, OPERATOR = list(described(MilkywayPayments)), list(described(MilkywayOperator))
CONTROL = [("POST", f"/_bursar/{path}", True, []) for path in ("clock/advance", "clock/freeze", "faults")]
OWNERS = [
    ("bank-alpha", "alpha-secret", PAYMENTS),
    ("hub-operator", "operator-secret", OPERATOR),
    ("bank-alpha", "alpha-secret", CONTROL),
]
ALL = [(client, secret, *each) for client, secret, owned in OWNERS for each in owned]


def refused(answer, *statuses):
    assert answer.status in statuses, answer.text[:200]
    message = json.loads(answer.body)["error"]
    assert 5 < len(message) < 500


@pytest.mark.parametrize("case", [case for case in ALL if case[4]], ids=lambda case: f"{case[2]} {case[3]}")
def test_ms30_no_endpoint_takes_a_malformed_body(http, case):
    client, secret, verb, path, _, _ = case
    token, before = http.token(client, secret), commit(http)
    for body in BODIES:
        if path == "/_bursar/clock/freeze" and not body.strip():
            continue  # it may be left out
        refused(http(verb, path, body=body, headers=[JSON], token=token), 400)
    refused(http(verb, path, body=b"0" * 1_000_001, headers=[JSON], token=token), 413)
    assert commit(http) == before


@pytest.mark.parametrize("case", [case for case in ALL if case[5]], ids=lambda case: f"{case[2]} {case[3]}")
def test_ms53_no_endpoint_takes_a_malformed_query(http, case):
    client, secret, verb, path, _, names = case
    token, before = http.token(client, secret), commit(http)
    for name in names:
        for value in ("%ff", "%00", "a%0A", "", "%ED%A0%80", f"1&{name}=1"):
            good = "&".join(f"{other}=bank-beta" for other in names if other != name)
            answer = http(verb, f"{path}?{good}&{name}={value}", token=token)
            refused(answer, 400, 404)
    assert commit(http) == before


def test_a_control_request_with_a_key_twice_moves_no_clock(http):
    before = json.loads(http("GET", "/_bursar/clock").body)
    refused(http("POST", "/_bursar/clock/advance", body=b'{"seconds": 1, "seconds": 2}', headers=[JSON]), 400)
    refused(http("POST", "/_bursar/faults", body=b'{"status": 500, "status": 501}', headers=[JSON]), 400)
    assert json.loads(http("GET", "/_bursar/clock").body) == before


@pytest.mark.parametrize(
    ("path", "member", "number"),
    [
        ("rates/USD/EUR", "markup", "1e-300"),
        ("rates/USD/EUR", "markup", "0.000000000000000000001"),
        ("rates/USD/EUR", "mid", "1e-300"),
        ("commissions/*/*/USD", "percent", "1e-300"),
        ("commissions/*/*/USD", "fixed", "1e-300"),
        ("limits/bank-alpha/USD", "amount", "1e36"),
    ],
)
def test_settings_that_no_arithmetic_holds_exactly_are_refused(http, path, member, number):
    """Taken, they would break every later payment at the rate."""
    token, before = http.token("hub-operator", "operator-secret"), commit(http)
    body = {"rates": {"mid": 1}, "limits": {"amount": 1}}.get(path.partition("/")[0], {})
    text = json.dumps({**body, member: "@"}).replace('"@"', number).encode()
    refused(http("PUT", f"/milkyway/operator/v1/{path}", body=text, headers=[JSON], token=token), 400)
    assert commit(http) == before


@pytest.mark.parametrize("name", ["house\n", "a:b", "a b", "", "é", "a" * 65])
def test_a_settlement_bank_that_is_no_part_of_an_account_name_is_refused(http, name):
    order = {
        "institution": "bank-alpha",
        "amount": 1,
        "currency": "USD",
        "reason": "r",
        "settlement_bank": name,
    }
    token, before = http.token("hub-operator", "operator-secret"), commit(http)
    refused(http("POST", "/milkyway/operator/v1/deposits", json=order, token=token), 400)
    assert commit(http) == before
