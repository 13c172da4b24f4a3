"""What goes over the wire of payments, v3: connectors, accounts, payments, initiations, pools, tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from bursar.formance.wire import Metadata

from .enums import (
    AccountType,
    Capability,
    PaymentInitiationStatus,
    PaymentInitiationType,
    PaymentScheme,
    PaymentStatus,
    PaymentType,
    PoolType,
    TaskStatus,
)
from .wire import PaymentsModel


class PaymentsServerInfo(PaymentsModel, kw_only=True):
    """Which version of the service answers."""

    version: str | None = None
    debug: bool | None = None


# -- tasks


class TaskStarted(PaymentsModel, kw_only=True):
    """Work goes on; `get_task` tells how it ends."""

    task_id: str


class Task(PaymentsModel, kw_only=True):
    """Work that goes on, or how it ended."""

    id: str
    status: TaskStatus
    created_at: datetime
    updated_at: datetime
    connector_id: str | None = None
    created_object_id: str | None = None
    """What it made: a payment, an account, the new connector of a reset; the removed object after a removal."""
    error: str | None = None


# -- connectors


class ConnectorSummary(PaymentsModel, kw_only=True):
    """The connector that something came from."""

    id: str | None = None
    reference: str | None = None
    name: str | None = None
    created_at: datetime | None = None
    provider: str | None = None


class Connector(PaymentsModel, kw_only=True):
    """An installed connector. `config` holds secrets and has no ``provider``."""

    id: str
    reference: str
    name: str
    created_at: datetime
    updated_at: datetime | None = None
    provider: str
    """In lower case."""
    config: dict[str, Any]
    scheduled_for_deletion: bool
    capabilities: list[Capability] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"config"})


class Schedule(PaymentsModel, kw_only=True):
    """Something that a connector does again and again."""

    id: str
    connector_id: str
    created_at: datetime
    paused_at: datetime | None = None
    """Since when it rests because it constantly failed."""
    paused_reason: str | None = None


class ScheduleInstance(PaymentsModel, kw_only=True):
    """A run of a schedule."""

    id: str
    schedule_id: str
    connector_id: str
    created_at: datetime
    updated_at: datetime
    terminated: bool
    terminated_at: datetime | None = None
    error: str | None = None


# -- accounts


class NewAccount(PaymentsModel, kw_only=True):
    """An account to create on a connector that lets accounts be made."""

    reference: str
    """3 to 1000 characters, unique on its connector."""
    connector_id: str
    created_at: datetime
    """Not in the future."""
    account_name: str
    type: AccountType
    default_asset: str | None = None
    metadata: Mapping[str, str] | None = None


class Account(PaymentsModel, kw_only=True):
    """An account with a provider."""

    id: str
    connector_id: str
    connector: ConnectorSummary | None = None
    provider: str
    reference: str
    created_at: datetime
    type: AccountType
    name: str | None
    default_asset: str | None
    """Empty when made through the API without one."""
    psu_id: str | None = None
    open_banking_connection_id: str | None = None
    metadata: Metadata | None
    raw: dict[str, Any] | None
    """What the provider said; the request for an account made through the API."""


class AccountBalance(PaymentsModel, kw_only=True):
    """A balance, from `created_at` on; last reported at `last_updated_at`."""

    account_id: str
    created_at: datetime
    last_updated_at: datetime
    asset: str
    balance: int
    psu_id: str | None = None
    """Empty when there is none."""
    open_banking_connection_id: str | None = None


# -- bank accounts


class NewBankAccount(PaymentsModel, kw_only=True):
    """A bank account to create; `account_number` or `iban` must be there."""

    name: str
    account_number: str | None = None
    iban: str | None = None
    """15 to 31 letters and digits, no spaces."""
    swift_bic_code: str | None = None
    country: str | None = None
    """ISO 3166 alpha-2."""
    metadata: Mapping[str, str] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"account_number", "iban"})


class RelatedAccount(PaymentsModel, kw_only=True):
    """A bank account's account with a provider."""

    account_id: str
    created_at: datetime


class BankAccount(PaymentsModel, kw_only=True):
    """A bank account; the middle of `iban` and `account_number` is masked by the service."""

    id: str
    created_at: datetime
    name: str
    account_number: str | None
    iban: str | None
    swift_bic_code: str | None
    country: str | None
    metadata: Metadata | None
    related_accounts: list[RelatedAccount] | None


# -- payments


class NewPaymentAdjustment(PaymentsModel, kw_only=True):
    """A change of a payment. The server wants `amount` and `asset`, which the published contract leaves open."""

    reference: str
    created_at: datetime
    status: PaymentStatus
    amount: int | None = None
    asset: str | None = None
    metadata: Mapping[str, str] | None = None


class NewPayment(PaymentsModel, kw_only=True):
    """A payment to create on a connector that lets payments be made. The server wants at least one adjustment."""

    reference: str
    """3 to 1000 characters, unique on its connector for its type."""
    connector_id: str
    created_at: datetime
    type: PaymentType
    initial_amount: int
    amount: int
    asset: str
    scheme: PaymentScheme
    source_account_id: str | None = None
    destination_account_id: str | None = None
    metadata: Mapping[str, str] | None = None
    adjustments: Sequence[NewPaymentAdjustment] | None = None


class PaymentAdjustment(PaymentsModel, kw_only=True):
    """A change of a payment. REFUNDED takes from its amount, CAPTURE and REFUND_REVERSED add to it."""

    id: str
    reference: str
    created_at: datetime
    status: PaymentStatus
    amount: int | None = None
    asset: str | None = None
    metadata: Metadata | None
    raw: dict[str, Any] | None


class Payment(PaymentsModel, kw_only=True):
    """Money that moved or moves at a provider."""

    id: str
    connector_id: str
    provider: str
    reference: str
    created_at: datetime
    type: PaymentType
    initial_amount: int
    amount: int
    asset: str
    scheme: PaymentScheme
    status: PaymentStatus
    """That of the newest adjustment; UNKNOWN in the answer to the creation."""
    source_account_id: str | None
    destination_account_id: str | None
    psu_id: str | None = None
    open_banking_connection_id: str | None = None
    metadata: Metadata | None
    adjustments: list[PaymentAdjustment] | None
    """Newest first; None in lists of payments."""


# -- payment initiations


class NewPaymentInitiation(PaymentsModel, kw_only=True):
    """Money to send. `description` and `scheduled_at` may be left out, whatever the published contract says."""

    reference: str
    """3 to 1000 characters, unique on its connector."""
    connector_id: str
    type: PaymentInitiationType
    amount: int
    """More than 0."""
    asset: str
    destination_account_id: str | None = None
    """The server wants one."""
    source_account_id: str | None = None
    description: str | None = None
    scheduled_at: datetime | None = None
    """In the future; None: at once."""
    metadata: Mapping[str, str] | None = None


class InitiatedPayment(PaymentsModel, kw_only=True):
    """What was made. `task_id` is empty unless the initiation went on without validation."""

    payment_initiation_id: str | None = None
    task_id: str | None = None


class PaymentInitiation(PaymentsModel, kw_only=True):
    """Money to send: its state, and the error of its last adjustment."""

    id: str
    connector_id: str
    provider: str
    reference: str
    created_at: datetime
    scheduled_at: datetime
    """The first moment of the year 1 when there is none."""
    description: str
    type: PaymentInitiationType
    source_account_id: str | None = None
    destination_account_id: str | None = None
    amount: int
    asset: str
    metadata: Metadata | None
    status: PaymentInitiationStatus
    error: str | None = None


class PaymentInitiationAdjustment(PaymentsModel, kw_only=True):
    """A change of an initiation's state."""

    id: str
    created_at: datetime
    status: PaymentInitiationStatus
    amount: int | None = None
    asset: str | None = None
    error: str | None = None
    metadata: Metadata | None


class NewReversal(PaymentsModel, kw_only=True):
    """What to take back of a processed initiation; several parts are allowed up to its amount."""

    reference: str
    """3 to 1000 characters."""
    description: str
    amount: int
    asset: str
    metadata: Mapping[str, str] | None = None


class StartedReversal(PaymentsModel, kw_only=True):
    """The reversal that was made, and its task."""

    payment_initiation_reversal_id: str | None = None
    task_id: str | None = None


# -- pools


class NewPool(PaymentsModel, kw_only=True):
    """A pool to create, of listed accounts or of those that a query finds; a query wins."""

    name: str
    query: Mapping[str, Any] | None = None
    """A filter expression as for `list_accounts`."""
    account_ids: Sequence[str] | None = None


class Pool(PaymentsModel, kw_only=True):
    """Accounts whose balances are summed."""

    id: str
    name: str
    created_at: datetime
    type: PoolType | None = None
    query: dict[str, Any] | None = None
    pool_accounts: list[str]
    """Ids; of a DYNAMIC pool those that its query finds now."""


class PoolBalance(PaymentsModel, kw_only=True):
    """A pool's money in one asset."""

    asset: str
    amount: int
    related_accounts: list[str] | None = None
