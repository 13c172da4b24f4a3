"""Spoiled requests of every kind: a documented answer, nothing written by what is refused, sound books afterwards."""

import json
import random
import re
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.ledger.conftest import Ledgers
from tests.server.ledger.mutations import SEEDS, Sent, spoil_bytes, spoil_json, spoiled

TEXTS = {404: b"404 page not found\n", 400: b"400 Bad Request"}
CODES = {
    "VALIDATION",
    "NOT_FOUND",
    "LEDGER_NOT_FOUND",
    "LEDGER_ALREADY_EXISTS",
    "SCHEMA_ALREADY_EXISTS",
    "SCHEMA_NOT_SPECIFIED",
    "OUTDATED_SCHEMA",
    "INSUFFICIENT_FUND",
    "NO_POSTINGS",
    "COMPILATION_FAILED",
    "METADATA_OVERRIDE",
    "INTERPRETER_PARSE",
    "INTERPRETER_RUNTIME",
    "CONFLICT",
    "ALREADY_REVERT",
    "BULK_SIZE_EXCEEDED",
    "IMPORT",
    "INTERNAL",
}


@pytest.fixture(scope="module", params=["", "--experimental-features --experimental-numscript-interpreter"])
def api(request):
    """A service with the ledgers that the seeds speak of; whatever was asked, its books are sound at the end."""
    opened = Ledgers(request.param)
    opened("POST", "/v2/l")
    opened.pay("l", "world", "users:1", 1000, reference="r-0", metadata={"k": "v"})
    opened.pay("l", "users:1", "bank", 10)
    opened("POST", "/v2/q", {"bucket": "q"})
    schema = next(seed for seed in SEEDS if "/schemas/" in seed.path)
    assert opened("POST", "/v2/q/schemas/v1", schema.body).status == 204
    yield opened
    assert opened.damages() == []
    opened.close()


def ask(api, sent: Sent):
    path = quote(sent.path, safe="/:%", errors="surrogatepass")
    query = urlencode(sent.query, errors="surrogatepass")
    fields = {name: _as_header(value) for name, value in sent.headers.items()}
    return api(sent.method, f"{path}?{query}", body=sent.content, headers=fields)


def _as_header(value: str) -> str:
    """Text as its bytes come out of an HTTP parser: no line breaks, no NUL."""
    text = value.encode("utf-8", "surrogatepass").decode("latin-1")
    return "".join(" " if character in "\r\n\0" else character for character in text)


def state(api):
    """The head of the chain with its hash, the counts, and all ledgers."""
    paths = ("/v2/l/logs?pageSize=1", "/v2/l/stats", "/v2?pageSize=100")
    return [api("GET", path).body for path in paths]


def check_documented(answer) -> None:
    assert answer.status < 500, answer.body
    if answer.status < 400 or not answer.body or TEXTS.get(answer.status) == answer.body:
        return
    assert answer.json.get("errorCode", "INTERNAL") in CODES
    assert answer.json.keys() <= {"errorCode", "errorMessage", "details", "data"}


def in_part(answer) -> bool:
    """Whether elements of a bulk were carried out before others failed."""
    elements = answer.json.get("data") or [] if answer.body[:1] == b"{" else []
    return any(element["responseType"] != "ERROR" for element in elements)


@given(st.integers(0, 2**32))
@settings(max_examples=1500)
def test_spoiled_requests(api, seed):
    chance = random.Random(seed)
    sent = spoiled(chance.choice(SEEDS), chance)
    before = state(api)
    answer = ask(api, sent)
    check_documented(answer)
    if answer.status >= 400 and sent.path.startswith("/v2") and not in_part(answer):
        assert state(api) == before, sent


@given(st.integers(0, 2**32))
@settings(max_examples=250)
def test_spoiled_imports(api, seed):
    """What was read before the fault stays, as documented; what is there verifies and can be exported."""
    chance = random.Random(seed)
    lines = api("POST", "/v2/l/logs/export").body.splitlines()[:5]
    index = chance.randrange(len(lines))
    if chance.random() < 0.5:
        lines[index] = spoil_bytes(lines[index], chance)
    else:
        spoilt = spoil_json(json.loads(lines[index]), chance)
        if chance.random() < 0.5 and isinstance(spoilt, dict):
            spoilt.pop("hash", None)
        lines[index] = json.dumps(spoilt).encode()
    copy = f"copy{seed}"
    api("POST", f"/v2/{copy}")
    answer = api("POST", f"/v2/{copy}/logs/import", body=b"\n".join(lines))
    assert answer.status == 204 or (answer.status == 400 and answer.code == "IMPORT"), answer.body
    assert api("POST", f"/v2/{copy}/logs/export").status == 200
    assert api.pay(copy, "world", "a", 1).status == 200


@pytest.mark.parametrize("digits", [200, 1000, 4000])
def test_amounts_of_many_digits(api, digits):
    """Exact everywhere: transactions, sums, filters, bulks, logs, and their copies."""
    ledger, amount = f"big{digits}", 10**digits - 1
    api("POST", f"/v2/{ledger}")
    posting = {"source": "world", "destination": "a", "amount": amount, "asset": "BIG"}
    element = {"action": "CREATE_TRANSACTION", "data": {"postings": [posting]}}
    script = f"send [BIG {amount}] (\n source = @world\n destination = @a\n)"
    third = {"script": {"plain": script}} if digits <= 1000 else {"postings": [posting]}  # a script has less
    assert api("POST", f"/v2/{ledger}/transactions", {"postings": [posting]}).data["postings"] == [posting]
    assert api("POST", f"/v2/{ledger}/_bulk", [element]).data[0]["data"]["postings"] == [posting]
    made = api("POST", f"/v2/{ledger}/transactions", third)
    assert made.data["postCommitVolumes"]["a"]["BIG"]["balance"] == 3 * amount
    assert api("GET", f"/v2/{ledger}/aggregate/balances", {"$match": {"address": "a"}}).data == {
        "BIG": 3 * amount
    }
    for test, found in (
        ({"$gte": {"balance[BIG]": 3 * amount}}, ["a"]),
        ({"$gt": {"balance": 3 * amount}}, []),
    ):
        page = api("GET", f"/v2/{ledger}/accounts", test).json["cursor"]["data"]
        assert [account["address"] for account in page] == found
    as_text = api("GET", f"/v2/{ledger}/volumes?sort=account", headers={"Formance-Bigint-As-String": "true"})
    assert as_text.json["cursor"]["data"][-1]["output"] == str(3 * amount)
    exported = api("POST", f"/v2/{ledger}/logs/export").body
    api("POST", f"/v2/copy-of-{ledger}")
    assert api("POST", f"/v2/copy-of-{ledger}/logs/import", body=exported).status == 204
    assert api("POST", f"/v2/copy-of-{ledger}/logs/export").body == exported


@pytest.mark.parametrize("digits", [4001, 4299, 4300, 6000])
def test_longer_amounts_are_refused(api, digits):
    amount = "9" * digits
    posting = f'{{"source":"world","destination":"a","amount":{amount},"asset":"BIG"}}'
    script = f"send [BIG {amount}] (\\n source = @world\\n destination = @a\\n)"
    before = state(api)
    for path, body in (
        ("/v2/l/transactions", f'{{"postings":[{posting}]}}'),
        ("/l/transactions", f'{{"postings":[{posting}]}}'),
        ("/v2/l/transactions", f'{{"script":{{"plain":"{script}"}}}}'),
        ("/v2/l/_bulk", f'[{{"action":"CREATE_TRANSACTION","data":{{"postings":[{posting}]}}}}]'),
    ):
        assert api("POST", path, body=body).status == 400
    assert state(api) == before


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/l/transactions/{n}", 400),
        ("/v2/l/transactions/{n}/revert", 405),
        ("/l/transactions/{n}", 400),
        ("/v2/l/transactions?pageSize={n}", 400),
        ("/l/balances?pageSize={n}", 400),
        ("/l/accounts?balance={n}&balanceOperator=gt", 400),
        ("/v2/l/volumes?groupBy={n}", 400),
        ("/v2/l/transactions?pageSize=00000000000000000000000000000000000002", 200),
    ],
)
def test_numbers_of_more_digits_than_python_reads(api, path, status):
    assert api("GET", path.format(n="9" * 5000)).status == status


@pytest.mark.parametrize("number", ["1e9999999999999999999", "1e999999999", "-1E+1000", "1e-99999"])
def test_exponents_without_end(api, number):
    """They would be integers of a billion digits."""
    assert api("GET", "/v2/l/accounts", body=f'{{"$gt":{{"balance[USD/2]":{number}}}}}').code == "VALIDATION"
    body = f'{{"vars":{{"who":{number}}}}}'
    assert api("POST", "/v2/q/queries/ALL/run?schemaVersion=v1", body=body).code == "VALIDATION"


def test_a_charts_pattern_takes_linear_time(api):
    """With backtracking this one would take longer than the universe has."""
    chart = {"users": {"$id": {".pattern": "^(a+)+$"}}, "world": {".self": {}}}
    api("POST", "/v2/slow")
    assert api("POST", "/v2/slow/schemas/v1", {"chart": chart}).status == 204
    account = "users:" + "a" * 500
    assert api.pay("slow", "world", account, 1, query="?schemaVersion=v1").status == 200
    api.pay("slow", "world", account + "_", 1, query="?schemaVersion=v1")
    for pattern in ("(?=a)", "(a)\\1", "["):
        refused = {"chart": {"users": {"$id": {".pattern": pattern}}}}
        assert api("POST", "/v2/slow/schemas/v2", refused).code == "VALIDATION"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"id": 2**63 - 1}, 400),  # no id would be left for the next log
        ({"id": 2**62}, 204),
        ({"hash": "é"}, 400),
        ({"date": "9999-12-31T23:59:59.999999Z"}, 204),
        ({"idempotencyKey": "k" * 256}, 400),
    ],
)
def test_imports_at_their_limits(served, change, status):
    """After each, the ledger can be written to."""
    api = served()
    api("POST", "/v2/l")
    log = {"type": "SET_METADATA", "id": 1, "date": "2024-01-01T00:00:00Z"}
    log |= {"data": {"targetType": "ACCOUNT", "targetId": "a", "metadata": {"k": "v"}}, **change}
    answer = api("POST", "/v2/l/logs/import", log)
    if found := re.search("expected (.*) got", answer.body.decode()):
        answer = api("POST", "/v2/l/logs/import", {**log, "hash": found[1]})
    assert answer.status == status
    assert api.pay("l", "world", "a", 1).status == 200
    assert api.damages() == []
