"""The payments API, version 1; new programs use `v3`.

Providers have their old names in capitals. Calls on transfer initiations and forwards wait for the provider. The
service takes no idempotency keys: a call that creates or starts something is sent once, and is repeated only when it
provably never left. Where the published contract and the server disagree, this speaks with the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Member, Query, Resource, delete, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, Filter, PageSize, Time

from .configs import ConfigCatalogue, ConnectorConfig
from .models import PaymentsServerInfo, PoolBalance
from .v1_models import (
    AccountBalanceV1,
    BankAccountV1,
    ConnectorTask,
    ConnectorV1,
    InstalledConnector,
    NewAccountV1,
    NewBankAccountV1,
    NewPaymentV1,
    NewPoolV1,
    NewTransfer,
    NewTransferInitiation,
    PaymentsAccountV1,
    PaymentV1,
    PoolBalances,
    PoolV1,
    TransferCreated,
    TransferInitiation,
    TransferInitiationStatus,
    TransferReversal,
)
from .wire import MISSING, REFUSED, At, ConnectorMember, MetadataMember, QueryMember, Sorting, Texts

_V1: Final = "/api/payments"
_CONNECTOR: Final = f"{_V1}/connectors/{{connector}}"
_INSTALLED: Final = f"{_CONNECTOR}/{{connector_id}}"
_ACCOUNT: Final = f"{_V1}/accounts/{{account_id}}"
_BANK_ACCOUNT: Final = f"{_V1}/bank-accounts/{{bank_account_id}}"
_PAYMENT: Final = f"{_V1}/payments/{{payment_id}}"
_POOL: Final = f"{_V1}/pools/{{pool_id}}"
_TRANSFER: Final = f"{_V1}/transfer-initiations/{{transfer_id}}"

_UNNAMED: Final = "the service no longer has it; name the connector: "
_ABSENT: Final = {404: "No such operation.", 405: "No such operation."}
_STATE: Final = {**MISSING, 400: "The initiation's state does not allow it, or the request breaks a rule."}

Config = Annotated[ConnectorConfig | Mapping[str, Any], Body()]
QueryText = Annotated[str | None, Query("query")]
"""A filter expression as JSON text in the URL; the server reads it when there is no `filter`."""


class PaymentsV1(Resource[C]):
    """Connectors to payment providers, and what they bring and send, in their older form.

    `connector` in a path with a connector's id is ignored by the server.
    """

    @get(f"{_V1}/_info")
    def get_server_info_payments(self) -> PaymentsServerInfo:
        """Return the version of the service. Open to everybody."""
        ...

    # -- connectors

    @post(_CONNECTOR, effect=Effect.ONCE, status=201, unwrap="data", errors=REFUSED)
    def install_connector(self, connector: str, config: Config) -> InstalledConnector:
        """Install a connector. `connector` is an old name in capitals, or a v3 name in any case. Not repeatable."""
        ...

    @get(f"{_V1}/connectors", unwrap="data", errors=REFUSED)
    def list_all_connectors(self) -> list[ConnectorV1]:
        """Return all connectors. There are no pages."""
        ...

    @get(f"{_V1}/connectors/configs", unwrap="data", errors=REFUSED)
    def list_configs_available_connectors(self) -> ConfigCatalogue:
        """Return the members of each provider's configuration, by the names of v3."""
        ...

    @get(f"{_INSTALLED}/config", unwrap="data", errors=MISSING)
    def read_connector_config_v1(self, connector: str, connector_id: str) -> ConnectorConfig:
        """Return a connector's configuration, secrets too; `repr` does not show them."""
        ...

    @endpoint("POST", f"{_INSTALLED}/config", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_connector_config_v1(self, connector: str, connector_id: str, config: Config) -> None:
        """Replace a connector's whole configuration."""
        ...

    @post(f"{_INSTALLED}/reset", effect=Effect.ONCE, status=204, errors=MISSING)
    def reset_connector_v1(self, connector: str, connector_id: str) -> None:
        """Remove a connector's data and install it anew under another id, in the background. Not repeatable."""
        ...

    @delete(_INSTALLED, errors=MISSING)
    def uninstall_connector_v1(self, connector: str, connector_id: str) -> None:
        """Remove a connector and all that came through it, in the background."""
        ...

    @listing(f"{_INSTALLED}/tasks", paging=PAGES, errors=REFUSED)
    def list_connector_tasks_v1(
        self, connector: str, connector_id: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> ConnectorTask:
        """List schedules as tasks; the server shows those of all connectors."""
        ...

    @get(f"{_INSTALLED}/tasks/{{task_id}}", unwrap="data", errors=MISSING)
    def get_connector_task_v1(self, connector: str, connector_id: str, task_id: str) -> ConnectorTask:
        """Return a schedule as a task."""
        ...

    # -- connectors by their provider alone, which the service no longer has

    @endpoint(
        "GET",
        f"{_CONNECTOR}/config",
        effect=Effect.SAFE,
        unwrap="data",
        errors=_ABSENT,
        deprecated=f"{_UNNAMED}read_connector_config_v1",
    )
    def read_connector_config(self, connector: str) -> ConnectorConfig:
        """Fail with status 405."""
        ...

    @endpoint(
        "POST",
        f"{_CONNECTOR}/reset",
        effect=Effect.ONCE,
        status=204,
        errors=_ABSENT,
        deprecated=f"{_UNNAMED}reset_connector_v1",
    )
    def reset_connector(self, connector: str) -> None:
        """Fail with status 405."""
        ...

    @endpoint(
        "DELETE",
        _CONNECTOR,
        effect=Effect.IDEMPOTENT,
        status=204,
        errors=_ABSENT,
        deprecated=f"{_UNNAMED}uninstall_connector_v1",
    )
    def uninstall_connector(self, connector: str) -> None:
        """Fail with status 405."""
        ...

    @listing(
        f"{_CONNECTOR}/tasks",
        paging=PAGES,
        errors=_ABSENT,
        deprecated=f"{_UNNAMED}list_connector_tasks_v1",
    )
    def list_connector_tasks(
        self, connector: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> ConnectorTask:
        """Fail with status 405."""
        ...

    @endpoint(
        "GET",
        f"{_CONNECTOR}/tasks/{{task_id}}",
        effect=Effect.SAFE,
        unwrap="data",
        errors=_ABSENT,
        deprecated=f"{_UNNAMED}get_connector_task_v1",
    )
    def get_connector_task(self, connector: str, task_id: str) -> ConnectorTask:
        """Fail with status 404."""
        ...

    @endpoint(
        "POST",
        f"{_CONNECTOR}/transfers",
        effect=Effect.ONCE,
        errors=_ABSENT,
        deprecated="the service no longer has it; use create_transfer_initiation",
    )
    def connectors_transfer(
        self, connector: str, transfer: NewTransfer | Mapping[str, Any]
    ) -> TransferCreated:
        """Fail with status 405."""
        ...

    # -- accounts

    @post(f"{_V1}/accounts", effect=Effect.ONCE, unwrap="data", errors=REFUSED)
    def create_account(self, account: NewAccountV1 | Mapping[str, Any]) -> PaymentsAccountV1:
        """Create an account. The same reference again gives the stored account, left as it was."""
        ...

    @listing(f"{_V1}/accounts", paging=PAGES, errors=REFUSED)
    def list_accounts_payments(
        self,
        filter: Filter = None,
        *,
        query: QueryText = None,
        sort: Sorting = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> PaymentsAccountV1:
        """List accounts; filter fields as in v3."""
        ...

    @get(_ACCOUNT, unwrap="data", errors=MISSING)
    def get_account_payments(self, account_id: str) -> PaymentsAccountV1:
        """Return an account."""
        ...

    @listing(f"{_ACCOUNT}/balances", paging=PAGES, errors=REFUSED)
    def get_account_balances(
        self,
        account_id: str,
        *,
        asset: Annotated[str | None, Query()] = None,
        from_: Annotated[Time, Query("from")] = None,
        to: Annotated[Time, Query("to")] = None,
        limit: Annotated[int | None, Query()] = None,
        sort: Sorting = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> AccountBalanceV1:
        """List an account's balances over time. An unknown account has none."""
        ...

    # -- bank accounts

    @post(f"{_V1}/bank-accounts", effect=Effect.ONCE, unwrap="data", errors=MISSING)
    def create_bank_account(self, bank_account: NewBankAccountV1 | Mapping[str, Any]) -> BankAccountV1:
        """Create a bank account, and forward it when it names a connector. Each call makes another one."""
        ...

    @listing(f"{_V1}/bank-accounts", paging=PAGES, errors=REFUSED)
    def list_bank_accounts(
        self, *, sort: Sorting = None, page_size: PageSize = None, cursor: Cursor = None
    ) -> BankAccountV1:
        """List bank accounts, without their numbers."""
        ...

    @get(_BANK_ACCOUNT, unwrap="data", errors=MISSING)
    def get_bank_account(self, bank_account_id: str) -> BankAccountV1:
        """Return a bank account, the middle of its numbers masked."""
        ...

    @post(f"{_BANK_ACCOUNT}/forward", effect=Effect.ONCE, unwrap="data", errors=MISSING)
    def forward_bank_account(self, bank_account_id: str, connector_id: ConnectorMember) -> BankAccountV1:
        """Make a bank account known to a connector's provider, and wait for it."""
        ...

    @endpoint("PATCH", f"{_BANK_ACCOUNT}/metadata", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_bank_account_metadata(self, bank_account_id: str, metadata: MetadataMember) -> None:
        """Merge metadata into a bank account's."""
        ...

    # -- payments

    @post(f"{_V1}/payments", effect=Effect.ONCE, unwrap="data", errors=REFUSED)
    def create_payment(self, payment: NewPaymentV1 | Mapping[str, Any]) -> PaymentV1:
        """Create a payment on a connector that lets payments be made."""
        ...

    @listing(f"{_V1}/payments", paging=PAGES, errors=REFUSED)
    def list_payments(
        self,
        filter: Filter = None,
        *,
        query: QueryText = None,
        sort: Sorting = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> PaymentV1:
        """List payments; filter fields as in v3. `filter` goes in the body, which the vendor's SDK cannot send here."""
        ...

    @get(_PAYMENT, unwrap="data", errors=MISSING)
    def get_payment(self, payment_id: str) -> PaymentV1:
        """Return a payment with its adjustments."""
        ...

    @endpoint("PATCH", f"{_PAYMENT}/metadata", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_metadata(self, payment_id: str, metadata: Texts) -> None:
        """Merge metadata into a payment's."""
        ...

    # -- pools

    @post(f"{_V1}/pools", effect=Effect.ONCE, unwrap="data", errors=MISSING)
    def create_pool(self, pool: NewPoolV1 | Mapping[str, Any]) -> PoolV1:
        """Create a pool of INTERNAL accounts. Names are unique."""
        ...

    @listing(f"{_V1}/pools", paging=PAGES, errors=REFUSED)
    def list_pools(
        self,
        filter: Filter = None,
        *,
        query: QueryText = None,
        sort: Sorting = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> PoolV1:
        """List pools. `filter` goes in the body, which the vendor's SDK cannot send here."""
        ...

    @get(_POOL, unwrap="data", errors=MISSING)
    def get_pool(self, pool_id: str) -> PoolV1:
        """Return a pool."""
        ...

    @endpoint("PATCH", f"{_POOL}/query", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_pool_query(self, pool_id: str, query: QueryMember) -> None:
        """Replace the query of a DYNAMIC pool."""
        ...

    @delete(_POOL, errors=REFUSED)
    def delete_pool(self, pool_id: str) -> None:
        """Delete a pool; an unknown one is no error."""
        ...

    @endpoint("POST", f"{_POOL}/accounts", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def add_account_to_pool(self, pool_id: str, account_id: Annotated[str, Member("accountID")]) -> None:
        """Add an INTERNAL account to a STATIC pool; one that is in it already is no error."""
        ...

    @delete(f"{_POOL}/accounts/{{account_id}}", errors=MISSING)
    def remove_account_from_pool(self, pool_id: str, account_id: str) -> None:
        """Remove an account from a STATIC pool; one that is not in it is no error."""
        ...

    @get(f"{_POOL}/balances", unwrap="data", errors=MISSING)
    def get_pool_balances(self, pool_id: str, at: At) -> PoolBalances:
        """Return a pool's balances at a moment."""
        ...

    @get(f"{_POOL}/balances/latest", unwrap="data", errors=MISSING)
    def get_pool_balances_latest(self, pool_id: str) -> list[PoolBalance]:
        """Return a pool's balances by the last report of each account."""
        ...

    # -- transfer initiations

    @post(f"{_V1}/transfer-initiations", effect=Effect.ONCE, unwrap="data", errors=REFUSED)
    def create_transfer_initiation(
        self, initiation: NewTransferInitiation | Mapping[str, Any]
    ) -> TransferInitiation:
        """Ask for money to be sent. With `validated`, a provider's refusal is 400, and the initiation FAILED."""
        ...

    @listing(f"{_V1}/transfer-initiations", paging=PAGES, errors=REFUSED)
    def list_transfer_initiations(
        self,
        filter: Filter = None,
        *,
        query: QueryText = None,
        sort: Sorting = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> TransferInitiation:
        """List transfer initiations. `filter` goes in the body, which the vendor's SDK cannot send here."""
        ...

    @get(_TRANSFER, unwrap="data", errors=MISSING)
    def get_transfer_initiation(self, transfer_id: str) -> TransferInitiation:
        """Return a transfer initiation with its payments and history."""
        ...

    @post(f"{_TRANSFER}/status", effect=Effect.ONCE, status=204, errors=_STATE)
    def update_transfer_initiation_status(
        self, transfer_id: str, status: Annotated[TransferInitiationStatus, Member()]
    ) -> None:
        """Approve (VALIDATED) or reject (REJECTED) an initiation that waits. A second time is refused."""
        ...

    @post(f"{_TRANSFER}/retry", effect=Effect.ONCE, status=204, errors=_STATE)
    def retry_transfer_initiation(self, transfer_id: str) -> None:
        """Send a failed initiation to the provider again."""
        ...

    @post(f"{_TRANSFER}/reverse", effect=Effect.ONCE, status=204, errors=_STATE)
    def reverse_transfer_initiation(
        self, transfer_id: str, reversal: TransferReversal | Mapping[str, Any]
    ) -> None:
        """Take a processed initiation back, whole or in part. A reference used before changes nothing."""
        ...

    @delete(_TRANSFER, errors=_STATE)
    def delete_transfer_initiation(self, transfer_id: str) -> None:
        """Delete an initiation that waits for validation."""
        ...
