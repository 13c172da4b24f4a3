"""Export and import (sections 11.5, 11.6, 12): a copy is equal to the byte, and its chain is checked."""

import json

SPEC_HASHES = [
    "EUGpT0YadYt177Eqsg0RFJb54G9BrhtfntAeFtxpmsw=",
    "JEoHsGmxNFez4EQGL2CcZv11TEcsF/v25WYa5lsyI9E=",
    "grdeY8BCBk5bXZ5QR9t560cGTsanIJ4BaaddYkgl3Gw=",
]


def every_kind(api):
    """Logs of every kind, a back-dated one and big numbers among them."""
    api.pay("l", "world", "bank", 10**40, reference="r", accountMetadata={"new": {"k": "<v>"}})
    api.pay("l", "world", "bank", 7, timestamp="2020-01-01T00:00:00Z", metadata={"a": "1"})
    api("POST", "/v2/l/transactions/1/metadata", {"b": "x<y>&\u2028"})
    api("DELETE", "/v2/l/transactions/1/metadata/b")
    api("POST", "/v2/l/accounts/bank/metadata", {"tier": "gold"}, headers={"Idempotency-Key": 'k"q'})
    api("DELETE", "/v2/l/accounts/bank/metadata/tier")
    api("POST", "/v2/l/transactions/2/revert", {"metadata": {"why": "wrong"}})
    chart = {"world": {}, "users": {"$id": {".metadata": {"tier": {"default": "basic"}}}}}
    api("POST", "/v2/l/schemas/v1", {"chart": chart})
    api.pay("l", "world", "users:1", 1, query="?schemaVersion=v1")


def test_212_a_copy_of_a_copy_is_the_same_bytes(api):
    every_kind(api)
    first = api("POST", "/v2/l/logs/export")
    assert first.headers["content-type"] == "application/octet-stream"
    assert api("POST", "/v2/copy").status == 204
    assert api("POST", "/v2/copy/logs/import", body=first.body).status == 204
    assert api("POST", "/v2/copy/logs/export").body == first.body
    for path in (
        "transactions?expand=volumes&expand=effectiveVolumes",
        "volumes",
        "aggregate/balances",
        "stats",
    ):
        assert api("GET", f"/v2/copy/{path}").json == api("GET", f"/v2/l/{path}").json, path
    assert api.damages() == []


def test_213_writes_go_on_after_the_copied_ids(api):
    every_kind(api)
    api("POST", "/v2/copy")
    api("POST", "/v2/copy/logs/import", body=api("POST", "/v2/l/logs/export").body)
    last = api("GET", "/v2/l/transactions").json["cursor"]["data"][0]["id"]
    assert api.pay("copy", "world", "bank", 1).data["id"] == last + 1
    assert api("POST", "/v2/copy/logs/import", body=b"").code == "IMPORT"


def test_216_a_forged_log_stops_the_import_and_keeps_what_came_before(api):
    every_kind(api)
    lines = api("POST", "/v2/l/logs/export").body.splitlines()
    forged = (
        lines[2].replace(b"SET_METADATA", b"SET_METADATA").replace(b"x\\u003cy", b"x").replace(b"x<y", b"x")
    )
    assert forged != lines[2]
    api("POST", "/v2/copy")
    refused = api("POST", "/v2/copy/logs/import", body=b"\n".join([*lines[:2], forged, *lines[3:]]))
    assert refused.code == "IMPORT"
    expected = json.loads(lines[2])["hash"]
    assert "invalid hash, expected" in refused.json["errorMessage"]
    assert f"got {expected} for log 3" in refused.json["errorMessage"]
    assert len(api("GET", "/v2/copy/logs").json["cursor"]["data"]) == 2
    assert api("POST", "/v2/copy/logs/import", body=b"\n".join(lines[2:])).status == 204


def test_210_hashes_of_the_specification(api):
    """The first three vectors of section 12.2."""
    logs = [
        {
            "type": "NEW_TRANSACTION",
            "data": {
                "transaction": {
                    "postings": [
                        {"source": "world", "destination": "till:1", "amount": 250, "asset": "EUR/2"}
                    ],
                    "metadata": {},
                    "timestamp": "2026-01-02T03:04:05Z",
                    "id": 1,
                    "reverted": False,
                },
                "accountMetadata": {},
            },
            "date": "2026-01-02T03:04:05Z",
        },
        {
            "type": "NEW_TRANSACTION",
            "data": {
                "transaction": {
                    "postings": [
                        {"source": "till:1", "destination": "bank", "amount": 100, "asset": "EUR/2"}
                    ],
                    "metadata": {"a": "1", "b": 'x<y>&"q" é \\'},
                    "timestamp": "2026-01-02T03:04:06.5Z",
                    "reference": "r-1",
                    "id": 2,
                    "reverted": False,
                },
                "accountMetadata": {"bank": {"k": "v"}},
            },
            "date": "2026-01-02T03:04:06.500001Z",
            "idempotencyKey": "key-1",
        },
        {
            "type": "SET_METADATA",
            "data": {"targetType": "ACCOUNT", "targetId": "till:1", "metadata": {"tier": "gold"}},
            "date": "2026-01-02T03:04:07.12Z",
        },
    ]
    hashed = enumerate(zip(logs, SPEC_HASHES, strict=True), 1)
    stream = "".join(json.dumps({**log, "id": number, "hash": digest}) for number, (log, digest) in hashed)
    assert api("POST", "/v2/l/logs/import", body=stream).status == 204


def test_293_a_repeated_reference_is_refused_and_earlier_logs_stay(api):
    api.pay("l", "world", "bank", 1, reference="r")
    line = json.loads(api("POST", "/v2/l/logs/export").body)
    again = {
        **line,
        "id": 2,
        "data": {**line["data"], "transaction": {**line["data"]["transaction"], "id": 2}},
    }
    ledgers = api
    ledgers("POST", "/v2/copy")
    refused = ledgers("POST", "/v2/copy/logs/import", body=json.dumps(line) + json.dumps(again))
    assert refused.code == "IMPORT"
    assert ledgers("GET", "/v2/copy/stats").data["transactions"] == 1
