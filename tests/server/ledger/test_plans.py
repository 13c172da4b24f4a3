"""A list has the same rows however they are found: one by one where it begins, or by an index (section 6)."""

import itertools
import random
from urllib.parse import quote

from msgspec import json

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger.query import pages, transactions
from tests.server.ledger.conftest import NOON

ACCOUNTS = ("users:1:main", "users:2:main", "users:22:main", "shops:1:main", "shops:2:till_1", "fees")
DAY = 86_400_000_000


def match(field, value):
    return {"$match": {field: value}}


def on_side(*sides):
    return lambda tx, fits: any(fits(posting[side]) for posting in tx["postings"] for side in sides)


EITHER, FROM, TO = on_side("source", "destination"), on_side("source"), on_side("destination")
MIDDAY = format_time(NOON + 20 * DAY)
FILTERS = [
    (match("account", "users:2:main"), lambda tx: EITHER(tx, "users:2:main".__eq__)),
    (match("account", "users:2:"), lambda tx: EITHER(tx, "users:2:main".__eq__)),
    (
        match("account", ":2:"),
        lambda tx: EITHER(tx, lambda a: a.split(":")[1:2] == ["2"] and a.count(":") == 2),
    ),
    (match("account", "users:..."), lambda tx: EITHER(tx, lambda a: a.startswith("users:"))),
    (match("account", "::till_1"), lambda tx: EITHER(tx, "shops:2:till_1".__eq__)),
    (match("source", "users:2:main"), lambda tx: FROM(tx, "users:2:main".__eq__)),
    (match("destination", "shops::"), lambda tx: TO(tx, lambda a: a.startswith("shops:"))),
    (
        {"$in": {"account": ["fees", "users:1:main"]}},
        lambda tx: EITHER(tx, ("fees", "users:1:main").__contains__),
    ),
    ({"$not": match("account", "users:1:main")}, lambda tx: not EITHER(tx, "users:1:main".__eq__)),
    (match("reference", "r7"), lambda tx: tx.get("reference") == "r7"),
    ({"$not": match("reference", "r7")}, lambda tx: tx.get("reference") not in (None, "r7")),
    (match("metadata[colour]", "red"), lambda tx: tx["metadata"].get("colour") == "red"),
    ({"$not": match("metadata[colour]", "red")}, lambda tx: tx["metadata"].get("colour") != "red"),
    (match('metadata[a"b%_\\]', 'é\n"\\%'), lambda tx: tx["metadata"].get('a"b%_\\') == 'é\n"\\%'),
    (match("metadata[colour]", "r_d"), lambda tx: False),
    (match("metadata[colour]", "RED"), lambda tx: tx["metadata"].get("colour") == "RED"),
    (match("metadata[long]", "x" * 150), lambda tx: tx["metadata"].get("long") == "x" * 150),
    ({"$lt": {"timestamp": MIDDAY}}, lambda tx: tx["timestamp"] < MIDDAY),
    (
        {"$and": [match("account", "world"), {"$and": [{"$gte": {"timestamp": MIDDAY}}]}]},
        lambda tx: EITHER(tx, "world".__eq__) and tx["timestamp"] >= MIDDAY,
    ),
    (
        {"$or": [match("metadata[colour]", "red"), match("reference", "r7")]},
        lambda tx: tx["metadata"].get("colour") == "red" or tx.get("reference") == "r7",
    ),
]


def fill(api):
    """Transactions between all accounts, described in ways that are hard to search for; some of them described anew."""
    chance = random.Random(5)
    colours = itertools.cycle(["red", "green", "RED", "rod"])
    for number in range(60):
        source, destination = chance.sample(("world", *ACCOUNTS), 2)
        metadata = {"colour": next(colours)} if number % 3 else {}
        if number % 7 == 0:
            metadata |= {'a"b%_\\': 'é\n"\\%', "long": "x" * (150 if number % 2 else 149)}
        body = {
            "postings": [{"source": source, "destination": destination, "amount": 1, "asset": "USD/2"}],
            "metadata": metadata,
            "timestamp": format_time(NOON + chance.randrange(40) * DAY),
        }
        if number % 2:
            body["reference"] = f"r{number}"
        assert api("POST", "/v2/l/transactions?force=true", body).status == 200
    for number in range(1, 60, 9):
        api("POST", f"/v2/l/transactions/{number}/metadata", {"colour": "red"})
        api("DELETE", f"/v2/l/transactions/{number + 1}/metadata/colour")


def listed(api, wanted, size, way):
    """The ids of all pages, one after another."""
    path = f"/v2/l/transactions?pageSize={size}&sort=id:{way}&query={quote(json.encode(wanted).decode())}"
    found = []
    while True:
        cursor = api("GET", path).json["cursor"]
        found += [tx["id"] for tx in cursor["data"]]
        if not cursor["hasMore"]:
            return found
        path = f"/v2/l/transactions?cursor={cursor['next']}"


def test_every_way_to_find_transactions_finds_the_same(api, monkeypatch):
    fill(api)
    everything = api("GET", "/v2/l/transactions?pageSize=100").json["cursor"]["data"]
    for near, few in ((0, 0), (0, 10_000), (9, 10_000), (1_000, 10_000)):
        monkeypatch.setattr(pages, "NEARBY", near)
        monkeypatch.setattr(transactions, "FEW", few)
        for wanted, fits in FILTERS:
            expected = [tx["id"] for tx in everything if fits(tx)]
            assert listed(api, wanted, 17, "desc") == expected, (wanted, near, few)
            assert listed(api, wanted, 17, "asc") == expected[::-1], (wanted, near, few)
    assert api.damages() == []
