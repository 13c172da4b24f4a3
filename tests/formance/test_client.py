"""The client as a caller sees it: pages, errors and their outcomes, retries, tokens, settings."""

import asyncio
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest

from bursar.contract import InvalidRequestError, Outcome
from bursar.contract.json import dumps
from bursar.formance import (
    ALL_SCOPES,
    AsyncFormance,
    ErrorCode,
    Formance,
    FormanceApiError,
    FormanceAuthError,
    FormanceBulkError,
    FormanceConflictError,
    FormanceInsufficientFundsError,
    FormanceNotFoundError,
    FormanceOptions,
    FormanceScriptError,
    FormanceTooLargeError,
    FormanceUnavailableError,
    FormanceUnreadableAnswerError,
    FormanceValidationError,
    StaticToken,
)
from bursar.formance.auth import CreatedSecret
from bursar.formance.errors import BY_CODE
from bursar.formance.ledger.bulk import BulkCreated, BulkFailed
from bursar.formance.ledger.models import Monetary, NewTransaction, Posting, Script
from tests.client.server import Action, Drop, Recorded, Server, reply

WHEN = "2026-01-02T03:04:05.12Z"
ELEMENT = {"action": "CREATE_TRANSACTION", "data": {"postings": [], "metadata": {}}}


def transaction(id: int = 1, **more: Any) -> dict[str, Any]:
    posting = {"source": "world", "destination": "a", "amount": 10**30, "asset": "USD/2"}
    return {"postings": [posting], "metadata": {}, "timestamp": WHEN, "id": id, "reverted": False, **more}


def page(items: list[Any], **more: Any) -> dict[str, Any]:
    return {"cursor": {"pageSize": 2, "hasMore": "next" in more, "data": items, **more}}


def options(url: str, **more: Any) -> FormanceOptions:
    settings: dict[str, Any] = {"max_retries": 2, "retry_base_delay": 0.0, **more}
    return FormanceOptions(url, **settings)


def pages(request: Recorded) -> Action:
    cursor = dict(request.query).get("cursor")
    if cursor is None:
        return reply(page([transaction(3), transaction(2)], next="second"))
    return reply(page([transaction(1)], previous="first"))


def test_pages_follow_the_cursor_and_nothing_else() -> None:
    """A cursor holds the whole query: filter, sort and size stay at home."""
    with Server(pages) as server, Formance(options(server.url)) as api:
        listed = api.ledger.v2.list_transactions("main", {"$match": {"account": "a"}}, page_size=2, sort="id")
        assert listed.has_next
        assert listed.body["cursor"]["pageSize"] == 2
        assert [entry.id for entry in listed] == [3, 2, 1]
    first, second = server.requests
    assert first.json == {"$match": {"account": "a"}}
    assert second.query == [("cursor", "second")]
    assert second.body == b""


def test_pages_asynchronously() -> None:
    async def main(url: str) -> list[int]:
        async with AsyncFormance(options(url)) as api:
            return [entry.id async for entry in api.ledger.v2.list_transactions("main")]

    with Server(pages) as server:
        assert asyncio.run(main(server.url)) == [3, 2, 1]


def test_a_query_goes_on_in_its_body() -> None:
    """The server reads a query's cursor in the body, and still wants the schema's version."""

    def serve(request: Recorded) -> Action:
        if "cursor" in request.json:
            return reply({"resource": "transactions", **page([transaction(1)])})
        return reply({"resource": "transactions", **page([transaction(2)], next="on")})

    with Server(serve) as server, Formance(options(server.url)) as api:
        found = list(api.ledger.v2.run_query("main", "Q", "v1", vars={"a": 1}))
    assert [type(entry).__name__ for entry in found] == ["Transaction", "Transaction"]
    assert server.requests[1].json == {"cursor": "on"}
    assert server.requests[1].query == [("schemaVersion", "v1")]


def test_one_unreadable_item_does_not_lose_its_page() -> None:
    body = page([transaction(2), {"id": "x"}, transaction(1)])
    with Server(lambda _: reply(body)) as server, Formance(options(server.url)) as api:
        listed = api.ledger.v2.list_transactions("main")
    assert [entry.id for entry in listed.items] == [2, 1]
    assert [(entry.index, entry.value) for entry in listed.unreadable] == [(1, {"id": "x"})]


def test_big_integers_are_exact_as_numbers_and_as_texts() -> None:
    amount = 10**40 + 1
    for volume in (
        {"input": amount, "output": 0, "balance": amount},
        {"input": str(amount), "output": "0", "balance": str(amount)},
    ):
        body = page([{"account": "a", "asset": "USD/2", **volume}])
        with Server(lambda _, body=body: reply(body)) as server, Formance(options(server.url)) as api:
            assert api.ledger.v2.get_volumes_with_balances("main").items[0].balance == amount


def test_unknown_members_and_values_are_kept() -> None:
    answer = {
        "data": transaction(
            postCommitVolumes={"a": {"USD/2": {"input": 1, "output": 0, "balance": 1, "n": 2}}}, new=[1]
        )
    }
    with Server(lambda _: reply(answer)) as server, Formance(options(server.url)) as api:
        found = api.ledger.v2.get_transaction("main", 1)
    assert found.extra == {"new": [1]}
    assert json.loads(dumps(found)) == answer["data"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "VALIDATION", FormanceValidationError),
        (400, "INSUFFICIENT_FUND", FormanceInsufficientFundsError),
        (400, "COMPILATION_FAILED", FormanceScriptError),
        (400, "ALREADY_REVERT", FormanceConflictError),
        (409, "CONFLICT", FormanceConflictError),
        (404, "LEDGER_NOT_FOUND", FormanceNotFoundError),
        (413, "BULK_SIZE_EXCEEDED", FormanceTooLargeError),
        (500, "INTERNAL", FormanceUnavailableError),
        (400, "SOMETHING_NEW", FormanceValidationError),
        (418, "SOMETHING_NEW", FormanceApiError),
    ],
)
def test_errors_by_code(status: int, code: str, kind: type[FormanceApiError]) -> None:
    body = {"errorCode": code, "errorMessage": "words", "details": "more"}
    with (
        Server(lambda _: reply(body, status)) as server,
        Formance(options(server.url)) as api,
        pytest.raises(FormanceApiError) as raised,
    ):
        api.ledger.v2.create_transaction("main", NewTransaction(postings=[]))
    error = raised.value
    assert type(error) is kind
    assert error.error_code is not None
    assert error.error_code == code
    assert error.error_code.is_known == (code != "SOMETHING_NEW")
    assert (error.message, error.details, error.status_code) == ("words", "more", status)
    assert str(error) == f"[{status} {code}] words"
    copied = pickle.loads(pickle.dumps(error))
    assert (type(copied), copied.error_code, copied.details) == (kind, code, "more")
    assert len(server.requests) == 1


def test_every_documented_code_has_a_class() -> None:
    assert set(BY_CODE) == set(ErrorCode)


@pytest.mark.parametrize(("status", "kind"), [(401, FormanceAuthError), (404, FormanceNotFoundError)])
def test_errors_without_a_body(status: int, kind: type[FormanceApiError]) -> None:
    with (
        Server(lambda _: reply(b"", status)) as server,
        Formance(options(server.url)) as api,
        pytest.raises(kind) as raised,
    ):
        api.ledger.v2.count_accounts("main")
    assert raised.value.error_code is None


def bulk_answer(*kinds: str) -> dict[str, Any]:
    told = {
        "ok": {"responseType": "CREATE_TRANSACTION", "logID": 1, "data": transaction()},
        "failed": {
            "responseType": "ERROR",
            "logID": 0,
            "errorCode": "INSUFFICIENT_FUND",
            "errorDescription": "no money",
        },
    }
    return {"data": [told[kind] for kind in kinds]}


@pytest.mark.parametrize(
    ("kinds", "outcome"), [(("ok", "failed"), Outcome.UNKNOWN), (("failed", "failed"), Outcome.REJECTED)]
)
def test_a_failed_bulk_raises_and_tells_of_each_element(kinds: tuple[str, ...], outcome: Outcome) -> None:
    with (
        Server(lambda _: reply(bulk_answer(*kinds), 400)) as server,
        Formance(options(server.url)) as api,
        pytest.raises(FormanceBulkError, match="INSUFFICIENT_FUND no money") as raised,
    ):
        api.ledger.v2.create_bulk("main", [ELEMENT, ELEMENT])
    assert raised.value.outcome is outcome
    assert isinstance(raised.value.result.data[0], BulkCreated if kinds[0] == "ok" else BulkFailed)
    assert list(raised.value.result.failures) == [i for i, kind in enumerate(kinds) if kind == "failed"]
    assert json.loads(dumps(raised.value.result)) == bulk_answer(*kinds)


@pytest.mark.parametrize(("keys", "attempts"), [(("a", "b"), 3), (("a", None), 1), ((None, None), 1)])
def test_a_bulk_is_repeated_only_when_every_element_has_a_key(
    keys: tuple[str | None, ...], attempts: int
) -> None:
    elements = [ELEMENT if key is None else {**ELEMENT, "ik": key} for key in keys]
    with (
        Server(lambda _: Drop()) as server,
        Formance(options(server.url)) as api,
        pytest.raises(FormanceUnavailableError) as raised,
    ):
        api.ledger.v2.create_bulk("main", elements)
    assert len(server.requests) == attempts
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("key", "attempts"), [("k", 3), (None, 1)])
def test_writes_are_repeated_under_a_key_only(key: str | None, attempts: int) -> None:
    with (
        Server(lambda _: Drop()) as server,
        Formance(options(server.url)) as api,
        pytest.raises(FormanceUnavailableError),
    ):
        api.ledger.v2.create_transaction("main", {"postings": []}, idempotency_key=key)
    assert [request.header("Idempotency-Key") for request in server.requests] == [key] * attempts


def test_a_stream_from_an_iterator_is_never_repeated() -> None:
    """The pieces are gone after the first attempt."""
    with Server(lambda _: reply(b"", 401)) as server:
        api = Formance(options(server.url), token_provider=StaticToken("t"))
        with api, pytest.raises(FormanceAuthError):
            api.ledger.v2.import_logs("main", iter([b"{}\n"]))
    assert len(server.requests) == 1


def token(request: Recorded) -> Action:
    if request.path.endswith("/oauth/token"):
        return reply({"access_token": "secret-token", "token_type": "Bearer", "expires_in": 3599})
    if request.path.endswith("openid-configuration"):
        return reply(
            {"issuer": "x", "token_endpoint": f"http://{request.header('Host')}/elsewhere/oauth/token"}
        )
    return reply({"data": {"accounts": 1, "transactions": 2}})


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ({}, ["/stack/api/auth/oauth/token"]),
        (
            {"discover_token_url": True},
            ["/stack/api/auth/.well-known/openid-configuration", "/elsewhere/oauth/token"],
        ),
    ],
)
def test_tokens_by_client_credentials(more: dict[str, Any], paths: list[str]) -> None:
    with Server(token) as server:
        settings = options(f"{server.url}/stack", client_id="c", client_secret="s", **more)
        with Formance(settings) as api:
            api.ledger.v2.read_stats("main")
            api.ledger.v2.read_stats("main")
    call = "/stack/api/ledger/v2/main/stats"
    assert [request.path for request in server.requests] == [*paths, call, call]
    form = dict(server.requests[len(paths) - 1].form)
    assert form["grant_type"] == "client_credentials"
    assert form["scope"].split() == list(ALL_SCOPES)
    assert {"ledger:read", "ledger:write", "auth:read", "auth:write"} <= set(ALL_SCOPES)
    assert server.requests[-1].header("Authorization") == "Bearer secret-token"


def test_discovery_asynchronously_and_its_failures() -> None:
    async def stats(url: str) -> int:
        settings = options(url, client_id="c", client_secret="s", discover_token_url=True)
        async with AsyncFormance(settings) as api:
            return (await api.ledger.v2.read_stats("main")).accounts

    with Server(token) as server:
        assert asyncio.run(stats(server.url)) == 1
    for answer in (
        reply({"issuer": "x"}),
        reply({"token_endpoint": "http://far.example/t"}),
        reply(b"", 500),
    ):
        with Server(lambda _, answer=answer: answer) as server, pytest.raises(FormanceAuthError) as raised:
            asyncio.run(stats(server.url))
        assert raised.value.outcome is Outcome.NOT_SENT
        assert raised.value.token_status is not None


def test_scopes_a_static_token_and_no_token() -> None:
    with Server(token) as server:
        narrow = options(server.url, client_id="c", client_secret="s", scopes=("ledger:read",))
        with Formance(narrow) as api:
            api.ledger.v2.read_stats("main")
        assert dict(server.requests[0].form)["scope"] == "ledger:read"
        with Formance(options(server.url), token_provider=StaticToken("mine")) as api:
            api.ledger.v2.read_stats("main")
        assert server.requests[-1].header("Authorization") == "Bearer mine"
        with Formance(options(server.url)) as api:
            api.ledger.v2.read_stats("main")
        assert server.requests[-1].header("Authorization") is None


def test_a_service_without_the_gateway() -> None:
    """A bare ledger has no /api/ledger before its paths."""
    with Server(token) as server:
        settings = options("https://stack.example", service_urls={"ledger": f"{server.url}/bare"})
        with Formance(settings) as api:
            api.ledger.v2.read_stats("main")
            api.ledger.v1.read_stats("main")
    assert [request.path for request in server.requests] == ["/bare/v2/main/stats", "/bare/main/stats"]


def test_raw_answers_and_other_settings() -> None:
    def serve(request: Recorded) -> Action:
        assert request.header("Formance-Bigint-As-String") == "true"
        return reply({"data": transaction()}, 200, Idempotency_Hit="true")

    with Server(serve) as server, Formance(options(server.url)) as api:
        other = api.with_options(headers={"Formance-Bigint-As-String": "true"})
        answer = other.raw.ledger.v2.create_transaction("main", {"postings": []}, idempotency_key="k")
    assert answer.response.headers["idempotency-hit"] == "true"
    assert (answer.value.id, answer.idempotency_key) == (1, "k")


def test_a_client_can_be_pickled_and_shows_no_secret() -> None:
    settings = options("http://localhost", client_id="c", client_secret="very secret")
    api = Formance(settings).with_options(timeout=3.0)
    copied = pickle.loads(pickle.dumps(api))
    assert copied._calls.session.policy.timeout == 3.0
    assert "very secret" not in repr(api) + repr(settings)
    assert (
        "clear"
        not in repr(CreatedSecret(id="i", name="n", last_digits="1234", clear="clear text")).partition(
            "clear="
        )[2]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"client_id": "c"},
        {"client_secret": "s"},
        {"client_id": " ", "client_secret": "s"},
        {"base_url": "http://far.example"},
        {"base_url": "ftp://localhost"},
        {"service_urls": {"ledgers": "http://localhost"}},
        {"service_urls": {"ledger": "http://far.example"}},
        {"token_url": "http://localhost/t", "discover_token_url": True},
        {"timeout": 0},
        {"max_retries": -1},
        {"token_refresh_skew": -1.0},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        Formance(FormanceOptions(**settings))


@pytest.mark.parametrize(
    "bad",
    [
        {"postings": [{"source": "a", "destination": "b", "amount": 1.5, "asset": "USD"}]},
        {"postings": [{"source": "a", "destination": "b", "amount": True, "asset": "USD"}]},
        {"postings": [{"source": "a", "destination": "b", "amount": "1", "asset": "USD"}]},
        {"postings": [{"source": "a", "destination": "b", "amount": -1, "asset": "USD"}]},
        {"postings": [{"source": "a", "destination": "b", "asset": "USD"}]},
        {"postings": "all"},
        {"posting": []},
        {"metadata": {"k": 1}},
        {"timestamp": "yesterday"},
        {"script": {"plain": "", "vars": {"m": {"asset": "USD", "amount": 2**53 + 1}}}},
        NewTransaction(postings=[Posting("a", "b", 1.0, "USD")]),  # pyright: ignore[reportArgumentType] - a mistake to refuse
    ],
)
def test_what_is_no_exact_transaction_is_refused_before_the_wire(bad: Any) -> None:
    with Server(lambda _: Drop()) as server, Formance(options(server.url)) as api:
        with pytest.raises(InvalidRequestError):
            api.ledger.v2.create_transaction("main", bad)
        with pytest.raises(InvalidRequestError):
            api.ledger.v2.create_bulk("main", [{"action": "CREATE_TRANSACTION", "data": bad}])
    assert server.requests == []


def test_amounts_in_variables_arrive_unrounded() -> None:
    """The server takes a JSON number in a variable through double precision, a text not (9.3)."""
    with Server(lambda _: reply({"data": transaction()})) as server, Formance(options(server.url)) as api:
        script = Script(
            plain="s", vars={"a": Monetary("USD", 2**53), "b": Monetary("USD", 2**53 + 1), "c": "x"}
        )
        api.ledger.v2.create_transaction("main", NewTransaction(script=script))
    assert server.requests[0].json["script"]["vars"] == {
        "a": {"asset": "USD", "amount": 2**53},
        "b": {"asset": "USD", "amount": str(2**53 + 1)},
        "c": "x",
    }


def test_answers_that_hide_a_failure_are_errors() -> None:
    for body in (b"", b"<html>", b"{}", b'{"data":null}'):
        with (
            Server(lambda _, body=body: reply(body)) as server,
            Formance(options(server.url)) as api,
            pytest.raises(FormanceUnreadableAnswerError),
        ):
            api.ledger.v2.get_transaction("main", 1)


LOADED = """
import sys
from bursar.formance import Formance, FormanceOptions
print(sorted(name for name in sys.modules if name.startswith("bursar.formance.ledger")))
with Formance(FormanceOptions(sys.argv[1])) as client:
    client.wallets.v1.get_server_info_wallets()
print(sorted(name for name in sys.modules if name.startswith("bursar.formance.wallets")))
unused = ("asyncio", "bursar.formance.ledger.v2", "bursar.formance.payments", "bursar.formance.sdk")
print([name for name in unused if name in sys.modules])
"""


def test_only_what_is_used_is_loaded() -> None:
    """Importing the client loads no service, a call only its own, and a blocking call no asyncio."""
    with Server(lambda _: reply({"version": "1"})) as server:
        run = subprocess.run(
            [sys.executable, "-c", LOADED, server.url], capture_output=True, text=True, check=True
        )
    at_import, own, unused = run.stdout.splitlines()
    assert (at_import, unused) == ("[]", "[]")
    assert "bursar.formance.wallets.v1" in own
