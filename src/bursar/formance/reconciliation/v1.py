"""The reconciliation service's API. Where the published contract and the server disagree, this speaks with the server.

Older servers have policies only; rules, evaluations and alerts are 404 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Resource, delete, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, Filter, PageSize, ServiceInfo

from .alerts import (
    AcceptRequest,
    AckRequest,
    Alert,
    AlertEvent,
    ResolveRequest,
    SnoozeRequest,
    UnsnoozeRequest,
)
from .models import (
    Evaluation,
    EvaluationOptions,
    NewPolicy,
    NewRule,
    Policy,
    Reconciliation,
    ReconciliationTimes,
    Rule,
    RulePatch,
)

_SERVICE: Final = "/api/reconciliation"
_POLICY: Final = f"{_SERVICE}/policies/{{policy_id}}"
_RULE: Final = f"{_SERVICE}/rules/{{rule_id}}"
_ALERT: Final = f"{_SERVICE}/alerts/{{alert_id}}"

_REFUSED: Final = {
    400: "The request breaks a rule.",
    401: "No good token, or one without reconciliation:read or reconciliation:write.",
}
_MISSING: Final = {**_REFUSED, 404: "There is none of that id."}
_BUSY: Final = {**_MISSING, 409: "Another evaluation of the rule is running (RULE_BUSY)."}
_CHANGED: Final = {**_MISSING, 409: "Somebody else changed the rule (RULE_CHANGED)."}
_OVER: Final = {**_REFUSED, 404: "There is no such alert, or it is resolved."}


class ReconciliationV1(Resource[C]):
    """Policies compare a ledger with a payments pool; rules check in more ways and raise alerts.

    Bodies are models or plain mappings of the same shape. Pages hold up to 100 items, 15 by default. Filters go in
    the body; of real servers some refuse the cursor of a filtered list. Reading needs the scope reconciliation:read or
    reconciliation:write, everything else reconciliation:write.
    """

    @get(f"{_SERVICE}/_info")
    def get_server_info_reconciliation(self) -> ServiceInfo:
        """Return the version of the service. Open to everybody."""
        ...

    # -- policies

    @post(f"{_SERVICE}/policies", effect=Effect.ONCE, status=201, unwrap="data", errors=_REFUSED)
    def create_policy(self, policy: NewPolicy | Mapping[str, Any]) -> Policy:
        """Create a policy. Only the pool's id is checked, and that only for its form (INVALID_ID)."""
        ...

    @listing(f"{_SERVICE}/policies", paging=PAGES, errors=_REFUSED)
    def list_policies(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Policy:
        """List policies. Filter fields: `ledgerName`, `paymentsPoolID`, `ledgerQuery` (as text), with ``$match``."""
        ...

    @get(_POLICY, unwrap="data", errors=_MISSING)
    def get_policy(self, policy_id: str) -> Policy:
        """Return a policy."""
        ...

    @delete(_POLICY, errors=_REFUSED)
    def delete_policy(self, policy_id: str) -> None:
        """Delete a policy with its reconciliations; an unknown one is no error."""
        ...

    @post(f"{_POLICY}/reconciliation", effect=Effect.ONCE, unwrap="data", errors=_MISSING)
    def reconcile(self, policy_id: str, times: ReconciliationTimes | Mapping[str, Any]) -> Reconciliation:
        """Compare both sides at their times, and keep the result.

        The answer's `reconciled_at_` times are as sent, in reads they are rounded to microseconds.
        """
        ...

    @listing(f"{_SERVICE}/reconciliations", paging=PAGES, errors=_REFUSED)
    def list_reconciliations(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Reconciliation:
        """List reconciliations, newest first. Filter field: `policyID`, with ``$match``."""
        ...

    @get(f"{_SERVICE}/reconciliations/{{reconciliation_id}}", unwrap="data", errors=_MISSING)
    def get_reconciliation(self, reconciliation_id: str) -> Reconciliation:
        """Return a reconciliation."""
        ...

    # -- rules

    @post(f"{_SERVICE}/rules", effect=Effect.ONCE, status=201, unwrap="data", errors=_REFUSED)
    def create_rule(self, rule: NewRule | Mapping[str, Any]) -> Rule:
        """Create a rule."""
        ...

    @listing(f"{_SERVICE}/rules", paging=PAGES, errors=_REFUSED)
    def list_rules(self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None) -> Rule:
        """List rules. Filter fields: `id`, `name`, `templateKind`, `enabled`, `createdAt`, `updatedAt`."""
        ...

    @get(_RULE, unwrap="data", errors=_MISSING)
    def get_rule(self, rule_id: str) -> Rule:
        """Return a rule."""
        ...

    @endpoint("PATCH", _RULE, effect=Effect.IDEMPOTENT, unwrap="data", errors=_CHANGED)
    def patch_rule(self, rule_id: str, patch: RulePatch | Mapping[str, Any]) -> Rule:
        """Change some of a rule; a mapping can say null too. Its cadence cannot be changed."""
        ...

    @delete(_RULE, errors=_MISSING)
    def delete_rule(self, rule_id: str) -> None:
        """Delete a rule with its evaluations and alerts."""
        ...

    @post(f"{_RULE}/evaluate", effect=Effect.ONCE, unwrap="data", errors=_BUSY)
    def evaluate_rule(
        self,
        rule_id: str,
        options: Annotated[EvaluationOptions | Mapping[str, Any] | None, Body()] = None,
    ) -> Evaluation:
        """Evaluate a rule now. Failures raise alerts, passing checks resolve them."""
        ...

    @listing(f"{_SERVICE}/evaluations", paging=PAGES, errors=_REFUSED)
    def list_evaluations(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Evaluation:
        """List evaluations. Filter fields: `id`, `result`, `ruleID`, `createdAt`, `startedAt`, `endedAt`."""
        ...

    @get(f"{_SERVICE}/evaluations/{{evaluation_id}}", unwrap="data", errors=_MISSING)
    def get_evaluation(self, evaluation_id: str) -> Evaluation:
        """Return an evaluation."""
        ...

    # -- alerts

    @listing(f"{_SERVICE}/alerts", paging=PAGES, errors=_REFUSED)
    def list_alerts(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Alert:
        """List alerts, the last seen first.

        Filter fields: `id`, `status`, `severity`, `fingerprint`, `ruleID`, `periodID`, `firstSeenAt`, `lastSeenAt`.
        """
        ...

    @get(_ALERT, unwrap="data", errors=_MISSING)
    def get_alert(self, alert_id: str) -> Alert:
        """Return an alert."""
        ...

    @listing(f"{_ALERT}/events", paging=PAGES, errors=_MISSING)
    def list_alert_events(
        self, alert_id: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> AlertEvent:
        """List what happened to an alert, the latest first."""
        ...

    @post(f"{_ALERT}/ack", effect=Effect.IDEMPOTENT, unwrap="data", errors=_OVER)
    def ack_alert(self, alert_id: str, request: AckRequest | Mapping[str, Any]) -> Alert:
        """Say that somebody looks into it; the next failure opens the alert again."""
        ...

    @post(f"{_ALERT}/resolve", effect=Effect.ONCE, unwrap="data", errors=_OVER)
    def resolve_alert(self, alert_id: str, request: ResolveRequest | Mapping[str, Any]) -> Alert:
        """Say that it was fixed."""
        ...

    @post(f"{_ALERT}/accept", effect=Effect.ONCE, unwrap="data", errors=_OVER)
    def accept_alert(self, alert_id: str, request: AcceptRequest | Mapping[str, Any]) -> Alert:
        """Say that it is accepted as it is; the evidence is kept with the resolution."""
        ...

    @post(f"{_ALERT}/snooze", effect=Effect.IDEMPOTENT, unwrap="data", errors=_OVER)
    def snooze_alert(self, alert_id: str, request: SnoozeRequest | Mapping[str, Any]) -> Alert:
        """Stop notifications for a while; replaces an earlier snooze."""
        ...

    @post(f"{_ALERT}/unsnooze", effect=Effect.IDEMPOTENT, unwrap="data", errors=_MISSING)
    def unsnooze_alert(self, alert_id: str, request: UnsnoozeRequest | Mapping[str, Any]) -> Alert:
        """Let notifications come again."""
        ...
