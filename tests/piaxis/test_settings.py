"""Setting up a client: PC01 to PC14, PX-1, PX-9, PX-12, PX-13."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest

import bursar.piaxis
from bursar.piaxis import (
    AsyncPiaxisClient,
    InvalidRequestError,
    PiaxisApiError,
    PiaxisClient,
    PiaxisOptions,
    PiaxisServiceUnavailableError,
    RequestOptions,
    TokenRefresh,
)
from tests.client.server import Drop, Silence, reply
from tests.piaxis.api import PAYMENT_ID, PREFIX, Api, Blocking
from tests.piaxis.conftest import Connect, Open


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/api/",
        "http://localhost:1/api",
        "http://127.0.0.1/api//",
        "HTTP://[::1]:8/api",
        "http://LOCALHOST/api",
    ],
)
def test_pc01_addresses_that_may_be_called(url: str) -> None:
    PiaxisClient(base_url=url).close()


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/api",
        "http://localhost.evil.com/api",
        "ftp://localhost/api",
        "api.example.com",
        "",
    ],
)
def test_pc01_addresses_that_may_not(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        PiaxisClient(base_url=url)


def test_pc02_slashes_at_the_end_are_cut_and_the_prefix_stays(api: Api, connect: Connect) -> None:
    connect(api, base_url=api.url + "//").get_payment("p")
    assert api.last.path == f"{PREFIX}/payments/p"


def test_pc03_pc05_pc06_credentials(api: Api, connect: Connect) -> None:
    connect(api, access_token="at", piaxis_client_id="cid").get_payment("p")
    fields = ("api-key", "Authorization", "X-piaxis-Client-ID", "Accept")
    assert [api.last.header(name) for name in fields] == ["key-1", "Bearer at", "cid", "application/json"]
    connect(api, api_key=None).get_payment("p")
    assert [api.last.header(name) for name in fields] == [None, None, None, "application/json"]


@pytest.mark.parametrize("given", ["at", "Bearer at", "bearer at", "Bearer bearer at", " BEARER  at "])
def test_pc04_px_12_bearer_stands_there_once(api: Api, connect: Connect, given: str) -> None:
    connect(api, access_token=given).get_payment("p")
    assert api.last.header("Authorization") == "Bearer at"


@pytest.mark.parametrize(("version", "expected"), [(None, "shop"), ("1.2", "shop/1.2")])
def test_pc07_who_calls(api: Api, connect: Connect, version: str | None, expected: str) -> None:
    connect(api, app_name="shop", app_version=version).get_payment("p")
    assert api.last.header("x-piaxis-sdk-client") == expected


def test_pc08_the_environment_must_hold_a_credential() -> None:
    with pytest.raises(ValueError, match="PIAXIS_API_KEY or PIAXIS_ACCESS_TOKEN"):
        PiaxisClient.from_env({"PIAXIS_CLIENT_ID": "c", "PIAXIS_API_KEY": ""})


def test_pc06_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """PIAXIS_CLIENT_ID comes before PIAXIS_OAUTH_CLIENT_ID."""
    monkeypatch.setenv("PIAXIS_API_KEY", "k")
    monkeypatch.setenv("PIAXIS_OAUTH_CLIENT_ID", "second")
    assert PiaxisClient.from_env().options == PiaxisOptions(api_key="k", piaxis_client_id="second")
    monkeypatch.setenv("PIAXIS_CLIENT_ID", "first")
    monkeypatch.setenv("PIAXIS_API_BASE_URL", "https://sandbox.example.com/api")
    options = AsyncPiaxisClient.from_env(timeout=5.0).options
    assert (options.piaxis_client_id, options.base_url, options.timeout) == (
        "first",
        "https://sandbox.example.com/api",
        5.0,
    )


def test_px_9_the_environment_given_is_the_only_one_and_can_be_overridden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIAXIS_API_KEY", "real")
    with pytest.raises(ValueError, match="PIAXIS_API_KEY"):
        PiaxisClient.from_env({})
    client = PiaxisClient.from_env({"PIAXIS_ACCESS_TOKEN": "t"}, base_url="https://other.example.com/api")
    assert client.options.base_url == "https://other.example.com/api"


def test_pc09_a_calls_own_fields(api: Api, connect: Connect) -> None:
    client = connect(api, access_token="at")
    own = {
        "x-request-id": "trace-1",
        "API-KEY": "stolen",
        "authorization": "Bearer other",
        "accept": "application/problem+json",
        "user-agent": "shop/1",
    }
    client.get_payment("p", request_options={"headers": own})
    fields = ("x-request-id", "api-key", "Authorization", "Accept", "User-Agent")
    expected = ["trace-1", "key-1", "Bearer at", "application/problem+json", "shop/1"]
    assert [api.last.header(name) for name in fields] == expected
    client.get_payment("p")
    assert api.last.header("x-request-id") is None


def test_pc09_fields_that_would_break_the_request(client: Blocking, api: Api) -> None:
    for options in ({"headers": {"Content-Length": "5"}}, {"header": {}}, {"headers": {"a": "b\r\nc: d"}}):
        with pytest.raises(ValueError, match=r"content-length|headers and timeout|line breaks"):
            client.get_payment("p", request_options=options)
    assert not api.calls


def test_pc10_px_1_time_is_limited_with_and_without_options(open_api: Open) -> None:
    api = open_api(Silence())
    with PiaxisClient(base_url=api.url, timeout=0.2, max_retries=0) as client:
        cases: list[RequestOptions | None] = [None, {"headers": {}}, {"timeout": 0.1}]
        for options in cases:
            with pytest.raises(PiaxisServiceUnavailableError) as caught:
                client.get_payment("p", request_options=options)
            assert caught.value.status_code == 0


@pytest.mark.parametrize("name", ["api_key", "access_token", "piaxis_client_id", "app_name"])
def test_pc11_values_that_would_break_out_of_their_field(name: str) -> None:
    settings: Any = {name: "secret\r\nx: y"}
    with pytest.raises(InvalidRequestError) as caught:
        PiaxisClient(**settings)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_pc12_px_2_a_redirect_is_an_error(open_api: Open, connect: Connect, status: int) -> None:
    api = open_api(reply(b"", status, Location="/elsewhere"))
    with pytest.raises(PiaxisApiError, match="redirect") as caught:
        connect(api).create_escrow(ESCROW)
    assert caught.value.status_code == status
    assert len(api.calls) == 1


ESCROW = {
    "amount": "10",
    "currency_code": "UGX",
    "payment_method": "mtn",
    "terms": [{"type": "manual_release", "data": {}}],
}


def test_pc13_secrets_do_not_show(api: Api, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    refresh = TokenRefresh("s-refresh", "cid", "s-client")
    client = connect(api, api_key="s-key", access_token="s-token", refresh=refresh)
    otp = client.request_otp({"email": "buyer@example.com"})
    tokens = client.exchange_token(
        code="s-code", redirect_uri="https://x.example/y", client_id="c", client_secret="s-secret"
    )
    payment: Any = {"amount": 1, "currency": "UGX", "payment_method": "mtn", "user_info": {"otp": "s-otp"}}
    client.create_payment(payment, mfa_code="s-mfa")
    shown = repr(client.client) + repr(client.client.options) + repr(otp) + repr(tokens) + caplog.text
    names = ("key", "token", "refresh", "client", "code", "secret", "otp", "mfa")
    for secret in (*(f"s-{name}" for name in names), "246810", "at-1"):
        assert secret not in shown
    assert (otp.otp, tokens.access_token) == ("246810", "at-1")


def test_pc14_closing(api: Api) -> None:
    with PiaxisClient(base_url=api.url) as client:
        client.get_payment("p")
    client.close()


def test_a_copy_with_other_settings_and_a_pickle(api: Api) -> None:
    with PiaxisClient(base_url=api.url, api_key="k", timeout=9) as client:
        hurried = client.with_options(timeout=3.0)
        hurried.get_payment("p")
        assert api.last.header("api-key") == "k"
        with pickle.loads(pickle.dumps(client)) as revived:
            assert revived.options == client.options
            assert revived.get_payment(PAYMENT_ID).id == PAYMENT_ID
    with pytest.raises(TypeError, match="not both"):
        PiaxisClient(PiaxisOptions(), api_key="k")


def test_px_13_typed_and_its_names_are_all_there() -> None:
    assert files("bursar").joinpath("py.typed").is_file()
    for name in bursar.piaxis.__all__:
        assert getattr(bursar.piaxis, name)


def test_importing_webhooks_or_the_client_loads_no_http() -> None:
    script = "import sys, bursar.piaxis; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"httpcore2", "httpx2", "asyncio", "ssl", "cryptography"} & set(run.stdout.split())


def test_methods_document_themselves() -> None:
    import inspect

    client = PiaxisClient()
    assert "request_options" in inspect.signature(client.get_payment).parameters
    assert client.get_payment.__doc__
    assert client.payments.list.__name__ == "list"
    with pytest.raises(TypeError, match="payment"):
        client.get_payment(payment="p")  # pyright: ignore[reportCallIssue] - the mistake is the point


def test_px_10_no_other_librarys_error_leaks(open_api: Open, connect: Connect) -> None:
    """PC77: what the transport met is kept as the cause."""
    api = open_api(Drop())
    with pytest.raises(PiaxisServiceUnavailableError) as caught:
        connect(api, max_retries=0).get_payment("p")
    assert type(caught.value.__cause__).__module__.startswith("bursar.")
