"""What goes over the wire of the orchestration service, alike in both versions.

Stages, events and the inputs and outputs of activities are plain JSON, kept as the service tells them. Amounts in them
are integers in the smallest unit that the asset's name tells: ``USD/2`` counts cents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.wire import Wire

Stage = Mapping[str, Any]
"""An object with one member, named for what the stage does.

- ``send``: ``source``, ``destination``, ``amount``, ``metadata``, ``timestamp``; a side is an ``account``, a ``wallet``
  or a ``payment``
- ``delay``: ``duration`` (``10s``) or ``until``
- ``wait_event``: ``event``
- ``update``: ``account`` with ``id``, ``ledger``, ``metadata``
- ``noop``

``${name}`` in a text stands for a variable of the run.
"""


class NewWorkflow(Wire, kw_only=True):
    """A workflow to create. Which members a stage needs is only checked when it runs."""

    stages: Sequence[Stage]
    name: str | None = None


class WorkflowConfig(Wire, kw_only=True):
    """What a workflow does. `stages` are None when it was created without, which the published contract rules out."""

    stages: list[dict[str, Any]] | None
    name: str | None = None


class Workflow(Wire, kw_only=True):
    """A workflow. A deleted one can still be read and run."""

    id: str
    config: WorkflowConfig
    created_at: datetime
    updated_at: datetime
    """Always as `created_at`."""
    deleted_at: datetime | None


class StageStatus(Wire, kw_only=True):
    """Where a stage of a run stands."""

    stage: int
    """Counts from 0."""
    instance_id: str = field(name="instanceID")
    started_at: datetime
    terminated_at: datetime | None = None
    error: str | None = None
    temporal_run_id: str | None = field(name="temporalRunID", default=None)


class WorkflowInstance(Wire, kw_only=True):
    """A run of a workflow."""

    id: str
    workflow_id: str = field(name="workflowID")
    created_at: datetime
    updated_at: datetime
    terminated: bool
    terminated_at: datetime | None = None
    error: str | None = None
    """Why it ended early, the same as that of the stage."""
    workflow: Workflow | None = None
    """Not in the answer to starting a run."""
    status: list[StageStatus] | None = None
    """Only where a single run is read."""


class StageKind(OpenEnum):
    """What a stage of a history did."""

    SEND = "RunSend"
    DELAY = "RunDelay"
    WAIT_EVENT = "RunWaitEvent"
    UPDATE = "RunUpdate"
    NOOP = "RunNoop"


class StageRun(Wire, kw_only=True):
    """A stage in the history of a run; `input` is the stage with variables put in and defaults filled in."""

    name: StageKind
    input: dict[str, Any]
    terminated: bool
    started_at: datetime
    terminated_at: datetime | None = None
    error: str | None = None


class ActivityKind(OpenEnum):
    """Which call of another service an activity makes."""

    ADD_ACCOUNT_METADATA = "AddAccountMetadata"
    CONFIRM_HOLD = "ConfirmHold"
    CREATE_TRANSACTION = "CreateTransaction"
    CREATE_TRANSFER_INITIATION = "CreateTransferInitiation"
    CREDIT_WALLET = "CreditWallet"
    DEBIT_WALLET = "DebitWallet"
    GET_ACCOUNT = "GetAccount"
    GET_PAYMENT = "GetPayment"
    GET_WALLET = "GetWallet"
    LIST_WALLETS = "ListWallets"
    REVERT_TRANSACTION = "RevertTransaction"
    STRIPE_TRANSFER = "StripeTransfer"
    VOID_HOLD = "VoidHold"


class Activity(Wire, kw_only=True):
    """A call of another service in the history of a stage.

    `input` and `output` hold one member of the activity's name. The published contract wants members in them that the
    server does not send (``AddAccountMetadata.id``, metadata of a debit, ``raw`` of a payment), hence plain JSON.
    While a call is repeated, `last_failure`, `next_execution` and `attempt` tell how it goes.
    """

    name: ActivityKind
    input: dict[str, Any]
    terminated: bool
    started_at: datetime
    attempt: int
    """1 once it has ended, however often it was tried."""
    output: dict[str, Any] | None = None
    terminated_at: datetime | None = None
    error: str | None = None
    last_failure: str | None = None
    next_execution: datetime | None = None


class NewTrigger(Wire, kw_only=True):
    """What events start a workflow."""

    event: str
    """The event's type, for example ``COMMITTED_TRANSACTIONS`` or ``SAVED_PAYMENT``."""
    workflow_id: str = field(name="workflowID")
    name: str | None = None
    version: str | None = None
    """Of the event: ``v2`` from the ledger, ``v3`` from payments. None: any; empty: none."""
    filter: str | None = None
    """An expression (expr-lang) over ``event``, the payload, that must be true."""
    vars: Mapping[str, str] | None = None
    """Variables of the run: expressions by name."""


class Trigger(Wire, kw_only=True):
    """A trigger."""

    id: str
    event: str
    workflow_id: str = field(name="workflowID")
    created_at: datetime
    workflow: Workflow | None
    """None, but where one was sent along when creating."""
    name: str | None = None
    version: str | None = None
    filter: str | None = None
    vars: dict[str, str] | None = None


class TriggerOccurrence(Wire, kw_only=True):
    """An event that fitted a trigger; with an `error` it started no run."""

    trigger_id: str = field(name="triggerID")
    date: datetime
    event: dict[str, Any]
    """The whole message: ``app``, ``type``, ``payload`` and so on."""
    id: str | None = None
    workflow_instance_id: str | None = field(name="workflowInstanceID", default=None)
    workflow_instance: WorkflowInstance | None = None
    error: str | None = None


class FilterTest(Wire, kw_only=True):
    """What a trigger's filter says to an event."""

    match: bool
    error: str | None = None


class VariableTest(Wire, kw_only=True):
    """What a variable's expression gives; an empty text is left out, as is the value of one that fails."""

    value: str | None = None
    error: str | None = None


class TriggerTest(Wire, kw_only=True):
    """What a trigger would do with an event."""

    filter: FilterTest | None
    """None: the trigger has none."""
    variables: dict[str, VariableTest] | None
    """By name; None: the trigger has none, or the filter does not fit."""


REFUSED: Final = {
    400: "The request breaks a rule.",
    401: "No good token, or one without orchestration:read or orchestration:write.",
}
MISSING: Final = {**REFUSED, 404: "There is none of that id."}
