"""Calls of the ledger, v2: schemas, queries, exporters, pipelines."""

from typing import Any

from bursar.formance.ledger.models import ExporterConfiguration, NewPipeline, Runtime
from bursar.formance.ledger.schemas import (
    QueryResource,
    QueryTemplate,
    QueryVariable,
    SchemaData,
    TransactionTemplate,
)
from tests.formance.case import KEY, TEXT, V2, Case

SCHEMA = {
    "chart": {"users": {"$id": {".pattern": "^[0-9]+$"}}},
    "transactions": {"PAY": {"script": "send [USD/2 1] (\n)", "description": "d", "runtime": "machine"}},
    "queries": {
        "ALL": {
            "resource": "accounts",
            "description": "d",
            "vars": {"who": {"type": "string", "default": "x"}},
            "body": {"$match": {"address": "${who}"}},
        }
    },
}

SCHEMAS = [
    Case(
        "ledger.v2.insert_schema",
        lambda c: c.ledger.v2.insert_schema(
            "main",
            "v1",
            SchemaData(
                chart=SCHEMA["chart"],
                transactions={
                    "PAY": TransactionTemplate(
                        script="send [USD/2 1] (\n)", description="d", runtime=Runtime.MACHINE
                    )
                },
                queries={
                    "ALL": QueryTemplate(
                        resource=QueryResource.ACCOUNTS,
                        description="d",
                        vars={"who": QueryVariable(type="string", default="x")},
                        body={"$match": {"address": "${who}"}},
                    )
                },
            ),
            idempotency_key=KEY,
        ),
        "POST",
        f"{V2}/schemas/v1",
        body=SCHEMA,
        key=KEY,
        vendor={"ledger": "main", "version": "v1", "v2_schema_data": SCHEMA, "idempotency_key": KEY},
    ),
    Case(
        "ledger.v2.insert_schema",
        lambda c: c.ledger.v2.insert_schema("main", "v2", {"chart": {}}, dry_run=True, schema_version="v1"),
        "POST",
        f"{V2}/schemas/v2",
        {"dryRun": "true", "schemaVersion": "v1"},
        {"chart": {}},
        vendor=None,
    ),
    Case(
        "ledger.v2.get_schema",
        lambda c: c.ledger.v2.get_schema("main", "v1.0"),
        "GET",
        f"{V2}/schemas/v1.0",
        vendor={"ledger": "main", "version": "v1.0"},
    ),
    Case(
        "ledger.v2.list_schemas",
        lambda c: c.ledger.v2.list_schemas("main", order="asc", page_size=10, cursor="c", sort="created_at"),
        "GET",
        f"{V2}/schemas",
        {"order": "asc", "pageSize": "10", "cursor": "c", "sort": "created_at"},
        vendor={"ledger": "main", "order": "asc", "page_size": 10, "cursor": "c", "sort": "created_at"},
    ),
    Case(
        "ledger.v2.run_query",
        lambda c: c.ledger.v2.run_query(
            "main",
            "ALL",
            "v1",
            params={"endTime": TEXT, "expand": ["volumes"]},
            vars={"who": "x"},
            cursor="c",
        ),
        "POST",
        f"{V2}/queries/ALL/run",
        {"schemaVersion": "v1"},
        {"params": {"endTime": TEXT, "expand": ["volumes"]}, "vars": {"who": "x"}, "cursor": "c"},
        vendor={
            "ledger": "main",
            "id": "ALL",
            "schema_version": "v1",
            "request_body": {
                "params": {"resource": "accounts", "pit": TEXT, "expand": "volumes"},
                "vars": {"who": "x"},
                "cursor": "c",
            },
        },
        differs="params: the server wants endTime for pit and a list for expand, and knows no resource there",
    ),
    Case(
        "ledger.v2.run_query",
        lambda c: c.ledger.v2.run_query("main", "ALL", "v1"),
        "POST",
        f"{V2}/queries/ALL/run",
        {"schemaVersion": "v1"},
        {},
        vendor={"ledger": "main", "id": "ALL", "schema_version": "v1", "request_body": {}},
    ),
]

_EXPORTER: dict[str, Any] = {"driver": "http", "config": {"url": "http://127.0.0.1:9/"}}

EXPORTS = [
    Case(
        "ledger.v2.list_exporters",
        lambda c: c.ledger.v2.list_exporters(),
        "GET",
        "/api/ledger/v2/_/exporters",
    ),
    Case(
        "ledger.v2.create_exporter",
        lambda c: c.ledger.v2.create_exporter(
            ExporterConfiguration(driver="http", config=_EXPORTER["config"])
        ),
        "POST",
        "/api/ledger/v2/_/exporters",
        body=_EXPORTER,
        vendor=_EXPORTER,
    ),
    Case(
        "ledger.v2.get_exporter_state",
        lambda c: c.ledger.v2.get_exporter_state("e"),
        "GET",
        "/api/ledger/v2/_/exporters/e",
        vendor={"exporter_id": "e"},
    ),
    Case(
        "ledger.v2.update_exporter",
        lambda c: c.ledger.v2.update_exporter("e", _EXPORTER),
        "PUT",
        "/api/ledger/v2/_/exporters/e",
        body=_EXPORTER,
        vendor={"exporter_id": "e", "v2_exporter_configuration": _EXPORTER},
    ),
    Case(
        "ledger.v2.delete_exporter",
        lambda c: c.ledger.v2.delete_exporter("e"),
        "DELETE",
        "/api/ledger/v2/_/exporters/e",
        vendor={"exporter_id": "e"},
    ),
    Case(
        "ledger.v2.list_pipelines",
        lambda c: c.ledger.v2.list_pipelines("main"),
        "GET",
        f"{V2}/pipelines",
        vendor={"ledger": "main"},
    ),
    Case(
        "ledger.v2.create_pipeline",
        lambda c: c.ledger.v2.create_pipeline("main", NewPipeline(exporter_id="e")),
        "POST",
        f"{V2}/pipelines",
        body={"exporterID": "e"},
        vendor={"ledger": "main", "v2_create_pipeline_request": {"exporter_id": "e"}},
    ),
    Case(
        "ledger.v2.get_pipeline_state",
        lambda c: c.ledger.v2.get_pipeline_state("main", "p"),
        "GET",
        f"{V2}/pipelines/p",
        vendor={"ledger": "main", "pipeline_id": "p"},
    ),
    Case(
        "ledger.v2.delete_pipeline",
        lambda c: c.ledger.v2.delete_pipeline("main", "p"),
        "DELETE",
        f"{V2}/pipelines/p",
        vendor={"ledger": "main", "pipeline_id": "p"},
    ),
    Case(
        "ledger.v2.start_pipeline",
        lambda c: c.ledger.v2.start_pipeline("main", "p"),
        "POST",
        f"{V2}/pipelines/p/start",
        vendor={"ledger": "main", "pipeline_id": "p"},
    ),
    Case(
        "ledger.v2.stop_pipeline",
        lambda c: c.ledger.v2.stop_pipeline("main", "p"),
        "POST",
        f"{V2}/pipelines/p/stop",
        vendor={"ledger": "main", "pipeline_id": "p"},
    ),
    Case(
        "ledger.v2.reset_pipeline",
        lambda c: c.ledger.v2.reset_pipeline("main", "p"),
        "POST",
        f"{V2}/pipelines/p/reset",
        vendor={"ledger": "main", "pipeline_id": "p"},
    ),
]
