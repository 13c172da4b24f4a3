"""Retries over real HTTP: MC37 to MC51, MW-6, MW-8, MW-16. The finer rules are in tests/client/test_call.py."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import httpx2
import pytest

from bursar.contract import Outcome
from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    MilkywayApiError,
    MilkywayPaymentsClient,
    MilkywayServiceUnavailableError,
)
from tests.client.clock import FakeClock
from tests.client.server import Action, Answer, Drip, Drop, Recorded, Server, Silence, reply
from tests.client.stopwatch import lasts
from tests.milkyway.bank import PAY, PRECHECK, TOKEN_PATH, state, usual
from tests.milkyway.conftest import Connect, Open


def failing(status: int, text: str = "down", **headers: str) -> Action:
    return reply({"error": text}, status, **headers)


CALLS = {
    "healthcheck": lambda client: client.healthcheck("b", "s"),
    "precheck": lambda client: client.precheck(PRECHECK),
    "pay": lambda client: client.pay(PAY, "k"),
    "postcheck": lambda client: client.postcheck(42),
    "cancel": lambda client: client.cancel(42),
}


@pytest.mark.parametrize("name", CALLS)
def test_mc37_each_call_is_repeated_until_it_succeeds(open_bank: Open, connect: Connect, name: str) -> None:
    bank = open_bank(failing(503), failing(503), usual)
    CALLS[name](connect(bank))
    assert len(bank.calls) == 3


def test_mc38_the_last_failure_is_told(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(failing(503, "one"), failing(500, "two"), failing(502, "three"))
    with pytest.raises(MilkywayServiceUnavailableError, match="three") as caught:
        connect(bank, max_retries=2).postcheck(1)
    assert (caught.value.status_code, caught.value.attempts, len(bank.calls)) == (502, 3, 3)


@pytest.mark.parametrize("status", [408, 429, 500, 501, 505, 520])
def test_mc39_mc40_mc42_mw8_what_is_repeated(open_bank: Open, connect: Connect, status: int) -> None:
    bank = open_bank(failing(status), state(1))
    connect(bank).postcheck(42)
    assert len(bank.calls) == 2


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 413, 422])
def test_mc41_mw8_what_is_not(open_bank: Open, connect: Connect, status: int) -> None:
    bank = open_bank(failing(status, Retry_After="0"))
    with pytest.raises(MilkywayApiError) as caught:
        connect(bank).pay(PAY, "k")
    assert len(bank.calls) == 1
    assert caught.value.outcome is Outcome.REJECTED


def test_mc42_mc43_the_servers_wish_is_kept_to(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(
        failing(429, Retry_After="7"), failing(503, Retry_After="Thu, 01 Jan 1970 00:17:00 GMT"), usual
    )
    connect(bank).pay(PAY, "k")
    assert clock.pauses == [7.0, 13.0]


@pytest.mark.parametrize("wish", ["86400", "1000000000000", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_mc43_mw8_an_absurd_wish_is_not_slept(
    open_bank: Open, connect: Connect, clock: FakeClock, wish: str
) -> None:
    bank = open_bank(failing(503, Retry_After=wish))
    with pytest.raises(MilkywayServiceUnavailableError) as caught:
        connect(bank).pay(PAY, "k")
    assert (clock.pauses, len(bank.calls)) == ([], 1)
    assert (caught.value.retry_after or 0) >= 86400


@pytest.mark.parametrize("step", [Drop(), Drop(reset=True), Answer(200, b"half"), failing(503)])
def test_mc44_lost_answers_of_safe_and_keyed_calls_are_asked_for_again(
    open_bank: Open, connect: Connect, step: Action
) -> None:
    bank = open_bank(
        Drop() if step == Answer(200, b"half") else step, step if isinstance(step, Drop) else Drop(), usual
    )
    client = connect(bank)
    assert client.pay(PAY, "k") == 42
    assert len(bank.calls) == 3


def test_mc44_nobody_there(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank, gone = open_bank(), Server(usual)
    gone.close()
    client = connect(bank, base_url=gone.url)
    with pytest.raises(MilkywayServiceUnavailableError) as caught:
        client.pay(PAY)
    error = caught.value
    assert (error.status_code, error.outcome, error.attempts) == (0, Outcome.NOT_SENT, 4)
    assert len(clock.pauses) == 3


@pytest.mark.parametrize(
    "step",
    [Drop(), Drop(reset=True), failing(500), failing(503, Retry_After="0"), failing(408), failing(429)],
)
@pytest.mark.parametrize("key", [None, ""])
def test_mc45_mc47_a_keyless_pay_is_sent_once(
    open_bank: Open, connect: Connect, step: Action, key: str | None
) -> None:
    bank = open_bank(step)
    with pytest.raises(MilkywayApiError) as caught:
        connect(bank).pay(PAY, key)
    assert len(bank.calls) == 1
    refused = caught.value.status_code == 429
    assert caught.value.outcome is (Outcome.REJECTED if refused else Outcome.UNKNOWN)


def test_mc45_a_keyless_pay_that_times_out_is_sent_once(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(Silence())
    client = connect(bank, attempt_timeout=0.2)
    with pytest.raises(MilkywayServiceUnavailableError, match="may have been carried out") as caught:
        client.pay(PAY)
    assert len(bank.calls) == 1
    assert (caught.value.status_code, caught.value.outcome) == (0, Outcome.UNKNOWN)


def test_mc44_an_attempt_that_times_out_is_repeated(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(Silence(), usual)
    assert connect(bank, attempt_timeout=0.2).pay(PAY, "k") == 42
    assert len(bank.calls) == 2


def test_mc46_mw6_a_keyless_pay_uses_the_callers_client(open_bank: Open) -> None:
    """Its headers, event hooks and proxies count; the vendor sends keyless payments around them."""
    bank = open_bank()
    seen: list[str] = []

    def watch(request: httpx2.Request) -> None:
        seen.append(request.url.path)

    with httpx2.Client(headers={"X-Bank": "alpha"}, event_hooks={"request": [watch]}) as mine:
        with MilkywayPaymentsClient(bank.options(), session=mine) as client:
            assert client.pay(PAY) == 42
            assert client.pay(PAY, "k") == 42
        assert not mine.is_closed, "it is the caller's to close"
    assert [call.header("X-Bank") for call in bank.calls] == ["alpha", "alpha"]
    assert seen == [TOKEN_PATH, "/payments/v1", "/payments/v1"]


def test_mc46_mw6_a_keyless_pay_uses_the_callers_proxy(open_bank: Open) -> None:
    bank = open_bank()
    proxied: list[str] = []

    def forward(request: Recorded) -> Action:
        proxied.append(request.target)
        return (
            reply({"access_token": "t", "expires_in": 300}) if "realms" in request.target else usual(request)
        )

    with Server(forward) as proxy, httpx2.Client(proxy=proxy.url) as mine:
        assert MilkywayPaymentsClient(bank.options(), session=mine).pay(PAY) == 42
    assert proxied == [bank.server.url + TOKEN_PATH, bank.url + "/payments/v1"]
    assert bank.server.requests == []


@pytest.mark.parametrize("library", ["httpx2", "aiohttp"])
def test_mc46_an_asynchronous_client_of_the_callers(open_bank: Open, library: str) -> None:
    bank = open_bank(Drop(), usual)

    async def pay() -> None:
        headers = {"X-Bank": "alpha"}
        mine: Any = (
            httpx2.AsyncClient(headers=headers)
            if library == "httpx2"
            else aiohttp.ClientSession(headers=headers)
        )
        async with (
            mine,
            AsyncMilkywayPaymentsClient(bank.options(retry_base_delay=0), session=mine) as client,
        ):
            with pytest.raises(MilkywayServiceUnavailableError) as caught:
                await client.pay(PAY)
            assert caught.value.outcome is Outcome.UNKNOWN
            assert await client.pay(PAY) == 42

    asyncio.run(pay())
    assert [call.header("X-Bank") for call in bank.calls] == ["alpha", "alpha"]


def test_a_session_of_its_own_for_tokens(open_bank: Open) -> None:
    bank = open_bank()
    with (
        httpx2.Client(headers={"X-For": "token"}) as mine,
        MilkywayPaymentsClient(bank.options(), token_session=mine) as client,
    ):
        client.postcheck(1)
    assert bank.tokens[0].header("X-For") == "token"
    assert bank.last.header("X-For") is None


def test_mc48_no_retries(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(failing(503))
    with pytest.raises(MilkywayServiceUnavailableError):
        connect(bank, max_retries=0).postcheck(1)
    assert len(bank.calls) == 1


def test_mc49_pauses_grow_with_jitter(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(failing(503))
    clock.chance = 0.5
    with pytest.raises(MilkywayServiceUnavailableError):
        connect(bank, retry_base_delay=0.2).postcheck(1)
    assert clock.pauses == pytest.approx([0.15, 0.3, 0.6])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_mc50_mw16_redirects_are_refused_above_all_on_pay(
    open_bank: Open, connect: Connect, status: int
) -> None:
    with Server(lambda request: reply({"transaction_id": 666})) as elsewhere:
        bank = open_bank(reply(b"", status, Location=elsewhere.url + "/payments/v1"))
        client = connect(bank)
        for call in (lambda: client.pay(PAY, "k"), lambda: client.pay(PAY), lambda: client.postcheck(42)):
            with pytest.raises(MilkywayApiError, match="refused to follow a redirect") as caught:
                call()
            assert (caught.value.status_code, caught.value.outcome) == (status, Outcome.UNKNOWN)
        assert len(bank.calls) == 3
        assert elsewhere.requests == []


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("part", ["token", "header", "body"])
def test_mc51_x2_one_deadline_for_the_whole_call(open_bank: Open, colour: str, part: str) -> None:
    """A drip of bytes that beats every read timeout ends at 1.0 s, wherever it happens."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\nX-Filler: " + b"x" * 400 + b"\r\n\r\n"
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b" " * 4000
    drip = Drip(body, 45, 0.1) if part == "body" else Drip(head, 4, 0.1)
    bank = open_bank(tokens=drip) if part == "token" else open_bank(drip)
    options = bank.options(request_timeout=1.0)

    def pay() -> int:
        with MilkywayPaymentsClient(options) as client:
            return client.pay(PAY, "k")

    async def pay_async() -> int:
        async with AsyncMilkywayPaymentsClient(options) as client:
            return await client.pay(PAY, "k")

    def wait_for_it() -> None:
        with pytest.raises(MilkywayApiError) as caught:
            _ = pay() if colour == "sync" else asyncio.run(pay_async())
        assert caught.value.outcome is (Outcome.NOT_SENT if part == "token" else Outcome.UNKNOWN)

    assert lasts(wait_for_it, 0.9, 1.1)


def test_mc51_pauses_count_too(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(failing(503))
    with pytest.raises(MilkywayServiceUnavailableError):
        connect(bank, request_timeout=5, max_retries=100, retry_base_delay=1).postcheck(1)
    assert clock.pauses == [1.0, 2.0], "the next pause of 4 s would not fit"


def test_with_options_shares_connections_and_token(
    open_bank: Open, connect: Connect, clock: FakeClock
) -> None:
    bank = open_bank(failing(503), usual)
    client = connect(bank)
    hasty = client.with_options(max_retries=0, timeout=2.0)
    with pytest.raises(MilkywayServiceUnavailableError):
        hasty.postcheck(42)
    client.postcheck(42)
    hasty.postcheck(42)
    assert len(bank.tokens) == 1
    assert bank.server.connections == 1
    with pytest.raises(TypeError):
        client.with_options(max_tries=1)
    with pytest.raises(ValueError, match="negative"):
        client.with_options(max_retries=-1)
    with pytest.raises(ValueError, match="https"):
        client.with_options(base_url="http://api.example.com")
