"""Calls of the ledger, v2, and of the gateway."""

from typing import Any

from bursar.formance.filters import match
from bursar.formance.ledger.bulk import (
    BulkAddMetadata,
    BulkCreate,
    BulkDeleteMetadata,
    BulkRevert,
    MetadataKey,
    NewMetadata,
    Reversal,
    ScriptBlock,
)
from bursar.formance.ledger.models import (
    Monetary,
    NewLedger,
    NewTransaction,
    Posting,
    RevertRequest,
    Runtime,
    Script,
    TargetType,
)
from tests.formance.case import FILTER, KEY, POSTING, STREAM, TAGS, TEXT, V2, WHEN, Case

ELEMENTS = [
    {"action": "CREATE_TRANSACTION", "ik": "a", "data": {"postings": [POSTING], "metadata": {}}},
    {
        "action": "ADD_METADATA",
        "ik": "b",
        "data": {"targetType": "ACCOUNT", "targetId": "users:1", "metadata": TAGS},
    },
    {"action": "REVERT_TRANSACTION", "ik": "c", "data": {"id": 1, "force": True, "atEffectiveDate": True}},
    {
        "action": "DELETE_METADATA",
        "ik": "d",
        "data": {"targetType": "TRANSACTION", "targetId": 1, "key": "k"},
    },
]
VENDOR_ELEMENTS = [
    {"action": "CREATE_TRANSACTION", "ik": "a", "data": {"postings": [POSTING], "metadata": {}}},
    {
        "action": "ADD_METADATA",
        "ik": "b",
        "data": {"target_type": "ACCOUNT", "target_id": "users:1", "metadata": TAGS},
    },
    {"action": "REVERT_TRANSACTION", "ik": "c", "data": {"id": 1, "force": True, "at_effective_date": True}},
    {
        "action": "DELETE_METADATA",
        "ik": "d",
        "data": {"target_type": "TRANSACTION", "target_id": 1, "key": "k"},
    },
]
BULK = [
    BulkCreate(ik="a", data=NewTransaction(postings=[Posting(**POSTING)], metadata={})),
    BulkAddMetadata(
        ik="b", data=NewMetadata(target_type=TargetType.ACCOUNT, target_id="users:1", metadata=TAGS)
    ),
    BulkRevert(ik="c", data=Reversal(id=1, force=True, at_effective_date=True)),
    BulkDeleteMetadata(ik="d", data=MetadataKey(target_type=TargetType.TRANSACTION, target_id=1, key="k")),
]
SERVER = [
    Case("sdk.get_versions", lambda c: c.get_versions(), "GET", "/versions"),
    Case("ledger.v2.get_info", lambda c: c.ledger.v2.get_info(), "GET", "/api/ledger/_/info"),
    Case(
        "ledger.v2.get_config_info",
        lambda c: c.ledger.v2.get_config_info(),
        "GET",
        "/api/ledger/v2/_info",
        vendor=None,
    ),
    Case("ledger.v2.get_metrics", lambda c: c.ledger.v2.get_metrics(), "GET", "/api/ledger/_/metrics"),
]

LEDGERS = [
    Case(
        "ledger.v2.list_ledgers",
        lambda c: c.ledger.v2.list_ledgers(
            {"$match": {"bucket": "b"}}, include_deleted=True, page_size=10, cursor="c", sort="id:desc"
        ),
        "GET",
        "/api/ledger/v2",
        {"includeDeleted": "true", "pageSize": "10", "cursor": "c", "sort": "id:desc"},
        {"$match": {"bucket": "b"}},
        vendor={
            "request_body": {"$match": {"bucket": "b"}},
            "include_deleted": True,
            "page_size": 10,
            "cursor": "c",
            "sort": "id:desc",
        },
    ),
    Case(
        "ledger.v2.get_ledger", lambda c: c.ledger.v2.get_ledger("main"), "GET", V2, vendor={"ledger": "main"}
    ),
    Case(
        "ledger.v2.create_ledger",
        lambda c: c.ledger.v2.create_ledger(
            "main", NewLedger(bucket="b", metadata=TAGS, features={"HASH_LOGS": "SYNC"})
        ),
        "POST",
        V2,
        body={"bucket": "b", "metadata": TAGS, "features": {"HASH_LOGS": "SYNC"}},
        vendor={
            "ledger": "main",
            "v2_create_ledger_request": {"bucket": "b", "metadata": TAGS, "features": {"HASH_LOGS": "SYNC"}},
        },
    ),
    Case(
        "ledger.v2.get_ledger_info",
        lambda c: c.ledger.v2.get_ledger_info("main"),
        "GET",
        f"{V2}/_info",
        vendor={"ledger": "main"},
    ),
    Case(
        "ledger.v2.update_ledger_metadata",
        lambda c: c.ledger.v2.update_ledger_metadata("main", TAGS),
        "PUT",
        f"{V2}/metadata",
        body=TAGS,
        vendor={"ledger": "main", "request_body": TAGS},
    ),
    Case(
        "ledger.v2.delete_ledger_metadata",
        lambda c: c.ledger.v2.delete_ledger_metadata("main", "a b"),
        "DELETE",
        f"{V2}/metadata/a%20b",
        vendor={"ledger": "main", "key": "a b"},
    ),
    Case(
        "ledger.v2.delete_bucket",
        lambda c: c.ledger.v2.delete_bucket("b"),
        "DELETE",
        "/api/ledger/v2/_/buckets/b",
        vendor={"bucket": "b"},
    ),
    Case(
        "ledger.v2.restore_bucket",
        lambda c: c.ledger.v2.restore_bucket("b"),
        "POST",
        "/api/ledger/v2/_/buckets/b/restore",
        vendor={"bucket": "b"},
    ),
]

ACCOUNTS = [
    Case(
        "ledger.v2.list_accounts",
        lambda c: c.ledger.v2.list_accounts(
            "main",
            match("address", "users:"),
            pit=WHEN,
            expand="volumes",
            page_size=10,
            cursor="c",
            sort="address",
        ),
        "GET",
        f"{V2}/accounts",
        {"pit": TEXT, "expand": "volumes", "pageSize": "10", "cursor": "c", "sort": "address"},
        FILTER,
        vendor={
            "ledger": "main",
            "request_body": FILTER,
            "pit": TEXT,
            "expand": "volumes",
            "page_size": 10,
            "cursor": "c",
            "sort": "address",
        },
    ),
    Case(
        "ledger.v2.count_accounts",
        lambda c: c.ledger.v2.count_accounts("main", FILTER, pit=WHEN),
        "HEAD",
        f"{V2}/accounts",
        {"pit": TEXT},
        FILTER,
        vendor={"ledger": "main", "request_body": FILTER, "pit": TEXT},
    ),
    Case(
        "ledger.v2.get_account",
        lambda c: c.ledger.v2.get_account("main", "users:1", pit=WHEN, expand="volumes"),
        "GET",
        f"{V2}/accounts/users:1",
        {"pit": TEXT, "expand": "volumes"},
        vendor={"ledger": "main", "address": "users:1", "pit": TEXT, "expand": "volumes"},
    ),
    Case(
        "ledger.v2.add_metadata_to_account",
        lambda c: c.ledger.v2.add_metadata_to_account(
            "main", "users:1", TAGS, dry_run=True, schema_version="v1", idempotency_key=KEY
        ),
        "POST",
        f"{V2}/accounts/users:1/metadata",
        {"dryRun": "true", "schemaVersion": "v1"},
        TAGS,
        KEY,
        vendor={
            "ledger": "main",
            "address": "users:1",
            "request_body": TAGS,
            "dry_run": True,
            "schema_version": "v1",
            "idempotency_key": KEY,
        },
    ),
    Case(
        "ledger.v2.delete_account_metadata",
        lambda c: c.ledger.v2.delete_account_metadata("main", "users:1", "k", idempotency_key=KEY),
        "DELETE",
        f"{V2}/accounts/users:1/metadata/k",
        key=KEY,
        vendor={"ledger": "main", "address": "users:1", "key": "k", "idempotency_key": KEY},
    ),
]

TRANSACTIONS = [
    Case(
        "ledger.v2.list_transactions",
        lambda c: c.ledger.v2.list_transactions(
            "main",
            {"$match": {"account": "users:"}},
            pit=WHEN,
            expand="volumes",
            order="effective",
            reverse=True,
            page_size=10,
            cursor="c",
            sort="id:asc",
        ),
        "GET",
        f"{V2}/transactions",
        {
            "pit": TEXT,
            "expand": "volumes",
            "order": "effective",
            "reverse": "true",
            "pageSize": "10",
            "cursor": "c",
            "sort": "id:asc",
        },
        {"$match": {"account": "users:"}},
        vendor={
            "ledger": "main",
            "request_body": {"$match": {"account": "users:"}},
            "pit": TEXT,
            "expand": "volumes",
            "order": "effective",
            "reverse": True,
            "page_size": 10,
            "cursor": "c",
            "sort": "id:asc",
        },
    ),
    Case(
        "ledger.v2.count_transactions",
        lambda c: c.ledger.v2.count_transactions("main", FILTER, pit=WHEN),
        "HEAD",
        f"{V2}/transactions",
        {"pit": TEXT},
        FILTER,
        vendor={"ledger": "main", "request_body": FILTER, "pit": TEXT},
    ),
    Case(
        "ledger.v2.create_transaction",
        lambda c: c.ledger.v2.create_transaction(
            "main",
            NewTransaction(
                postings=[Posting("world", "users:1", 10**30, "USD/2")],
                timestamp=WHEN,
                reference="r",
                metadata=TAGS,
                account_metadata={"users:1": TAGS},
                runtime=Runtime.MACHINE,
                force=True,
            ),
            dry_run=True,
            force=True,
            schema_version="v1",
            idempotency_key=KEY,
        ),
        "POST",
        f"{V2}/transactions",
        {"dryRun": "true", "force": "true", "schemaVersion": "v1"},
        {
            "postings": [POSTING],
            "timestamp": TEXT,
            "reference": "r",
            "metadata": TAGS,
            "accountMetadata": {"users:1": TAGS},
            "runtime": "machine",
            "force": True,
        },
        KEY,
        vendor={
            "ledger": "main",
            "v2_post_transaction": {
                "postings": [POSTING],
                "timestamp": TEXT,
                "reference": "r",
                "metadata": TAGS,
                "account_metadata": {"users:1": TAGS},
                "runtime": "machine",
                "force": True,
            },
            "dry_run": True,
            "force": True,
            "schema_version": "v1",
            "idempotency_key": KEY,
        },
    ),
    Case(
        "ledger.v2.create_transaction",
        lambda c: c.ledger.v2.create_transaction(
            "main", {"script": {"plain": "send", "vars": {"a": "users:1"}}, "metadata": {}}
        ),
        "POST",
        f"{V2}/transactions",
        body={"script": {"plain": "send", "vars": {"a": "users:1"}}, "metadata": {}},
        vendor={
            "ledger": "main",
            "v2_post_transaction": {"script": {"plain": "send", "vars": {"a": "users:1"}}, "metadata": {}},
        },
    ),
    Case(
        "ledger.v2.create_transaction",
        lambda c: c.ledger.v2.create_transaction(
            "main",
            NewTransaction(
                script=Script(
                    template="PAY", vars={"small": Monetary("USD", 5), "big": Monetary("USD", 2**60)}
                )
            ),
        ),
        "POST",
        f"{V2}/transactions",
        body={
            "script": {
                "template": "PAY",
                "vars": {
                    "small": {"asset": "USD", "amount": 5},
                    "big": {"asset": "USD", "amount": str(2**60)},
                },
            }
        },
        vendor=None,
    ),
    Case(
        "ledger.v2.get_transaction",
        lambda c: c.ledger.v2.get_transaction("main", 2**63, pit=WHEN, expand="volumes"),
        "GET",
        f"{V2}/transactions/9223372036854775808",
        {"pit": TEXT, "expand": "volumes"},
        vendor={"ledger": "main", "id": 2**63, "pit": TEXT, "expand": "volumes"},
    ),
    Case(
        "ledger.v2.revert_transaction",
        lambda c: c.ledger.v2.revert_transaction(
            "main",
            1,
            RevertRequest(metadata=TAGS),
            force=True,
            at_effective_date=True,
            dry_run=True,
            schema_version="v1",
            idempotency_key=KEY,
        ),
        "POST",
        f"{V2}/transactions/1/revert",
        {"force": "true", "atEffectiveDate": "true", "dryRun": "true", "schemaVersion": "v1"},
        {"metadata": TAGS},
        KEY,
        vendor={
            "ledger": "main",
            "id": 1,
            "v2_revert_transaction_request": {"metadata": TAGS},
            "force": True,
            "at_effective_date": True,
            "dry_run": True,
            "schema_version": "v1",
            "idempotency_key": KEY,
        },
    ),
    Case(
        "ledger.v2.revert_transaction",
        lambda c: c.ledger.v2.revert_transaction("main", 1),
        "POST",
        f"{V2}/transactions/1/revert",
        vendor={"ledger": "main", "id": 1},
    ),
    Case(
        "ledger.v2.add_metadata_on_transaction",
        lambda c: c.ledger.v2.add_metadata_on_transaction(
            "main", 1, TAGS, dry_run=True, schema_version="v1", idempotency_key=KEY
        ),
        "POST",
        f"{V2}/transactions/1/metadata",
        {"dryRun": "true", "schemaVersion": "v1"},
        TAGS,
        KEY,
        vendor={
            "ledger": "main",
            "id": 1,
            "request_body": TAGS,
            "dry_run": True,
            "schema_version": "v1",
            "idempotency_key": KEY,
        },
    ),
    Case(
        "ledger.v2.delete_transaction_metadata",
        lambda c: c.ledger.v2.delete_transaction_metadata("main", 1, "k", idempotency_key=KEY),
        "DELETE",
        f"{V2}/transactions/1/metadata/k",
        key=KEY,
        vendor={"ledger": "main", "id": 1, "key": "k", "idempotency_key": KEY},
    ),
    Case(
        "ledger.v2.delete_transaction_metadata",
        lambda c: c.ledger.v2.delete_transaction_metadata("main", 1, "k", dry_run=True, schema_version="v1"),
        "DELETE",
        f"{V2}/transactions/1/metadata/k",
        {"dryRun": "true", "schemaVersion": "v1"},
        vendor=None,
    ),
]

_FLAGS = {"atomic": "true", "parallel": "true", "continueOnFailure": "true", "schemaVersion": "v1"}
_OPTIONS: dict[str, Any] = {
    "atomic": True,
    "parallel": True,
    "continue_on_failure": True,
    "schema_version": "v1",
}

BULKS = [
    Case(
        "ledger.v2.create_bulk",
        lambda c: c.ledger.v2.create_bulk("main", BULK, **_OPTIONS),
        "POST",
        f"{V2}/_bulk",
        _FLAGS,
        ELEMENTS,
        vendor={"ledger": "main", "request_body": VENDOR_ELEMENTS, **_OPTIONS},
    ),
    Case(
        "ledger.v2.create_bulk",
        lambda c: c.ledger.v2.create_bulk("main", ELEMENTS),
        "POST",
        f"{V2}/_bulk",
        body=ELEMENTS,
        vendor={"ledger": "main", "request_body": VENDOR_ELEMENTS},
    ),
    Case(
        "ledger.v2.create_bulk_stream",
        lambda c: c.ledger.v2.create_bulk_stream("main", iter([*BULK[:2], *ELEMENTS[2:]]), **_OPTIONS),
        "POST",
        f"{V2}/_bulk",
        _FLAGS,
        ELEMENTS,
        media=f"{STREAM}json-stream",
        vendor=None,
    ),
    Case(
        "ledger.v2.create_script_stream",
        lambda c: c.ledger.v2.create_script_stream(
            "main", ["a", ScriptBlock(plain="b\nc", ik="k"), {"plain": "d"}]
        ),
        "POST",
        f"{V2}/_bulk",
        body=b"//script\na\n//end\n//script ik=k\nb\nc\n//end\n//script\nd\n//end\n",
        media=f"{STREAM}script-stream",
        vendor=None,
    ),
]

READS = [
    Case(
        "ledger.v2.get_balances_aggregated",
        lambda c: c.ledger.v2.get_balances_aggregated("main", FILTER, pit=WHEN, use_insertion_date=True),
        "GET",
        f"{V2}/aggregate/balances",
        {"pit": TEXT, "useInsertionDate": "true"},
        FILTER,
        vendor={"ledger": "main", "request_body": FILTER, "pit": TEXT, "use_insertion_date": True},
    ),
    Case(
        "ledger.v2.get_volumes_with_balances",
        lambda c: c.ledger.v2.get_volumes_with_balances(
            "main",
            FILTER,
            start_time=WHEN,
            end_time=WHEN,
            insertion_date=True,
            group_by=1,
            page_size=10,
            cursor="c",
            sort="account",
        ),
        "GET",
        f"{V2}/volumes",
        {
            "startTime": TEXT,
            "endTime": TEXT,
            "insertionDate": "true",
            "groupBy": "1",
            "pageSize": "10",
            "cursor": "c",
            "sort": "account",
        },
        FILTER,
        vendor={
            "ledger": "main",
            "request_body": FILTER,
            "start_time": TEXT,
            "end_time": TEXT,
            "insertion_date": True,
            "group_by": 1,
            "page_size": 10,
            "cursor": "c",
            "sort": "account",
        },
    ),
    Case(
        "ledger.v2.read_stats",
        lambda c: c.ledger.v2.read_stats("main"),
        "GET",
        f"{V2}/stats",
        vendor={"ledger": "main"},
    ),
    Case(
        "ledger.v2.list_logs",
        lambda c: c.ledger.v2.list_logs("main", FILTER, pit=WHEN, page_size=10, cursor="c", sort="id"),
        "GET",
        f"{V2}/logs",
        {"pit": TEXT, "pageSize": "10", "cursor": "c", "sort": "id"},
        FILTER,
        vendor={
            "ledger": "main",
            "request_body": FILTER,
            "pit": TEXT,
            "page_size": 10,
            "cursor": "c",
            "sort": "id",
        },
    ),
    Case(
        "ledger.v2.export_logs",
        lambda c: c.ledger.v2.export_logs("main"),
        "POST",
        f"{V2}/logs/export",
        vendor={"ledger": "main"},
    ),
    Case(
        "ledger.v2.import_logs",
        lambda c: c.ledger.v2.import_logs("main", b'{"id":1}\n{"id":2}'),
        "POST",
        f"{V2}/logs/import",
        body=b'{"id":1}\n{"id":2}',
        media="application/octet-stream",
        vendor={"ledger": "main", "v2_import_logs_request": {"$bytes": '{"id":1}\n{"id":2}'}},
    ),
    Case(
        "ledger.v2.import_logs",
        lambda c: c.ledger.v2.import_logs("main", iter([{"id": 1}, b'{"id":2}'])),
        "POST",
        f"{V2}/logs/import",
        body=b'{"id":1}\n{"id":2}',
        media="application/octet-stream",
        vendor=None,
    ),
]
