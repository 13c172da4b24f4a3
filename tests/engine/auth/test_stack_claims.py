"""Tokens of a Formance stack: what is in them, and which are refused (section 3.2; the ledger's section 17)."""

import base64
import contextlib
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from bursar.engine.auth import keys
from bursar.engine.auth.formance import claims
from bursar.engine.auth.formance.claims import Claims
from bursar.engine.auth.tokens import InvalidToken

NOW = 1_700_000_000
ISSUER = "http://localhost/api/auth"
KEY = claims.signing_key(keys.shared())
USUAL = {"iss": ISSUER, "exp": NOW + 60}


def signed(members, *, header=None, key=KEY):
    head = {"alg": "RS256", "kid": "id"} if header is None else header
    return jws.serialize_compact(head, json.dumps(members).encode(), keys.load(key), algorithms=["RS256"])


def verify(token, now=NOW):
    return claims.verify(token, claims.verifying([KEY]), issuers={ISSUER}, now=now)


def test_the_header_is_byte_for_byte_that_of_the_real_service():
    token = claims.sign(Claims(("a",), NOW + 60, NOW, ISSUER, "j", NOW, ""), KEY)
    assert token.startswith("eyJhbGciOiJSUzI1NiIsImtpZCI6ImlkIiwidHlwIjoiSldUIn0.")
    payload = token.split(".")[1]
    members = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert members == {
        "aud": ["a"],
        "exp": NOW + 60,
        "iat": NOW,
        "iss": ISSUER,
        "jti": "j",
        "nbf": NOW,
        "scope": "",
    }


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"exp": NOW}, False),
        ({"exp": NOW + 1}, True),
        ({"exp": None}, False),
        ({"exp": "soon"}, False),
        ({"nbf": NOW + 1}, False),
        ({"nbf": NOW}, True),
        ({"iss": ISSUER + "/"}, False),
        ({"iss": None}, False),
        ({"iat": NOW + 1000, "aud": 5, "sub": 7}, True),
    ],
)
def test_times_and_issuer_count_and_nothing_else(changes, good):
    token = signed({**USUAL, **changes})
    if good:
        assert verify(token).iss == ISSUER
    else:
        with pytest.raises(InvalidToken):
            verify(token)


@pytest.mark.parametrize(
    ("scope", "read"),
    [("a b", "a b"), ("", ""), (None, ""), (["a"], ""), (5, ""), ("a,b", "a,b")],
)
def test_a_scope_is_one_text(scope, read):
    assert verify(signed({**USUAL, "scope": scope})).scope == read


def test_a_missing_key_id_is_no_matter_and_a_wrong_one_is():
    assert verify(signed(USUAL, header={"alg": "RS256"})).iss == ISSUER
    with pytest.raises(InvalidToken):
        verify(signed(USUAL, header={"alg": "RS256", "kid": "other"}))


def test_forgeries_are_refused():
    other = claims.signing_key(keys.generate())
    good = signed(USUAL)
    head, _, seal = good.split(".")
    changed = (
        base64.urlsafe_b64encode(json.dumps({**USUAL, "scope": "ledger:write"}).encode()).decode().rstrip("=")
    )
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"id"}').decode().rstrip("=")
    public = keys.load(KEY).as_pem(private=False)
    for token in (
        signed(USUAL, key=other),
        f"{head}.{changed}.{seal}",
        f"{unsigned}.{changed}.",
        good[:-4] + "AAAA",
        good + "." + seal,
        "x" * 10_000,
    ):
        with pytest.raises(InvalidToken):
            verify(token)
    # A secret key made of the public one must not be taken for it (RFC 8725 section 2.1).
    body = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"id"}').decode().rstrip("=") + "." + changed
    mac = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), hashlib.sha256)).decode().rstrip("=")
    with pytest.raises(InvalidToken):
        verify(f"{body}.{mac}")


@given(
    st.text(max_size=60)
    | st.tuples(*[st.binary(max_size=20)] * 3).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    )
)
def test_anything_at_all_is_refused_in_one_way(token):
    with pytest.raises(InvalidToken):
        verify(token)
    with contextlib.suppress(InvalidToken):
        claims.claimed(token)
