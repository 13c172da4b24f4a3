"""The small things every call is made of: secrets, headers, answers, errors."""

from __future__ import annotations

import copy
import pickle

import pytest

from bursar.contract import (
    ApiError,
    BursarError,
    Headers,
    InvalidRequestError,
    Outcome,
    Request,
    Response,
    Secret,
    TransportError,
    UnreadableAnswer,
)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("CANARY")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>20}", repr([secret]), repr({1: secret})):
        assert "CANARY" not in text
    assert secret.reveal() == "CANARY"
    assert not hasattr(secret, "__dict__")


def test_secrets_are_values() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert (bool(Secret("")), bool(Secret("x"))) == (False, True)
    assert pickle.loads(pickle.dumps(Secret("a"))) == copy.copy(Secret("a")) == Secret("a")
    own = Secret("a")
    assert Secret.of(own) is own
    assert Secret.of("a") == own


def test_headers_ignore_case_and_join_what_is_repeated() -> None:
    headers = Headers([("Content-Type", "a"), ("X-Id", "1"), ("x-id", "2")])
    assert (headers["content-TYPE"], headers["X-ID"], headers.get("none")) == ("a", "1, 2", None)
    assert (len(headers), sorted(headers), "x-id" in headers) == (2, ["content-type", "x-id"], True)
    assert repr(Headers([("Authorization", "CANARY")])) == "Headers(['authorization'])"


def test_requests_and_answers_show_no_content() -> None:
    request = Request("POST", "https://x/CANARY?CANARY", (("A", "CANARY"),), b"CANARY")
    response = Response(200, Headers([("a", "CANARY")]), b"CANARY")
    assert "CANARY" not in f"{request!r} {response!r}"


@pytest.mark.parametrize(
    ("status", "success"), [(100, False), (199, False), (200, True), (299, True), (300, False), (404, False)]
)
def test_success_is_2xx(status: int, success: bool) -> None:
    assert Response(status).is_success is success


@pytest.mark.parametrize(
    ("value", "media"),
    [
        ("application/json", "application/json"),
        ("Text/HTML; charset=x", "text/html"),
        (" a/b ;c", "a/b"),
        ("", ""),
    ],
)
def test_the_media_type_of_an_answer(value: str, media: str) -> None:
    assert Response(200, Headers([("Content-Type", value)])).media_type == media


def test_text_that_is_no_utf8_is_readable_still() -> None:
    assert Response(200, body=b"a\xffb").text == "a\ufffdb"


def errors() -> list[BursarError]:
    api = ApiError(503, "down", "{}")
    api.outcome, api.attempts, api.idempotency_key, api.retry_after = Outcome.REJECTED, 3, "k", 1.5
    api.__cause__ = TransportError("lost", sent=True, timed_out=True)
    return [
        api,
        InvalidRequestError("bad", "/a"),
        TransportError("lost", sent=False),
        UnreadableAnswer("what", "/b"),
    ]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_errors_are_pickled_copied_and_hashed(error: BursarError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
        assert (again.__cause__ is None) == (error.__cause__ is None)
        assert len({again, error}) == 2
        assert again != error


def test_a_cause_of_another_library_does_not_hinder_pickling() -> None:
    error = ApiError(0, "lost")
    error.__cause__ = OSError(1, "x")
    assert pickle.loads(pickle.dumps(error)).__cause__ is None


def test_bad_arguments_are_value_errors_that_were_never_sent() -> None:
    assert isinstance(InvalidRequestError("x"), ValueError)
    assert InvalidRequestError("x").outcome is Outcome.NOT_SENT
