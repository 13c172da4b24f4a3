"""One call, from its arguments to its value or its error, without I/O."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

from bursar.contract import (
    ApiError,
    BaseEndpoint,
    BursarError,
    Effect,
    Outcome,
    Prepared,
    Reply,
    Request,
    Response,
    TransportError,
    UnreadableAnswer,
    prepare,
)
from bursar.contract.endpoint import Streaming
from bursar.contract.http import StreamedResponse
from bursar.contract.record import Record
from bursar.contract.stream import Incoming

from .clock import Clock
from .effects import Flow, Send, Sleep
from .events import AttemptFinished, AttemptStarted, Event, RetryScheduled
from .failure import ErrorFamily, Verdict, annotated, of_answer, of_transport, raised, unreadable
from .policy import RETRY_AFTER_MAX, Policy, backoff
from .tokens import Token, TokenSource

logger: logging.Logger = logging.getLogger("bursar.client")


class Session(Record, frozen=True):
    """What all calls of a client share."""

    policy: Policy
    family: ErrorFamily
    clock: Clock
    tokens: TokenSource | None = None
    report: Callable[[ApiError, BaseEndpoint], Flow[None]] | None = None
    """Told of each call that failed for good, before the caller is."""


def call(session: Session, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Flow[Reply[Any]]:
    """Make a call. Raises `InvalidRequestError` before anything leaves, else the API's own errors."""
    try:
        return (yield from _call(session, endpoint, arguments))
    except ApiError as error:
        if session.report is not None:
            yield from session.report(error, endpoint)
        raise


def _call(session: Session, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Flow[Reply[Any]]:
    prepared = prepare(endpoint, arguments)
    response, attempts = yield from _Attempts(session, endpoint, prepared).run()

    def blame(error: BursarError) -> Exception:
        """Return the API's error for a 2xx answer whose body is not what it should be, or broke off."""
        if isinstance(error, TransportError):
            return raised(session.family, prepared, of_transport(error), attempts, doubt=False)
        assert isinstance(error, UnreadableAnswer)
        return unreadable(session.family, prepared, response, attempts, error)

    if isinstance(endpoint, Streaming):
        assert isinstance(response, StreamedResponse)
        return Reply(Incoming(response.pieces, endpoint.read_line, blame), response, attempts, prepared.key)
    try:
        value = endpoint.read(response, arguments)
    except UnreadableAnswer as error:
        raise blame(error) from error
    return Reply(value, response, attempts, prepared.key)


class _Attempts:
    """The attempts of one call, under one deadline, with one body and one key."""

    def __init__(self, session: Session, endpoint: BaseEndpoint, prepared: Prepared) -> None:
        self._session = session
        self._policy = session.policy
        self._clock = session.clock
        self._path = endpoint.description.path
        self._streamed = endpoint.streams
        self._prepared = prepared
        self._deadline = self._clock.monotonic() + self._policy.timeout
        self._sent = 0
        self._doubt = False
        """True when an earlier attempt may have been carried out."""

    def run(self) -> Flow[tuple[Response, int]]:
        """Return the 2xx answer and how many attempts it took."""
        stale: Token | None = None
        retries = 0
        while True:
            token = yield from self._token(stale)
            response, verdict = yield from self._attempt(token)
            if verdict is None:
                return response, self._sent
            if verdict.status == 401 and token is not None and stale is None:
                if self._prepared.effect is not Effect.ONCE and not self._used_up():
                    stale = token
                    continue
                # Sent exactly once means once; but the next call shall not meet the same refused token.
                self._forget(token)
            if retries >= self._policy.max_retries or not self._repeatable(verdict):
                raise self._error(verdict)
            retries += 1
            yield from self._pause(verdict, retries)

    def _repeatable(self, verdict: Verdict) -> bool:
        return verdict.repeatable(self._prepared.effect) and not self._used_up()

    def _used_up(self) -> bool:
        """Return True when the body came from an iterator that has been asked for pieces."""
        pieces = self._prepared.pieces
        return pieces is not None and pieces.started

    def _token(self, stale: Token | None) -> Flow[Token | None]:
        tokens = self._session.tokens
        if tokens is None:
            return None
        try:
            return (yield from tokens.get(self._deadline, stale))
        except ApiError as error:
            outcome = Outcome.UNKNOWN if self._doubt else error.outcome
            # A copy: calls that waited for the same token share the error.
            own = annotated(copy.copy(error), self._prepared, self._sent, outcome)
            raise own from error.__cause__

    def _forget(self, token: Token) -> None:
        if self._session.tokens is not None:
            self._session.tokens.discard(token)

    def _attempt(self, token: Token | None) -> Flow[tuple[Response, Verdict | None]]:
        left = self._left()
        if left <= 0:
            raise self._error(self._late())
        self._sent += 1
        self._tell(AttemptStarted(self._prepared.operation, self._prepared.verb, self._path, self._sent))
        started = self._clock.monotonic()
        response, verdict = Response(0), None
        try:
            timeout = min(left, self._policy.attempt_timeout or left)
            response = yield Send(self._request(token), timeout, streamed=self._streamed)
            if not response.is_success:
                verdict = of_answer(response, self._session.family, self._clock.wall())
        except TransportError as error:
            verdict = of_transport(error)
        except BaseException:
            # Cancelled or interrupted: the attempt is over for whoever watches it.
            cancelled = Verdict(0, Outcome.UNKNOWN, "cancelled")
            self._note(response, cancelled, self._clock.monotonic() - started)
            raise
        self._note(response, verdict, self._clock.monotonic() - started)
        return response, verdict

    def _request(self, token: Token | None) -> Request:
        prepared = self._prepared
        headers = [*self._policy.headers.items(), *prepared.headers, ("User-Agent", self._policy.user_agent)]
        if prepared.body is not None or prepared.pieces is not None:
            headers.append(("Content-Type", prepared.media))
        if token is not None:
            headers.append(("Authorization", f"Bearer {token.text}"))
        url = self._policy.url(prepared.target)
        return Request(prepared.verb, url, tuple(headers), prepared.body, prepared.pieces)

    def _note(self, response: Response, verdict: Verdict | None, elapsed: float) -> None:
        outcome = None if verdict is None else verdict.outcome
        request_id = response.headers.get("x-request-id")
        self._tell(
            AttemptFinished(
                self._prepared.operation, self._sent, response.status, elapsed, outcome, request_id
            )
        )
        logger.debug(
            "%s %s attempt %d: status %d in %.0f ms",
            self._prepared.verb, self._path, self._sent, response.status, elapsed * 1000,
        )  # fmt: skip

    def _pause(self, verdict: Verdict, retries: int) -> Flow[None]:
        """Wait before the next attempt; raises at once when the wait would not fit."""
        delay = verdict.retry_after
        if delay is None:
            delay = backoff(self._policy, retries, self._clock.chance())
        if delay > RETRY_AFTER_MAX or delay >= self._left():
            raise self._error(verdict)
        self._doubt = self._doubt or verdict.outcome is Outcome.UNKNOWN
        self._tell(RetryScheduled(self._prepared.operation, self._sent, delay))
        yield Sleep(delay)

    def _left(self) -> float:
        return self._deadline - self._clock.monotonic()

    def _late(self) -> Verdict:
        return Verdict(0, Outcome.NOT_SENT, f"the call did not finish within {self._policy.timeout:g} s")

    def _error(self, verdict: Verdict) -> Exception:
        return raised(self._session.family, self._prepared, verdict, self._sent, self._doubt)

    def _tell(self, event: Event) -> None:
        for hook in self._policy.hooks:
            try:
                hook(event)
            except Exception:
                logger.exception("a hook failed on %s", type(event).__name__)
