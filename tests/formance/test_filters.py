"""The filter builder writes the service's grammar (6.2), and only what it can compare."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bursar.contract import InvalidRequestError
from bursar.formance.filters import (
    and_,
    balance,
    exists,
    gt,
    gte,
    in_,
    like,
    lt,
    lte,
    match,
    metadata,
    not_,
    or_,
)


def test_every_operator() -> None:
    built = and_(
        match("address", "users:"),
        or_(gt(balance("USD/2"), 10**30), gte("id", 1), lt("id", 5), lte("id", 4)),
        not_(match("reverted", True)),
        exists("metadata", "tier"),
        match(metadata("tier"), "gold"),
        like("reference", "a%"),
        in_("address", ("a", "b")),
    )
    assert built == {
        "$and": [
            {"$match": {"address": "users:"}},
            {
                "$or": [
                    {"$gt": {"balance[USD/2]": 10**30}},
                    {"$gte": {"id": 1}},
                    {"$lt": {"id": 5}},
                    {"$lte": {"id": 4}},
                ]
            },
            {"$not": {"$match": {"reverted": True}}},
            {"$exists": {"metadata": "tier"}},
            {"$match": {"metadata[tier]": "gold"}},
            {"$like": {"reference": "a%"}},
            {"$in": {"address": ["a", "b"]}},
        ]
    }


def test_times_go_as_text_with_a_zone() -> None:
    assert gte("timestamp", datetime(2026, 1, 2, tzinfo=UTC)) == {
        "$gte": {"timestamp": "2026-01-02T00:00:00Z"}
    }
    with pytest.raises(InvalidRequestError, match="zone"):
        gte("timestamp", datetime(2026, 1, 2))  # noqa: DTZ001 - a time without a zone is what is refused


@pytest.mark.parametrize("value", [1.5, None, [1], {"a": 1}])
def test_what_the_service_cannot_compare_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError):
        match("id", value)


def test_plain_mappings_mix_with_built_ones() -> None:
    assert and_({"$match": {"a": 1}}, not_({"$match": {"b": 2}})) == {
        "$and": [{"$match": {"a": 1}}, {"$not": {"$match": {"b": 2}}}]
    }
