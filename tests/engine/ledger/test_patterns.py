"""Address patterns (section 6.6) against their definition, segment by segment."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.ledger.query import patterns

SEGMENTS = st.sampled_from(["users", "1", "main", "a-b", "$x", ""])
ADDRESSES = st.lists(st.sampled_from(["users", "1", "main", "a-b", "$x"]), min_size=1, max_size=4).map(
    ":".join
)


def fits(pattern: str, address: str) -> bool:
    parsed = patterns.parse(pattern, middle=True)
    found = re.fullmatch(parsed.regex, address, re.DOTALL) is not None
    if found:
        assert address.startswith(parsed.prefix)
    if parsed.exact is not None:
        assert found == (address == parsed.exact)
    return found


def defined(pattern: str, address: str) -> bool:
    wanted, there = pattern.split(":"), address.split(":")
    if wanted[-1] == "...":
        wanted = wanted[:-1]
        there = there[: len(wanted)] if len(there) >= len(wanted) else None
    if there is None or len(wanted) != len(there):
        return False
    return all(want in ("", segment) for want, segment in zip(wanted, there, strict=True))


@given(st.lists(SEGMENTS, min_size=1, max_size=4), st.booleans(), ADDRESSES)
def test_patterns_mean_what_they_say(segments, below, address):
    pattern = ":".join([*segments, "..."] if below else segments)
    assert fits(pattern, address) == defined(pattern, address)


@pytest.mark.parametrize(
    ("pattern", "those"),
    [
        ("users:", ["users:1"]),
        ("users::", ["users:1:wallet"]),
        ("users:...", ["users", "users:1", "users:1:wallet"]),
        ("users:*", []),
        (":1", ["users:1"]),
        ("::wallet", ["users:1:wallet"]),
        ("", ["users"]),
        ("...", ["users", "users:1", "users:1:wallet"]),
        ("users:...:", ["users:1:wallet"]),
        ("users:...:wallet", []),
    ],
)
def test_123_to_128(pattern, those):
    assert [name for name in ("users", "users:1", "users:1:wallet") if fits(pattern, name)] == those
