"""Charts of accounts (section 14.2)."""

import pytest

from bursar.engine.ledger import chart
from bursar.engine.ledger.errors import OutsideChart, Validation

CHART = chart.parse(
    {
        "world": {},
        "bank": {".self": {}, "fees": {}},
        "users": {
            "$id": {".pattern": "^[0-9]{3}$", "main": {}},
            "vip": {".metadata": {"tier": {"default": "gold"}}},
        },
    }
)


@pytest.mark.parametrize("address", ["world", "bank", "bank:fees", "users:001:main", "users:vip"])
def test_accounts_of_the_chart(address):
    assert chart.find(CHART, address).account


@pytest.mark.parametrize(
    "address", ["nobody", "users", "users:001", "users:1:main", "users:vip:main", "bank:x"]
)
def test_229_231_accounts_outside(address):
    with pytest.raises(OutsideChart):
        chart.find(CHART, address)


def test_234_defaults():
    assert chart.find(CHART, "users:vip").defaults == {"tier": "gold"}


@pytest.mark.parametrize(
    "bad",
    [
        {"$root": {}},
        {"a": {"$x": {}, "$y": {}}},
        {"a": {".pattern": "x"}},
        {"a": {"$x": {".pattern": "("}}},
        {"a": {"$x": {".pattern": None}}},
        {"a": {".self": {"x": 1}}},
        {"a": {".metadata": {}, "b": {}}},
        {"a b": {}},
        {"a": 1},
        {".metadata": {}},
        [],
    ],
)
def test_230_charts_that_are_none(bad):
    with pytest.raises(Validation):
        chart.parse(bad)
