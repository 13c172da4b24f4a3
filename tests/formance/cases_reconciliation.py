"""Calls of the reconciliation service."""

from typing import Any

from bursar.formance.reconciliation.alerts import (
    AcceptRequest,
    AckRequest,
    ResolveRequest,
    SnoozeRequest,
    UnsnoozeRequest,
)
from bursar.formance.reconciliation.models import (
    Cadence,
    EvaluationOptions,
    NewPolicy,
    NewRule,
    ReconciliationTimes,
    RulePatch,
    Schedule,
    ScheduleKind,
    Severity,
    TemplateKind,
)
from tests.formance.case import FILTER, TAGS, TEXT, WHEN, Case

_SERVICE = "/api/reconciliation"
_POOL = "11111111-1111-4111-8111-111111111101"
_POLICY = {"name": "n", "ledgerName": "main", "ledgerQuery": FILTER, "paymentsPoolID": _POOL}
_SPEC: dict[str, Any] = {
    "terms": [{"ledger": "main", "query": FILTER, "sign": -1}],
    "tolerance": {"USD/2": 10**30},
}
_SCHEDULE = Schedule(kind=ScheduleKind.CRON, expr="0 0 * * *", tz="Europe/Paris", safety_margin="30s")
_PATCH: dict[str, Any] = {
    "name": "n",
    "templateKind": "ledger_invariant",
    "templateSpec": _SPEC,
    "enabled": False,
    "labels": TAGS,
    "notifications": ["ops"],
    "schedule": {"kind": "cron", "expr": "0 0 * * *", "tz": "Europe/Paris", "safetyMargin": "30s"},
    "severity": "high",
}
_VENDOR_PATCH = {
    **{name: value for name, value in _PATCH.items() if not name.startswith("template")},
    "template_kind": "ledger_invariant",
    "template_spec": _SPEC,
    "schedule": {"kind": "cron", "expr": "0 0 * * *", "tz": "Europe/Paris", "safety_margin": "30s"},
}
_PAGE = {"pageSize": "10", "cursor": "c"}
_VENDOR_LIST = {"request_body": FILTER, "page_size": 10, "cursor": "c"}

POLICIES = [
    Case(
        "reconciliation.v1.get_server_info_reconciliation",
        lambda c: c.reconciliation.v1.get_server_info_reconciliation(),
        "GET",
        f"{_SERVICE}/_info",
    ),
    Case(
        "reconciliation.v1.create_policy",
        lambda c: c.reconciliation.v1.create_policy(
            NewPolicy(name="n", ledger_name="main", ledger_query=FILTER, payments_pool_id=_POOL)
        ),
        "POST",
        f"{_SERVICE}/policies",
        body=_POLICY,
        vendor={"name": "n", "ledger_name": "main", "ledger_query": FILTER, "payments_pool_id": _POOL},
    ),
    Case(
        "reconciliation.v1.list_policies",
        lambda c: c.reconciliation.v1.list_policies(FILTER, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/policies",
        _PAGE,
        FILTER,
        vendor=_VENDOR_LIST,
    ),
    Case(
        "reconciliation.v1.get_policy",
        lambda c: c.reconciliation.v1.get_policy("p"),
        "GET",
        f"{_SERVICE}/policies/p",
        vendor={"policy_id": "p"},
    ),
    Case(
        "reconciliation.v1.delete_policy",
        lambda c: c.reconciliation.v1.delete_policy("p"),
        "DELETE",
        f"{_SERVICE}/policies/p",
        vendor={"policy_id": "p"},
    ),
    Case(
        "reconciliation.v1.reconcile",
        lambda c: c.reconciliation.v1.reconcile(
            "p", ReconciliationTimes(reconciled_at_ledger=WHEN, reconciled_at_payments=WHEN)
        ),
        "POST",
        f"{_SERVICE}/policies/p/reconciliation",
        body={"reconciledAtLedger": TEXT, "reconciledAtPayments": TEXT},
        vendor={
            "policy_id": "p",
            "reconciliation_request": {"reconciled_at_ledger": TEXT, "reconciled_at_payments": TEXT},
        },
    ),
    Case(
        "reconciliation.v1.list_reconciliations",
        lambda c: c.reconciliation.v1.list_reconciliations(FILTER, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/reconciliations",
        _PAGE,
        FILTER,
        vendor=_VENDOR_LIST,
    ),
    Case(
        "reconciliation.v1.get_reconciliation",
        lambda c: c.reconciliation.v1.get_reconciliation("r"),
        "GET",
        f"{_SERVICE}/reconciliations/r",
        vendor={"reconciliation_id": "r"},
    ),
]

RULES = [
    Case(
        "reconciliation.v1.create_rule",
        lambda c: c.reconciliation.v1.create_rule(
            NewRule(
                name="n",
                template_kind=TemplateKind.LEDGER_INVARIANT,
                template_spec=_SPEC,
                enabled=False,
                labels=TAGS,
                notifications=["ops"],
                schedule=_SCHEDULE,
                severity=Severity.HIGH,
                cadence=Cadence.DAILY,
            )
        ),
        "POST",
        f"{_SERVICE}/rules",
        body={**_PATCH, "cadence": "daily"},
        vendor={**_VENDOR_PATCH, "cadence": "daily"},
    ),
    Case(
        "reconciliation.v1.list_rules",
        lambda c: c.reconciliation.v1.list_rules(FILTER, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/rules",
        _PAGE,
        FILTER,
        vendor=_VENDOR_LIST,
    ),
    Case(
        "reconciliation.v1.get_rule",
        lambda c: c.reconciliation.v1.get_rule("r"),
        "GET",
        f"{_SERVICE}/rules/r",
        vendor={"rule_id": "r"},
    ),
    Case(
        "reconciliation.v1.patch_rule",
        lambda c: c.reconciliation.v1.patch_rule(
            "r",
            RulePatch(
                name="n",
                template_kind=TemplateKind.LEDGER_INVARIANT,
                template_spec=_SPEC,
                enabled=False,
                labels=TAGS,
                notifications=["ops"],
                schedule=_SCHEDULE,
                severity=Severity.HIGH,
            ),
        ),
        "PATCH",
        f"{_SERVICE}/rules/r",
        body=_PATCH,
        vendor={"rule_id": "r", "rule_patch_request": _VENDOR_PATCH},
    ),
    Case(
        "reconciliation.v1.delete_rule",
        lambda c: c.reconciliation.v1.delete_rule("r"),
        "DELETE",
        f"{_SERVICE}/rules/r",
        vendor={"rule_id": "r"},
    ),
    Case(
        "reconciliation.v1.evaluate_rule",
        lambda c: c.reconciliation.v1.evaluate_rule(
            "r", EvaluationOptions(at=WHEN, safety_margin="0s", source_pits={"ledger:main#0": WHEN})
        ),
        "POST",
        f"{_SERVICE}/rules/r/evaluate",
        body={"at": TEXT, "safetyMargin": "0s", "sourcePITs": {"ledger:main#0": TEXT}},
        vendor={
            "rule_id": "r",
            "evaluate_rule_request": {
                "at": TEXT,
                "safety_margin": "0s",
                "source_pi_ts": {"ledger:main#0": TEXT},
            },
        },
    ),
    Case(
        "reconciliation.v1.list_evaluations",
        lambda c: c.reconciliation.v1.list_evaluations(FILTER, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/evaluations",
        _PAGE,
        FILTER,
        vendor=_VENDOR_LIST,
    ),
    Case(
        "reconciliation.v1.get_evaluation",
        lambda c: c.reconciliation.v1.get_evaluation("e"),
        "GET",
        f"{_SERVICE}/evaluations/e",
        vendor={"evaluation_id": "e"},
    ),
]

_ALERT = f"{_SERVICE}/alerts/a"

ALERTS = [
    Case(
        "reconciliation.v1.list_alerts",
        lambda c: c.reconciliation.v1.list_alerts(FILTER, page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/alerts",
        _PAGE,
        FILTER,
        vendor=_VENDOR_LIST,
    ),
    Case(
        "reconciliation.v1.get_alert",
        lambda c: c.reconciliation.v1.get_alert("a"),
        "GET",
        _ALERT,
        vendor={"alert_id": "a"},
    ),
    Case(
        "reconciliation.v1.list_alert_events",
        lambda c: c.reconciliation.v1.list_alert_events("a", page_size=10, cursor="c"),
        "GET",
        f"{_ALERT}/events",
        _PAGE,
        vendor={"alert_id": "a", "page_size": 10, "cursor": "c"},
    ),
    Case(
        "reconciliation.v1.ack_alert",
        lambda c: c.reconciliation.v1.ack_alert("a", AckRequest(by="me", note="n")),
        "POST",
        f"{_ALERT}/ack",
        body={"by": "me", "note": "n"},
        vendor={"alert_id": "a", "ack_alert_request": {"by": "me", "note": "n"}},
    ),
    Case(
        "reconciliation.v1.resolve_alert",
        lambda c: c.reconciliation.v1.resolve_alert(
            "a", ResolveRequest(by="me", note="n", transaction_refs=["t"])
        ),
        "POST",
        f"{_ALERT}/resolve",
        body={"by": "me", "note": "n", "transactionRefs": ["t"]},
        vendor={
            "alert_id": "a",
            "resolve_alert_request": {"by": "me", "note": "n", "transaction_refs": ["t"]},
        },
    ),
    Case(
        "reconciliation.v1.accept_alert",
        lambda c: c.reconciliation.v1.accept_alert("a", AcceptRequest(by="me", note="n")),
        "POST",
        f"{_ALERT}/accept",
        body={"by": "me", "note": "n"},
        vendor={"alert_id": "a", "accept_alert_request": {"by": "me", "note": "n"}},
    ),
    Case(
        "reconciliation.v1.snooze_alert",
        lambda c: c.reconciliation.v1.snooze_alert("a", SnoozeRequest(by="me", until=WHEN, note="n")),
        "POST",
        f"{_ALERT}/snooze",
        body={"by": "me", "until": TEXT, "note": "n"},
        vendor={"alert_id": "a", "snooze_alert_request": {"by": "me", "until": TEXT, "note": "n"}},
    ),
    Case(
        "reconciliation.v1.unsnooze_alert",
        lambda c: c.reconciliation.v1.unsnooze_alert("a", UnsnoozeRequest(by="me")),
        "POST",
        f"{_ALERT}/unsnooze",
        body={"by": "me"},
        vendor={"alert_id": "a", "unsnooze_alert_request": {"by": "me"}},
    ),
]
