"""Calls of the payments service, version 1."""

from typing import Any

from bursar.formance.payments.configs import StripeConfig
from bursar.formance.payments.v1_models import (
    NewAccountV1,
    NewBankAccountV1,
    NewPaymentV1,
    NewPoolV1,
    NewTransfer,
    NewTransferInitiation,
    TransferInitiationStatus,
    TransferReversal,
)
from tests.formance.case import TAGS, TEXT, WHEN, Case
from tests.formance.cases_payments import (
    ACCOUNT,
    BANK_ACCOUNT,
    BIG,
    FOUND,
    POOLS,
    SETTINGS,
    STRIPE,
    model,
    named,
    plain,
    sent,
    wire,
)

_V1 = "/api/payments"
_CONNECTOR = f"{_V1}/connectors/STRIPE"
_INSTALLED = f"{_CONNECTOR}/c"
_POOL = f"{_V1}/pools/l"
_TRANSFERS = f"{_V1}/transfer-initiations"
_PAYMENT: dict[str, Any] = {
    "reference": "r",
    "connector_id": "c",
    "created_at": TEXT,
    "amount": BIG,
    "type": "PAY-IN",
    "status": "SUCCEEDED",
    "scheme": "visa",
    "asset": "USD/2",
    "source_account_id": "a",
    "destination_account_id": "b",
}
_INITIATION: dict[str, Any] = {
    "reference": "r",
    "scheduled_at": TEXT,
    "description": "d",
    "source_account_id": "a",
    "destination_account_id": "b",
    "connector_id": "c",
    "type": "PAYOUT",
    "amount": BIG,
    "asset": "USD/2",
    "validated": True,
    "metadata": TAGS,
}
_REVERSAL: dict[str, Any] = {
    "reference": "r",
    "description": "d",
    "amount": BIG,
    "asset": "USD/2",
    "metadata": TAGS,
}
_TRANSFER: dict[str, Any] = {"amount": BIG, "asset": "USD/2", "destination": "b", "source": "a"}
_PAGE = {"page_size": 10, "cursor": "x"}
_PAGE_QUERY = {"pageSize": "10", "cursor": "x"}


def at(name: str, method: str, path: str, *names: str) -> Case:
    """A call about a connector, which says its provider too."""
    operation = f"payments.v1.{name}"
    places, of = named(operation, *names)
    told = {"connector": "STRIPE", **places}
    return Case(operation, lambda c: of(c)(**told), method, path, vendor=told)


def pages(name: str, path: str, *names: str, connector: bool = False) -> Case:
    """A listing that takes a page size and a cursor."""
    operation = f"payments.v1.{name}"
    places, of = named(operation, *names)
    told = {**({"connector": "STRIPE"} if connector else {}), **places, **_PAGE}
    return Case(operation, lambda c: of(c)(**told), "GET", path, _PAGE_QUERY, vendor=told)


def searched(name: str, path: str, *, body: bool = False) -> list[Case]:
    """A listing that takes a filter as text in the URL, and as Bursar sends it, in the body."""
    operation = f"payments.v1.{name}"
    _, of = named(operation)
    told = {"query": "{}", "sort": ["a:asc", "b:desc"], **_PAGE}
    return [
        Case(
            operation,
            lambda c: of(c)(**told),
            "GET",
            path,
            {"query": "{}", "sort": "b:desc", **_PAGE_QUERY},
            vendor=told,
        ),
        Case(
            operation,
            lambda c: of(c)(FOUND, page_size=10),
            "GET",
            path,
            {"pageSize": "10"},
            body=FOUND,
            vendor={"page_size": 10, **({"request_body": FOUND} if body else {})},
            differs="" if body else "the server reads a filter in the body",
        ),
    ]


GONE_PAYMENTS = [
    at("read_connector_config", "GET", f"{_CONNECTOR}/config"),
    at("reset_connector", "POST", f"{_CONNECTOR}/reset"),
    at("uninstall_connector", "DELETE", _CONNECTOR),
    pages("list_connector_tasks", f"{_CONNECTOR}/tasks", connector=True),
    at("get_connector_task", "GET", f"{_CONNECTOR}/tasks/k", "task_id"),
    Case(
        "payments.v1.connectors_transfer",
        lambda c: c.payments.v1.connectors_transfer("STRIPE", NewTransfer(**_TRANSFER)),
        "POST",
        f"{_CONNECTOR}/transfers",
        body=_TRANSFER,
        vendor={"connector": "STRIPE", "transfer_request": _TRANSFER},
    ),
]

V1 = [
    plain("payments.v1.get_server_info_payments", "GET", f"{_V1}/_info"),
    Case(
        "payments.v1.install_connector",
        lambda c: c.payments.v1.install_connector("STRIPE", model(StripeConfig, SETTINGS)),
        "POST",
        _CONNECTOR,
        body=wire(STRIPE),
        vendor={"connector": "STRIPE", "connector_config": STRIPE},
    ),
    plain("payments.v1.list_all_connectors", "GET", f"{_V1}/connectors"),
    plain("payments.v1.list_configs_available_connectors", "GET", f"{_V1}/connectors/configs"),
    at("read_connector_config_v1", "GET", f"{_INSTALLED}/config", "connector_id"),
    Case(
        "payments.v1.update_connector_config_v1",
        lambda c: c.payments.v1.update_connector_config_v1("STRIPE", "c", model(StripeConfig, SETTINGS)),
        "POST",
        f"{_INSTALLED}/config",
        body=wire(STRIPE),
        vendor={"connector": "STRIPE", "connector_id": "c", "connector_config": STRIPE},
    ),
    at("reset_connector_v1", "POST", f"{_INSTALLED}/reset", "connector_id"),
    at("uninstall_connector_v1", "DELETE", _INSTALLED, "connector_id"),
    pages("list_connector_tasks_v1", f"{_INSTALLED}/tasks", "connector_id", connector=True),
    at("get_connector_task_v1", "GET", f"{_INSTALLED}/tasks/k", "connector_id", "task_id"),
    sent(
        "payments.v1.create_account",
        "POST",
        f"{_V1}/accounts",
        given={"account": model(NewAccountV1, ACCOUNT)},
        said=ACCOUNT,
    ),
    *searched("list_accounts_payments", f"{_V1}/accounts", body=True),
    plain("payments.v1.get_account_payments", "GET", f"{_V1}/accounts/a", "account_id"),
    Case(
        "payments.v1.get_account_balances",
        lambda c: c.payments.v1.get_account_balances(
            "a", asset="USD/2", from_=WHEN, to=WHEN, limit=5, sort="a:asc", page_size=10, cursor="x"
        ),
        "GET",
        f"{_V1}/accounts/a/balances",
        {"asset": "USD/2", "from": TEXT, "to": TEXT, "limit": "5", "sort": "a:asc", **_PAGE_QUERY},
        vendor={
            "account_id": "a",
            "asset": "USD/2",
            "from_": TEXT,
            "to": TEXT,
            "limit": 5,
            "sort": ["a:asc"],
            **_PAGE,
        },
    ),
    sent(
        "payments.v1.create_bank_account",
        "POST",
        f"{_V1}/bank-accounts",
        given={"bank_account": NewBankAccountV1(**BANK_ACCOUNT, connector_id="c")},
        said={**BANK_ACCOUNT, "connector_id": "c"},
    ),
    Case(
        "payments.v1.list_bank_accounts",
        lambda c: c.payments.v1.list_bank_accounts(sort="a:asc", page_size=10, cursor="x"),
        "GET",
        f"{_V1}/bank-accounts",
        {"sort": "a:asc", **_PAGE_QUERY},
        vendor={"sort": ["a:asc"], **_PAGE},
    ),
    plain("payments.v1.get_bank_account", "GET", f"{_V1}/bank-accounts/b", "bank_account_id"),
    sent(
        "payments.v1.forward_bank_account",
        "POST",
        f"{_V1}/bank-accounts/b/forward",
        "bank_account_id",
        given={"connector_id": "c"},
        said={"connector_id": "c"},
        member="forward_bank_account_request",
    ),
    sent(
        "payments.v1.update_bank_account_metadata",
        "PATCH",
        f"{_V1}/bank-accounts/b/metadata",
        "bank_account_id",
        given={"metadata": TAGS},
        said={"metadata": TAGS},
        member="update_bank_account_metadata_request",
    ),
    sent(
        "payments.v1.create_payment",
        "POST",
        f"{_V1}/payments",
        given={"payment": model(NewPaymentV1, _PAYMENT)},
        said=_PAYMENT,
    ),
    *searched("list_payments", f"{_V1}/payments"),
    plain("payments.v1.get_payment", "GET", f"{_V1}/payments/p", "payment_id"),
    Case(
        "payments.v1.update_metadata",
        lambda c: c.payments.v1.update_metadata("p", TAGS),
        "PATCH",
        f"{_V1}/payments/p/metadata",
        body=TAGS,
        vendor={"payment_id": "p", "request_body": TAGS},
    ),
    *(
        sent(
            "payments.v1.create_pool",
            "POST",
            f"{_V1}/pools",
            given={"pool": model(NewPoolV1, pool)},
            said=pool,
        )
        for pool in POOLS
    ),
    *searched("list_pools", f"{_V1}/pools"),
    plain("payments.v1.get_pool", "GET", _POOL, "pool_id"),
    sent(
        "payments.v1.update_pool_query",
        "PATCH",
        f"{_POOL}/query",
        "pool_id",
        given={"query": FOUND},
        said={"query": FOUND},
        member="update_pool_query_request",
    ),
    plain("payments.v1.delete_pool", "DELETE", _POOL, "pool_id"),
    sent(
        "payments.v1.add_account_to_pool",
        "POST",
        f"{_POOL}/accounts",
        "pool_id",
        given={"account_id": "a"},
        said={"account_id": "a"},
        member="add_account_to_pool_request",
    ),
    plain("payments.v1.remove_account_from_pool", "DELETE", f"{_POOL}/accounts/a", "pool_id", "account_id"),
    Case(
        "payments.v1.get_pool_balances",
        lambda c: c.payments.v1.get_pool_balances("l", WHEN),
        "GET",
        f"{_POOL}/balances",
        {"at": TEXT},
        vendor={"pool_id": "l", "at": TEXT},
    ),
    plain("payments.v1.get_pool_balances_latest", "GET", f"{_POOL}/balances/latest", "pool_id"),
    sent(
        "payments.v1.create_transfer_initiation",
        "POST",
        _TRANSFERS,
        given={"initiation": model(NewTransferInitiation, _INITIATION)},
        said=_INITIATION,
    ),
    *searched("list_transfer_initiations", _TRANSFERS),
    plain("payments.v1.get_transfer_initiation", "GET", f"{_TRANSFERS}/f", "transfer_id"),
    sent(
        "payments.v1.update_transfer_initiation_status",
        "POST",
        f"{_TRANSFERS}/f/status",
        "transfer_id",
        given={"status": TransferInitiationStatus.VALIDATED},
        said={"status": "VALIDATED"},
        member="update_transfer_initiation_status_request",
    ),
    plain("payments.v1.retry_transfer_initiation", "POST", f"{_TRANSFERS}/f/retry", "transfer_id"),
    sent(
        "payments.v1.reverse_transfer_initiation",
        "POST",
        f"{_TRANSFERS}/f/reverse",
        "transfer_id",
        given={"reversal": TransferReversal(**_REVERSAL)},
        said=_REVERSAL,
        member="reverse_transfer_initiation_request",
    ),
    plain("payments.v1.delete_transfer_initiation", "DELETE", f"{_TRANSFERS}/f", "transfer_id"),
]
