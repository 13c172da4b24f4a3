"""Calls of the orchestration service, both versions: alike but for lists, and for what only one has."""

from typing import Any

from bursar.formance.orchestration.models import NewTrigger, NewWorkflow
from tests.formance.case import Case

_STAGES: list[dict[str, Any]] = [
    {"send": {"source": {"account": {"id": "a"}}, "amount": {"asset": "USD/2", "amount": 10**30}}},
    {"delay": {"duration": "10s"}},
]
_WORKFLOW = {"name": "n", "stages": _STAGES}
_TRIGGER = {
    "event": "SAVED_PAYMENT",
    "workflowID": "w",
    "name": "n",
    "version": "v3",
    "filter": "event.amount > 1",
    "vars": {"id": "event.id"},
}
_VENDOR_TRIGGER = {**{k: v for k, v in _TRIGGER.items() if k != "workflowID"}, "workflow_id": "w"}
_PAGE = {"pageSize": "10", "cursor": "c"}
_VENDOR_PAGE = {"page_size": 10, "cursor": "c"}


def _cases(version: str, root: str) -> list[Case]:
    """What both versions have."""
    group = f"orchestration.{version}"

    def api(client: Any) -> Any:
        return getattr(client.orchestration, version)

    return [
        Case(
            f"{group}.create_workflow",
            lambda c: api(c).create_workflow(NewWorkflow(name="n", stages=_STAGES)),
            "POST",
            f"{root}/workflows",
            body=_WORKFLOW,
            vendor=_WORKFLOW,
        ),
        Case(
            f"{group}.get_workflow",
            lambda c: api(c).get_workflow("w"),
            "GET",
            f"{root}/workflows/w",
            vendor={"flow_id": "w"},
        ),
        Case(
            f"{group}.delete_workflow",
            lambda c: api(c).delete_workflow("w"),
            "DELETE",
            f"{root}/workflows/w",
            vendor={"flow_id": "w"},
        ),
        Case(
            f"{group}.run_workflow",
            lambda c: api(c).run_workflow("w", {"user": "u"}, wait=True),
            "POST",
            f"{root}/workflows/w/instances",
            {"wait": "true"},
            {"user": "u"},
            vendor={"workflow_id": "w", "request_body": {"user": "u"}, "wait": True},
        ),
        Case(
            f"{group}.get_instance",
            lambda c: api(c).get_instance("i"),
            "GET",
            f"{root}/instances/i",
            vendor={"instance_id": "i"},
        ),
        Case(
            f"{group}.send_event",
            lambda c: api(c).send_event("i", "go"),
            "POST",
            f"{root}/instances/i/events",
            body={"name": "go"},
            vendor={"instance_id": "i", "request_body": {"name": "go"}},
        ),
        Case(
            f"{group}.cancel_event",
            lambda c: api(c).cancel_event("i"),
            "PUT",
            f"{root}/instances/i/abort",
            vendor={"instance_id": "i"},
        ),
        Case(
            f"{group}.get_instance_history",
            lambda c: api(c).get_instance_history("i"),
            "GET",
            f"{root}/instances/i/history",
            vendor={"instance_id": "i"},
        ),
        Case(
            f"{group}.get_instance_stage_history",
            lambda c: api(c).get_instance_stage_history("i", 0),
            "GET",
            f"{root}/instances/i/stages/0/history",
            vendor={"instance_id": "i", "number": 0},
        ),
        Case(
            f"{group}.create_trigger",
            lambda c: api(c).create_trigger(
                NewTrigger(
                    event="SAVED_PAYMENT",
                    workflow_id="w",
                    name="n",
                    version="v3",
                    filter="event.amount > 1",
                    vars={"id": "event.id"},
                )
            ),
            "POST",
            f"{root}/triggers",
            body=_TRIGGER,
            vendor=_VENDOR_TRIGGER,
        ),
        Case(
            f"{group}.read_trigger",
            lambda c: api(c).read_trigger("t"),
            "GET",
            f"{root}/triggers/t",
            vendor={"trigger_id": "t"},
        ),
        Case(
            f"{group}.delete_trigger",
            lambda c: api(c).delete_trigger("t"),
            "DELETE",
            f"{root}/triggers/t",
            vendor={"trigger_id": "t"},
        ),
    ]


_V1 = "/api/orchestration"
_V2 = "/api/orchestration/v2"

FLOWS = [
    *_cases("v1", _V1),
    *_cases("v2", _V2),
    Case(
        "orchestration.v1.get_server_info_orchestration",
        lambda c: c.orchestration.v1.get_server_info_orchestration(),
        "GET",
        f"{_V1}/_info",
    ),
    Case(
        "orchestration.v1.list_workflows",
        lambda c: c.orchestration.v1.list_workflows(),
        "GET",
        f"{_V1}/workflows",
    ),
    Case(
        "orchestration.v1.list_instances",
        lambda c: c.orchestration.v1.list_instances(workflow_id="w", running=True),
        "GET",
        f"{_V1}/instances",
        {"workflowID": "w", "running": "true"},
        vendor={"workflow_id": "w", "running": True},
    ),
    Case(
        "orchestration.v1.list_triggers",
        lambda c: c.orchestration.v1.list_triggers(name="n"),
        "GET",
        f"{_V1}/triggers",
        {"name": "n"},
        vendor={"name": "n"},
    ),
    Case(
        "orchestration.v1.list_triggers",
        lambda c: c.orchestration.v1.list_triggers(page_size=100),
        "GET",
        f"{_V1}/triggers",
        {"pageSize": "100"},
        vendor={"name": None},
        differs="the server has a page size",
    ),
    Case(
        "orchestration.v1.list_triggers_occurrences",
        lambda c: c.orchestration.v1.list_triggers_occurrences("t"),
        "GET",
        f"{_V1}/triggers/t/occurrences",
        vendor={"trigger_id": "t"},
    ),
    Case(
        "orchestration.v2.get_server_info",
        lambda c: c.orchestration.v2.get_server_info(),
        "GET",
        f"{_V2}/_info",
    ),
    Case(
        "orchestration.v2.list_workflows",
        lambda c: c.orchestration.v2.list_workflows(page_size=10, cursor="c"),
        "GET",
        f"{_V2}/workflows",
        _PAGE,
        vendor=_VENDOR_PAGE,
    ),
    Case(
        "orchestration.v2.list_instances",
        lambda c: c.orchestration.v2.list_instances(workflow_id="w", running=True, page_size=10, cursor="c"),
        "GET",
        f"{_V2}/instances",
        {"workflowID": "w", "running": "true", **_PAGE},
        vendor={"workflow_id": "w", "running": True, **_VENDOR_PAGE},
    ),
    Case(
        "orchestration.v2.list_triggers",
        lambda c: c.orchestration.v2.list_triggers(name="n", page_size=10, cursor="c"),
        "GET",
        f"{_V2}/triggers",
        {"name": "n", **_PAGE},
        vendor={"name": "n", **_VENDOR_PAGE},
    ),
    Case(
        "orchestration.v2.list_triggers_occurrences",
        lambda c: c.orchestration.v2.list_triggers_occurrences("t", page_size=10, cursor="c"),
        "GET",
        f"{_V2}/triggers/t/occurrences",
        _PAGE,
        vendor={"trigger_id": "t", **_VENDOR_PAGE},
    ),
    Case(
        "orchestration.v2.test_trigger",
        lambda c: c.orchestration.v2.test_trigger("t", {"amount": 10**30}),
        "POST",
        f"{_V2}/triggers/t/test",
        body={"amount": 10**30},
        vendor={"trigger_id": "t", "request_body": {"amount": 10**30}},
    ),
]
