"""One source of randomness, repeatable by its seed."""

import re
from collections import Counter

import pytest

from bursar.engine.ids import Ids


def draws(ids):
    return (ids.uuid(), ids.token(), ids.integer(1, 10**30), ids.random())


def test_the_same_seed_draws_the_same_on_every_machine():
    """Invariant 22: literal values, so that another platform cannot differ unnoticed."""
    assert Ids(7).uuid() == "f251473d-788c-45a1-94c1-1152ac866347"
    assert draws(Ids(7)) == draws(Ids(7))
    assert draws(Ids(7)) != draws(Ids(8))


def test_without_a_seed_nothing_repeats():
    assert Ids().token() != Ids().token()


def test_a_child_depends_on_its_number_only():
    parent = Ids(1)
    first = draws(parent.child(3))
    parent.token()
    assert draws(parent.child(3)) == first
    assert draws(parent.child(4)) != first


def test_shapes():
    ids = Ids(1)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", ids.uuid())
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", ids.token())
    assert len(ids.token(16)) == 22
    assert all(0 <= ids.random() < 1 for _ in range(1000))


@pytest.mark.parametrize(("low", "high"), [(5, 5), (0, 2), (-3, 3), (0, 255), (0, 256)])
def test_integers_cover_their_range_evenly(low, high):
    ids = Ids(1)
    size = high - low + 1
    found = Counter(ids.integer(low, high) for _ in range(200 * size))
    assert set(found) == set(range(low, high + 1))
    assert max(found.values()) < 320


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="low <= high"):
        Ids(1).integer(2, 1)
