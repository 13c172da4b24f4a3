"""Which ids requests use up (section 11.4): a used-up id is never given again."""

import pytest


def test_70_a_dry_run_takes_a_transaction_and_a_log_id(api):
    dry = api.pay("l", "world", "bank", 5, query="?dryRun=true")
    assert (dry.status, dry.data["id"]) == (200, 1)
    assert api("GET", "/v2/l/transactions/1").status == 404
    assert api.pay("l", "world", "bank", 5).data["id"] == 2
    assert api("GET", "/v2/l/logs").json["cursor"]["data"][0]["id"] == 2
    assert api.damages() == []


def test_53_a_used_reference_takes_a_transaction_id_only(api):
    assert api.pay("l", "world", "bank", 5, reference="r").data["id"] == 1
    assert api.pay("l", "world", "bank", 5, reference="r").status == 409
    assert api.pay("l", "world", "bank", 5).data["id"] == 3
    assert [log["id"] for log in api("GET", "/v2/l/logs").json["cursor"]["data"]] == [2, 1]


@pytest.mark.parametrize("refused", ["funds", "shape", "script"])
def test_279_other_refusals_take_none(api, refused):
    if refused == "funds":
        assert api.pay("l", "poor", "bank", 5).code == "INSUFFICIENT_FUND"
    elif refused == "shape":
        assert api.pay("l", "a b", "bank", 5).code == "VALIDATION"
    else:
        answer = api("POST", "/v2/l/transactions", {"script": {"plain": "XXX"}})
        assert answer.code == "COMPILATION_FAILED"
    assert api.pay("l", "world", "bank", 5).data["id"] == 1


def test_280_a_taken_name_takes_a_ledger_id(api):
    assert api("POST", "/v2/l").code == "LEDGER_ALREADY_EXISTS"
    api("POST", "/v2/next")
    assert api("GET", "/v2/next").data["id"] == 3


def test_195_elements_of_a_rolled_back_bulk_take_theirs(api):
    good = {
        "action": "CREATE_TRANSACTION",
        "data": {"postings": [{"source": "world", "destination": "a", "amount": 1, "asset": "X"}]},
    }
    bad = {"action": "REVERT_TRANSACTION", "data": {"id": 99}}
    answer = api("POST", "/v2/l/_bulk?atomic=true", [good, good, bad])
    assert answer.status == 400
    assert [item["responseType"] for item in answer.data] == ["CREATE_TRANSACTION"] * 2 + ["ERROR"]
    assert api("GET", "/v2/l/stats").data == {"transactions": 0, "accounts": 0}
    made = api.pay("l", "world", "a", 1)
    assert made.data["id"] == 3
    assert api("GET", "/v2/l/logs").json["cursor"]["data"][0]["id"] == 3
    assert api.damages() == []
