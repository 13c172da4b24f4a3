"""Tokens over real HTTP: MC25 to MC36. The finer rules are in tests/client/test_tokens.py."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bursar.contract import Outcome
from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    KeycloakTokenProvider,
    MilkywayAuthError,
    MilkywayPaymentsClient,
)
from tests.client.clock import FakeClock
from tests.client.server import Action, Answer, Drop, Recorded, reply
from tests.milkyway.bank import PAY, SECRET, usual
from tests.milkyway.conftest import Connect, Open


def token(text: str = "t", **members: Any) -> Action:
    return reply({"access_token": text, **members})


def test_mc25_one_token_serves_many_calls(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    for _ in range(3):
        client.postcheck(1)
    assert (len(bank.tokens), len(bank.calls)) == (1, 3)


@pytest.mark.parametrize("life", [300, "300"])
def test_mc26_mc28_reuse_ends_at_the_skew(
    open_bank: Open, connect: Connect, clock: FakeClock, life: Any
) -> None:
    bank = open_bank(tokens=token(expires_in=life))
    client = connect(bank)
    client.postcheck(1)
    clock.advance(269)
    client.postcheck(1)
    assert len(bank.tokens) == 1
    clock.advance(2)
    client.postcheck(1)
    assert len(bank.tokens) == 2


def test_mw10_a_short_lived_token_is_kept_too(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(tokens=token(expires_in=20))
    client = connect(bank)
    for _ in range(5):
        client.postcheck(1)
    assert len(bank.tokens) == 1
    clock.advance(18.5)
    client.postcheck(1)
    assert len(bank.tokens) == 2


@pytest.mark.parametrize("members", [{}, {"expires_in": 0}, {"expires_in": "soon"}, {"expires_in": None}])
def test_mc27_without_a_life_each_call_fetches_its_own(
    open_bank: Open, connect: Connect, members: dict[str, Any]
) -> None:
    bank = open_bank(tokens=token(**members))
    client = connect(bank)
    for _ in range(3):
        client.postcheck(1)
    assert len(bank.tokens) == 3


def needs_token_two(request: Recorded) -> Action:
    return (
        usual(request)
        if request.header("Authorization") == "Bearer token-2"
        else reply({"error": "expired"}, 401)
    )


def test_mc29_mc30_mw9_threads_share_a_fetch_and_a_refresh(open_bank: Open) -> None:
    """A hundred threads, cold: one token request. All of them meet one refused token: exactly one more."""
    bank = open_bank(needs_token_two)
    client = MilkywayPaymentsClient(bank.options())
    ready = threading.Barrier(100)

    def ask(number: int) -> int:
        ready.wait(20)
        return client.postcheck(number).transaction_id

    with client, ThreadPoolExecutor(100) as pool:
        assert list(pool.map(ask, range(100))) == list(range(100))
    assert len(bank.tokens) == 2


def test_mc29_mc30_mw9_tasks_share_a_fetch_and_a_refresh(open_bank: Open) -> None:
    bank = open_bank(needs_token_two)

    async def ask_all() -> list[int]:
        async with AsyncMilkywayPaymentsClient(bank.options()) as client:
            results = await asyncio.gather(*(client.postcheck(number) for number in range(100)))
            return [result.transaction_id for result in results]

    assert asyncio.run(ask_all()) == list(range(100))
    assert len(bank.tokens) == 2


def test_mc31_a_refused_token_is_replaced_and_the_call_replayed(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(needs_token_two)
    assert connect(bank).pay(PAY, idempotency_key="k") == 42
    assert [call.header("Authorization") for call in bank.calls] == ["Bearer token-1", "Bearer token-2"]
    assert [call.header("Idempotency-Key") for call in bank.calls] == ["k", "k"]


def test_mc32_a_second_refusal_is_an_error_after_two_calls(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(reply({"error": "expired"}, 401))
    with pytest.raises(MilkywayAuthError, match="expired") as caught:
        connect(bank).postcheck(1)
    assert (len(bank.calls), len(bank.tokens)) == (2, 2)
    assert (caught.value.status_code, caught.value.token_status) == (401, None)


def test_mw2_a_keyless_pay_is_sent_exactly_once(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(needs_token_two)
    client = connect(bank)
    with pytest.raises(MilkywayAuthError) as caught:
        client.pay(PAY)
    assert len(bank.calls) == 1
    assert caught.value.outcome is Outcome.REJECTED
    assert client.pay(PAY) == 42, "the next call does not meet the refused token again"
    assert len(bank.calls) == 2


@pytest.mark.parametrize("status", [500, 503, 400, 401, 302])
def test_mc33_a_failing_token_endpoint_is_asked_once(open_bank: Open, connect: Connect, status: int) -> None:
    bank = open_bank(tokens=reply({"error": "invalid_client"}, status, Retry_After="1"))
    with pytest.raises(MilkywayAuthError, match=f"status {status} .invalid_client") as caught:
        connect(bank).pay(PAY, "k")
    error = caught.value
    assert (error.status_code, error.token_status, error.outcome) == (401, status, Outcome.NOT_SENT)
    assert (error.operation, error.idempotency_key, error.attempts) == ("pay", "k", 0)
    assert error.response_body == '{"error": "invalid_client"}'
    assert (len(bank.tokens), bank.calls) == (1, [])


@pytest.mark.parametrize("step", [Drop(), Drop(reset=True)])
def test_mc34_a_token_endpoint_out_of_reach(open_bank: Open, connect: Connect, step: Action) -> None:
    bank = open_bank(tokens=step)
    with pytest.raises(MilkywayAuthError, match="could not be reached") as caught:
        connect(bank).postcheck(1)
    assert (caught.value.status_code, caught.value.token_status) == (401, 0)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"access_token":""}', b"", b'{"access_token":"a\\nb"}']
)
def test_mc35_token_answers_that_hold_no_token(open_bank: Open, connect: Connect, body: bytes) -> None:
    bank = open_bank(tokens=Answer(200, body))
    with pytest.raises(MilkywayAuthError) as caught:
        connect(bank).postcheck(1)
    assert (caught.value.status_code, caught.value.response_body) == (401, body.decode())
    assert bank.calls == []


@pytest.mark.parametrize("status", [200, 401, 500])
def test_mc36_a_token_error_never_shows_the_secret(open_bank: Open, connect: Connect, status: int) -> None:
    bank = open_bank(tokens=lambda request: Answer(status, request.body + b" " + SECRET.encode()))
    with pytest.raises(MilkywayAuthError) as caught:
        connect(bank).postcheck(1)
    assert "s3cr" not in f"{caught.value} {caught.value!r} {caught.value.response_body}"


def test_a_token_provider_of_the_callers_is_asked_to_refresh(open_bank: Open, connect: Connect) -> None:
    asked: list[bool] = []

    class Provider:
        def get_access_token(self, force_refresh: bool = False) -> str:
            asked.append(force_refresh)
            return f"token-{len(asked)}"

    bank = open_bank(needs_token_two)
    client = connect(bank, token_provider=Provider())
    assert client.pay(PAY, "k") == 42
    assert asked == [False, True]
    assert bank.tokens == []


def test_a_provider_may_be_shared_by_clients(open_bank: Open) -> None:
    bank = open_bank(needs_token_two)
    provider = KeycloakTokenProvider(bank.options())
    with MilkywayPaymentsClient(bank.options(), token_provider=provider) as one:
        assert one.pay(PAY, "k") == 42
    with MilkywayPaymentsClient(bank.options(), token_provider=provider) as other:
        assert other.pay(PAY, "k") == 42
    assert len(bank.tokens) == 2
    provider.close()


def test_tokens_are_never_shared_between_servers(open_bank: Open) -> None:
    """FM-1: equal credentials at two token endpoints are two tokens."""
    one, other = (
        open_bank(tokens=token("one", expires_in=300)),
        open_bank(tokens=token("other", expires_in=300)),
    )
    for bank, text in ((one, "one"), (other, "other")):
        with MilkywayPaymentsClient(bank.options()) as client:
            client.postcheck(1)
        assert bank.last.header("Authorization") == f"Bearer {text}"
