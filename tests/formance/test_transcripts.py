"""Every answer recorded from the real services is read, and written again to the same JSON."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs

import pytest

from bursar.client import SYSTEM, Credentials, TokenManager
from bursar.contract import ApiError, BaseEndpoint, Secret, Slice, Streaming, UnreadableAnswer
from bursar.contract.decode import tolerant
from bursar.contract.json import dumps, loads
from bursar.formance.errors import FAMILY, FormanceApiError, FormanceAuthError, FormanceBulkError
from tests.formance.recordings import (
    FILES,
    GROUPS,
    HOME,
    Exchange,
    exchanges,
    operation,
    operations,
    vendor_operations,
)

# What the services answer besides their operations: parts of OAuth that browsers and servers use, health, odd requests.
BESIDES = (
    "/oauth/introspect", "/revoke", "/userinfo", "/authorize", "/end_session", "/keys", "/device_authorization",
    "/healthz", "/ready", "/_healthcheck", "/_/healthcheck", "/_/debug", "/logged-out", "/v3/connectors/open-banking/",
)  # fmt: skip


ANSWERS = "recorded Formance answers"
OPERATIONS = "recorded answers of the vendor's 276 Formance operations"
# Times that answers repeat as they were sent. A `datetime` has microseconds, and ours are written in UTC: the same
# moment, in another text.
AS_SENT = {
    "2023-06-01T02:00:00+02:00": "2023-06-01T00:00:00Z",
    "2023-06-01T00:00:00.123456789Z": "2023-06-01T00:00:00.123457Z",
}
AMOUNTS = {"amount", "input", "output", "balance"}


def without_texts(value: Any, *, balances: bool) -> Any:
    """The same JSON with integers where they were sent as texts (`Formance-Bigint-As-String`)."""
    if isinstance(value, dict):
        return {
            name: int(entry)
            if isinstance(entry, str) and (balances or name in AMOUNTS)
            else without_texts(entry, balances=balances)
            for name, entry in value.items()
        }
    return [without_texts(entry, balances=balances) for entry in value] if isinstance(value, list) else value


def written(endpoint: BaseEndpoint, exchange: Exchange) -> Any:
    """Read an answer as the client does, and write the value again. Returns JSON values."""
    if isinstance(endpoint, Streaming):
        lines = [line for line in exchange.response.body.split(b"\n") if line.strip()]
        return [loads(dumps(endpoint.read_line(line))) for line in lines]
    value = endpoint.read(exchange.response, {param.name: None for param in endpoint.params})
    if isinstance(value, Slice):
        assert not value.unreadable, value.unreadable
        body = loads(exchange.response.body)
        body["cursor"]["data"] = [loads(dumps(item)) for item in value.items]
        return body
    if endpoint.description.unwrap is not None and exchange.response.body.strip():
        value = {endpoint.description.unwrap: value}
    return None if value is None else loads(dumps(value))


def original(endpoint: BaseEndpoint, exchange: Exchange) -> Any:
    body = exchange.response.body
    if isinstance(endpoint, Streaming):
        return [loads(line) for line in body.split(b"\n") if line.strip()]
    if endpoint.description.counted_in is not None:
        return int(exchange.response.headers[endpoint.description.counted_in])
    value: Any = loads(body) if body.strip() else None
    if endpoint.name == "reconcile":
        value["data"] = {
            name: AS_SENT.get(entry, entry) if name.startswith("reconciledAt") else entry
            for name, entry in value["data"].items()
        }
    asked = exchange.headers.get("formance-bigint-as-string", "").lower()
    if asked not in ("true", "yes", "y", "1"):
        return value
    return without_texts(value, balances=endpoint.name == "get_balances_aggregated")


def check_success(endpoint: BaseEndpoint, exchange: Exchange) -> str:
    """Return how the answer came out. Fails when something was lost or changed."""
    response = exchange.response
    counted = endpoint.description.counted_in
    hollow = counted not in response.headers if counted else not response.body.strip()
    empty = endpoint.returns is None or type(None) in (endpoint.returns, *get_args(endpoint.returns))
    if hollow and not isinstance(endpoint, Streaming) and not empty:
        # The real server fails behind a 2xx; the caller gets an error that says so.
        with pytest.raises(UnreadableAnswer):
            written(endpoint, exchange)
        return "hollow"
    assert written(endpoint, exchange) == original(endpoint, exchange)
    if response.body.strip() and endpoint.paging is None and not isinstance(endpoint, Streaming):
        # The tolerant reader reads alike what the fast one takes.
        slowly = tolerant(loads(response.body), endpoint.envelope)
        assert loads(dumps(slowly)) == original(endpoint, exchange)
    return "read"


def check_error(exchange: Exchange) -> str:
    """Fail unless the answer becomes a typed error that says all that the answer says."""
    response = exchange.response
    words = FAMILY.message(response)
    kind = FAMILY.of_answer(response.status, response.text)
    error = kind.build(response.status, words or "", response.text)
    assert isinstance(error, FormanceApiError)
    if response.media_type != "application/json" or not response.body.strip():
        assert error.error_code is None
        return "error"
    body = loads(response.body)
    if isinstance(error, FormanceBulkError):
        assert loads(dumps(error.result)) == body
        assert words
        return "bulk error"
    if "errorCode" in body:
        assert error.error_code is not None
        assert error.error_code.is_known
        told = {"errorCode": error.error_code.value, "errorMessage": error.message}
        assert told | ({"details": error.details} if error.details else {}) == body
    else:
        assert words in (body.get("error_description"), body.get("error"))
    return "error"


def check_token(exchange: Exchange) -> str:
    """Play a token endpoint's answer to the token manager."""
    manager = TokenManager(
        Credentials("https://auth.example/token", "c", Secret("s")),
        auth_error=FormanceAuthError,
        clock=SYSTEM,
    )
    flow = manager.get(SYSTEM.monotonic() + 30, None)
    next(flow)
    if not exchange.response.is_success:
        with pytest.raises(FormanceAuthError) as refused:
            flow.send(exchange.response)
        assert refused.value.token_status == exchange.response.status
        return "token error"
    with pytest.raises(StopIteration) as ended:
        flow.send(exchange.response)
    assert ended.value.value.text == json.loads(exchange.response.body)["access_token"]
    return "token"


def check(exchange: Exchange) -> list[tuple[str, str]]:
    """Check one answer; return what to count it as."""
    path = exchange.path.partition("?")[0]
    if exchange.service not in {group.partition(".")[0] for group in GROUPS}:
        return [(ANSWERS, "of a service without client")]
    if (exchange.service, exchange.method, path) == ("auth", "POST", "/oauth/token") and parse_qs(
        exchange.body or ""
    ).get("grant_type") == ["client_credentials"]:
        return [(ANSWERS, check_token(exchange))]
    found = operation(exchange)
    if exchange.response.status >= 400:
        outcome = check_error(exchange)
    elif found is not None and exchange.response.is_success:
        outcome = check_success(found[1], exchange)
    else:
        known = path.startswith(BESIDES) or path == "/oauth/token" or exchange.method in ("OPTIONS", "HEAD")
        assert known, "no operation asks this"
        return [(ANSWERS, "no operation")]
    counted = [(ANSWERS, outcome)]
    name = "" if found is None else f"{found[0]}.{found[1].name}"
    return [*counted, (OPERATIONS, name)] if name in vendor_operations() else counted


@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: path.stem if path else "absent")
def test_recorded_answers_are_read_and_written_alike(
    path: Path | None, record_property: Callable[[str, object], None]
) -> None:
    if path is None:
        pytest.skip(f"NO TRANSCRIPTS at {HOME}: set BURSAR_SHARED; no recorded answer was checked")
    counted: list[tuple[str, str]] = []
    wrong: list[str] = []
    for exchange in exchanges(path):
        try:
            counted += check(exchange)
        except (AssertionError, ApiError, UnreadableAnswer, ValueError, pytest.fail.Exception) as error:
            wrong.append(f"{exchange}\n    {str(error)[:600]}")
    record_property("tally", counted)
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:20])


def test_operations_by_path() -> None:
    """The paths of two operations never fit the same request, so a recording is read as what it is."""
    places = Counter((e.description.verb, e.description.path) for _, e, _ in operations())
    assert [place for place, times in places.items() if times > 1] == [
        ("POST", "/api/ledger/v2/{ledger}/_bulk")
    ]
