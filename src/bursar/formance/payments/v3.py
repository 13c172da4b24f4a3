"""The payments API, version 3. Where the published contract and the server disagree, this speaks with the server.

The service takes no idempotency keys (but for links of users): a call that creates or starts something is sent once,
and is repeated only when it provably never left. References tell afterwards whether it arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Header, Query, Resource, delete, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, Filter, PageSize, Time

from .configs import ConfigCatalogue, ConnectorConfig
from .enums import Capability
from .models import (
    Account,
    AccountBalance,
    BankAccount,
    Connector,
    InitiatedPayment,
    NewAccount,
    NewBankAccount,
    NewPayment,
    NewPaymentInitiation,
    NewPool,
    NewReversal,
    Payment,
    PaymentInitiation,
    PaymentInitiationAdjustment,
    Pool,
    PoolBalance,
    Schedule,
    ScheduleInstance,
    StartedReversal,
    Task,
    TaskStarted,
)
from .orders import Conversion, Order
from .users import Connection, Link, LinkAttempt, NewLink, NewPaymentServiceUser, PaymentServiceUser
from .wire import MISSING, REFUSED, At, ConnectorMember, MetadataMember, QueryMember, Texts

_V3: Final = "/api/payments/v3"
_CONNECTORS: Final = f"{_V3}/connectors"
_CONNECTOR: Final = f"{_CONNECTORS}/{{connector_id}}"
_SCHEDULE: Final = f"{_CONNECTOR}/schedules/{{schedule_id}}"
_ACCOUNT: Final = f"{_V3}/accounts/{{account_id}}"
_BANK_ACCOUNT: Final = f"{_V3}/bank-accounts/{{bank_account_id}}"
_PAYMENT: Final = f"{_V3}/payments/{{payment_id}}"
_INITIATION: Final = f"{_V3}/payment-initiations/{{payment_initiation_id}}"
_POOL: Final = f"{_V3}/pools/{{pool_id}}"
_USERS: Final = f"{_V3}/payment-service-users"
_USER: Final = f"{_USERS}/{{payment_service_user_id}}"
_USER_BANK_ACCOUNT: Final = f"{_USER}/bank-accounts/{{bank_account_id}}"
_USER_CONNECTOR: Final = f"{_USER}/connectors/{{connector_id}}"
_CONNECTION: Final = f"{_USER_CONNECTOR}/connections/{{connection_id}}"

_TAKEN: Final = {**REFUSED, 400: "The request breaks a rule, or the name or reference is taken (CONFLICT)."}
_INCAPABLE: Final = {
    **REFUSED,
    400: "The request breaks a rule, or the provider cannot do it (CONNECTOR_CAPABILITY_NOT_SUPPORTED).",
}
_STATE: Final = {**MISSING, 400: "The initiation's state does not allow it, or the request breaks a rule."}

Config = Annotated[ConnectorConfig | Mapping[str, Any], Body()]


def _named(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a call names its link attempt, so that repeating it makes no second one."""
    return bool(arguments.get("attempt_id"))


class PaymentsV3(Resource[C]):
    """Connectors to payment providers, and what they bring and send.

    Lists are newest first. Bodies are models or plain mappings of the same shape. Filters are sent in the body of GET
    and take `$match`, `$and`, `$or`, `$not`; on amounts `$lt`, `$lte`, `$gt`, `$gte` too; on ``metadata[key]``
    `$match` alone.
    """

    # -- connectors

    @post(
        f"{_CONNECTORS}/install/{{connector}}", effect=Effect.ONCE, status=202, unwrap="data", errors=_TAKEN
    )
    def install_connector(self, connector: str, config: Config) -> str:
        """Install a connector and return its id. `connector` is the provider's name, in any case.

        Its work begins at once. A configuration's ``provider`` and ``pageSize`` are ignored. Not repeatable.
        """
        ...

    @listing(_CONNECTORS, paging=PAGES, errors=REFUSED)
    def list_connectors(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Connector:
        """List connectors. Filter fields: `id`, `name`, `provider`."""
        ...

    @get(f"{_CONNECTORS}/configs", unwrap="data", errors=REFUSED)
    def list_connector_configs(self) -> ConfigCatalogue:
        """Return the members of each provider's configuration."""
        ...

    @get(f"{_CONNECTORS}/capabilities", unwrap="data", errors=REFUSED)
    def list_connector_capabilities(
        self, *, if_none_match: Annotated[str | None, Header("If-None-Match")] = None
    ) -> dict[str, list[Capability]]:
        """Return what each provider can do.

        With `if_none_match`, the ``ETag`` of an earlier raw answer, an unchanged list is a `FormanceApiError` of
        status 304.
        """
        ...

    @get(f"{_CONNECTOR}/capabilities", unwrap="data", errors=MISSING)
    def get_connector_capabilities(self, connector_id: str) -> list[Capability]:
        """Return what a connector can do."""
        ...

    @get(f"{_CONNECTOR}/config", unwrap="data", errors=MISSING)
    def get_connector_config(self, connector_id: str) -> ConnectorConfig:
        """Return a connector's configuration, secrets too; `repr` does not show them."""
        ...

    @endpoint("PATCH", f"{_CONNECTOR}/config", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def v3_update_connector_config(self, connector_id: str, config: Config) -> None:
        """Replace a connector's whole configuration."""
        ...

    @endpoint("DELETE", _CONNECTOR, effect=Effect.IDEMPOTENT, status=202, unwrap="data", errors=MISSING)
    def uninstall_connector(self, connector_id: str) -> TaskStarted:
        """Remove a connector and all that came through it. A repetition that finds it gone says 404."""
        ...

    @post(f"{_CONNECTOR}/reset", effect=Effect.ONCE, status=202, unwrap="data", errors=REFUSED)
    def reset_connector(self, connector_id: str) -> str:
        """Remove a connector's data and install it anew; returns a task's id, whose created object is the new id.

        An unknown connector is accepted; the task then fails. Not repeatable.
        """
        ...

    @listing(f"{_CONNECTOR}/schedules", paging=PAGES, errors=REFUSED)
    def list_connector_schedules(
        self,
        connector_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Schedule:
        """List a connector's schedules. Filter fields: `id`, `connector_id`."""
        ...

    @get(_SCHEDULE, unwrap="data", errors=MISSING)
    def get_connector_schedule(self, connector_id: str, schedule_id: str) -> Schedule:
        """Return a schedule."""
        ...

    @listing(f"{_SCHEDULE}/instances", paging=PAGES, errors=REFUSED)
    def list_connector_schedule_instances(
        self, connector_id: str, schedule_id: str, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> ScheduleInstance:
        """List the runs of a schedule."""
        ...

    # -- accounts

    @post(f"{_V3}/accounts", effect=Effect.ONCE, status=201, unwrap="data", errors=_INCAPABLE)
    def create_account(self, account: NewAccount | Mapping[str, Any]) -> Account:
        """Create an account. The same reference again gives the stored account, left as it was."""
        ...

    @listing(f"{_V3}/accounts", paging=PAGES, errors=REFUSED)
    def list_accounts(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Account:
        """List accounts.

        Filter fields: `id`, `reference`, `connector_id`, `type`, `default_asset`, `name`, `psu_id`,
        `open_banking_connection_id`, `metadata[key]`.
        """
        ...

    @get(_ACCOUNT, unwrap="data", errors=MISSING)
    def get_account(self, account_id: str) -> Account:
        """Return an account."""
        ...

    @listing(f"{_ACCOUNT}/balances", paging=PAGES, errors=REFUSED)
    def get_account_balances(
        self,
        account_id: str,
        *,
        asset: Annotated[str | None, Query()] = None,
        from_timestamp: Annotated[Time, Query("from")] = None,
        to_timestamp: Annotated[Time, Query("to")] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> AccountBalance:
        """List an account's balances over time, newest first. An unknown account has none.

        `from_timestamp` and `to_timestamp` (both included) go as ``from`` and ``to``, which the server reads; it
        ignores the ``fromTimestamp`` and ``toTimestamp`` of the published contract.
        """
        ...

    # -- bank accounts

    @post(f"{_V3}/bank-accounts", effect=Effect.ONCE, status=201, unwrap="data", errors=REFUSED)
    def create_bank_account(self, bank_account: NewBankAccount | Mapping[str, Any]) -> str:
        """Create a bank account and return its id. Each call makes another one."""
        ...

    @listing(f"{_V3}/bank-accounts", paging=PAGES, errors=REFUSED)
    def list_bank_accounts(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> BankAccount:
        """List bank accounts, numbers left out. Filter fields: `id`, `name`, `country`, `psu_id`, `metadata[key]`."""
        ...

    @get(_BANK_ACCOUNT, unwrap="data", errors=MISSING)
    def get_bank_account(self, bank_account_id: str) -> BankAccount:
        """Return a bank account, the middle of its numbers masked."""
        ...

    @endpoint("PATCH", f"{_BANK_ACCOUNT}/metadata", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_bank_account_metadata(self, bank_account_id: str, metadata: MetadataMember) -> None:
        """Merge metadata, which must not be empty, into a bank account's."""
        ...

    @post(f"{_BANK_ACCOUNT}/forward", effect=Effect.ONCE, status=202, unwrap="data", errors=MISSING)
    def forward_bank_account(self, bank_account_id: str, connector_id: ConnectorMember) -> TaskStarted:
        """Make a bank account known to a connector's provider; the task's created object is the account there.

        Again to the same connector gives the same task. A provider that cannot do it makes the task fail.
        """
        ...

    # -- payments

    @post(f"{_V3}/payments", effect=Effect.ONCE, status=201, unwrap="data", errors=_INCAPABLE)
    def create_payment(self, payment: NewPayment | Mapping[str, Any]) -> Payment:
        """Create a payment; the answer says status UNKNOWN, reads tell the real one.

        The same reference and type again adds those adjustments that are new and changes nothing else.
        """
        ...

    @listing(f"{_V3}/payments", paging=PAGES, errors=REFUSED)
    def list_payments(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Payment:
        """List payments, without adjustments.

        Filter fields: `id`, `reference`, `connector_id`, `type`, `asset`, `scheme`, `status`, `source_account_id`,
        `destination_account_id`, `psu_id`, `open_banking_connection_id`, `amount`, `initial_amount`,
        `metadata[key]`.
        """
        ...

    @get(_PAYMENT, unwrap="data", errors=MISSING)
    def get_payment(self, payment_id: str) -> Payment:
        """Return a payment with its adjustments."""
        ...

    @endpoint("PATCH", f"{_PAYMENT}/metadata", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_payment_metadata(self, payment_id: str, metadata: Texts) -> None:
        """Merge metadata, which must not be empty, into a payment's.

        It is sent bare, as the server wants it; the published contract wraps it, which the server always refuses.
        """
        ...

    # -- payment initiations

    @post(f"{_V3}/payment-initiations", effect=Effect.ONCE, status=202, unwrap="data", errors=_TAKEN)
    def initiate_payment(
        self,
        initiation: NewPaymentInitiation | Mapping[str, Any],
        *,
        no_validation: Annotated[bool | None, Query("noValidation")] = None,
    ) -> InitiatedPayment:
        """Ask for money to be sent. It waits for `approve_payment_initiation`, unless `no_validation`.

        Never sent twice; a reference that is taken on the connector is refused with CONFLICT, so that a caller who does
        not know whether it arrived may ask again with the same reference.
        """
        ...

    @listing(f"{_V3}/payment-initiations", paging=PAGES, errors=REFUSED)
    def list_payment_initiations(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> PaymentInitiation:
        """List payment initiations.

        Filter fields: `id`, `reference`, `connector_id`, `type`, `asset`, `source_account_id`,
        `destination_account_id`, `status`, `amount`, `metadata[key]`.
        """
        ...

    @get(_INITIATION, unwrap="data", errors=MISSING)
    def get_payment_initiation(self, payment_initiation_id: str) -> PaymentInitiation:
        """Return a payment initiation."""
        ...

    @delete(_INITIATION, errors=_STATE)
    def delete_payment_initiation(self, payment_initiation_id: str) -> None:
        """Delete an initiation that waits for validation."""
        ...

    @post(f"{_INITIATION}/approve", effect=Effect.ONCE, status=202, unwrap="data", errors=_STATE)
    def approve_payment_initiation(self, payment_initiation_id: str) -> TaskStarted:
        """Let an initiation that waits go on; the task's created object is the payment. A second time is refused."""
        ...

    @post(f"{_INITIATION}/reject", effect=Effect.ONCE, status=204, errors=_STATE)
    def reject_payment_initiation(self, payment_initiation_id: str) -> None:
        """Reject an initiation that waits, for good. A second time is refused."""
        ...

    @post(f"{_INITIATION}/retry", effect=Effect.ONCE, status=202, unwrap="data", errors=_STATE)
    def retry_payment_initiation(self, payment_initiation_id: str) -> TaskStarted:
        """Send a failed initiation to the provider again."""
        ...

    @post(f"{_INITIATION}/reverse", effect=Effect.ONCE, status=202, unwrap="data", errors=MISSING)
    def reverse_payment_initiation(
        self, payment_initiation_id: str, reversal: NewReversal | Mapping[str, Any]
    ) -> StartedReversal:
        """Take a processed initiation back, whole or in part.

        Too much, too early, or during another reversal is accepted, and the task fails. A reference already used on the
        initiation gives the same reversal and task again.
        """
        ...

    @listing(f"{_INITIATION}/adjustments", paging=PAGES, errors=REFUSED)
    def list_payment_initiation_adjustments(
        self,
        payment_initiation_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> PaymentInitiationAdjustment:
        """List an initiation's changes of state. Filter fields: `status`, `metadata[key]`."""
        ...

    @listing(f"{_INITIATION}/payments", paging=PAGES, errors=REFUSED)
    def list_payment_initiation_related_payments(
        self,
        payment_initiation_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Payment:
        """List the payments that came of an initiation, with adjustments. The server ignores filters here."""
        ...

    # -- pools

    @post(f"{_V3}/pools", effect=Effect.ONCE, status=201, unwrap="data", errors=_TAKEN)
    def create_pool(self, pool: NewPool | Mapping[str, Any]) -> str:
        """Create a pool of INTERNAL accounts and return its id. Names are unique."""
        ...

    @listing(f"{_V3}/pools", paging=PAGES, errors=REFUSED)
    def list_pools(self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None) -> Pool:
        """List pools. Filter fields: `id`, `name`, `account_id`."""
        ...

    @get(_POOL, unwrap="data", errors=MISSING)
    def get_pool(self, pool_id: str) -> Pool:
        """Return a pool."""
        ...

    @endpoint("PATCH", f"{_POOL}/query", effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def update_pool_query(self, pool_id: str, query: QueryMember) -> None:
        """Replace the query of a DYNAMIC pool. An empty one finds all accounts."""
        ...

    @delete(_POOL, errors=REFUSED)
    def delete_pool(self, pool_id: str) -> None:
        """Delete a pool; an unknown one is no error."""
        ...

    @endpoint(
        "POST", f"{_POOL}/accounts/{{account_id}}", effect=Effect.IDEMPOTENT, status=204, errors=MISSING
    )
    def add_account_to_pool(self, pool_id: str, account_id: str) -> None:
        """Add an INTERNAL account to a STATIC pool; one that is in it already is no error."""
        ...

    @delete(f"{_POOL}/accounts/{{account_id}}", errors=MISSING)
    def remove_account_from_pool(self, pool_id: str, account_id: str) -> None:
        """Remove an account from a STATIC pool; one that is not in it is no error."""
        ...

    @get(f"{_POOL}/balances", unwrap="data", errors=MISSING)
    def get_pool_balances(self, pool_id: str, at: At) -> list[PoolBalance]:
        """Return a pool's balances at a moment that is not in the future.

        The server wants `at`, which the published contract leaves open. After the last report nothing is found.
        """
        ...

    @get(f"{_POOL}/balances/latest", unwrap="data", errors=MISSING)
    def get_pool_balances_latest(self, pool_id: str) -> list[PoolBalance]:
        """Return a pool's balances by the last report of each account."""
        ...

    # -- payment service users

    @post(_USERS, effect=Effect.ONCE, status=201, unwrap="data", errors=MISSING)
    def create_payment_service_user(self, user: NewPaymentServiceUser | Mapping[str, Any]) -> str:
        """Create a user and return the id. Each call makes another one."""
        ...

    @listing(_USERS, paging=PAGES, errors=REFUSED)
    def list_payment_service_users(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> PaymentServiceUser:
        """List users. Filter fields: `id`, `metadata[key]`."""
        ...

    @get(_USER, unwrap="data", errors=MISSING)
    def get_payment_service_user(self, payment_service_user_id: str) -> PaymentServiceUser:
        """Return a user."""
        ...

    @endpoint("DELETE", _USER, effect=Effect.IDEMPOTENT, status=202, unwrap="data", errors=MISSING)
    def delete_payment_service_user(self, payment_service_user_id: str) -> TaskStarted:
        """Delete a user, at all providers too. A repetition that finds the user gone says 404."""
        ...

    @endpoint("POST", _USER_BANK_ACCOUNT, effect=Effect.IDEMPOTENT, status=204, errors=MISSING)
    def add_bank_account_to_payment_service_user(
        self, payment_service_user_id: str, bank_account_id: str
    ) -> None:
        """Give a bank account to a user, taking it from the one who had it."""
        ...

    @post(f"{_USER_BANK_ACCOUNT}/forward", effect=Effect.ONCE, status=202, unwrap="data", errors=MISSING)
    def forward_payment_service_user_bank_account(
        self, payment_service_user_id: str, bank_account_id: str, connector_id: ConnectorMember
    ) -> TaskStarted:
        """Make a user's bank account known to a connector's provider, with the user's name and address."""
        ...

    @post(
        f"{_USER_CONNECTOR}/forward", effect=Effect.ONCE, status=204, errors={**_INCAPABLE, 404: MISSING[404]}
    )
    def forward_payment_service_user_to_provider(
        self, payment_service_user_id: str, connector_id: str
    ) -> None:
        """Make a user known to an open-banking provider. A second time is refused."""
        ...

    @endpoint(
        "POST",
        f"{_USER_CONNECTOR}/create-link",
        effect=Effect.KEYED,
        status=201,
        errors=MISSING,
        keyed_by=_named,
    )
    def create_link_for_payment_service_user(
        self,
        payment_service_user_id: str,
        connector_id: str,
        link: NewLink | Mapping[str, Any],
        *,
        attempt_id: Annotated[str | None, Query("Idempotency-Key")] = None,
    ) -> Link:
        """Make a link by which a user connects a bank.

        `attempt_id`, a UUID, becomes the attempt's id and lets the call be repeated: the server takes it as the query
        parameter ``Idempotency-Key``, which the published contract does not have.
        """
        ...

    @post(f"{_CONNECTION}/update-link", effect=Effect.ONCE, status=201, errors=MISSING)
    def update_link_for_payment_service_user_on_connector(
        self,
        payment_service_user_id: str,
        connector_id: str,
        connection_id: str,
        link: NewLink | Mapping[str, Any],
    ) -> Link:
        """Make a link by which a user renews a connection."""
        ...

    @listing(f"{_USER}/connections", paging=PAGES, errors=REFUSED)
    def list_payment_service_user_connections(
        self,
        payment_service_user_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Connection:
        """List a user's connections. Filter fields: `connection_id`, `status`, `metadata[key]`."""
        ...

    @listing(f"{_USER_CONNECTOR}/connections", paging=PAGES, errors=REFUSED)
    def list_payment_service_user_connections_from_connector_id(
        self,
        payment_service_user_id: str,
        connector_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Connection:
        """List a user's connections through a connector. Filter fields: `connection_id`, `status`, `metadata[key]`."""
        ...

    @listing(f"{_USER_CONNECTOR}/link-attempts", paging=PAGES, errors=MISSING)
    def list_payment_service_user_link_attempts_from_connector_id(
        self,
        payment_service_user_id: str,
        connector_id: str,
        filter: Filter = None,
        *,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> LinkAttempt:
        """List a user's link attempts. Filter fields: `id`, `status`."""
        ...

    @get(f"{_USER_CONNECTOR}/link-attempts/{{attempt_id}}", unwrap="data", errors=MISSING)
    def get_payment_service_user_link_attempt_from_connector_id(
        self, payment_service_user_id: str, connector_id: str, attempt_id: str
    ) -> LinkAttempt:
        """Return a link attempt. The server wraps it in ``data``, whatever the published contract says."""
        ...

    @endpoint("DELETE", _USER_CONNECTOR, effect=Effect.IDEMPOTENT, status=202, unwrap="data", errors=MISSING)
    def delete_payment_service_user_connector(
        self, payment_service_user_id: str, connector_id: str
    ) -> TaskStarted:
        """Remove a user from an open-banking provider. A repetition that finds the user gone says 404."""
        ...

    @endpoint("DELETE", _CONNECTION, effect=Effect.IDEMPOTENT, status=202, unwrap="data", errors=MISSING)
    def delete_payment_service_user_connection_from_connector_id(
        self, payment_service_user_id: str, connector_id: str, connection_id: str
    ) -> TaskStarted:
        """Remove a user's connection. A repetition that finds it gone says 404."""
        ...

    # -- orders, conversions, tasks

    @listing(f"{_V3}/orders", paging=PAGES, errors=REFUSED)
    def list_orders(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Order:
        """List orders.

        Filter fields: `reference`, `id`, `connector_id`, `direction`, `source_asset`, `destination_asset`, `type`,
        `status`, `time_in_force`, `base_quantity_ordered`, `base_quantity_filled`, `limit_price`, `fee`,
        `metadata[key]`.
        """
        ...

    @get(f"{_V3}/orders/{{order_id}}", unwrap="data", errors=MISSING)
    def get_order(self, order_id: str) -> Order:
        """Return an order."""
        ...

    @listing(f"{_V3}/conversions", paging=PAGES, errors=REFUSED)
    def list_conversions(
        self, filter: Filter = None, *, page_size: PageSize = None, cursor: Cursor = None
    ) -> Conversion:
        """List conversions; filter fields like those of orders."""
        ...

    @get(f"{_V3}/conversions/{{conversion_id}}", unwrap="data", errors=MISSING)
    def get_conversion(self, conversion_id: str) -> Conversion:
        """Return a conversion."""
        ...

    @get(f"{_V3}/tasks/{{task_id}}", unwrap="data", errors=MISSING)
    def get_task(self, task_id: str) -> Task:
        """Return a task."""
        ...
