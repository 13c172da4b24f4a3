"""`bursar verify` finds nothing in ledgers that every kind of request wrote to, whatever their features."""

import pytest

from bursar.engine.kernel import NewTransaction, Posting

OFF = {
    "MOVES_HISTORY": "OFF",
    "MOVES_HISTORY_POST_COMMIT_EFFECTIVE_VOLUMES": "DISABLED",
    "HASH_LOGS": "DISABLED",
    "ACCOUNT_METADATA_HISTORY": "DISABLED",
    "TRANSACTION_METADATA_HISTORY": "DISABLED",
}
SCRIPT = """vars {
  monetary $there = balance(@poor, USD/2)
}
send [USD/2 5] (
  source = @world
  destination = @bank
)
set_tx_meta("there", $there)
set_account_meta(@bank, "seen", "yes")"""


@pytest.mark.parametrize("features", [{}, OFF, {"HASH_LOGS": "ASYNC"}], ids=["default", "off", "async"])
def test_every_kind_of_write_leaves_sound_books(served, features):
    api = served("--experimental-features")
    assert api("POST", "/v2/l", {"features": features}).status == 204
    api.pay("l", "world", "bank", 2**70, reference="r")
    api.pay("l", "world", "bank", 3, timestamp="2020-01-01T00:00:00Z")
    api.pay("l", "world", "bank", 3, query="?dryRun=true")
    api.pay("l", "world", "bank", 3, reference="r")
    assert api("POST", "/v2/l/transactions", {"script": {"plain": SCRIPT}}).status == 200
    api("POST", "/v2/l/transactions/1/revert")
    api("POST", "/v2/l/transactions/1/metadata", {"a": "b"})
    api("DELETE", "/v2/l/transactions/1/metadata/a")
    api("POST", "/v2/l/accounts/x/metadata", {"a": "b"})
    api("DELETE", "/v2/l/accounts/x/metadata/a")
    api("POST", "/v2/l/schemas/v1", {"chart": {"$": {}}})
    api("POST", "/v2/l/schemas/v1", {"chart": {"world": {}, "c": {".metadata": {"k": {"default": "d"}}}}})
    assert api.pay("l", "world", "c", 1, query="?schemaVersion=v1").status == 200
    assert api("POST", "/v2/l/accounts/c/metadata?schemaVersion=v1", {"z": "y"}).status == 204
    assert {row["account"] for row in api("GET", "/v2/l/volumes").json["cursor"]["data"]} == {
        "bank",
        "c",
        "poor",
        "world",
    }
    assert api.damages() == []


def test_275_a_balance_that_was_only_asked_for_is_no_account(api):
    assert api("POST", "/v2/l/transactions", {"script": {"plain": SCRIPT}}).status == 200
    assert api("GET", "/v2/l/accounts/poor").status == 404
    assert api("GET", "/v2/l/aggregate/balances").data == {"USD/2": 0}


def test_the_ledger_of_a_rail_is_listed_from_its_first_posting(api):
    assert [row["name"] for row in api("GET", "/v2").json["cursor"]["data"]] == ["l"]
    new = NewTransaction([Posting("world", "a", 1, "USD/2")])
    api.submit(lambda view: view.post("rail", new))
    assert [row["name"] for row in api("GET", "/v2").json["cursor"]["data"]] == ["l", "rail"]
    assert api("GET", "/v2/rail/accounts/a").status == 200
    assert api("POST", "/v2/rail/logs/import", body=b"").code == "IMPORT"
    assert api.pay("rail", "world", "a", 1).data["id"] == 2
    assert api.damages() == []
