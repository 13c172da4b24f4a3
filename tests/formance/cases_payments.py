"""Calls of the payments service, version 3, and what the cases of both versions share."""

import re
from collections.abc import Mapping
from typing import Any

from bursar.formance import Formance
from bursar.formance.payments.configs import StripeConfig
from bursar.formance.payments.models import (
    NewAccount,
    NewBankAccount,
    NewPayment,
    NewPaymentAdjustment,
    NewPaymentInitiation,
    NewPool,
    NewReversal,
)
from bursar.formance.payments.users import Address, ContactDetails, NewLink, NewPaymentServiceUser
from tests.formance.case import TAGS, TEXT, WHEN, Case

BIG = 10**30
FOUND = {"$match": {"name": "x"}}
USER = "/api/payments/v3/payment-service-users/u"
_V3 = "/api/payments/v3"
_PLACES = {
    "connector_id": "c",
    "schedule_id": "s",
    "account_id": "a",
    "bank_account_id": "b",
    "payment_id": "p",
    "payment_initiation_id": "i",
    "pool_id": "l",
    "payment_service_user_id": "u",
    "connection_id": "n",
    "attempt_id": "t",
    "order_id": "o",
    "conversion_id": "v",
    "task_id": "k",
    "transfer_id": "f",
}


def wire(value: Any) -> Any:
    """The JSON of a mapping with Python's names: camelCase, with ID and URL in capitals at a name's end."""
    if isinstance(value, dict):
        return {_name(key): wire(member) for key, member in value.items()}
    return [wire(item) for item in value] if isinstance(value, list) else value


def _name(key: str) -> str:
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), key)
    return re.sub(r"(Id|Ids|Url)$", lambda found: {"Id": "ID", "Ids": "IDs", "Url": "URL"}[found[1]], camel)


def named(operation: str, *names: str) -> tuple[dict[str, str], Any]:
    """What a call says in its path, and the operation as a function of a client."""
    places = {name: _PLACES[name] for name in names}

    def of(client: Formance) -> Any:
        target: Any = client
        for part in operation.split("."):
            target = getattr(target, part)
        return target

    return places, of


def plain(operation: str, method: str, path: str, *names: str) -> Case:
    """A call that says nothing but what its path names."""
    places, of = named(operation, *names)
    return Case(operation, lambda c: of(c)(**places), method, path, vendor=places)


def listed(operation: str, path: str, *names: str, filtered: bool = True) -> Case:
    """A listing with a filter in the body of GET, a page size and a cursor."""
    places, of = named(operation, *names)
    asked: dict[str, Any] = {"filter": FOUND} if filtered else {}
    theirs: dict[str, Any] = {"request_body": FOUND} if filtered else {}
    return Case(
        operation,
        lambda c: of(c)(**places, **asked, page_size=10, cursor="x"),
        "GET",
        path,
        {"pageSize": "10", "cursor": "x"},
        body=FOUND if filtered else None,
        vendor={**places, **theirs, "page_size": 10, "cursor": "x"},
    )


def sent(
    operation: str,
    method: str,
    path: str,
    *names: str,
    given: Mapping[str, Any],
    said: Mapping[str, Any],
    member: str = "",
    differs: str = "",
    query: Mapping[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Case:
    """A call with a body: `given` to Bursar, `said` to the vendor under `member`, or as the whole request."""
    places, of = named(operation, *names)
    body = wire(said)
    theirs = {re.sub(r"_ids$", "_i_ds", name): value for name, value in said.items()}
    return Case(
        operation,
        lambda c: of(c)(**places, **given, **(asked or {})),
        method,
        path,
        query or {},
        body=body,
        vendor={**places, **(asked or {}), member: said} if member else theirs,
        differs=differs,
    )


STRIPE = {"provider": "Stripe", "name": "shop", "api_key": "sk", "polling_period": "30m", "page_size": 25}
POOLS: list[dict[str, Any]] = [{"name": "n", "query": FOUND}, {"name": "n", "account_ids": ["a"]}]
SETTINGS = {name: member for name, member in STRIPE.items() if name != "provider"}
ACCOUNT: dict[str, Any] = {
    "reference": "r",
    "connector_id": "c",
    "created_at": TEXT,
    "account_name": "n",
    "type": "EXTERNAL",
    "default_asset": "USD/2",
    "metadata": TAGS,
}
BANK_ACCOUNT: dict[str, Any] = {
    "name": "n",
    "account_number": "1",
    "iban": "i",
    "swift_bic_code": "s",
    "country": "FR",
    "metadata": TAGS,
}
_ADJUSTMENT: dict[str, Any] = {
    "reference": "ra",
    "created_at": TEXT,
    "status": "SUCCEEDED",
    "amount": BIG,
    "asset": "USD/2",
    "metadata": TAGS,
}
_PAYMENT: dict[str, Any] = {
    "reference": "r",
    "connector_id": "c",
    "created_at": TEXT,
    "type": "PAY-IN",
    "initial_amount": BIG,
    "amount": BIG,
    "asset": "USD/2",
    "scheme": "SEPA",
    "source_account_id": "a",
    "destination_account_id": "b",
    "metadata": TAGS,
}
_INITIATION: dict[str, Any] = {
    "reference": "r",
    "connector_id": "c",
    "description": "d",
    "scheduled_at": TEXT,
    "type": "TRANSFER",
    "amount": BIG,
    "asset": "USD/2",
    "source_account_id": "a",
    "destination_account_id": "b",
    "metadata": TAGS,
}
_REVERSAL: dict[str, Any] = {
    "reference": "r",
    "description": "d",
    "amount": BIG,
    "asset": "USD/2",
    "metadata": TAGS,
}
_LINK = {"client_redirect_url": "https://example.com", "application_name": "n"}
_DETAILS = {"email": "a@example.com", "phone_number": "1"}
_ADDRESS = {
    "street_name": "s",
    "street_number": "1",
    "city": "c",
    "region": "r",
    "postal_code": "p",
    "country": "FR",
}
_NEW_USER: dict[str, Any] = {
    "name": "n",
    "address": _ADDRESS,
    "bank_account_ids": ["b"],
    "metadata": TAGS,
}


def model(kind: Any, said: Mapping[str, Any]) -> Any:
    """A model of the same members; times as times."""
    return kind(**{name: WHEN if member == TEXT else member for name, member in said.items()})


_CONNECTOR = f"{_V3}/connectors/c"
_SCHEDULES = f"{_CONNECTOR}/schedules"
_POOL = f"{_V3}/pools/l"
_INITIATIONS = f"{_V3}/payment-initiations"
_AT_CONNECTOR = f"{USER}/connectors/c"

V3 = [
    Case(
        "payments.v3.install_connector",
        lambda c: c.payments.v3.install_connector("stripe", model(StripeConfig, SETTINGS)),
        "POST",
        f"{_V3}/connectors/install/stripe",
        body=wire(STRIPE),
        vendor={"connector": "stripe", "v3_connector_config": STRIPE},
    ),
    listed("payments.v3.list_connectors", f"{_V3}/connectors"),
    plain("payments.v3.list_connector_configs", "GET", f"{_V3}/connectors/configs"),
    Case(
        "payments.v3.list_connector_capabilities",
        lambda c: c.payments.v3.list_connector_capabilities(),
        "GET",
        f"{_V3}/connectors/capabilities",
        vendor={"if_none_match": None},
    ),
    plain("payments.v3.get_connector_capabilities", "GET", f"{_CONNECTOR}/capabilities", "connector_id"),
    plain("payments.v3.get_connector_config", "GET", f"{_CONNECTOR}/config", "connector_id"),
    sent(
        "payments.v3.v3_update_connector_config",
        "PATCH",
        f"{_CONNECTOR}/config",
        "connector_id",
        given={"config": model(StripeConfig, SETTINGS)},
        said=STRIPE,
        member="v3_connector_config",
    ),
    plain("payments.v3.uninstall_connector", "DELETE", _CONNECTOR, "connector_id"),
    plain("payments.v3.reset_connector", "POST", f"{_CONNECTOR}/reset", "connector_id"),
    listed("payments.v3.list_connector_schedules", _SCHEDULES, "connector_id"),
    plain("payments.v3.get_connector_schedule", "GET", f"{_SCHEDULES}/s", "connector_id", "schedule_id"),
    listed(
        "payments.v3.list_connector_schedule_instances",
        f"{_SCHEDULES}/s/instances",
        "connector_id",
        "schedule_id",
        filtered=False,
    ),
    sent(
        "payments.v3.create_account",
        "POST",
        f"{_V3}/accounts",
        given={"account": model(NewAccount, ACCOUNT)},
        said=ACCOUNT,
    ),
    listed("payments.v3.list_accounts", f"{_V3}/accounts"),
    plain("payments.v3.get_account", "GET", f"{_V3}/accounts/a", "account_id"),
    Case(
        "payments.v3.get_account_balances",
        lambda c: c.payments.v3.get_account_balances(
            "a", asset="USD/2", from_timestamp=WHEN, to_timestamp=WHEN, page_size=10, cursor="x"
        ),
        "GET",
        f"{_V3}/accounts/a/balances",
        {"asset": "USD/2", "from": TEXT, "to": TEXT, "pageSize": "10", "cursor": "x"},
        vendor={
            "account_id": "a",
            "asset": "USD/2",
            "from_timestamp": TEXT,
            "to_timestamp": TEXT,
            "page_size": 10,
            "cursor": "x",
        },
        differs="the server reads from and to",
    ),
    sent(
        "payments.v3.create_bank_account",
        "POST",
        f"{_V3}/bank-accounts",
        given={"bank_account": model(NewBankAccount, BANK_ACCOUNT)},
        said=BANK_ACCOUNT,
    ),
    listed("payments.v3.list_bank_accounts", f"{_V3}/bank-accounts"),
    plain("payments.v3.get_bank_account", "GET", f"{_V3}/bank-accounts/b", "bank_account_id"),
    sent(
        "payments.v3.update_bank_account_metadata",
        "PATCH",
        f"{_V3}/bank-accounts/b/metadata",
        "bank_account_id",
        given={"metadata": TAGS},
        said={"metadata": TAGS},
        member="v3_update_bank_account_metadata_request",
    ),
    sent(
        "payments.v3.forward_bank_account",
        "POST",
        f"{_V3}/bank-accounts/b/forward",
        "bank_account_id",
        given={"connector_id": "c"},
        said={"connector_id": "c"},
        member="v3_forward_bank_account_request",
    ),
    sent(
        "payments.v3.create_payment",
        "POST",
        f"{_V3}/payments",
        given={
            "payment": model(
                NewPayment, {**_PAYMENT, "adjustments": [model(NewPaymentAdjustment, _ADJUSTMENT)]}
            )
        },
        said={**_PAYMENT, "adjustments": [_ADJUSTMENT]},
    ),
    listed("payments.v3.list_payments", f"{_V3}/payments"),
    plain("payments.v3.get_payment", "GET", f"{_V3}/payments/p", "payment_id"),
    Case(
        "payments.v3.update_payment_metadata",
        lambda c: c.payments.v3.update_payment_metadata("p", TAGS),
        "PATCH",
        f"{_V3}/payments/p/metadata",
        body=TAGS,
        vendor={"payment_id": "p", "v3_update_payment_metadata_request": {"metadata": TAGS}},
        differs="the server wants the metadata bare",
    ),
    sent(
        "payments.v3.initiate_payment",
        "POST",
        _INITIATIONS,
        given={"initiation": model(NewPaymentInitiation, _INITIATION)},
        said=_INITIATION,
        member="v3_initiate_payment_request",
        query={"noValidation": "true"},
        asked={"no_validation": True},
    ),
    listed("payments.v3.list_payment_initiations", _INITIATIONS),
    plain("payments.v3.get_payment_initiation", "GET", f"{_INITIATIONS}/i", "payment_initiation_id"),
    plain("payments.v3.delete_payment_initiation", "DELETE", f"{_INITIATIONS}/i", "payment_initiation_id"),
    *(
        plain(
            f"payments.v3.{verb}_payment_initiation",
            "POST",
            f"{_INITIATIONS}/i/{verb}",
            "payment_initiation_id",
        )
        for verb in ("approve", "reject", "retry")
    ),
    sent(
        "payments.v3.reverse_payment_initiation",
        "POST",
        f"{_INITIATIONS}/i/reverse",
        "payment_initiation_id",
        given={"reversal": model(NewReversal, _REVERSAL)},
        said=_REVERSAL,
        member="v3_reverse_payment_initiation_request",
    ),
    listed(
        "payments.v3.list_payment_initiation_adjustments",
        f"{_INITIATIONS}/i/adjustments",
        "payment_initiation_id",
    ),
    listed(
        "payments.v3.list_payment_initiation_related_payments",
        f"{_INITIATIONS}/i/payments",
        "payment_initiation_id",
    ),
    *(
        sent(
            "payments.v3.create_pool",
            "POST",
            f"{_V3}/pools",
            given={"pool": model(NewPool, pool)},
            said=pool,
        )
        for pool in POOLS
    ),
    listed("payments.v3.list_pools", f"{_V3}/pools"),
    plain("payments.v3.get_pool", "GET", _POOL, "pool_id"),
    sent(
        "payments.v3.update_pool_query",
        "PATCH",
        f"{_POOL}/query",
        "pool_id",
        given={"query": FOUND},
        said={"query": FOUND},
        member="v3_update_pool_query_request",
    ),
    plain("payments.v3.delete_pool", "DELETE", _POOL, "pool_id"),
    plain("payments.v3.add_account_to_pool", "POST", f"{_POOL}/accounts/a", "pool_id", "account_id"),
    plain("payments.v3.remove_account_from_pool", "DELETE", f"{_POOL}/accounts/a", "pool_id", "account_id"),
    Case(
        "payments.v3.get_pool_balances",
        lambda c: c.payments.v3.get_pool_balances("l", WHEN),
        "GET",
        f"{_POOL}/balances",
        {"at": TEXT},
        vendor={"pool_id": "l", "at": TEXT},
    ),
    plain("payments.v3.get_pool_balances_latest", "GET", f"{_POOL}/balances/latest", "pool_id"),
    *(
        sent(
            "payments.v3.create_payment_service_user",
            "POST",
            f"{_V3}/payment-service-users",
            given={
                "user": NewPaymentServiceUser(
                    name="n",
                    contact_details=ContactDetails(**details),
                    address=Address(**_ADDRESS),
                    bank_account_ids=["b"],
                    metadata=TAGS,
                )
            },
            said={**_NEW_USER, "contact_details": details},
            differs=differs,
        )
        for details, differs in (
            (_DETAILS, ""),
            ({**_DETAILS, "locale": "fr"}, "the server takes a locale"),
        )
    ),
    listed("payments.v3.list_payment_service_users", f"{_V3}/payment-service-users"),
    plain("payments.v3.get_payment_service_user", "GET", USER, "payment_service_user_id"),
    plain("payments.v3.delete_payment_service_user", "DELETE", USER, "payment_service_user_id"),
    plain(
        "payments.v3.add_bank_account_to_payment_service_user",
        "POST",
        f"{USER}/bank-accounts/b",
        "payment_service_user_id",
        "bank_account_id",
    ),
    sent(
        "payments.v3.forward_payment_service_user_bank_account",
        "POST",
        f"{USER}/bank-accounts/b/forward",
        "payment_service_user_id",
        "bank_account_id",
        given={"connector_id": "c"},
        said={"connector_id": "c"},
        member="v3_forward_payment_service_user_bank_account_request",
    ),
    plain(
        "payments.v3.forward_payment_service_user_to_provider",
        "POST",
        f"{_AT_CONNECTOR}/forward",
        "payment_service_user_id",
        "connector_id",
    ),
    sent(
        "payments.v3.create_link_for_payment_service_user",
        "POST",
        f"{_AT_CONNECTOR}/create-link",
        "payment_service_user_id",
        "connector_id",
        given={"link": NewLink(**_LINK)},
        said=_LINK,
        member="v3_payment_service_user_create_link_request",
    ),
    Case(
        "payments.v3.create_link_for_payment_service_user",
        lambda c: c.payments.v3.create_link_for_payment_service_user(
            "u", "c", NewLink(**_LINK), attempt_id="t"
        ),
        "POST",
        f"{_AT_CONNECTOR}/create-link",
        {"Idempotency-Key": "t"},
        body=wire(_LINK),
        vendor={
            "payment_service_user_id": "u",
            "connector_id": "c",
            "v3_payment_service_user_create_link_request": _LINK,
        },
        differs="the server takes an attempt's id",
    ),
    sent(
        "payments.v3.update_link_for_payment_service_user_on_connector",
        "POST",
        f"{_AT_CONNECTOR}/connections/n/update-link",
        "payment_service_user_id",
        "connector_id",
        "connection_id",
        given={"link": NewLink(**_LINK)},
        said=_LINK,
        member="v3_payment_service_user_update_link_request",
    ),
    listed(
        "payments.v3.list_payment_service_user_connections", f"{USER}/connections", "payment_service_user_id"
    ),
    listed(
        "payments.v3.list_payment_service_user_connections_from_connector_id",
        f"{_AT_CONNECTOR}/connections",
        "payment_service_user_id",
        "connector_id",
    ),
    listed(
        "payments.v3.list_payment_service_user_link_attempts_from_connector_id",
        f"{_AT_CONNECTOR}/link-attempts",
        "payment_service_user_id",
        "connector_id",
    ),
    plain(
        "payments.v3.get_payment_service_user_link_attempt_from_connector_id",
        "GET",
        f"{_AT_CONNECTOR}/link-attempts/t",
        "payment_service_user_id",
        "connector_id",
        "attempt_id",
    ),
    plain(
        "payments.v3.delete_payment_service_user_connector",
        "DELETE",
        _AT_CONNECTOR,
        "payment_service_user_id",
        "connector_id",
    ),
    plain(
        "payments.v3.delete_payment_service_user_connection_from_connector_id",
        "DELETE",
        f"{_AT_CONNECTOR}/connections/n",
        "payment_service_user_id",
        "connector_id",
        "connection_id",
    ),
    listed("payments.v3.list_orders", f"{_V3}/orders"),
    plain("payments.v3.get_order", "GET", f"{_V3}/orders/o", "order_id"),
    listed("payments.v3.list_conversions", f"{_V3}/conversions"),
    plain("payments.v3.get_conversion", "GET", f"{_V3}/conversions/v", "conversion_id"),
    plain("payments.v3.get_task", "GET", f"{_V3}/tasks/k", "task_id"),
]
