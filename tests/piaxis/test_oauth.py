"""OAuth: PC15 to PC27, PX-5."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bursar.piaxis import (
    InvalidRequestError,
    PiaxisApiError,
    PiaxisAuthError,
    PiaxisClient,
    PiaxisOAuthCallbackError,
    PiaxisUnreadableAnswerError,
    PiaxisValidationError,
    TokenRefresh,
    generate_pkce_pair,
    parse_authorization_callback,
)
from bursar.piaxis.security import code_challenge
from tests.client.server import Action, Recorded, reply
from tests.piaxis.api import PREFIX, TOKENS, Api, Blocking, usual
from tests.piaxis.conftest import Connect, Open

WHO = {"merchant_id": "m-1", "external_user_id": "u-1", "redirect_uri": "https://shop.example/cb?next=/a&b=c"}
CODE = {
    "code": "c-1",
    "redirect_uri": "https://shop.example/cb",
    "client_id": "cid",
    "client_secret": "s&=cret",
}


def test_pc15_pc16_px_5_the_url_has_what_was_given_encoded(client: Blocking, api: Api) -> None:
    for url in (client.build_authorize_url(**WHO), client.auth.build_authorize_url(WHO)):
        assert url.startswith(f"{api.url}/authorize?")
        assert dict(parse_qsl(urlsplit(url).query)) == WHO
        assert "None" not in url
    full = client.build_authorize_url(**WHO, state="a b", code_challenge="x", code_challenge_method="S256")
    assert dict(parse_qsl(urlsplit(full).query)) == {
        **WHO,
        "state": "a b",
        "code_challenge": "x",
        "code_challenge_method": "S256",
    }
    assert not api.calls


@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example/cb",
        "http://localhost.evil.com/",
        "myapp:/cb",
        "/cb",
        "https://x/#f",
        "",
        "http://[::1",
    ],
)
def test_pc17_addresses_that_get_no_code(client: Blocking, api: Api, uri: str) -> None:
    who = {**WHO, "redirect_uri": uri}
    for act in (
        lambda: client.build_authorize_url(**who),
        lambda: client.authorize_test(**who),
        lambda: client.exchange_token(**{**CODE, "redirect_uri": uri}),
        lambda: client.auth.exchange_token({**CODE, "redirect_uri": uri}),
    ):
        with pytest.raises(InvalidRequestError, match="redirect_uri"):
            act()
    assert not api.calls


def test_pc18_pc20_authorize_without_a_browser(api: Api, connect: Connect) -> None:
    client = connect(api, access_token="at", piaxis_client_id="cid")
    own: Any = {"headers": {"x-request-id": "t"}}
    for act in (
        lambda: client.authorize_test(**WHO, request_options=own),
        lambda: client.auth.authorize_test(WHO, request_options=own),
    ):
        answer = act()
        assert (answer.code, answer["token_parameters"]["client_secret"]) == ("c-1", "secret-1")
        assert dict(api.last.query) == WHO
        assert (api.last.header("x-test-request"), api.last.header("x-request-id")) == ("true", "t")
        for name in ("api-key", "Authorization", "X-piaxis-Client-ID"):
            assert api.last.header(name) is None
    client.authorize_test(**WHO, as_owner=True)
    assert (api.last.header("api-key"), api.last.header("Authorization")) == ("key-1", "Bearer at")


def test_an_authorization_that_needs_a_person_is_no_success(open_api: Open, connect: Connect) -> None:
    api = open_api(reply(b"<html>sign in</html>", Content_Type="text/html"))
    with pytest.raises(PiaxisUnreadableAnswerError):
        connect(api).authorize_test(**WHO)


def test_pc19_pc20_pc21_exchange(api: Api, connect: Connect) -> None:
    client = connect(api, access_token="at")
    for tokens in (client.exchange_token(**CODE), client.auth.exchange_token(CODE)):
        assert (tokens.access_token, tokens["refresh_token"], tokens.expires_in) == ("at-1", "rt-1", 3600)
        assert api.last.target == f"{PREFIX}/token"
        assert api.last.header("Content-Type") == "application/x-www-form-urlencoded"
        assert dict(api.last.form) == {"grant_type": "authorization_code", **CODE}
        assert api.last.header("api-key") is api.last.header("Authorization") is None
    client.exchange_token(**CODE, code_verifier="v" * 43)
    assert dict(api.last.form)["code_verifier"] == "v" * 43


def test_pc22_refresh_sends_four_fields(client: Blocking, api: Api) -> None:
    given = {"refresh_token": "rt-0", "client_id": "cid", "client_secret": "s"}
    for act in (lambda: client.refresh_token(**given), lambda: client.auth.refresh_token(given)):
        act()
        assert dict(api.last.form) == {"grant_type": "refresh_token", **given}


def test_a_code_is_sent_once(open_api: Open, connect: Connect) -> None:
    api = open_api(reply({"detail": "down"}, 503))
    with pytest.raises(PiaxisApiError, match="down"):
        connect(api).exchange_token(**CODE)
    assert len(api.calls) == 1


def test_pc23_pkce() -> None:
    """RFC 7636 appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    pair = generate_pkce_pair()
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", pair["code_verifier"])
    digest = hashlib.sha256(pair["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64decode(pair["code_challenge"] + "=") == digest
    assert (len(pair["code_challenge"]), pair["code_challenge_method"]) == (43, "S256")
    assert pair["code_verifier"] != generate_pkce_pair()["code_verifier"]


@pytest.mark.parametrize(
    "callback",
    [
        "https://shop.example/cb?code=c%2F1&state=st",
        "code=c%2F1&state=st",
        "?code=c%2F1&state=st",
        {"code": "c/1", "state": "st"},
    ],
)
def test_pc24_a_callback_is_read(callback: Any) -> None:
    found = parse_authorization_callback(callback, expected_state="st")
    assert found.code == "c/1"
    assert "c/1" not in repr(found)


@pytest.mark.parametrize(
    ("callback", "expected", "code"),
    [
        ("?code=c&state=other", "st", "state_mismatch"),
        ("?code=c", "st", "state_mismatch"),
        ("?code=c&state=", "", "state_mismatch"),
        ("?code=c&state=st", None, "state_mismatch"),
        ("?code=c&state=\udcff", "st", "state_mismatch"),
        ("?error=access_denied&error_description=no&state=x", "st", "state_mismatch"),
        ("?error=access_denied&error_description=no&state=st", "st", "access_denied"),
        ("?state=st", "st", "invalid_callback"),
        ("?code=&state=st", "st", "invalid_callback"),
        ("?code=a&code=b&state=st", "st", "invalid_callback"),
        ("?" + "a=b&" * 200, "st", "invalid_callback"),
    ],
)
def test_pc24_callbacks_that_bring_nothing(callback: str, expected: str | None, code: str) -> None:
    with pytest.raises(PiaxisOAuthCallbackError) as caught:
        parse_authorization_callback(callback, expected_state=expected)
    assert caught.value.code == code
    assert caught.value.description == ("no" if code == "access_denied" else None)


def expired(request: Recorded) -> Action:
    """An API that takes only the token that a refresh gave."""
    if request.path.endswith("/token"):
        return reply({**TOKENS, "access_token": "at-2", "refresh_token": "rt-2"})
    if request.header("Authorization") == "Bearer at-2":
        return usual(request)
    return reply({"detail": {"code": "TOKEN_EXPIRED", "message": "expired"}}, 401)


def test_pc25_an_expired_token_is_renewed_and_the_call_repeated(open_api: Open, connect: Connect) -> None:
    api, kept = open_api(expired), []
    refresh = TokenRefresh("rt-1", "cid", "s", on_refresh=kept.append)
    client = connect(api, api_key=None, access_token="Bearer at-1", refresh=refresh)
    assert client.get_payment("p").currency == "KES"
    assert [call.path.removeprefix(PREFIX) for call in api.calls] == ["/payments/p", "/token", "/payments/p"]
    assert dict(api.calls[1].form) == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "client_id": "cid",
        "client_secret": "s",
    }
    assert [tokens.refresh_token for tokens in kept] == ["rt-2"]
    client.get_payment("p")
    assert len(api.calls) == 4


def test_pc25_many_calls_refresh_once(open_api: Open) -> None:
    met = threading.Barrier(8)

    def together(request: Recorded) -> Action:
        if not request.path.endswith("/token") and request.header("Authorization") == "Bearer at-1":
            met.wait(10)
        return expired(request)

    api = open_api(together)
    refresh = TokenRefresh("rt-1", "cid", "s")
    with (
        PiaxisClient(base_url=api.url, access_token="at-1", refresh=refresh) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        assert len(list(pool.map(lambda _: client.get_payment("p"), range(8)))) == 8
    assert sum(call.path.endswith("/token") for call in api.calls) == 1


def test_pc25_a_refused_refresh_says_so_and_shows_no_secret(open_api: Open, connect: Connect) -> None:
    def refuse(request: Recorded) -> Action:
        if request.path.endswith("/token"):
            return reply({"error": "invalid_grant", "error_description": "rt-1 was used"}, 400)
        return expired(request)

    api = open_api(refuse)
    client = connect(api, access_token="at-1", refresh=TokenRefresh("rt-1", "cid", "s-1"))
    with pytest.raises(PiaxisAuthError, match="invalid_grant") as caught:
        client.get_payment("p")
    assert caught.value.token_status == 400
    assert "rt-1" not in str(caught.value.response_body)


def test_pc26_whose_wallet(open_api: Open, connect: Connect) -> None:
    assert connect(open_api()).exchange_token(**CODE).user_id is None
    assert connect(open_api(reply({**TOKENS, "user_id": "u-9"}))).exchange_token(**CODE).user_id == "u-9"


def test_pc27_oauth_errors_are_readable(open_api: Open, connect: Connect) -> None:
    api = open_api(reply({"error": "invalid_grant", "error_description": "the code was used"}, 400))
    with pytest.raises(PiaxisValidationError, match="the code was used") as caught:
        connect(api).exchange_token(**CODE)
    assert caught.value.code == "invalid_grant"
