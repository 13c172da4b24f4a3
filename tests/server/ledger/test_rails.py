"""A rail's own book can be read through the ledger API, and changed by nothing but the rail."""

import json
import urllib.error
import urllib.request

import pytest

from bursar.engine.milkyway.accounts import LEDGER
from bursar.engine.registry import RAIL_LEDGERS

POSTING = {"source": "world", "destination": "receivable:bank-alpha:USD", "amount": 1000000, "asset": "USD/2"}
FREE_EXPOSURE = json.dumps({"postings": [POSTING]}).encode()


def ask(server, method, path, body=None):
    url = f"{server.url}/formance/api/ledger/v2{path}"
    request = urllib.request.Request(url, body, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_hub_keeps_a_rails_book():
    assert LEDGER in RAIL_LEDGERS


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/milkyway/transactions", FREE_EXPOSURE),
        ("POST", "/milkyway/transactions/1/revert", b"{}"),
        ("POST", "/milkyway/transactions/1/metadata", b'{"step":"forged"}'),
        ("DELETE", "/milkyway/transactions/1/metadata/step", None),
        ("POST", "/milkyway/accounts/transit:USD/metadata", b'{"a":"b"}'),
        ("PUT", "/milkyway/metadata", b'{"a":"b"}'),
        ("POST", "/milkyway/logs/import", b""),
        ("POST", "/milkyway", b""),
    ],
)
def test_a_rails_book_is_not_changed_from_outside(bursar_server, method, path, body):
    before = ask(bursar_server, "GET", "/milkyway/logs")
    status, _ = ask(bursar_server, method, path, body)
    assert status == 400
    assert ask(bursar_server, "GET", "/milkyway/logs") == before
    assert bursar_server.engine.verify().ok


def test_a_bulk_on_a_rails_book_does_nothing(bursar_server):
    before = ask(bursar_server, "GET", "/milkyway/logs")
    element = b'[{"action":"CREATE_TRANSACTION","data":' + FREE_EXPOSURE + b"}]"
    status, _ = ask(bursar_server, "POST", "/milkyway/_bulk", element)
    assert status == 400
    assert ask(bursar_server, "GET", "/milkyway/logs") == before


def test_deleting_its_bucket_leaves_a_rails_book(bursar_server):
    assert ask(bursar_server, "DELETE", "/_/buckets/_default")[0] == 204
    assert ask(bursar_server, "GET", "/milkyway/transactions")[0] == 200
