"""Calls of the webhooks and search services."""

from bursar.formance.search.models import SearchPolicy, SearchQuery, SearchTarget
from bursar.formance.webhooks.models import ConfigOptions, DeliveryStatus, NewSecret, ReplayRequest
from tests.formance.case import KEY, TEXT, WHEN, Case

_SERVICE = "/api/webhooks"
_CONFIG = f"{_SERVICE}/configs/i"
_SECRET = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u"
_OPTIONS = {
    "endpoint": "https://a.example/hook",
    "eventTypes": ["ledger.committed_transactions"],
    "secret": _SECRET,
}
_VENDOR_OPTIONS = {"endpoint": _OPTIONS["endpoint"], "event_types": _OPTIONS["eventTypes"], "secret": _SECRET}

WEBHOOKS = [
    Case(
        "webhooks.v1.get_many_configs",
        lambda c: c.webhooks.v1.get_many_configs(id="i", endpoint="https://a.example/hook"),
        "GET",
        f"{_SERVICE}/configs",
        {"id": "i", "endpoint": "https://a.example/hook"},
        vendor={"id": "i", "endpoint": "https://a.example/hook"},
    ),
    Case(
        "webhooks.v1.insert_config",
        lambda c: c.webhooks.v1.insert_config(
            ConfigOptions(
                endpoint="https://a.example/hook",
                event_types=["ledger.committed_transactions"],
                secret=_SECRET,
            )
        ),
        "POST",
        f"{_SERVICE}/configs",
        body=_OPTIONS,
        vendor=_VENDOR_OPTIONS,
    ),
    Case(
        "webhooks.v1.update_config",
        lambda c: c.webhooks.v1.update_config("i", _OPTIONS),
        "PUT",
        _CONFIG,
        body=_OPTIONS,
        vendor={"id": "i", "config_user": _VENDOR_OPTIONS},
    ),
    *(
        Case(f"webhooks.v1.{name}", call, method, f"{_CONFIG}{path}", vendor={"id": "i"})
        for name, call, method, path in (
            ("delete_config", lambda c: c.webhooks.v1.delete_config("i"), "DELETE", ""),
            ("activate_config", lambda c: c.webhooks.v1.activate_config("i"), "PUT", "/activate"),
            ("deactivate_config", lambda c: c.webhooks.v1.deactivate_config("i"), "PUT", "/deactivate"),
            (
                "change_config_secret",
                lambda c: c.webhooks.v1.change_config_secret("i"),
                "PUT",
                "/secret/change",
            ),
            ("test_config", lambda c: c.webhooks.v1.test_config("i"), "GET", "/test"),
        )
    ),
    Case(
        "webhooks.v1.change_config_secret",
        lambda c: c.webhooks.v1.change_config_secret("i", NewSecret(secret=_SECRET)),
        "PUT",
        f"{_CONFIG}/secret/change",
        body={"secret": _SECRET},
        vendor={"id": "i", "config_change_secret": {"secret": _SECRET}},
    ),
    Case(
        "webhooks.v1.get_deliveries",
        lambda c: c.webhooks.v1.get_deliveries(
            config_id="i",
            status=DeliveryStatus.FAILED,
            created_at_from=WHEN,
            created_at_to=WHEN,
            page_size=10,
            cursor="c",
        ),
        "GET",
        f"{_SERVICE}/deliveries",
        {
            "configId": "i",
            "status": "failed",
            "createdAtFrom": TEXT,
            "createdAtTo": TEXT,
            "pageSize": "10",
            "cursor": "c",
        },
        vendor={
            "config_id": "i",
            "status": "failed",
            "created_at_from": TEXT,
            "created_at_to": TEXT,
            "page_size": 10,
            "cursor": "c",
        },
    ),
    Case(
        "webhooks.v1.get_delivery",
        lambda c: c.webhooks.v1.get_delivery("d"),
        "GET",
        f"{_SERVICE}/deliveries/d",
        vendor={"id": "d"},
    ),
    Case(
        "webhooks.v1.get_delivery_attempts",
        lambda c: c.webhooks.v1.get_delivery_attempts("d", page_size=10, cursor="c"),
        "GET",
        f"{_SERVICE}/deliveries/d/attempts",
        {"pageSize": "10", "cursor": "c"},
        vendor={"id": "d", "page_size": 10, "cursor": "c"},
    ),
    Case(
        "webhooks.v1.replay_delivery",
        lambda c: c.webhooks.v1.replay_delivery("d", idempotency_key=KEY),
        "POST",
        f"{_SERVICE}/deliveries/d/replay",
        key=KEY,
        vendor={"id": "d", "idempotency_key": KEY},
    ),
    Case(
        "webhooks.v1.replay_deliveries",
        lambda c: c.webhooks.v1.replay_deliveries(
            ReplayRequest(
                created_at_from=WHEN,
                created_at_to=WHEN,
                config_ids=["i"],
                statuses=[DeliveryStatus.FAILED],
                page_size=10,
                cursor="c",
            ),
            idempotency_key=KEY,
        ),
        "POST",
        f"{_SERVICE}/deliveries/replay",
        body={
            "createdAtFrom": TEXT,
            "createdAtTo": TEXT,
            "configIds": ["i"],
            "statuses": ["failed"],
            "pageSize": 10,
            "cursor": "c",
        },
        key=KEY,
        vendor={
            "idempotency_key": KEY,
            "replay_deliveries_request": {
                "created_at_from": TEXT,
                "created_at_to": TEXT,
                "config_ids": ["i"],
                "statuses": ["failed"],
                "page_size": 10,
                "cursor": "c",
            },
        },
    ),
]

_QUERY = {
    "target": "ACCOUNT",
    "terms": ["address=users:1"],
    "ledgers": ["main"],
    "pageSize": 10,
    "cursor": "c",
    "after": ["a"],
    "sort": "address:asc",
    "policy": "OR",
    "raw": {},
}

SEARCH = [
    Case(
        "search.v1.get_server_info_search",
        lambda c: c.search.v1.get_server_info_search(),
        "GET",
        "/api/search/_info",
    ),
    Case(
        "search.v1.search",
        lambda c: c.search.v1.search(
            SearchQuery(
                target=SearchTarget.ACCOUNT,
                terms=["address=users:1"],
                ledgers=["main"],
                page_size=10,
                cursor="c",
                after=["a"],
                sort="address:asc",
                policy=SearchPolicy.OR,
                raw={},
            )
        ),
        "POST",
        "/api/search/",
        body=_QUERY,
        vendor={"page_size": 10, **{name: value for name, value in _QUERY.items() if name != "pageSize"}},
    ),
]
