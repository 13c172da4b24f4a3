"""Whatever is sent: a documented error, nothing written, never a 5xx."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.ledger.conftest import Ledgers

NAMES = [
    "postings",
    "script",
    "metadata",
    "timestamp",
    "reference",
    "accountMetadata",
    "runtime",
    "force",
    "x",
]
FIELDS = [
    "address",
    "balance",
    "balance[USD/2]",
    "metadata",
    "metadata[k]",
    "id",
    "reference",
    "timestamp",
    "account",
]
OPERATORS = ["$match", "$gt", "$in", "$like", "$exists", "$and", "$or", "$not", "$nope"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
FILTERS = st.recursive(
    st.dictionaries(
        st.sampled_from(OPERATORS), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2), max_size=2
    ),
    lambda inner: st.dictionaries(
        st.sampled_from(OPERATORS), st.lists(inner, max_size=3) | inner, max_size=2
    ),
    max_leaves=6,
)
LISTS = ["accounts", "transactions", "logs", "volumes", "aggregate/balances", "schemas"]


@pytest.fixture(scope="module")
def ledgers():
    opened = Ledgers()
    opened("POST", "/v2/l")
    opened.pay("l", "world", "bank", 100)
    yield opened
    opened.close()


def before_and_after(ledgers, action):
    """The answer of an action that is refused, and proof that nothing was written."""
    before = ledgers("GET", "/v2/l/logs").json
    answer = action()
    if answer.status >= 400:
        assert answer.status < 500, answer.body
        assert set(answer.json) <= {"errorCode", "errorMessage", "details", "data"}
        assert ledgers("GET", "/v2/l/logs").json == before
    return answer


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
@settings(max_examples=150)
def test_bodies_of_transactions(ledgers, body):
    before_and_after(ledgers, lambda: ledgers("POST", "/v2/l/transactions", body))
    before_and_after(ledgers, lambda: ledgers("POST", "/l/transactions", body))


@given(st.binary(max_size=40))
@settings(max_examples=100)
def test_bodies_of_bytes(ledgers, body):
    for path in ("transactions", "accounts/a/metadata", "_bulk", "schemas/v"):
        before_and_after(ledgers, lambda path=path: ledgers("POST", f"/v2/l/{path}", body=body))


@given(FILTERS)
@settings(max_examples=200)
def test_filters(ledgers, document):
    for path in LISTS:
        assert ledgers("GET", f"/v2/l/{path}", document).status in (200, 400)
    assert ledgers("GET", "/v2", document).status in (200, 400)


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_cursors(ledgers, raw):
    from base64 import urlsafe_b64encode

    for path in LISTS[:4]:
        answer = ledgers("GET", f"/v2/l/{path}?cursor={urlsafe_b64encode(raw).decode()}")
        assert answer.status == (200 if not raw else 400)


@pytest.mark.parametrize(
    "forged",
    [
        {"resource": "transactions", "size": 5, "column": "postings; DROP TABLE logs"},
        {"resource": "transactions", "size": 5, "column": "address"},
        {"resource": "transactions", "size": -5, "column": "id"},
        {"resource": "transactions", "size": 5, "column": "id", "at": ["x", "y"]},
        {"resource": "transactions", "size": 5, "column": "id", "filter": "{"},
        {"resource": "transactions", "size": 5, "column": "id", "filter": '{"$match":{"nope":1}}'},
    ],
)
def test_162_forged_cursors(ledgers, forged):
    from base64 import urlsafe_b64encode

    token = urlsafe_b64encode(json.dumps(forged).encode()).decode()
    assert ledgers("GET", f"/v2/l/transactions?cursor={token}").code == "VALIDATION"


@pytest.mark.parametrize("path", LISTS[:4])
@pytest.mark.parametrize(("levels", "status"), [(50, 200), (51, 400), (3000, 400)])
def test_filters_nested_deep(ledgers, path, levels, status):
    field = {"accounts": "address", "transactions": "account", "volumes": "account", "logs": "id"}[path]
    leaf = {"$match": {field: 1 if field == "id" else "a:...:"}}
    document = leaf
    for level in range(levels):
        document = {"$and" if level % 2 else "$or": [document, leaf]}
    text = json.dumps(document) if levels < 500 else _nested(leaf, levels)
    assert ledgers("GET", f"/v2/l/{path}", body=text).status == status


def _nested(leaf, levels):
    """The same beyond the depth that Python's encoder goes to."""
    inner = json.dumps(leaf)
    words = ("or", "and")
    opened = "".join(f'{{"${words[level % 2]}":[{inner},' for level in range(levels))
    return opened + inner + "]}" * levels


def test_274_nul_is_refused(ledgers):
    assert ledgers("POST", "/v2/l/accounts/a/metadata", {"k": "a\0b"}).code == "VALIDATION"
    assert ledgers.pay("l", "world", "bank", 1, reference="a\0b").code == "VALIDATION"


def test_a_body_too_large_is_413(ledgers, monkeypatch):
    monkeypatch.setattr("bursar.server.ledger.call.Call.body.__defaults__", (10,))
    assert ledgers("POST", "/v2/l/transactions", {"postings": []}).status == 413
