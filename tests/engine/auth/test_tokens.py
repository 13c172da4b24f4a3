"""JWTs: what is accepted is exactly what the realm signed."""

import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt

from bursar.engine.auth import keys, tokens
from bursar.engine.auth.tokens import Claims, InvalidToken

ISSUER = "http://localhost/realms/sandbox"
KEY = keys.shared()
OTHER = keys.generate()
CLAIMS = Claims(iss=ISSUER, sub="s", azp="bank-alpha", iat=100, exp=400, jti="j", gen=1)


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def verify(token, *, now=100, issuer=ISSUER):
    return tokens.verify(token, [KEY], issuer=issuer, now=now)


def test_a_signed_token_is_read_back_and_has_keycloaks_claims():
    token = tokens.sign(CLAIMS, KEY)
    assert verify(token) == CLAIMS
    header, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in token.split(".")[:2])
    assert header == {"typ": "JWT", "alg": "RS256", "kid": KEY.kid}
    assert {"iss", "sub", "azp", "exp", "iat", "jti", "typ"} <= claims.keys()
    assert claims["typ"] == "Bearer"


def test_ms07_an_expired_token_is_refused_from_its_last_second_on():
    token = tokens.sign(CLAIMS, KEY)
    assert verify(token, now=399)
    with pytest.raises(InvalidToken, match="expired"):
        verify(token, now=400)


def test_ms07_a_token_of_another_realm_is_refused():
    with pytest.raises(InvalidToken, match="another realm"):
        verify(tokens.sign(CLAIMS, KEY), issuer="http://localhost/realms/other")


def test_a_token_signed_with_another_key_is_refused():
    with pytest.raises(InvalidToken):
        verify(tokens.sign(CLAIMS, OTHER))


def test_a_token_that_names_our_key_but_is_signed_with_another_is_refused():
    forged = keys.SigningKey(KEY.kid, OTHER.pem)
    header, payload, _ = tokens.sign(CLAIMS, KEY).split(".")
    signature = tokens.sign(CLAIMS, forged).split(".")[2]
    with pytest.raises(InvalidToken):
        verify(f"{header}.{payload}.{signature}")


def test_changed_claims_break_the_signature():
    header, payload, signature = tokens.sign(CLAIMS, KEY).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    with pytest.raises(InvalidToken):
        verify(f"{header}.{part({**claims, 'azp': 'bank-beta'})}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "", None, 1, ["RS256"]])
def test_rfc_8725_an_unsigned_token_is_refused(algorithm):
    header = part({"alg": algorithm, "typ": "JWT", "kid": KEY.kid})
    payload = tokens.sign(CLAIMS, KEY).split(".")[1]
    for signature in ("", "AAAA"):
        with pytest.raises(InvalidToken):
            verify(f"{header}.{payload}.{signature}")


def test_rfc_8725_the_public_key_is_no_hmac_secret():
    public = serialization.load_pem_private_key(KEY.pem.encode(), None).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    payload = tokens.sign(CLAIMS, KEY).split(".")[1]
    signed = f"{part({'alg': 'HS256', 'kid': KEY.kid})}.{payload}"
    forged = f"{signed}.{part(hmac.digest(pem, signed.encode(), 'sha256'))}"
    with pytest.raises(InvalidToken):
        verify(forged)


@pytest.mark.parametrize("missing", ["iss", "sub", "azp", "iat", "exp", "jti", "gen"])
def test_a_token_without_a_claim_is_refused(missing):
    members = json.loads(base64.urlsafe_b64decode(tokens.sign(CLAIMS, KEY).split(".")[1] + "=="))
    del members[missing]
    signed = jwt.encode({"alg": "RS256", "kid": KEY.kid}, members, keys.load(KEY))
    with pytest.raises(InvalidToken):
        verify(signed)


def test_an_id_token_is_no_access_token():
    signed = tokens.sign(Claims(ISSUER, "s", "a", 1, 400, "j", 1, typ="ID"), KEY)
    with pytest.raises(InvalidToken, match="access token"):
        verify(signed)


@given(st.one_of(st.text(), st.text("ey.AJabc-_=", max_size=60)))
def test_no_text_is_anything_but_an_invalid_token(text):
    with pytest.raises(InvalidToken):
        verify(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ"]), inner)
    ),
    max_leaves=5,
)


@given(json_values, json_values)
def test_no_header_is_anything_but_an_invalid_token(header, payload):
    with pytest.raises(InvalidToken):
        verify(f"{part(header)}.{part(payload)}.AAAA")


def test_a_very_long_token_is_refused_unread():
    with pytest.raises(InvalidToken, match="too long"):
        verify("a" * 10_000)


def test_repr_shows_no_key():
    assert "PRIVATE" not in repr(KEY)
