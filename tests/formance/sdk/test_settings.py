"""`bursar.formance.sdk.SDK` beside its operations: where calls go, as whom, how long, how often, over which client."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bursar.contract import InvalidRequestError, Outcome
from bursar.formance.sdk import SDK, ServerEnvironment
from bursar.formance.sdk.httpclient import AsyncHttpClient, HttpClient
from bursar.formance.sdk.models import errors, ledger, operations, shared
from bursar.formance.sdk.types import UNSET
from bursar.formance.sdk.utils import BackoffStrategy, RetryConfig, parse_datetime
from tests.client.server import Action, Drop, Recorded, Server, reply
from tests.formance.sdk.stub import Stub

VERSIONS = {"region": "r", "env": "e", "versions": []}
TOKEN = {"access_token": "t-1", "token_type": "Bearer", "expires_in": 3600}
POSTING = {"source": "world", "destination": "users:1", "amount": 10**30, "asset": "USD/2"}
MADE = {
    "data": {
        "postings": [POSTING], "metadata": {}, "timestamp": "2026-01-02T03:04:05.12Z", "id": 1, "reverted": False,
    }
}  # fmt: skip
LEDGER = {"id": 1, "name": "main", "addedAt": "2026-01-02T03:04:05.12Z", "bucket": "b"}
PAY = {"ledger": "main", "v2_post_transaction": {"metadata": {}, "postings": [POSTING]}}
SECURITY = shared.Security(client_id="me", client_secret="sesame")
AGAIN = RetryConfig("backoff", BackoffStrategy(0, 0, 1.5, 60_000), False)


def stack(request: Recorded) -> Action:
    if request.path.endswith("/oauth/token"):
        return reply(TOKEN)
    if request.path.endswith("/versions"):
        return reply(VERSIONS)
    return reply(MADE if request.method == "POST" else {"data": LEDGER})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(stack) as running:
        yield running


def refused(request: Recorded) -> Action:
    return reply({"errorCode": "INSUFFICIENT_FUND", "errorMessage": "no funds", "details": "d"}, 400)


def url_of(stub: Stub, **settings: Any) -> str:
    SDK(client=stub, **settings).get_versions()
    return stub.url


@pytest.fixture
def stub() -> Stub:
    made = Stub()
    made.answer = (200, "application/json", '{"region": "r", "env": "e", "versions": []}')
    return made


def test_servers(stub: Stub) -> None:
    assert url_of(stub) == "http://localhost/versions"
    assert url_of(stub, server_idx=1) == "https://orgID-stackID.eu.sandbox.formance.cloud/versions"
    place = {"environment": ServerEnvironment.EU_WEST_1, "organization": "acme-prod"}
    assert url_of(stub, server_idx=1, **place) == "https://acme-prod.eu-west-1.formance.cloud/versions"
    assert url_of(stub, server_url="https://a.example/stack/") == "https://a.example/stack/versions"
    templated = {"server_url": "https://{who}.example", "url_params": {"who": "b"}}
    assert url_of(stub, **templated) == "https://b.example/versions"
    with pytest.raises(ValueError, match="server_idx"):
        SDK(server_idx=2)


def test_a_call_goes_elsewhere_with_headers_of_its_own(stub: Stub) -> None:
    sdk = SDK(client=stub)
    sdk.get_versions(server_url="https://other.example", http_headers={"X-Trace": "7", "User-Agent": "mine"})
    assert stub.url == "https://other.example/versions"
    assert stub.headers["X-Trace"] == "7"
    assert [value for name, value in stub.headers.items() if name.lower() == "user-agent"] == ["mine"]
    sdk.get_versions()
    assert stub.url == "http://localhost/versions"
    assert "X-Trace" not in stub.headers


def test_secrets_do_not_travel_in_the_clear(stub: Stub) -> None:
    with pytest.raises(InvalidRequestError):
        SDK(client=stub, server_url="http://stack.example").get_versions()
    assert stub.count == 0


def test_one_token_for_all_calls_none_for_versions(server: Server) -> None:
    with SDK(server_url=server.url, security=SECURITY) as sdk:
        sdk.get_versions()
        sdk.ledger.v2.get_ledger(request={"ledger": "main"})
        sdk.ledger.v2.create_transaction(request=PAY, retries=AGAIN, timeout_ms=5_000)
    versions, token, *calls = server.requests
    assert versions.header("authorization") is None
    assert token.path == "/api/auth/oauth/token"
    form = dict(token.form)
    assert (form["grant_type"], form["client_id"], form["client_secret"]) == (
        "client_credentials",
        "me",
        "sesame",
    )
    assert [call.header("authorization") for call in calls] == ["Bearer t-1"] * 2


def test_security_may_be_a_function(server: Server) -> None:
    asked: list[int] = []

    def security() -> shared.Security:
        asked.append(1)
        return shared.Security(
            client_id=f"client-{len(asked)}", client_secret="s", token_url=f"{server.url}/oauth/token"
        )

    with SDK(server_url=server.url, security=security) as sdk:
        sdk.ledger.v2.get_ledger(request={"ledger": "main"})
        sdk.ledger.v2.get_ledger(request={"ledger": "main"})
    tokens = [request for request in server.requests if request.path == "/oauth/token"]
    assert [dict(token.form)["client_id"] for token in tokens] == ["client-1", "client-2"]


def test_one_stacks_token_does_not_reach_another() -> None:
    """The vendor's SDK keeps tokens by id and secret, whatever the server."""
    with Server(stack) as one, Server(stack) as other:
        for place in (one, other):
            with SDK(server_url=place.url, security=SECURITY) as sdk:
                sdk.ledger.v2.get_ledger(request={"ledger": "main"})
        assert [request.path for request in other.requests] == [
            "/api/auth/oauth/token",
            "/api/ledger/v2/main",
        ]


def test_no_secret_is_shown() -> None:
    assert "sesame" not in repr(SECURITY) + repr(SDK(security=SECURITY)) + repr(vars(SDK(security=SECURITY)))


def down(request: Recorded) -> Action:
    return reply({"errorCode": "INTERNAL", "errorMessage": "down"}, 503)


def test_nothing_is_repeated_unless_said(server: Server) -> None:
    with Server(down) as failing, SDK(server_url=failing.url) as sdk:
        with pytest.raises(ledger.ErrorsV2ErrorResponse):
            sdk.ledger.v2.get_ledger(request={"ledger": "main"})
        assert len(failing.requests) == 1


def test_reads_and_keyed_calls_are_repeated_other_payments_are_not() -> None:
    """FM-5: a transaction without a key that may have been carried out is not sent again."""
    left = iter([Drop(), Drop(), *[reply(MADE)] * 9])
    with Server(lambda _: next(left)) as dropping, SDK(server_url=dropping.url, retry_config=AGAIN) as sdk:
        answer = sdk.ledger.v2.create_transaction(request={**PAY, "idempotency_key": "k-1"})
        assert answer.v2_create_transaction_response.data.id == 1
        assert [request.header("idempotency-key") for request in dropping.requests] == ["k-1"] * 3
    with Server(lambda _: Drop()) as dropping, SDK(server_url=dropping.url, retry_config=AGAIN) as sdk:
        with pytest.raises(errors.NoResponseError) as caught:
            sdk.ledger.v2.create_transaction(request=PAY)
        assert caught.value.outcome is Outcome.UNKNOWN
        assert len(dropping.requests) == 1
        with pytest.raises(errors.NoResponseError):
            sdk.ledger.v2.get_ledger(request={"ledger": "main"}, retries=None)
        assert len(dropping.requests) == 2


def test_errors_say_what_the_vendors_say_and_more() -> None:
    with (
        Server(refused) as server,
        SDK(server_url=server.url) as sdk,
        pytest.raises(errors.SDKBaseError) as caught,
    ):
        sdk.ledger.v2.create_transaction(request=PAY)
    error = caught.value
    assert type(error) is ledger.ErrorsV2ErrorResponse
    assert (error.status_code, error.message, str(error)) == (400, "no funds", "no funds")
    assert (error.data.error_code, error.data.error_message, error.data.details) == (
        "INSUFFICIENT_FUND",
        "no funds",
        "d",
    )
    assert error.raw_response.json()["errorMessage"] == "no funds"
    assert error.headers["Content-Type"] == "application/json"
    assert error.outcome is Outcome.REJECTED


def test_a_new_error_code_does_not_hide_the_error() -> None:
    """FM-3."""
    body = {"errorCode": "OF_A_LATER_VERSION", "errorMessage": "m"}
    with (
        Server(lambda _: reply(body, 409)) as server,
        SDK(server_url=server.url) as sdk,
        pytest.raises(ledger.ErrorsV2ErrorResponse) as caught,
    ):
        sdk.ledger.v2.get_ledger(request={"ledger": "main"})
    assert caught.value.data.error_code == "OF_A_LATER_VERSION"


def test_a_token_that_cannot_be_had_is_an_sdk_error() -> None:
    with Server(lambda _: reply({"error": "invalid_client"}, 401)) as server:
        sdk = SDK(server_url=server.url, security=SECURITY)
        with sdk, pytest.raises(errors.SDKError, match="invalid_client") as caught:
            sdk.ledger.v2.get_ledger(request={"ledger": "main"})
    assert "sesame" not in str(caught.value) + caught.value.body


def test_settings_of_a_call_are_checked(stub: Stub) -> None:
    sdk = SDK(client=stub)
    with pytest.raises(InvalidRequestError):
        sdk.get_versions(timeout_ms=0)
    with pytest.raises(InvalidRequestError):
        sdk.get_versions(http_headers={"Host": "elsewhere"})
    with pytest.raises(InvalidRequestError):
        sdk.ledger.v2.get_ledger(request={"ledger": "main", "leger": "typo"})
    with pytest.raises(InvalidRequestError):
        sdk.ledger.v2.get_ledger(request={"ledger": ".."})
    with pytest.raises(TypeError):
        sdk.ledger.v2.get_ledger({"ledger": "main"})
    with pytest.raises(AttributeError, match="get_legder"):
        _ = sdk.ledger.v2.get_legder
    with pytest.raises(AttributeError, match="v7"):
        _ = sdk.ledger.v7
    assert stub.count == 0


def test_a_request_without_its_body_is_the_servers_to_refuse(stub: Stub) -> None:
    """The vendor's examples have such calls: no body goes out, and a bulk's element as it is."""
    stub.answer = (400, "application/json", '{"errorCode": "VALIDATION", "errorMessage": "no"}')
    sdk = SDK(client=stub)
    for call, request in (
        (sdk.payments.v3.create_pool, None),
        (sdk.wallets.v1.create_balance, {"id": "w"}),
        (sdk.orchestration.v1.send_event, {"instance_id": "i"}),
        (sdk.ledger.v2.create_bulk, {"ledger": "l", "request_body": [{"action": "REVERT_TRANSACTION"}]}),
    ):
        with pytest.raises(errors.SDKBaseError, match="no"):
            call(request=request)
        assert stub.content == (b'[{"action":"REVERT_TRANSACTION"}]' if "bulk" in stub.url else b"")
    with pytest.raises(InvalidRequestError, match="name is missing"):
        sdk.orchestration.v1.send_event(request={"instance_id": "i", "request_body": {}})
    assert stub.count == 4


def test_times_are_read_as_the_vendors_users_do() -> None:
    assert parse_datetime("2021-01-01T00:00:00.5Z") == datetime(2021, 1, 1, 0, 0, 0, 500_000, UTC)


def test_requests_may_be_models(server: Server) -> None:
    request = operations.V2CreateTransactionRequest(
        ledger="main",
        idempotency_key="k",
        v2_post_transaction=ledger.V2PostTransaction(
            metadata={}, postings=[ledger.V2Posting(**POSTING)], timestamp=UNSET, reference=None
        ),
    )
    with SDK(server_url=server.url) as sdk:
        answer = sdk.ledger.v2.create_transaction(request=request)
    assert isinstance(answer, operations.V2CreateTransactionResponse)
    assert isinstance(answer.v2_create_transaction_response, ledger.V2CreateTransactionResponse)
    assert server.requests[0].json == {"metadata": {}, "postings": [POSTING]}


class Failing:
    """A caller's HTTP client whose network is gone."""

    def build_request(self, method: str, url: Any, **parts: Any) -> Any:
        return method, url

    def send(self, request: Any, *, stream: bool = False) -> Any:
        raise ConnectionRefusedError("nobody is there")

    def close(self) -> None:
        raise AssertionError("it is the caller's to close")


def test_what_a_clients_own_network_raises_is_raised() -> None:
    client = Failing()
    assert isinstance(client, HttpClient)
    with SDK(client=client) as sdk, pytest.raises(ConnectionRefusedError):
        sdk.get_versions()


def test_asynchronously(server: Server) -> None:
    class Forwarding:
        """A caller's asynchronous client."""

        def build_request(self, method: str, url: Any, **parts: Any) -> Any:
            return Stub().build_request(method, url, **parts)

        async def send(self, request: Any, *, stream: bool = False) -> Any:
            return request.send(request)

        async def aclose(self) -> None:
            raise AssertionError("it is the caller's to close")

    async def main() -> None:
        async with SDK(server_url=server.url, security=SECURITY) as sdk:
            made = await sdk.ledger.v2.create_transaction_async(request=PAY, timeout_ms=5_000)
            assert made.v2_create_transaction_response.data.postings[0].amount == 10**30
        client = Forwarding()
        assert isinstance(client, AsyncHttpClient)
        async with SDK(async_client=client) as sdk:
            with pytest.raises(errors.ResponseValidationError):
                await sdk.get_versions_async()

    asyncio.run(main())
    assert [request.path for request in server.requests] == [
        "/api/auth/oauth/token",
        "/api/ledger/v2/main/transactions",
    ]


def test_first_calls_of_many_threads_share_connections_and_a_token(server: Server) -> None:
    with SDK(server_url=server.url, security=SECURITY) as sdk, ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(sdk.ledger.v2.get_ledger, request={"ledger": "main"}) for _ in range(64)]
        assert {each.result().v2_get_ledger_response.data.name for each in asked} == {"main"}
    assert [request.path for request in server.requests].count("/api/auth/oauth/token") == 1


def test_uploads_go_through_clients_of_either_colour(tmp_path: Path) -> None:
    (tmp_path / "logs").write_bytes(b'{"id": 1}\n')
    stub = Stub()
    stub.answer = (204, "", "")

    class Awaitable:
        """The stub, asynchronous."""

        def build_request(self, method: str, url: Any, **parts: Any) -> Any:
            return stub.build_request(method, url, **parts)

        async def send(self, request: Any, *, stream: bool = False) -> Any:
            return stub.send(request)

        async def aclose(self) -> None:
            """Nothing is held."""

    sdk = SDK(client=stub, async_client=Awaitable())
    for asynchronous in (False, True):
        with (tmp_path / "logs").open("rb") as logs:
            request = {"ledger": "main", "v2_import_logs_request": logs}
            if asynchronous:
                asyncio.run(sdk.ledger.v2.import_logs_async(request=request))
            else:
                sdk.ledger.v2.import_logs(request=request)
        assert stub.content == b'{"id": 1}\n'
        stub.content = b""


def test_the_log_has_attempts_and_no_secrets(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "mine"):
        settings: dict[str, Any] = {"server_url": server.url, "security": SECURITY}
        with SDK(**settings, debug_logger=logging.getLogger("mine")) as sdk:
            sdk.ledger.v2.create_transaction(request=PAY)
    said = [record.getMessage() for record in caplog.records if record.name == "mine"]
    assert any("create_transaction" in words and "200" in words for words in said)
    assert not any(word in " ".join(said) for word in ("sesame", "t-1", "users:1"))


def test_import_is_light() -> None:
    """`bursar.formance` does not load the SDK before it is asked for, the SDK no service before it is used."""
    program = """
import sys
import bursar.formance
assert not any(name.startswith("bursar.formance.sdk") for name in sys.modules)
from bursar.formance import SDK
assert SDK().ledger.v2
assert "bursar.formance.payments" not in sys.modules and "bursar.formance.ledger" not in sys.modules
assert not {"httpx", "httpx2", "httpcore2", "asyncio", "pydantic"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
