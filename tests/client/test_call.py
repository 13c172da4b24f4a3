"""One call without I/O: what is retried, for how long, and what its error says (bursar.client.call)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.client import Policy, Session
from bursar.client.call import call
from bursar.client.failure import retry_after
from bursar.client.policy import RETRY_AFTER_MAX, backoff
from bursar.client.tokens import Token
from bursar.contract import BaseEndpoint, InvalidRequestError, Outcome, Reply, Response, TransportError
from tests.client.clock import FakeClock
from tests.client.flows import Play, Step, answer
from tests.contract.shop import (
    FAMILY,
    NewOrder,
    Order,
    Shop,
    ShopAuth,
    ShopDown,
    ShopError,
    ShopMissing,
    ShopUnreadable,
)

ITEM = b'{"item_id":"i","price":{"amount":1.50,"currency":"USD"},"kind":"book","size":null,"tags":[],"weight":null}'
ORDER = b'{"data":{"order_id":7,"total":1.50}}'
DROPPED = TransportError("the connection was lost", sent=True)
REFUSED = TransportError("connection refused", sent=False)


class Tokens:
    """Hands out token after token; a step may be an error."""

    def __init__(self, *steps: Exception | None) -> None:
        self.steps = list(steps)
        self.given: list[Token] = []
        self.stale: list[Token | None] = []
        self.discarded: list[Token] = []

    def get(self, deadline: float, stale: Token | None) -> Any:
        self.stale.append(stale)
        step = self.steps.pop(0) if self.steps else None
        if step is not None:
            raise step
        self.given.append(Token(f"token-{len(self.given) + 1}", deadline))
        return self.given[-1]
        yield

    def discard(self, token: Token) -> None:
        self.discarded.append(token)


class Stage:
    """One session on a clock of its own; `make` plays one call."""

    def __init__(self, tokens: Tokens | None = None, **policy: Any) -> None:
        self.clock = FakeClock()
        self.play = Play(self.clock)
        self.session = Session(Policy("https://shop.example/api", **policy), FAMILY, self.clock.clock, tokens)

    def make(self, endpoint: BaseEndpoint, arguments: dict[str, Any], *steps: Step) -> Reply[Any]:
        arguments = endpoint.bind((), arguments)
        return self.play.run(call(self.session, endpoint, arguments), *steps)

    def item(self, *steps: Step) -> Reply[Any]:
        return self.make(Shop.item, {"item_id": "i"}, *steps)

    def order(self, key: str | None, *steps: Step) -> Reply[Any]:
        return self.make(Shop.order, {"order": NewOrder("i", Decimal("1.50")), "key": key}, *steps)


OK = answer(200, ITEM)
DONE = answer(201, ORDER)


def test_a_call_is_one_request_with_all_that_belongs_to_it() -> None:
    stage = Stage(Tokens(), headers={"X-Tenant": "t"}, user_agent="bursar/test")
    reply = stage.order("k", DONE)
    assert reply.value == Order(7, Decimal("1.50"))
    assert (reply.attempts, reply.idempotency_key) == (1, "k")
    request = stage.play.sent[0].request
    assert (request.method, request.url) == ("POST", "https://shop.example/api/orders")
    assert request.body == b'{"item_id":"i","amount":1.50}'
    assert sorted(request.headers) == [
        ("Authorization", "Bearer token-1"),
        ("Content-Type", "application/json"),
        ("User-Agent", "bursar/test"),
        ("X-Key", "k"),
        ("X-Tenant", "t"),
    ]


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 505, 507, 520, 599])
def test_mc37_mc39_mc40_passing_failures_are_repeated(status: int) -> None:
    stage = Stage()
    assert stage.item(answer(status), answer(status), OK).attempts == 3
    stage = Stage()
    assert stage.order("k", answer(status), DONE).attempts == 2


@pytest.mark.parametrize(
    "status", [300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 409, 413, 422, 425, 451]
)
def test_mc41_mc50_definite_answers_are_not(status: int) -> None:
    stage = Stage()
    with pytest.raises(ShopError) as caught:
        stage.order("k", answer(status, b"words", Retry_After="1", Location="https://other.example/"))
    assert (caught.value.status_code, caught.value.attempts) == (status, 1)
    assert stage.play.pauses == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_mc45_mc47_a_keyless_call_is_sent_once_whatever_is_answered(status: int) -> None:
    for key in (None, ""):
        stage = Stage()
        with pytest.raises(ShopError) as caught:
            stage.order(key, answer(status, Retry_After="0"))
        assert caught.value.attempts == 1
        assert caught.value.idempotency_key is None
        rejected = status == 429
        assert caught.value.outcome is (Outcome.REJECTED if rejected else Outcome.UNKNOWN)


def test_mc45_a_keyless_call_that_may_have_left_is_not_repeated() -> None:
    stage = Stage()
    with pytest.raises(ShopDown, match="look before repeating") as caught:
        stage.order(None, DROPPED)
    error = caught.value
    assert (error.status_code, error.outcome, error.attempts) == (0, Outcome.UNKNOWN, 1)
    assert error.__cause__ is DROPPED


def test_a_keyless_call_that_never_left_is_repeated() -> None:
    stage = Stage()
    assert stage.order(None, REFUSED, REFUSED, DONE).attempts == 3
    with pytest.raises(ShopDown) as caught:
        stage.order(None, REFUSED, REFUSED, REFUSED, REFUSED)
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 4)
    assert stage.play.pauses == [0.5, 1.0, 0.5, 1.0, 2.0]


def test_mc44_lost_connections_are_repeated_for_safe_and_keyed_calls() -> None:
    assert Stage().item(DROPPED, REFUSED, OK).attempts == 3
    assert Stage().order("k", DROPPED, DONE).attempts == 2
    with pytest.raises(ShopDown, match="repeat the call with the same idempotency key") as caught:
        Stage().order("k", *[DROPPED] * 4)
    error = caught.value
    assert (error.status_code, error.response_body, error.outcome) == (0, None, Outcome.UNKNOWN)


def test_mc20_attempts_differ_in_nothing() -> None:
    stage = Stage()
    stage.order("k", answer(503), DROPPED, DONE)
    first, *others = [sent.request for sent in stage.play.sent]
    assert others == [first, first]
    assert first.body is others[0].body


def test_mc38_the_error_tells_of_the_last_attempt() -> None:
    stage = Stage(max_retries=2)
    with pytest.raises(ShopDown) as caught:
        stage.item(answer(500, b"one"), answer(502, b"two"), answer(503, b" three ", X_Request_Id="r-3"))
    error = caught.value
    assert (error.status_code, error.message, error.response_body) == (503, "three", " three ")
    assert (error.attempts, error.operation, error.request_id) == (3, "item", "r-3")


def test_mc48_no_retries_means_one_send() -> None:
    with pytest.raises(ShopDown) as caught:
        Stage(max_retries=0).item(answer(503))
    assert caught.value.attempts == 1


@given(st.integers(1, 5000), st.floats(0, 1, exclude_max=True), st.floats(0, 10), st.floats(0, 100))
def test_mc49_pauses_stay_within_bounds(attempt: int, chance: float, base: float, cap: float) -> None:
    policy = Policy("https://shop.example", retry_base_delay=base, retry_max_delay=cap)
    delay = backoff(policy, attempt, chance)
    assert 0 <= delay <= cap
    assert delay <= base * 2.0 ** (attempt - 1) if attempt < 32 else True


def test_mc49_pauses_double_and_are_jittered() -> None:
    stage = Stage(max_retries=4, timeout=1000)
    stage.item(*[answer(503)] * 4, OK)
    assert stage.play.pauses == [0.5, 1.0, 2.0, 4.0]
    stage = Stage(max_retries=4, timeout=1000)
    stage.clock.chance = 0.0
    stage.item(*[answer(503)] * 4, OK)
    assert stage.play.pauses == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("status", [429, 503])
def test_mc42_mc43_retry_after_is_kept_to(status: int) -> None:
    stage = Stage()
    stage.item(answer(status, Retry_After="7"), OK)
    assert stage.play.pauses == [7.0]
    stage = Stage()
    stage.order("k", answer(status, Retry_After="Thu, 01 Jan 1970 00:16:49 GMT"), DONE)
    assert stage.play.pauses == [9.0]


@pytest.mark.parametrize("wish", ["31", "121", "86400", "9" * 300, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_mc43_a_retry_after_that_does_not_fit_raises_at_once(wish: str) -> None:
    stage = Stage(timeout=30)
    with pytest.raises(ShopDown) as caught:
        stage.item(answer(503, Retry_After=wish))
    assert stage.play.pauses == []
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 30


def test_mc43_a_retry_after_has_a_cap_however_long_the_deadline() -> None:
    stage = Stage(timeout=100_000)
    stage.item(answer(503, Retry_After=str(int(RETRY_AFTER_MAX))), OK)
    with pytest.raises(ShopDown):
        stage.item(answer(503, Retry_After=str(int(RETRY_AFTER_MAX) + 1)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 5 ", 5.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("Thursday, 01-Jan-70 00:01:00 GMT", 60.0),
        ("Thu Jan  1 00:01:00 1970", 60.0),
        ("Wed, 31 Dec 1969 23:59:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u00b2", None),
        ("Thu, 01 Jan 99999 00:01:00 GMT", None),
        ("Thu, 99 Jan 1970 00:01:00 GMT", None),
    ],
)
def test_mc43_retry_after_is_read_in_all_its_forms(
    text: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110 5.6.7: three forms of dates, all in GMT, wherever this runs."""
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert retry_after(answer(503, Retry_After=text), 0.0) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


def test_mc51_one_deadline_bounds_attempts_and_pauses() -> None:
    stage = Stage(timeout=10, max_retries=100, retry_base_delay=2, retry_max_delay=2)

    def slow() -> Response:
        stage.clock.advance(3)
        return answer(503)

    with pytest.raises(ShopDown) as caught:
        stage.item(slow, slow)
    assert caught.value.attempts == 2  # 3 + 2 + 3 s are over; another pause of 2 s would use up the rest
    assert [sent.timeout for sent in stage.play.sent] == [10, 5]


def test_mc51_an_attempt_gets_what_is_left_or_its_own_limit() -> None:
    stage = Stage(timeout=10, attempt_timeout=4, retry_base_delay=7, retry_max_delay=7)
    stage.item(answer(503), OK)
    assert [sent.timeout for sent in stage.play.sent] == [4, 3]


def test_a_call_whose_token_came_too_late_was_not_sent() -> None:
    class SlowTokens(Tokens):
        def get(self, deadline: float, stale: Token | None) -> Any:
            stage.clock.advance(11)
            return (yield from super().get(deadline, stale))

    stage = Stage(SlowTokens(), timeout=10)
    with pytest.raises(ShopDown, match="did not finish within 10 s") as caught:
        stage.order(None)
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 0)


def test_mc31_a_refused_token_is_replaced_once() -> None:
    tokens = Tokens()
    stage = Stage(tokens)
    assert stage.order("k", answer(401), DONE).attempts == 2
    assert tokens.stale == [None, tokens.given[0]]
    assert [dict(s.request.headers)["Authorization"] for s in stage.play.sent] == [
        "Bearer token-1",
        "Bearer token-2",
    ]
    assert stage.play.pauses == []


def test_mc31_a_refused_token_costs_no_retry() -> None:
    assert Stage(Tokens(), max_retries=1).item(answer(503), answer(401), OK).attempts == 3
    assert Stage(Tokens(), max_retries=0).item(answer(401), OK).attempts == 2


def test_mc32_a_second_refusal_is_final() -> None:
    stage = Stage(Tokens())
    with pytest.raises(ShopError) as caught:
        stage.item(answer(401), answer(401))
    assert (caught.value.status_code, caught.value.outcome) == (401, Outcome.REJECTED)


def test_mw2_a_keyless_call_is_not_replayed_after_401() -> None:
    tokens = Tokens()
    stage = Stage(tokens)
    with pytest.raises(ShopError) as caught:
        stage.order(None, answer(401))
    assert (caught.value.attempts, caught.value.outcome) == (1, Outcome.REJECTED)
    assert tokens.discarded == tokens.given, "the next call must not meet the refused token again"


def test_a_token_that_cannot_be_had_means_not_sent_unless_an_attempt_left_before() -> None:
    no_token = ShopAuth(401, "no token")
    no_token.outcome, no_token.token_status = Outcome.NOT_SENT, 503
    with pytest.raises(ShopAuth) as caught:
        Stage(Tokens(no_token)).order("k")
    error = caught.value
    assert (error.outcome, error.attempts) == (Outcome.NOT_SENT, 0)
    assert (error.operation, error.idempotency_key, error.token_status) == ("order", "k", 503)

    with pytest.raises(ShopAuth) as caught:
        Stage(Tokens(None, no_token)).order("k", answer(503))
    error = caught.value
    assert (error.outcome, error.attempts) == (Outcome.UNKNOWN, 1), (
        "the first attempt may have been carried out"
    )

    with pytest.raises(ShopAuth) as caught:
        Stage(Tokens(None, no_token)).order("k", answer(401))
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 1)


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([answer(400)], Outcome.REJECTED),
        ([answer(422)], Outcome.REJECTED),
        ([answer(429)], Outcome.REJECTED),
        ([answer(302)], Outcome.UNKNOWN),
        ([answer(408)], Outcome.UNKNOWN),
        ([answer(500)], Outcome.UNKNOWN),
        ([DROPPED], Outcome.UNKNOWN),
        ([REFUSED], Outcome.NOT_SENT),
        # Doubt about an earlier attempt stays ...
        ([answer(503), REFUSED], Outcome.UNKNOWN),
        ([DROPPED, REFUSED], Outcome.UNKNOWN),
        ([answer(503), answer(429)], Outcome.UNKNOWN),
        ([answer(503), answer(401)], Outcome.UNKNOWN),
        ([DROPPED, answer(409)], Outcome.UNKNOWN),
        ([DROPPED, answer(403)], Outcome.UNKNOWN),
        # ... unless the server then judged the same request itself.
        ([answer(503), answer(400)], Outcome.REJECTED),
        ([DROPPED, answer(402)], Outcome.REJECTED),
        # A refusal before any doubt leaves none.
        ([answer(429), REFUSED], Outcome.NOT_SENT),
        ([REFUSED, answer(429)], Outcome.REJECTED),
    ],
)
def test_the_outcome_is_what_is_known_after_all_attempts(steps: list[Step], outcome: Outcome) -> None:
    stage = Stage(max_retries=len(steps) - 1)
    with pytest.raises(ShopError) as caught:
        stage.order("k", *steps)
    assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"<html></html>", b'{"data":{"order_id":7}}', b'{"data":7}']
)
def test_mc62_mc63_an_unreadable_success_says_that_it_succeeded(body: bytes) -> None:
    stage = Stage()
    with pytest.raises(ShopUnreadable, match="succeeded with status 200, but could not be read") as caught:
        stage.order("k", answer(200, body, X_Request_Id="r"))
    error = caught.value
    assert (error.status_code, error.response_body) == (200, body.decode())
    assert (error.outcome, error.attempts) == (Outcome.UNKNOWN, 1)
    assert (error.idempotency_key, error.request_id) == ("k", "r")


def test_an_answer_about_another_object_is_refused() -> None:
    with pytest.raises(ShopUnreadable, match="is about item_id j, not i"):
        Stage().item(answer(200, ITEM.replace(b'"i"', b'"j"')))


@pytest.mark.parametrize("status", [200, 201, 202, 203, 299])
def test_mc61_any_2xx_is_a_success(status: int) -> None:
    assert Stage().order("k", answer(status, ORDER)).value.order_id == 7


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_call_without_value_reads_no_body(status: int) -> None:
    assert Stage().make(Shop.remove, {"item_id": "i"}, answer(status, b"whatever")).value is None


def test_text_answers_are_unchanged_but_never_a_page() -> None:
    arguments = {"item_id": UUID(int=1)}
    assert Stage().make(Shop.text, arguments, answer(200, b" ok\n")).value == " ok\n"
    with pytest.raises(ShopUnreadable, match="HTML"):
        Stage().make(Shop.text, arguments, answer(200, b"<p>", Content_Type="text/HTML; charset=x"))


def test_errors_by_status() -> None:
    for status, kind in [(404, ShopMissing), (400, ShopError), (500, ShopDown), (418, ShopError)]:
        with pytest.raises(ShopError) as caught:
            Stage(max_retries=0).item(answer(status))
        assert type(caught.value) is kind


def test_bad_arguments_raise_before_anything_is_asked_for() -> None:
    stage = Stage(Tokens())
    with pytest.raises(InvalidRequestError):
        stage.make(Shop.item, {"item_id": ".."})
    assert stage.play.asked == []


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": 0}, {"timeout": -1}, {"timeout": float("inf")}, {"timeout": float("nan")},
        {"attempt_timeout": 0}, {"max_retries": -1}, {"retry_base_delay": -1}, {"retry_max_delay": -0.1},
        {"base_url": "http://shop.example"}, {"base_url": "shop.example"},
        {"headers": {"X-A": "b\r\nX-Evil: 1"}}, {"headers": {"X A": "b"}}, {"headers": {"X-A": "\u20ac"}},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    make: Any = Policy
    with pytest.raises(InvalidRequestError):
        make(**{"base_url": "https://shop.example", **settings})


def test_a_base_url_loses_its_trailing_slashes() -> None:
    assert Policy("https://shop.example/api//").base_url == "https://shop.example/api"
