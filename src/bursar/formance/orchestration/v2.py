"""The orchestration service's API, version 2.

Where the published contract and the server disagree, this speaks with the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Member, Query, Resource, delete, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, PageSize, ServiceInfo

from .models import (
    MISSING,
    REFUSED,
    Activity,
    NewTrigger,
    NewWorkflow,
    StageRun,
    Trigger,
    TriggerOccurrence,
    TriggerTest,
    Workflow,
    WorkflowInstance,
)

_SERVICE: Final = "/api/orchestration/v2"
_WORKFLOWS: Final = f"{_SERVICE}/workflows"
_WORKFLOW: Final = f"{_WORKFLOWS}/{{workflow_id}}"
_INSTANCES: Final = f"{_SERVICE}/instances"
_INSTANCE: Final = f"{_INSTANCES}/{{instance_id}}"
_TRIGGERS: Final = f"{_SERVICE}/triggers"
_TRIGGER: Final = f"{_TRIGGERS}/{{trigger_id}}"

WorkflowId = Annotated[str | None, Query("workflowID")]
Name = Annotated[str | None, Query()]
Running = Annotated[bool | None, Query()]
"""True: only those that have not ended."""


class OrchestrationV2(Resource[C]):
    """Workflows, their runs, and triggers that start them. Pages hold up to 100 items, 15 by default.

    Bodies are models or plain mappings of the same shape. Reading needs the scope orchestration:read or
    orchestration:write, everything else orchestration:write.
    """

    @get(f"{_SERVICE}/_info")
    def get_server_info(self) -> ServiceInfo:
        """Return the version of the service. Servers answer 404 here: ask `v1.get_server_info_orchestration`."""
        ...

    # -- workflows

    @post(_WORKFLOWS, effect=Effect.ONCE, status=201, unwrap="data", errors=REFUSED)
    def create_workflow(self, workflow: NewWorkflow | Mapping[str, Any]) -> Workflow:
        """Create a workflow."""
        ...

    @listing(_WORKFLOWS, paging=PAGES, errors=REFUSED)
    def list_workflows(self, *, page_size: PageSize = None, cursor: Cursor = None) -> Workflow:
        """List workflows but the deleted ones."""
        ...

    @get(_WORKFLOW, unwrap="data", errors=MISSING)
    def get_workflow(self, workflow_id: str) -> Workflow:
        """Return a workflow, a deleted one too."""
        ...

    @delete(_WORKFLOW, errors=MISSING)
    def delete_workflow(self, workflow_id: str) -> None:
        """Delete a workflow. Its runs leave the lists, and its triggers still start it."""
        ...

    @post(f"{_WORKFLOW}/instances", effect=Effect.ONCE, status=201, unwrap="data", errors=MISSING)
    def run_workflow(
        self,
        workflow_id: str,
        variables: Annotated[Mapping[str, str] | None, Body()] = None,
        *,
        wait: Annotated[bool | None, Query()] = None,
    ) -> WorkflowInstance:
        """Start a run. `wait`: answer when it has ended; real servers answer earlier. See `get_instance`."""
        ...

    # -- runs

    @listing(_INSTANCES, paging=PAGES, errors=REFUSED)
    def list_instances(
        self,
        *,
        workflow_id: WorkflowId = None,
        running: Running = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> WorkflowInstance:
        """List runs, all or those of a workflow; none of deleted workflows."""
        ...

    @get(_INSTANCE, unwrap="data", errors=MISSING)
    def get_instance(self, instance_id: str) -> WorkflowInstance:
        """Return a run with where its stages stand."""
        ...

    @post(f"{_INSTANCE}/events", effect=Effect.ONCE, status=204, errors=MISSING)
    def send_event(self, instance_id: str, name: Annotated[str, Member()]) -> None:
        """Wake a stage that waits for an event of that name. Refused when no stage is waiting."""
        ...

    @endpoint("PUT", f"{_INSTANCE}/abort", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def cancel_event(self, instance_id: str) -> None:
        """Abort a run, whatever the name says. Real servers answer alike and let it go on."""
        ...

    @get(f"{_INSTANCE}/history", unwrap="data", errors=MISSING)
    def get_instance_history(self, instance_id: str) -> list[StageRun]:
        """Return the stages that a run has started."""
        ...

    @get(f"{_INSTANCE}/stages/{{number}}/history", unwrap="data", errors=MISSING)
    def get_instance_stage_history(self, instance_id: str, number: int) -> list[Activity]:
        """Return the calls of other services that a stage has made; stages count from 0."""
        ...

    # -- triggers

    @post(_TRIGGERS, effect=Effect.ONCE, status=201, unwrap="data", errors=MISSING)
    def create_trigger(self, trigger: NewTrigger | Mapping[str, Any]) -> Trigger:
        """Start a workflow at events from now on."""
        ...

    @listing(_TRIGGERS, paging=PAGES, errors=REFUSED)
    def list_triggers(
        self, *, name: Name = None, page_size: PageSize = None, cursor: Cursor = None
    ) -> Trigger:
        """List triggers, all or those of a name, which real servers ignore."""
        ...

    @get(_TRIGGER, unwrap="data", errors=MISSING)
    def read_trigger(self, trigger_id: str) -> Trigger:
        """Return a trigger."""
        ...

    @delete(_TRIGGER, errors=MISSING)
    def delete_trigger(self, trigger_id: str) -> None:
        """Delete a trigger."""
        ...

    @post(f"{_TRIGGER}/test", effect=Effect.SAFE, unwrap="data", errors=MISSING)
    def test_trigger(
        self, trigger_id: str, event: Annotated[Mapping[str, Any] | None, Body()] = None
    ) -> TriggerTest:
        """Try a trigger on an event's payload; nothing is started."""
        ...

    @listing(f"{_TRIGGER}/occurrences", paging=PAGES, errors=REFUSED)
    def list_triggers_occurrences(
        self, trigger_id: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> TriggerOccurrence:
        """List the events that fitted a trigger; of an unknown one there are none."""
        ...
