"""What goes over the wire of payments, v1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.wire import Metadata

from .enums import AccountType, PaymentInitiationType, PaymentStatus, PaymentType, PoolType
from .models import PoolBalance
from .wire import PaymentsModel


class Provider(OpenEnum):
    """Providers by their old names, in capitals; newer ones pass through under their own names."""

    STRIPE = "STRIPE"
    DUMMY_PAY = "DUMMY-PAY"
    WISE = "WISE"
    MODULR = "MODULR"
    CURRENCY_CLOUD = "CURRENCY-CLOUD"
    BANKING_CIRCLE = "BANKING-CIRCLE"
    MANGOPAY = "MANGOPAY"
    MONEYCORP = "MONEYCORP"
    ATLAR = "ATLAR"
    ADYEN = "ADYEN"
    GENERIC = "GENERIC"


class PaymentSchemeV1(OpenEnum):
    """The network that carries a payment, by its old name."""

    UNKNOWN = "unknown"
    OTHER = "other"
    VISA = "visa"
    MASTERCARD = "mastercard"
    AMEX = "amex"
    DINERS = "diners"
    DISCOVER = "discover"
    JCB = "jcb"
    UNIONPAY = "unionpay"
    ALIPAY = "alipay"
    CUP = "cup"
    SEPA_DEBIT = "sepa debit"
    SEPA_CREDIT = "sepa credit"
    SEPA = "sepa"
    APPLE_PAY = "apple pay"
    GOOGLE_PAY = "google pay"
    DOKU = "doku"
    DRAGONPAY = "dragonpay"
    MAESTRO = "maestro"
    MOLPAY = "molpay"
    A2A = "a2a"
    ACH_DEBIT = "ach debit"
    ACH = "ach"
    RTP = "rtp"


class TransferInitiationStatus(OpenEnum):
    """Status of a transfer initiation. Empty in the history of one that was scheduled."""

    NONE = ""
    WAITING_FOR_VALIDATION = "WAITING_FOR_VALIDATION"
    SCHEDULED_FOR_PROCESSING = "SCHEDULED_FOR_PROCESSING"
    PROCESSING = "PROCESSING"
    PROCESSED = "PROCESSED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    VALIDATED = "VALIDATED"
    ASK_RETRIED = "ASK_RETRIED"
    ASK_REVERSED = "ASK_REVERSED"
    REVERSE_PROCESSING = "REVERSE_PROCESSING"
    REVERSE_FAILED = "REVERSE_FAILED"
    PARTIALLY_REVERSED = "PARTIALLY_REVERSED"
    REVERSED = "REVERSED"


class ConnectorTaskStatus(OpenEnum):
    """Status of a connector's task; this server says ACTIVE."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"
    TERMINATED = "TERMINATED"
    FAILED = "FAILED"


class InstalledConnector(PaymentsModel, kw_only=True):
    """The connector that was installed."""

    connector_id: str


class ConnectorV1(PaymentsModel, kw_only=True):
    """An installed connector."""

    provider: Provider
    connector_id: str
    name: str
    enabled: bool | None = None
    scheduled_for_deletion: bool | None = None


class ConnectorTask(PaymentsModel, kw_only=True):
    """Something that a connector does again and again; times are whole seconds."""

    id: str
    connector_id: str
    created_at: datetime
    updated_at: datetime
    descriptor: dict[str, Any]
    status: ConnectorTaskStatus
    state: dict[str, Any] | None
    error: str | None
    """Empty when there is none."""


class NewTransfer(PaymentsModel, kw_only=True):
    """A transfer by a connector."""

    amount: int
    asset: str
    destination: str
    source: str | None = None


class TransferCreated(PaymentsModel, kw_only=True):
    """The transfer's id."""

    id: str | None = None


class NewAccountV1(PaymentsModel, kw_only=True):
    """An account to create on a connector that lets accounts be made."""

    reference: str
    connector_id: str
    created_at: datetime
    type: AccountType
    default_asset: str | None = None
    account_name: str | None = None
    """The server wants one."""
    metadata: Mapping[str, str] | None = None


class PaymentsAccountV1(PaymentsModel, kw_only=True):
    """An account with a provider. `default_currency` is the old name of `default_asset`."""

    id: str
    reference: str
    created_at: datetime
    connector_id: str
    provider: Provider | None = None
    default_currency: str
    default_asset: str
    account_name: str
    type: AccountType
    pools: list[str] | None = None
    metadata: Metadata | None
    raw: dict[str, Any] | None


class AccountBalanceV1(PaymentsModel, kw_only=True):
    """A balance over a time. `currency` is the old name of `asset`."""

    account_id: str = field(name="accountId")
    created_at: datetime
    last_updated_at: datetime
    currency: str
    asset: str
    balance: int


class NewBankAccountV1(PaymentsModel, kw_only=True):
    """A bank account to create; with `connector_id` it is made known to that connector's provider too."""

    name: str
    country: str
    connector_id: str | None = None
    account_number: str | None = None
    iban: str | None = None
    swift_bic_code: str | None = None
    metadata: Mapping[str, str] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"account_number", "iban"})


class RelatedAccountV1(PaymentsModel, kw_only=True):
    """A bank account's account with a provider. `id` is empty."""

    id: str
    created_at: datetime
    account_id: str
    connector_id: str
    provider: Provider


class BankAccountV1(PaymentsModel, kw_only=True):
    """A bank account; its numbers, masked, and related accounts are not in lists."""

    id: str
    name: str
    created_at: datetime
    country: str
    connector_id: str | None = None
    account_id: str | None = None
    provider: Provider | None = None
    iban: str | None = None
    account_number: str | None = None
    swift_bic_code: str | None = None
    related_accounts: list[RelatedAccountV1] | None = None
    metadata: Metadata | None = None


class NewPaymentV1(PaymentsModel, kw_only=True):
    """A payment to create on a connector that lets payments be made."""

    reference: str
    connector_id: str
    created_at: datetime
    amount: int
    type: PaymentType
    status: PaymentStatus
    scheme: PaymentSchemeV1
    asset: str
    source_account_id: str | None = None
    destination_account_id: str | None = None


class PaymentAdjustmentV1(PaymentsModel, kw_only=True):
    """A change of a payment."""

    reference: str
    created_at: datetime
    status: PaymentStatus
    amount: int
    raw: dict[str, Any] | None


class PaymentV1(PaymentsModel, kw_only=True):
    """Money that moved or moves at a provider. Account ids are empty when there is none."""

    id: str
    reference: str
    source_account_id: str
    destination_account_id: str
    type: PaymentType
    provider: Provider | None = None
    connector_id: str
    status: PaymentStatus
    amount: int
    initial_amount: int
    scheme: PaymentSchemeV1
    asset: str
    created_at: datetime
    raw: dict[str, Any] | None
    adjustments: list[PaymentAdjustmentV1]
    """Empty in lists."""
    metadata: Metadata | None


class NewPoolV1(PaymentsModel, kw_only=True):
    """A pool to create, of listed accounts or of those that a query finds."""

    name: str
    query: Mapping[str, Any] | None = None
    account_ids: Sequence[str] | None = None


class PoolV1(PaymentsModel, kw_only=True):
    """Accounts whose balances are summed. `accounts` is None in the answer to creating a DYNAMIC pool."""

    id: str
    name: str
    type: PoolType | None = None
    query: dict[str, Any] | None = None
    accounts: list[str] | None


class PoolBalances(PaymentsModel, kw_only=True):
    """A pool's money."""

    balances: list[PoolBalance]


class NewTransferInitiation(PaymentsModel, kw_only=True):
    """Money to send; with `validated` it goes at once, and the call waits for the provider."""

    reference: str
    scheduled_at: datetime
    description: str
    source_account_id: str
    destination_account_id: str
    connector_id: str | None = None
    """The server wants one."""
    type: PaymentInitiationType
    amount: int
    asset: str
    validated: bool
    metadata: Mapping[str, str] | None = None


class TransferInitiationPayment(PaymentsModel, kw_only=True):
    """A payment that came of an initiation."""

    payment_id: str
    created_at: datetime
    status: PaymentStatus
    error: str | None = None


class TransferInitiationAdjustment(PaymentsModel, kw_only=True):
    """A change of state. That to scheduled is an empty one, of the year 1."""

    adjustment_id: str
    created_at: datetime
    status: TransferInitiationStatus
    error: str | None = None
    metadata: Metadata | None


class TransferInitiation(PaymentsModel, kw_only=True):
    """Money to send. Payments and adjustments are there when it is read alone."""

    id: str
    reference: str
    created_at: datetime
    scheduled_at: datetime
    description: str
    source_account_id: str
    destination_account_id: str
    connector_id: str
    provider: Provider | None
    type: PaymentInitiationType
    amount: int
    initial_amount: int
    asset: str
    status: TransferInitiationStatus
    """A scheduled one says PROCESSING in lists."""
    error: str | None
    """Empty when there is none."""
    metadata: Metadata | None
    related_payments: list[TransferInitiationPayment] | None = None
    related_adjustments: list[TransferInitiationAdjustment] | None = None


class TransferReversal(PaymentsModel, kw_only=True):
    """What to take back of a processed initiation. `reference` has 4 to 999 characters."""

    reference: str
    description: str
    amount: int
    asset: str
    metadata: Mapping[str, str] | None
