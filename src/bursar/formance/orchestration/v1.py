"""The orchestration service's older API, whose lists come whole.

Where the published contract and the server disagree, this speaks with the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Member, Query, Resource, delete, endpoint, get, post
from bursar.formance.wire import PageSize, ServiceInfo

from .models import (
    MISSING,
    REFUSED,
    Activity,
    NewTrigger,
    NewWorkflow,
    StageRun,
    Trigger,
    TriggerOccurrence,
    Workflow,
    WorkflowInstance,
)

_SERVICE: Final = "/api/orchestration"
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


class OrchestrationV1(Resource[C]):
    """Workflows, their runs, and triggers that start them.

    Bodies are models or plain mappings of the same shape. Reading needs the scope orchestration:read or
    orchestration:write, everything else orchestration:write.
    """

    @get(f"{_SERVICE}/_info")
    def get_server_info_orchestration(self) -> ServiceInfo:
        """Return the version of the service. Open to everybody."""
        ...

    # -- workflows

    @post(_WORKFLOWS, effect=Effect.ONCE, status=201, unwrap="data", errors=REFUSED)
    def create_workflow(self, workflow: NewWorkflow | Mapping[str, Any]) -> Workflow:
        """Create a workflow."""
        ...

    @get(_WORKFLOWS, unwrap="data", errors=REFUSED)
    def list_workflows(self) -> list[Workflow]:
        """Return all workflows but the deleted ones."""
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

    @get(_INSTANCES, unwrap="data", errors=REFUSED)
    def list_instances(
        self, *, workflow_id: WorkflowId = None, running: Running = None
    ) -> list[WorkflowInstance]:
        """Return all runs, or those of a workflow; none of deleted workflows."""
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

    @get(_TRIGGERS, unwrap="data", errors=REFUSED)
    def list_triggers(self, *, name: Name = None, page_size: PageSize = None) -> list[Trigger]:
        """Return triggers, or those of a name: the first 15, or `page_size` up to 100, which the vendor's SDK lacks.

        There is no way to those after: use `v2`. Real servers ignore `name`.
        """
        ...

    @get(_TRIGGER, unwrap="data", errors=MISSING)
    def read_trigger(self, trigger_id: str) -> Trigger:
        """Return a trigger."""
        ...

    @delete(_TRIGGER, errors=MISSING)
    def delete_trigger(self, trigger_id: str) -> None:
        """Delete a trigger."""
        ...

    @get(f"{_TRIGGER}/occurrences", unwrap="data", errors=REFUSED)
    def list_triggers_occurrences(self, trigger_id: str) -> list[TriggerOccurrence]:
        """Return the events that fitted a trigger; of an unknown one there are none."""
        ...
