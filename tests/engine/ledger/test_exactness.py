"""Numbers beyond 64 bits stay exact in sums, comparisons and filters."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.store.functions import define

AMOUNTS = st.integers(min_value=-(2**130), max_value=2**130)


def stored(value: int):
    return value if -(2**63) <= value < 2**63 else str(value)


@given(st.lists(AMOUNTS, min_size=1, max_size=8))
def test_sums_are_exact(values):
    with closing(sqlite3.connect(":memory:")) as connection:
        define(connection)
        connection.execute("CREATE TABLE n (value)")
        connection.executemany("INSERT INTO n VALUES (?)", [(stored(value),) for value in values])
        (total,) = connection.execute("SELECT exact_sum(value) FROM n").fetchone()
        assert int(total) == sum(values)


@given(AMOUNTS, AMOUNTS)
def test_differences_and_comparisons_are_exact(left, right):
    with closing(sqlite3.connect(":memory:")) as connection:
        define(connection)
        found = connection.execute(
            "SELECT balance(?, ?), compare(?, ?)", [stored(left), stored(right)] * 2
        ).fetchone()
        assert (int(found[0]), found[1]) == (left - right, (left > right) - (left < right))
