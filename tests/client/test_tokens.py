"""Access tokens (bursar.client.tokens): life, single flight, failures; MC22-MC36, MW-9, MW-10."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bursar.client import SYSTEM, Credentials, ProvidedTokens, Token, TokenManager
from bursar.client.drivers import AsyncDriver, Driver
from bursar.client.effects import Join, Send
from bursar.contract import Outcome, Request, Response, Secret, TransportError
from tests.client.clock import FakeClock
from tests.client.flows import Play, answer
from tests.contract.shop import ShopAuth

SECRET = "s3cr&t +é/="
DEADLINE = 1e9


class Desk:
    """One token manager on a clock of its own."""

    def __init__(self, scope: str | None = None, skew: float = 30.0) -> None:
        self.clock = FakeClock()
        self.play = Play(self.clock)
        self.manager = TokenManager(
            Credentials("https://id.example/token", "client", Secret(SECRET), scope),
            auth_error=ShopAuth,
            clock=self.clock.clock,
            skew=skew,
            user_agent="bursar/test",
        )

    def get(self, *steps: Any, stale: Token | None = None) -> Token:
        return self.play.run(self.manager.get(DEADLINE, stale), *steps)

    @property
    def fetches(self) -> int:
        return len(self.play.sent)


def granted(text: str = "t", life: object = 300) -> Response:
    return answer(
        200, json.dumps({"access_token": text, "expires_in": life, "token_type": "Bearer"}).encode()
    )


@pytest.mark.parametrize(("scope", "sent"), [(None, False), ("", False), ("  ", False), ("pay read", True)])
def test_mc22_mc23_the_request_is_a_form_with_exactly_its_fields(scope: str | None, sent: bool) -> None:
    desk = Desk(scope)
    desk.get(granted())
    request = desk.play.sent[0].request
    assert (request.method, request.url) == ("POST", "https://id.example/token")
    assert dict(request.headers)["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(request.headers)["User-Agent"] == "bursar/test"
    body = (request.body or b"").decode("ascii")
    form = [("grant_type", "client_credentials"), ("client_id", "client"), ("client_secret", SECRET)]
    assert parse_qsl(body, keep_blank_values=True) == form + ([("scope", "pay read")] if sent else [])
    assert "s3cr%26t+%2B%C3%A9%2F%3D" in body


def test_mc25_a_token_is_reused() -> None:
    desk = Desk()
    assert desk.get(granted()) is desk.get()
    assert desk.fetches == 1


@pytest.mark.parametrize(
    ("life", "skew", "good", "over"),
    [
        (300, 30, 269.9, 270.1),
        (20, 30, 17.9, 18.1),
        (300, 0, 299.9, 300.1),
        ("300", 30, 269.9, 270.1),
        (300.0, 30, 269, 271),
    ],
)
def test_mc26_mc28_mw10_reuse_ends_before_the_life_does(
    life: object, skew: float, good: float, over: float
) -> None:
    """At `skew` before the end, but at most a tenth of the life: a short-lived token is used too."""
    desk = Desk(skew=skew)
    token = desk.get(granted("a", life))
    start = desk.clock.now
    desk.clock.now = start + good
    assert desk.get() is token
    desk.clock.now = start + over
    assert desk.get(granted("b")).text == "b"


@pytest.mark.parametrize("life", [None, 0, -5, "", "soon", "0", [], {}, True, "NaN", "Infinity", "-1"])
def test_mc27_without_a_readable_life_a_token_serves_one_call(life: object) -> None:
    desk = Desk()
    body = b'{"access_token":"a"}' if life is None else granted("a", life).body
    for count in (1, 2, 3):
        assert desk.get(answer(200, body)).text == "a"
        assert desk.fetches == count


def test_the_life_counts_from_the_request() -> None:
    desk = Desk(skew=0)

    def slow() -> Response:
        desk.clock.advance(100)
        return granted("a", 300)

    token = desk.get(slow)
    desk.clock.advance(199)
    assert desk.get() is token
    desk.clock.advance(2)
    assert desk.get(granted("b")) is not token


def test_mc31_a_refused_token_is_not_given_again() -> None:
    desk = Desk()
    old = desk.get(granted("a"))
    new = desk.get(granted("a"), stale=old)
    assert new is not old
    assert desk.get(stale=old) is new, "somebody else has replaced it already"
    assert desk.fetches == 2


def test_a_discarded_token_is_forgotten() -> None:
    desk = Desk()
    old = desk.get(granted())
    new = desk.get(granted(), stale=old)
    desk.manager.discard(old)
    assert desk.get() is new
    desk.manager.discard(new)
    assert desk.get(granted()) is not new


@pytest.mark.parametrize(
    ("response", "words", "status"),
    [
        (answer(500, b"down"), "status 500", 500),
        (answer(503, b""), "status 503", 503),
        (
            answer(401, b'{"error":"invalid_client","error_description":"x"}'),
            r"status 401 \(invalid_client\)",
            401,
        ),
        (answer(400, b'{"error":"unsupported_grant_type"}'), r"\(unsupported_grant_type\)", 400),
        (answer(302, b"", Location="https://evil.example/"), "status 302", 302),
        (answer(200, b"<html>"), "not JSON", 200),
        (answer(200, b""), "not JSON", 200),
        (answer(200, b"[]"), "no usable access_token", 200),
        (answer(200, b"null"), "no usable access_token", 200),
        (answer(200, b"{}"), "no usable access_token", 200),
        (answer(200, b'{"access_token":""}'), "no usable access_token", 200),
        (answer(200, b'{"access_token":"  "}'), "no usable access_token", 200),
        (answer(200, b'{"access_token":null}'), "no usable access_token", 200),
        (answer(200, b'{"access_token":7}'), "no usable access_token", 200),
        (answer(200, b'{"access_token":"a\\r\\nX-Evil: 1"}'), "no usable access_token", 200),
        (answer(200, b'{"access_token":"a\\n"}'), "no usable access_token", 200),
        (answer(200, '{"access_token":"t\u00f6k\u20acn"}'.encode()), "no usable access_token", 200),
        (answer(200, b'{"access_token":"\xff"}'), "not UTF-8", 200),
    ],
)
def test_mc33_mc35_failures_are_auth_errors_after_one_request(
    response: Response, words: str, status: int
) -> None:
    desk = Desk()
    with pytest.raises(ShopAuth, match=words) as caught:
        desk.get(response)
    error = caught.value
    assert (error.status_code, error.token_status, error.response_body) == (401, status, response.text)
    assert error.outcome is Outcome.NOT_SENT
    assert desk.fetches == 1
    assert desk.get(granted()).text == "t", "a failure is not remembered"


@pytest.mark.parametrize("sent", [True, False])
def test_mc34_an_endpoint_out_of_reach_is_an_auth_error_with_its_cause(sent: bool) -> None:
    desk = Desk()
    cause = TransportError("connection refused", sent=sent)
    with pytest.raises(ShopAuth, match="could not be reached: connection refused") as caught:
        desk.get(cause)
    error = caught.value
    assert (error.status_code, error.token_status, error.__cause__) == (401, 0, cause)
    assert error.outcome is Outcome.NOT_SENT, "the call itself never left"


@pytest.mark.parametrize("status", [200, 400, 500])
def test_mc36_an_echoed_secret_is_masked(status: int) -> None:
    desk = Desk()
    form = desk_form(desk)
    for echo in (
        SECRET.encode(),
        form,
        json.dumps({"error": SECRET}).encode(),
        json.dumps([SECRET]).encode(),
    ):
        with pytest.raises(ShopAuth) as caught:
            desk.get(answer(status, b"you sent: " + echo))
        with pytest.raises(ShopAuth) as caught_json:
            desk.get(answer(status, echo))
        for error in (caught.value, caught_json.value):
            shown = f"{error} {error!r} {error.response_body}"
            assert "s3cr" not in shown


def desk_form(desk: Desk) -> bytes:
    desk.get(granted("x", 0))
    return desk.play.sent[0].request.body or b""


class Endpoint:
    """A transport of both colours that answers when told to and counts how often it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.gate = threading.Event()
        self.asked = 0
        self.first = threading.Event()
        self.answers = list(answers)
        self._lock = threading.Lock()

    def send(self, request: Request, timeout: float) -> Response:
        with self._lock:
            self.asked += 1
            number = self.asked
        self.first.set()
        assert self.gate.wait(10)
        step = self.answers[min(number, len(self.answers)) - 1] if self.answers else granted(f"t{number}")
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        pass


class AsyncEndpoint:
    """The asynchronous twin of `Endpoint`."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0

    async def send(self, request: Request, timeout: float) -> Response:
        self.asked += 1
        await self.gate.wait()
        return granted(f"t{self.asked}")

    async def aclose(self) -> None:
        pass


def real_manager() -> TokenManager:
    return TokenManager(
        Credentials("https://id.example/token", "client", Secret(SECRET)), auth_error=ShopAuth, clock=SYSTEM
    )


def crowd(manager: TokenManager, endpoint: Endpoint, stale: Token | None, size: int = 100) -> list[Any]:
    """Let many threads ask at once; the endpoint answers when all of them have asked."""
    ready = threading.Barrier(size + 1)
    driver = Driver(endpoint, SYSTEM, None)

    def ask() -> Any:
        ready.wait(10)
        try:
            return driver.run(manager.get(SYSTEM.monotonic() + 10, stale))
        except ShopAuth as error:
            return error

    with ThreadPoolExecutor(size) as pool:
        asking = [pool.submit(ask) for _ in range(size)]
        ready.wait(10)
        endpoint.first.wait(10)
        endpoint.gate.set()
        return [future.result(10) for future in asking]


def test_mc29_mc30_mw9_a_hundred_threads_ask_once_cold_and_once_more_for_a_refused_token() -> None:
    manager, endpoint = real_manager(), Endpoint()
    tokens = set(crowd(manager, endpoint, None))
    assert (len(tokens), endpoint.asked) == (1, 1)
    endpoint.gate.clear()
    endpoint.first.clear()
    renewed = set(crowd(manager, endpoint, tokens.pop()))
    assert (len(renewed), endpoint.asked) == (1, 2)


def test_mc29_a_hundred_threads_share_a_failure_each_with_an_error_of_its_own() -> None:
    endpoint = Endpoint(answer(503, b"down"), granted())
    outcomes = crowd(real_manager(), endpoint, None)
    errors = [outcome for outcome in outcomes if isinstance(outcome, ShopAuth)]
    assert errors
    assert len({id(error) for error in errors}) == len(errors)
    assert {error.token_status for error in errors} == {503}
    # Who came after the failure asked again, and one answer served all of those.
    assert endpoint.asked == (1 if len(errors) == len(outcomes) else 2)


def test_mc29_mc30_a_hundred_tasks_ask_once_cold_and_once_more_for_a_refused_token() -> None:
    manager, endpoint = real_manager(), AsyncEndpoint()
    driver = AsyncDriver(endpoint, SYSTEM, None)

    async def crowd_of_tasks(stale: Token | None) -> set[Token]:
        tasks = [
            asyncio.create_task(driver.run(manager.get(SYSTEM.monotonic() + 10, stale))) for _ in range(100)
        ]
        await asyncio.sleep(0)
        endpoint.gate.set()
        return set(await asyncio.gather(*tasks))

    async def both() -> None:
        tokens = await crowd_of_tasks(None)
        assert (len(tokens), endpoint.asked) == (1, 1)
        endpoint.gate.clear()
        assert (len(await crowd_of_tasks(tokens.pop())), endpoint.asked) == (1, 2)

    asyncio.run(both())


def test_a_cancelled_leader_leaves_the_others_a_token() -> None:
    manager, endpoint = real_manager(), AsyncEndpoint()
    driver = AsyncDriver(endpoint, SYSTEM, None)

    async def cancel_the_first() -> None:
        tasks = [
            asyncio.create_task(driver.run(manager.get(SYSTEM.monotonic() + 10, None))) for _ in range(10)
        ]
        await asyncio.sleep(0)
        tasks[0].cancel()
        endpoint.gate.set()
        first, *others = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert {token.text for token in others if isinstance(token, Token)} == {"t2"}
        assert len(others) == 9

    asyncio.run(cancel_the_first())
    assert endpoint.asked == 2


def test_a_leader_without_time_does_not_speak_for_others() -> None:
    """The one who asked had a nearer deadline; who waited for it asks again, with the time it has itself."""
    desk = Desk()
    leader = desk.manager.get(desk.clock.now + 1, None)
    assert isinstance(next(leader), Send)
    waiting = desk.manager.get(desk.clock.now + 60, None)
    joined = next(waiting)
    assert isinstance(joined, Join)
    with pytest.raises(ShopAuth):
        leader.throw(TransportError("timed out", sent=True, timed_out=True))
    again = waiting.send(True)
    assert isinstance(again, Send)
    assert again.timeout == 60


def test_waiting_for_a_token_ends_at_the_deadline() -> None:
    desk = Desk()
    next(leader := desk.manager.get(DEADLINE, None))
    waiting = desk.manager.get(desk.clock.now + 2.5, None)
    joined = next(waiting)
    assert isinstance(joined, Join)
    assert joined.timeout == 2.5
    with pytest.raises(ShopAuth, match="no token came in time") as caught:
        waiting.send(False)
    assert (caught.value.token_status, caught.value.outcome) == (0, Outcome.NOT_SENT)
    leader.close()


def test_waiting_too_long_leaves_no_complaint_behind(caplog: pytest.LogCaptureFixture) -> None:
    """A waiter that gave up is not there to look at the leader's error any more."""
    manager, endpoint = real_manager(), AsyncEndpoint()
    driver = AsyncDriver(endpoint, SYSTEM, None)

    async def give_up() -> None:
        leading = asyncio.create_task(driver.run(manager.get(SYSTEM.monotonic() + 10, None)))
        await asyncio.sleep(0)
        with pytest.raises(ShopAuth, match="in time"):
            await driver.run(manager.get(SYSTEM.monotonic(), None))
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(give_up())
    assert caplog.records == []


def test_tokens_may_come_from_the_caller_of_either_colour() -> None:
    asked: list[bool] = []

    def provide(force: bool) -> str:
        asked.append(force)
        return f"mine-{len(asked)}"

    async def provide_later(force: bool) -> str:
        return provide(force)

    clock = FakeClock().clock
    first = Driver(Endpoint(), clock, None).run(ProvidedTokens(provide, clock).get(DEADLINE, None))
    assert first.text == "mine-1"
    driver = AsyncDriver(AsyncEndpoint(), clock, None)
    second = asyncio.run(driver.run(ProvidedTokens(provide_later, clock).get(DEADLINE, first)))
    assert (second.text, asked) == ("mine-2", [False, True])


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "", "t\u00f6ken", None, 5])
def test_a_provided_token_that_cannot_travel_is_refused(text: Any) -> None:
    clock = FakeClock().clock
    with pytest.raises((TypeError, ValueError)) as caught:
        Driver(Endpoint(), clock, None).run(ProvidedTokens(lambda force: text, clock).get(DEADLINE, None))
    assert "Evil" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    token = Token("t0ken", 1.0)
    credentials = Credentials("https://id.example", "client", Secret(SECRET))
    for shown in (repr(token), repr(credentials), str(credentials), f"{credentials.client_secret:>5}"):
        assert "t0ken" not in shown
        assert "s3cr" not in shown
