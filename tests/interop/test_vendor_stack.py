"""The vendor's own client of a Formance stack against `bursar serve --sandbox`: each operation of its ledger and auth.

What fails is listed with its reason; an operation that fails without being listed, or is listed and works, is an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.vendor
CALLS = Path(__file__).with_name("sdk_calls.py")
CREDENTIALS = ["formance-sandbox", "formance-sandbox-secret"]

NOT_BUILT_YET = ("exporter", "pipeline")
"""Operations of exporters and pipelines come with a later release."""

BIG = 10**30
POSTING = {"source": "world", "destination": "users:1", "amount": BIG, "asset": "USD/2"}
CHART = {"users": {"$id": {".pattern": "^[0-9]+$"}}}
ALL_ACCOUNTS = {"resource": "accounts", "body": {"$match": {"address": "users:"}}}
LATER = "2030-01-01T00:00:00Z"


@dataclass(frozen=True)
class Step:
    """A call, and parts of its result (a path: a value) or, where it fails, why."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expected: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fails: str = ""
    raised: Sequence[Any] = ()


def main(**further: Any) -> dict[str, Any]:
    return {"ledger": "main", **further}


def v2_create(ledger: str = "main", **members: Any) -> dict[str, Any]:
    return {"ledger": ledger, "v2_post_transaction": {"metadata": {}, **members}}


LEDGERS = {
    "get_versions": Step("sdk.get_versions", {}, {"region": "local"}),
    "info": Step("ledger.v2.get_info", {}, {"server": "ledger"}),
    "create_ledger": Step(
        "ledger.v2.create_ledger",
        main(v2_create_ledger_request={"bucket": "b", "metadata": {"a": "1"}}),
        {"": ""},
    ),
    "create it again": Step(
        "ledger.v2.create_ledger",
        main(v2_create_ledger_request={}),
        raised=["ErrorsV2ErrorResponse", 400, "LEDGER_ALREADY_EXISTS"],
    ),
    "update_ledger_metadata": Step(
        "ledger.v2.update_ledger_metadata", main(request_body={"b": "2"}), {"": None}
    ),
    "delete_ledger_metadata": Step("ledger.v2.delete_ledger_metadata", main(key="a"), {"": ""}),
    "get_ledger": Step(
        "ledger.v2.get_ledger",
        main(),
        {"data.name": "main", "data.bucket": "b", "data.metadata": {"b": "2"}},
    ),
    "list_ledgers": Step(
        "ledger.v2.list_ledgers",
        {"request_body": {"$match": {"bucket": "b"}}, "page_size": 5},
        {"cursor.data.0.name": "main", "cursor.pageSize": 5, "cursor.hasMore": False},
    ),
    "ledger_info": Step("ledger.v2.get_ledger_info", main(), {"data.name": "main"}),
    "no such ledger": Step(
        "ledger.v2.get_ledger",
        {"ledger": "nothing"},
        raised=["ErrorsV2ErrorResponse", 404, "NOT_FOUND"],
    ),
}

TRANSACTIONS = {
    "create": Step(
        "ledger.v2.create_transaction",
        v2_create(postings=[POSTING], reference="r-1", timestamp="2026-01-02T03:04:05.123456Z"),
        {
            "data.id": 1,
            "data.postings.0.amount": BIG,
            "data.timestamp": "2026-01-02T03:04:05.123456Z",
            "data.postCommitVolumes.users:1.USD/2.balance": BIG,
        },
    ),
    "create with a script": Step(
        "ledger.v2.create_transaction",
        v2_create(
            script={
                "plain": "vars {\n account $to\n}\nsend [USD/2 40] (\n source = @users:1\n destination = $to\n)",
                "vars": {"to": "users:2"},
            },
            account_metadata={"users:2": {"tier": "gold"}},
        ),
        {"data.id": 2, "data.postings.0.destination": "users:2"},
    ),
    "create, replayed": Step(
        "ledger.v2.create_transaction",
        {**v2_create(postings=[{**POSTING, "amount": 5}]), "idempotency_key": "k-1"},
        {"data.id": 3},
    ),
    "replay": Step(
        "ledger.v2.create_transaction",
        {**v2_create(postings=[{**POSTING, "amount": 5}]), "idempotency_key": "k-1"},
        {"data.id": 3},
    ),
    "the same reference": Step(
        "ledger.v2.create_transaction",
        v2_create(postings=[POSTING], reference="r-1"),
        raised=["ErrorsV2ErrorResponse", 409, "CONFLICT"],
    ),
    "no funds": Step(
        "ledger.v2.create_transaction",
        v2_create(postings=[{**POSTING, "source": "poor"}]),
        raised=["ErrorsV2ErrorResponse", 400, "INSUFFICIENT_FUND"],
    ),
    "no script": Step(
        "ledger.v2.create_transaction",
        v2_create(script={"plain": "sned", "vars": {}}),
        raised=["ErrorsV2ErrorResponse", 400, "COMPILATION_FAILED"],
    ),
    "tag": Step("ledger.v2.add_metadata_on_transaction", main(id=1, request_body={"k": "v"}), {"": ""}),
    "get": Step(
        "ledger.v2.get_transaction",
        main(id=1, expand="volumes"),
        {
            "data.metadata": {"k": "v"},
            "data.postCommitVolumes.world.USD/2.output": BIG,
            "data.reverted": False,
        },
    ),
    "untag": Step("ledger.v2.delete_transaction_metadata", main(id=1, key="k"), {"": ""}),
    "revert": Step(
        "ledger.v2.revert_transaction",
        main(id=3, at_effective_date=True, v2_revert_transaction_request={"metadata": {"why": "test"}}),
        {"data.postings.0.source": "users:1", "data.metadata.why": "test"},
    ),
    "revert again": Step(
        "ledger.v2.revert_transaction", main(id=3), raised=["ErrorsV2ErrorResponse", 400, "ALREADY_REVERT"]
    ),
    "list": Step(
        "ledger.v2.list_transactions",
        main(request_body={"$match": {"reference": "r-1"}}, expand="volumes"),
        {"cursor.data.0.id": 1, "cursor.data.0.reference": "r-1", "cursor.hasMore": False},
    ),
    "first page": Step(
        "ledger.v2.list_transactions",
        main(request_body={}, page_size=2),
        {"cursor.data.0.id": 5, "cursor.data.1.id": 3, "cursor.hasMore": True},
    ),
    "second page": Step(
        "ledger.v2.list_transactions",
        {"ledger": "main", "request_body": {}, "cursor": {"$of": ["first page", "cursor.next"]}},
        {"cursor.data.0.id": 2, "cursor.data.1.id": 1, "cursor.hasMore": False},
    ),
    "count": Step(
        "ledger.v2.count_transactions", main(request_body={"$match": {"account": "users:2"}}), {"": ["1"]}
    ),
    "bad filter": Step(
        "ledger.v2.list_transactions",
        main(request_body={"$match": {"nope": 1}}),
        raised=["ErrorsV2ErrorResponse", 400, "VALIDATION"],
    ),
}

ACCOUNTS = {
    "tag an account": Step(
        "ledger.v2.add_metadata_to_account",
        main(address="users:1", request_body={"a": "1", "b": "2"}),
        {"": ""},
    ),
    "untag an account": Step("ledger.v2.delete_account_metadata", main(address="users:1", key="a"), {"": ""}),
    "account": Step(
        "ledger.v2.get_account",
        main(address="users:1", expand="volumes"),
        {"data.metadata": {"b": "2"}, "data.volumes.USD/2.balance": BIG - 40},
    ),
    "accounts": Step(
        "ledger.v2.list_accounts",
        main(request_body={"$match": {"metadata[tier]": "gold"}}, expand="volumes"),
        {"cursor.data.0.address": "users:2", "cursor.data.0.volumes.USD/2.input": 40},
    ),
    "count accounts": Step("ledger.v2.count_accounts", main(request_body={}), {"": ["3"]}),
    "balances": Step(
        "ledger.v2.get_balances_aggregated",
        main(request_body={"$match": {"address": "users:"}}, pit=LATER),
        {"data": {"USD/2": BIG}},
    ),
    "volumes": Step(
        "ledger.v2.get_volumes_with_balances",
        main(request_body={"$match": {"account": "users:"}}, group_by=1),
        {"cursor.data.0.account": "users", "cursor.data.0.balance": BIG},
    ),
    "stats": Step("ledger.v2.read_stats", main(), {"data.transactions": 4, "data.accounts": 3}),
}

BULKS_AND_LOGS = {
    "bulk": Step(
        "ledger.v2.create_bulk",
        main(
            atomic=True,
            request_body=[
                {
                    "action": "CREATE_TRANSACTION",
                    "ik": "b-1",
                    "data": {"postings": [POSTING], "metadata": {}},
                },
                {
                    "action": "ADD_METADATA",
                    "data": {"target_type": "ACCOUNT", "target_id": "bank", "metadata": {"k": "v"}},
                },
                {"action": "REVERT_TRANSACTION", "data": {"id": 1, "force": True}},
                {
                    "action": "DELETE_METADATA",
                    "data": {"target_type": "ACCOUNT", "target_id": "bank", "key": "k"},
                },
            ],
        ),
        {"data.0.responseType": "CREATE_TRANSACTION", "data.3.responseType": "DELETE_METADATA"},
    ),
    "bulk that fails": Step(
        "ledger.v2.create_bulk",
        main(
            request_body=[
                {
                    "action": "CREATE_TRANSACTION",
                    "data": {"postings": [{**POSTING, "source": "poor"}], "metadata": {}},
                }
            ]
        ),
        {"data.0.responseType": "ERROR", "data.0.errorCode": "INSUFFICIENT_FUND"},
    ),
    "logs": Step(
        "ledger.v2.list_logs",
        main(request_body={}, page_size=100),
        {"cursor.data.0.type": "DELETE_METADATA", "cursor.hasMore": False},
    ),
    "copy": Step("ledger.v2.create_ledger", {"ledger": "copy", "v2_create_ledger_request": {}}, {"": ""}),
    "export": Step("ledger.v2.export_logs", main()),
    "import": Step(
        "ledger.v2.import_logs",
        {"ledger": "copy", "v2_import_logs_request": {"$bytes": {"$of": ["export", ""]}}},
        {"": ""},
    ),
    "export of the copy": Step("ledger.v2.export_logs", {"ledger": "copy"}),
    "import again": Step(
        "ledger.v2.import_logs",
        {"ledger": "copy", "v2_import_logs_request": {"$bytes": {"$of": ["export", ""]}}},
        raised=["ErrorsV2ErrorResponse", 400, "IMPORT"],
    ),
}

SCHEMAS = {
    "schematic": Step(
        "ledger.v2.create_ledger",
        {"ledger": "schematic", "v2_create_ledger_request": {"bucket": "temporary"}},
        {"": ""},
    ),
    "insert_schema": Step(
        "ledger.v2.insert_schema",
        {
            "ledger": "schematic",
            "version": "v1",
            "v2_schema_data": {
                "chart": CHART,
                "transactions": {},
                "queries": {"USERS": ALL_ACCOUNTS},
            },
        },
        {"": ""},
    ),
    "get_schema": Step(
        "ledger.v2.get_schema",
        {"ledger": "schematic", "version": "v1"},
        {"data.version": "v1"},
    ),
    "list_schemas": Step("ledger.v2.list_schemas", {"ledger": "schematic"}, {"cursor.data.0.version": "v1"}),
    "run_query": Step(
        "ledger.v2.run_query",
        {"ledger": "schematic", "id": "USERS", "schema_version": "v1", "request_body": {}},
        {"resource": "accounts", "cursor.data": []},
    ),
    "run_query, expanded": Step(
        "ledger.v2.run_query",
        {
            "ledger": "schematic",
            "id": "USERS",
            "schema_version": "v1",
            "request_body": {"params": {"resource": "accounts", "expand": "volumes"}},
        },
        raised=["ErrorsV2ErrorResponse", 400, "VALIDATION"],  # the SDK sends a text, the server wants a list
    ),
    "delete_bucket": Step("ledger.v2.delete_bucket", {"bucket": "temporary"}, {"": None}),
    "deleted": Step(
        "ledger.v2.get_ledger",
        {"ledger": "schematic"},
        raised=["ErrorsV2ErrorResponse", 404, "NOT_FOUND"],
    ),
    "restore_bucket": Step("ledger.v2.restore_bucket", {"bucket": "temporary"}, {"": None}),
    "restored": Step("ledger.v2.get_ledger", {"ledger": "schematic"}, {"data.bucket": "temporary"}),
    "get_metrics": Step(
        "ledger.v2.get_metrics",
        {},
        fails="the server has it only with an exporter of metrics that is off by default",
        raised=["SDKError", 404, None],
    ),
}


def old(**further: Any) -> dict[str, Any]:
    return {"ledger": "old", **further}


VERSION_1 = {
    "v1 info": Step("ledger.v1.get_info", {}, {"data.server": "ledger"}),
    "v1 ledger info": Step("ledger.v1.get_ledger_info", old(), {"data.name": "old"}),
    "v1 create": Step(
        "ledger.v1.create_transaction",
        old(post_transaction={"postings": [{**POSTING, "amount": 100}], "metadata": {"a": "b"}}),
        {"data.0.txid": 1, "data.0.postings.0.amount": 100},
    ),
    "v1 script": Step(
        "ledger.v1.create_transaction",
        old(
            post_transaction={
                "script": {
                    "plain": "vars {\n monetary $m\n}\nsend $m (\n source = @world\n destination = @users:2\n)",
                    "vars": {"m": {"asset": "USD/2", "amount": 7}},
                }
            }
        ),
        {"data.0.txid": 2},
    ),
    "v1 no funds": Step(
        "ledger.v1.create_transaction",
        old(post_transaction={"postings": [{**POSTING, "source": "poor"}]}),
        raised=["ErrorsErrorResponse", 400, "INSUFFICIENT_FUND"],
    ),
    "v1 logs": Step(
        "ledger.v1.list_logs", old(), {"cursor.data.0.id": 2, "cursor.data.0.type": "NEW_TRANSACTION"}
    ),
    "v1 tag": Step("ledger.v1.add_metadata_on_transaction", old(txid=1, request_body={"k": "v"}), {"": ""}),
    "v1 get": Step("ledger.v1.get_transaction", old(txid=1), {"data.metadata": {"a": "b", "k": "v"}}),
    "v1 revert": Step("ledger.v1.revert_transaction", old(txid=2), {"data.postings.0.source": "users:2"}),
    "v1 logs after a revert": Step(
        "ledger.v1.list_logs",
        old(),
        raised=["ResponseValidationError", 200, None],  # the SDK knows two types of logs only
    ),
    "v1 list": Step(
        "ledger.v1.list_transactions", old(account="users:1", page_size=5), {"cursor.data.0.txid": 1}
    ),
    "v1 tag an account": Step(
        "ledger.v1.add_metadata_to_account", old(address="users:1", request_body={"k": "v"}), {"": ""}
    ),
    "v1 account": Step(
        "ledger.v1.get_account_ledger",
        old(address="users:1"),
        {"data.balances": {"USD/2": 100}, "data.metadata": {"k": "v"}},
    ),
    "v1 accounts": Step(
        "ledger.v1.list_accounts_ledger",
        old(address="users:", metadata={"k": "v"}),
        {"cursor.data.0.address": "users:1"},
    ),
    "v1 count accounts": Step("ledger.v1.count_accounts", old(), {"": ["3"]}),
    "v1 balances": Step(
        "ledger.v1.get_balances", old(address="users:1"), {"cursor.data": [{"users:1": {"USD/2": 100}}]}
    ),
    "v1 aggregate": Step(
        "ledger.v1.get_balances_aggregated", old(address="users:"), {"data": {"USD/2": 100}}
    ),
    "v1 stats": Step("ledger.v1.read_stats", old(), {"data.transactions": 3, "data.accounts": 3}),
    "v1 count": Step(
        "ledger.v1.count_transactions",
        old(),
        fails="the SDK expects 200, every server answers 204",
        raised=["ResponseValidationError", 204, None],
    ),
    "v1 batch": Step(
        "ledger.v1.create_transactions",
        old(transactions={"transactions": [{"postings": [POSTING]}]}),
        fails="servers of version 2 refuse it in plain text",
        raised=["SDKError", 400, None],
    ),
    "v1 run_script": Step(
        "ledger.v1.run_script",
        old(script={"plain": "send", "vars": {}}),
        fails="servers of version 2 no longer have it",
        raised=["SDKError", 404, None],
    ),
    "v1 get_mapping": Step(
        "ledger.v1.get_mapping",
        old(),
        fails="servers of version 2 no longer have it",
        raised=["SDKError", 404, None],
    ),
    "v1 update_mapping": Step(
        "ledger.v1.update_mapping",
        old(mapping={"contracts": []}),
        fails="servers of version 2 no longer have it",
        raised=["SDKError", 404, None],
    ),
}
MADE = {"$of": ["create_client", "data.id"]}
AUTH = {
    "well known": Step("auth.v1.get_oidc_well_knowns"),
    "auth info": Step("auth.v1.get_server_info_auth"),
    "create_client": Step(
        "auth.v1.create_client",
        {"name": "c", "scopes": ["ledger:read"], "metadata": {"a": "1"}},
        {"data.name": "c", "data.scopes": ["ledger:read"]},
    ),
    "create_secret": Step(
        "auth.v1.create_secret", {"client_id": MADE, "secret_options": {"name": "s"}}, {"data.name": "s"}
    ),
    "read_client": Step("auth.v1.read_client", {"client_id": MADE}, {"data.secrets.0.name": "s"}),
    "update_client": Step(
        "auth.v1.update_client", {"client_id": MADE, "client_options": {"name": "d"}}, {"data.name": "d"}
    ),
    "list_clients": Step("auth.v1.list_clients", {}, {"data.0.name": "d"}),
    "delete_secret": Step(
        "auth.v1.delete_secret",
        {"client_id": MADE, "secret_id": {"$of": ["create_secret", "data.id"]}},
        {"": ""},
    ),
    "delete_client": Step("auth.v1.delete_client", {"client_id": MADE}, {"": ""}),
    "list_users": Step("auth.v1.list_users", {}, {"data": []}),
    "read_user": Step("auth.v1.read_user", {"user_id": "nobody"}, raised=["SDKError", 404, None]),
}
STEPS = {**LEDGERS, **TRANSACTIONS, **ACCOUNTS, **BULKS_AND_LOGS, **SCHEMAS, **VERSION_1, **AUTH}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """The URL of a `bursar serve --sandbox`; after SIGTERM its books are in order."""
    database = ["--database", f"sqlite:///{tmp_path}/hub.db"]
    bursar = [sys.executable, "-m", "bursar.cli"]
    serve = [*bursar, "serve", "--sandbox", "--json", "--port", "0", *database]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()
            code = server.wait(30)
    assert code == 0
    verified = subprocess.run([*bursar, "verify", *database], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout


def part(value: Any, path: str) -> Any:
    try:
        for name in path.split(".") if path else ():
            value = value[int(name)] if isinstance(value, list) else value[name]
    except LookupError:
        return f"nothing in {value!r}"
    return value


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_vendors_sdk_drives_the_whole_ledger_and_auth(mode: str, vendor_python: str, hub: str) -> None:
    steps = [[label, step.operation, step.arguments] for label, step in STEPS.items()]
    command = [vendor_python, str(CALLS), f"{hub}/formance", *CREDENTIALS, mode]
    run = subprocess.run(command, input=json.dumps(steps), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr[-3000:]
    operations, *told = [json.loads(line) for line in run.stdout.splitlines()]
    results = dict(told)
    wrong = [f"{label}: {fault}" for label, step in STEPS.items() for fault in faults(step, results[label])]
    assert not wrong, "\n".join(wrong)
    assert results["export of the copy"] == results["export"]
    driven = {step.operation for step in STEPS.values()}
    assert {name for name in operations if not any(word in name for word in NOT_BUILT_YET)} == driven


def faults(step: Step, result: Any) -> list[str]:
    raised = result.get("raised", []) if isinstance(result, dict) else []
    if raised != list(step.raised):
        return [f"raised {raised or result}, not {step.raised}"]
    found = {path: part(result, path) for path in step.expected}
    return [f"{path!r} is {found[path]!r}" for path, value in step.expected.items() if found[path] != value]


def test_operations_that_fail_are_those_that_are_broken_in_the_sdk() -> None:
    """None of their steps succeeds; each other operation has at least one step that does, or is a plain 404."""
    working = {step.operation for step in STEPS.values() if not step.raised}
    broken = {step.operation for step in STEPS.values() if step.fails}
    assert not working & broken
    assert {step.operation for step in STEPS.values()} - working == broken | {"auth.v1.read_user"}
