"""What goes over the wire of the ledger, v2: ledgers, accounts, transactions, volumes.

Amounts, volumes and balances are integers in the smallest unit that the asset's name tells: ``USD/2`` counts cents.
They have no upper bound, and are read also where a proxy turned them into texts (`Formance-Bigint-As-String`).
A balance is `input` (received) minus `output` (sent).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta, field

from bursar.contract import InvalidRequestError, OpenEnum
from bursar.formance.wire import Metadata, Wire

Amount = Annotated[int, Meta(ge=0)]


class Posting(Wire):
    """Money from one account to another: never negative, zero is legal."""

    source: str
    destination: str
    amount: Amount
    asset: str


class Volume(Wire):
    """What an account received and sent in one asset."""

    input: int
    output: int
    balance: int


Volumes = dict[str, Volume]
"""By asset."""
AccountVolumes = dict[str, Volumes]
"""By account, then asset."""


class Runtime(OpenEnum):
    """Which interpreter runs a script."""

    MACHINE = "machine"
    INTERPRETER = "experimental-interpreter"


class TargetType(OpenEnum):
    """What metadata belongs to."""

    ACCOUNT = "ACCOUNT"
    TRANSACTION = "TRANSACTION"


class Account(Wire, kw_only=True):
    """An account that was used at least once.

    Volumes are there with ``expand``, and then only when the account holds or held something.
    """

    address: str
    metadata: Metadata
    first_usage: datetime | None = None
    """The earliest timestamp of its transactions, which back-dating lowers."""
    insertion_date: datetime | None = None
    updated_at: datetime | None = None
    volumes: Volumes | None = None
    effective_volumes: Volumes | None = None


class TransactionFields(Wire, kw_only=True):
    """What transactions are everywhere."""

    postings: list[Posting]
    timestamp: datetime
    """When it is effective; given by the caller or the time of the write."""
    id: int
    inserted_at: datetime | None = None
    updated_at: datetime | None = None
    reverted_at: datetime | None = None
    reverted: bool
    reference: str | None = None
    """Unique in its ledger."""
    template: str | None = None
    """The transaction template of a schema that made it."""
    post_commit_volumes: AccountVolumes | None = None
    """Of the accounts and assets in the postings, after the commit, in insertion order."""
    post_commit_effective_volumes: AccountVolumes | None = None
    """The same in the order of timestamps."""
    pre_commit_volumes: AccountVolumes | None = None
    pre_commit_effective_volumes: AccountVolumes | None = None


class Transaction(TransactionFields, kw_only=True):
    """A committed transaction. Volumes are in the answers to writes, and in reads with ``expand``."""

    metadata: Metadata


class Monetary(Wire):
    """An amount of an asset as a script variable. An amount beyond 2**53 goes out as text, to arrive unrounded."""

    asset: str
    amount: int | str

    def to_payload(self) -> dict[str, Any]:
        """See `Model.to_payload`."""
        exact = isinstance(self.amount, int) and abs(self.amount) > EXACT_MAX
        return {"asset": self.asset, "amount": str(self.amount) if exact else self.amount}


EXACT_MAX: Final = 2**53
"""The server passes a number in a script variable through double precision."""


class Script(Wire, kw_only=True):
    """A Numscript program, or the name of a schema's transaction template, with its variables.

    Variables are texts, as they stand in a script without the dollar sign (``users:1``, ``USD/2``, ``100``,
    ``USD/2 100``, ``1/3``), or `Monetary`.
    """

    plain: str | None = None
    template: str | None = None
    vars: Mapping[str, str | Monetary] | None = None


class NewTransaction(Wire, kw_only=True):
    """A transaction to create: either postings or a script.

    `force` lets accounts of `postings` go below zero; scripts say themselves which account may.
    """

    postings: Sequence[Posting] | None = None
    script: Script | None = None
    timestamp: datetime | None = None
    """Past or future; None: the time of the write."""
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    account_metadata: Mapping[str, Mapping[str, str]] | None = None
    """By address; creates accounts that are not there, and wins over what a script sets."""
    runtime: Runtime | None = None
    force: bool | None = None

    def validate(self) -> None:
        """Refuse a number that the server would round."""
        for name, value in ((self.script.vars if self.script else None) or {}).items():
            if (
                isinstance(value, Monetary)
                and isinstance(value.amount, int)
                and abs(value.amount) > EXACT_MAX
            ):
                place = f"/script/vars/{name}/amount"
                raise InvalidRequestError(f"{place}: write amounts beyond 2**53 as text", place)


class RevertRequest(Wire, kw_only=True):
    """What a revert adds to its transaction."""

    metadata: Mapping[str, str] | None = None


class NewLedger(Wire, kw_only=True):
    """A ledger to create. Features are fixed then; other than default ones need an experimental flag of the server."""

    bucket: str | None = None
    metadata: Mapping[str, str] | None = None
    features: Mapping[str, str] | None = None


class Ledger(Wire, kw_only=True):
    """A ledger."""

    name: str
    added_at: datetime
    bucket: str
    metadata: Metadata | None
    features: Metadata | None = None
    id: int | None = None
    deleted_at: datetime | None = None


class Migration(Wire, kw_only=True):
    """A step of the database schema of a ledger's bucket."""

    version: str
    name: str
    state: str
    date: datetime | None = None
    terminated_at: datetime | None = None


class LedgerStorage(Wire, kw_only=True):
    """Where a ledger is kept."""

    migrations: list[Migration]


class LedgerInfo(Wire, kw_only=True):
    """A ledger's storage."""

    name: str
    storage: LedgerStorage


class ServerInfo(Wire, kw_only=True):
    """Which server answers."""

    server: str
    version: str


class StorageConfig(Wire, kw_only=True):
    """What the server keeps, and how."""

    driver: str
    ledgers: list[str]


class ServerConfig(Wire, kw_only=True):
    """Settings of the server."""

    storage: StorageConfig
    schema_enforcement_mode: str | None = None
    """``audit`` or ``strict``."""


class ConfigInfo(Wire, kw_only=True):
    """Which server answers, its settings, and its experimental features: None when there are none."""

    server: str
    version: str
    config: ServerConfig
    experimental_features: list[str] | None


class Stats(Wire, kw_only=True):
    """How much is in a ledger. Reverts count as transactions."""

    accounts: int
    transactions: int


class VolumesWithBalance(Wire, kw_only=True):
    """What an account, or with ``group_by`` the accounts below a prefix, received and sent in one asset."""

    account: str
    asset: str
    input: int
    output: int
    balance: int


class ExporterConfiguration(Wire, kw_only=True):
    """Where logs are exported to. Drivers: ``http``, ``clickhouse``, ``elasticsearch``, ``stdout``, ``noop``."""

    driver: str
    config: Mapping[str, Any]


class Exporter(Wire, kw_only=True):
    """A place that logs can be exported to; `config` comes back as given, passwords too."""

    driver: str
    config: dict[str, Any]
    id: str
    created_at: datetime


class NewPipeline(Wire, kw_only=True):
    """An export of a ledger to set up."""

    exporter_id: str = field(name="exporterID")


class Pipeline(Wire, kw_only=True):
    """A running export of a ledger's logs."""

    ledger: str
    exporter_id: str = field(name="exporterID")
    id: str
    created_at: datetime
    enabled: bool | None = None
    last_log_id: int | None = field(default=None, name="lastLogID")
    """The last log that was delivered."""
    error: str | None = None
