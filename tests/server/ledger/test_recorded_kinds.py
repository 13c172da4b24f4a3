"""Rules of the real service that requests near the recorded ones show: statuses and codes as it gives them."""

import json

import pytest

SAY = """vars {
  string $text
}
send [USD 1] (
  source = @world
  destination = @a
)
set_tx_meta("text", $text)"""
SEND = "vars {\n monetary $m\n}\nsend $m (\n source = @world\n destination = @a\n)"


@pytest.mark.parametrize("chart", [[], 0, False, "", 1, "x", [{}]], ids=json.dumps)
def test_14_2_a_chart_is_an_object(api, chart):
    assert api("POST", "/v2/l/schemas/v1", {"chart": chart}).code == "VALIDATION"
    assert api("GET", "/v2/l/schemas").json["cursor"]["data"] == []


def test_14_2_a_null_chart_is_an_empty_one(api):
    assert api("POST", "/v2/l/schemas/v1", {"chart": None}).status == 204
    assert api("GET", "/v2/l/schemas/v1").data["chart"] == {}


@pytest.mark.parametrize(
    ("asset", "shown"),
    [
        (None, "%!s(<nil>) 5"),
        (5, "%!s(float64=5) 5"),
        (True, "%!s(bool=true) 5"),
        (["a", 1, None], "[a %!s(float64=1) <nil>] 5"),
        ({"x": 1}, "map[x:%!s(float64=1)] 5"),
    ],
)
def test_9_3_an_asset_that_is_no_text_makes_a_useless_text(api, asset, shown):
    script = {"plain": SAY, "vars": {"text": {"asset": asset, "amount": 5}}}
    made = api("POST", "/v2/l/transactions", {"script": script, "runtime": "experimental-interpreter"})
    assert made.data["metadata"] == {"text": shown}


@pytest.mark.parametrize("amount", ["1e20", "9223372036854775808", "-1e30"])
@pytest.mark.parametrize(
    ("runtime", "code"),
    [("machine", "COMPILATION_FAILED"), ("experimental-interpreter", "INTERPRETER_RUNTIME")],
)
def test_9_3_a_number_beyond_64_bits_is_no_amount_of_a_variable(api, amount, runtime, code):
    given = f'{{"m": {{"asset": "USD", "amount": {amount}}}}}'
    body = f'{{"script": {{"plain": {json.dumps(SEND)}, "vars": {given}}}, "runtime": "{runtime}"}}'
    assert api("POST", "/v2/l/transactions", body=body).code == code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "transactions"),
        ("POST", "transactions"),
        ("GET", "accounts/a"),
        ("POST", "_bulk"),
        ("GET", "stats"),
        ("DELETE", "transactions"),
        ("POST", "logs/import"),
        ("POST", "schemas/v1"),
    ],
)
def test_1_below_a_ledger_without_a_name_nothing_is_found(api, method, path):
    refused = api(method, f"/v2//{path}", {} if method == "POST" else None)
    assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert api(method, f"/v2/unknown/{path}", {} if method == "POST" else None).code == "LEDGER_NOT_FOUND"


@pytest.mark.parametrize("target", [-1, 2**64, 10**30])
@pytest.mark.parametrize("action", ["ADD_METADATA", "DELETE_METADATA"])
def test_8_12_a_target_that_is_no_id_is_internal(api, action, target):
    data = {"targetType": "TRANSACTION", "targetId": target, "metadata": {"a": "b"}, "key": "a"}
    result = api("POST", "/v2/l/_bulk", [{"action": action, "data": data}])
    assert (result.status, result.data[0]["errorCode"]) == (400, "INTERNAL")
    data["targetId"] = 2**64 - 1
    assert api("POST", "/v2/l/_bulk", [{"action": action, "data": data}]).data[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize("kind", ["ACCOUNT", "TRANSACTION"])
@pytest.mark.parametrize("action", ["ADD_METADATA", "DELETE_METADATA"])
def test_8_12_a_target_without_an_id_is_internal(api, action, kind):
    data = {"targetType": kind, "metadata": {"a": "b"}, "key": "a"}
    result = api("POST", "/v2/l/_bulk", [{"action": action, "data": data}])
    assert (result.status, result.data[0]["errorCode"]) == (400, "INTERNAL")
    assert api("GET", "/v2/l/logs").json["cursor"]["data"] == []


def test_9_4_metadata_of_an_unknown_account_is_not_found(api):
    plain = (
        'vars {\n account $a = meta(@nobody, "k")\n}\nsend [USD 1] (\n source = @world\n destination = $a\n)'
    )
    refused = api("POST", "/v2/l/transactions", {"script": {"plain": plain}})
    assert (refused.status, refused.code) == (404, "NOT_FOUND")
    assert "not found" in refused.json["errorMessage"]


def test_11_5_dates_that_an_imported_transaction_lacks(served):
    """Without `updatedAt` it was last changed when it was inserted; without `timestamp` it is of the import."""
    api = served("--experimental-features")
    api("POST", "/v2/l", {"features": {"HASH_LOGS": "DISABLED"}})
    posting = {"source": "world", "destination": "a", "amount": 1, "asset": "USD"}
    dated = {"timestamp": "2023-05-01T10:00:00Z", "insertedAt": "2023-05-01T11:00:00Z"}
    logs = [
        {"type": "NEW_TRANSACTION", "id": number, "date": "2023-05-01T10:00:00Z", "data": {"transaction": tx}}
        for number, tx in enumerate(
            [{"id": 1, "postings": [posting]} | dated, {"id": 2, "postings": [posting]}], start=1
        )
    ]
    assert api("POST", "/v2/l/logs/import", body="\n".join(map(json.dumps, logs))).status == 204
    whole, bare = (api("GET", f"/v2/l/transactions/{number}").data for number in (1, 2))
    assert whole["updatedAt"] == "2023-05-01T11:00:00Z"
    assert bare["timestamp"] == bare["insertedAt"] == bare["updatedAt"] > "2023-06"
    assert (
        api("GET", "/v2/l/logs")
        .json["cursor"]["data"][0]["data"]["transaction"]["timestamp"]
        .startswith("0001")
    )
    assert api("GET", "/v2/l/accounts/a").data["firstUsage"] == "2023-05-01T10:00:00Z"
    assert api.damages() == []


@pytest.mark.parametrize(
    ("text", "status"), [("T7:08:09Z", 200), ("T07:8:09Z", 400), ("T07:08:9Z", 400), ("T007:08:09Z", 400)]
)
def test_2_5_only_an_hour_may_have_one_digit(api, text, status):
    made = api.pay("l", "world", "a", 1, timestamp=f"2023-05-01{text}")
    assert made.status == status
    assert api("GET", f"/v2/l/accounts?pit=2023-05-02{text}").status == status
    if status == 200:
        assert made.data["timestamp"] == "2023-05-01T07:08:09Z"


@pytest.mark.parametrize("body", [{"timestamp": "2023-02-01T00:00:00Z "}, {"timestamp": "x", "postings": []}])
def test_9_1_a_date_is_read_before_postings_are_missed(api, body):
    assert api("POST", "/v2/l/transactions", body).code == "VALIDATION"
    assert api("POST", "/v2/l/transactions", body | {"timestamp": None}).code == "NO_POSTINGS"


@pytest.mark.parametrize("script", [{"script": ""}, {"script": " "}, {}], ids=json.dumps)
def test_14_1_only_the_interpreter_reads_an_empty_template(api, script):
    template = {"runtime": "experimental-interpreter"} | script
    machine = {"chart": {}, "transactions": {"A": script}}
    interpreter = {"chart": {}, "transactions": {"A": template}}
    assert api("POST", "/v2/l/schemas/v1", machine).code == "VALIDATION"
    assert api("POST", "/v2/l/schemas/v1", interpreter).status == 204
    assert (
        api("GET", "/v2/l/schemas/v1").data["transactions"]["A"]
        == {"description": "", "script": ""} | template
    )
    made = api("POST", "/v2/l/transactions?schemaVersion=v1", {"script": {"template": "A"}})
    assert (made.status, made.code) == (400, "NO_POSTINGS")


def test_11_4_a_key_that_is_too_long_uses_up_no_log_id(api):
    posting = {"source": "world", "destination": "a", "amount": 1, "asset": "USD"}
    refused = api(
        "POST", "/v2/l/transactions", {"postings": [posting]}, headers={"Idempotency-Key": "x" * 256}
    )
    assert (refused.status, refused.code) == (400, "VALIDATION")
    assert api.pay("l", "world", "a", 1).data["id"] == 2
    assert [log["id"] for log in api("GET", "/v2/l/logs").json["cursor"]["data"]] == [1]
