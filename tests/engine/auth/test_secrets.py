"""Secrets are stored as salted digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.auth import secrets


def test_a_generated_secret_has_256_bits_and_never_repeats():
    made = {secrets.generate() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 43 for secret in made)


@given(st.text(), st.text())
def test_only_the_secret_itself_matches(secret, other):
    stored = secrets.digest(secret)
    assert secrets.matches(secret, stored)
    assert secrets.matches(other, stored) is (other == secret)


def test_the_digest_is_salted_and_does_not_hold_the_secret():
    first, second = secrets.digest("alpha-secret"), secrets.digest("alpha-secret")
    assert first != second
    assert "alpha-secret" not in first


@pytest.mark.parametrize(
    "stored", ["", "x", "plain$a$b", "hmac-sha256$", "hmac-sha256$!!$!!", "hmac-sha256$YQ==$"]
)
def test_a_damaged_digest_matches_nothing(stored):
    assert not secrets.matches("", stored)
