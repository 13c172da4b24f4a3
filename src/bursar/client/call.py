"""One call, from its arguments to its value or its error, without I/O."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from bursar.contract import (
    BaseEndpoint,
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

from .clock import Clock
from .effects import Flow, Send, Sleep
from .events import AttemptFinished, AttemptStarted, Event, RetryScheduled
from .failure import ErrorFamily, Verdict, of_answer, of_transport, raised, unreadable
from .policy import RETRY_AFTER_MAX, Policy, backoff
from .tokens import Token, TokenSource

logger = logging.getLogger("bursar.client")


@dataclass(frozen=True, slots=True)
class Session:
    """What all calls of a client share."""

    policy: Policy
    family: ErrorFamily
    clock: Clock
    tokens: TokenSource | None = None


def call(session: Session, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Flow[Reply[Any]]:
    """Make a call. Raises `InvalidRequestError` before anything leaves, else the API's own errors."""
    prepared = prepare(endpoint, arguments)
    response, attempts = yield from _Attempts(session, endpoint, prepared).run()
    try:
        value = endpoint.read(response, arguments)
    except UnreadableAnswer as error:
        raise unreadable(session.family, prepared, response, attempts, error) from error
    return Reply(value, response, attempts, prepared.key)


class _Attempts:
    """The attempts of one call, under one deadline, with one body and one key."""

    def __init__(self, session: Session, endpoint: BaseEndpoint, prepared: Prepared) -> None:
        self._session = session
        self._policy = session.policy
        self._clock = session.clock
        self._path = endpoint.description.path
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
                if self._prepared.effect is not Effect.ONCE:
                    stale = token
                    continue
                # Sent exactly once means once; but the next call shall not meet the same refused token.
                self._forget(token)
            if retries >= self._policy.max_retries or not verdict.repeatable(self._prepared.effect):
                raise self._error(verdict)
            retries += 1
            yield from self._pause(verdict, retries)

    def _token(self, stale: Token | None) -> Flow[Token | None]:
        tokens = self._session.tokens
        return None if tokens is None else (yield from tokens.get(self._deadline, stale))

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
            response = yield Send(self._request(token), min(left, self._policy.attempt_timeout or left))
            if not response.is_success:
                verdict = of_answer(response, self._session.family, self._clock.wall())
        except TransportError as error:
            verdict = of_transport(error)
        self._note(response, verdict, self._clock.monotonic() - started)
        return response, verdict

    def _request(self, token: Token | None) -> Request:
        prepared = self._prepared
        headers = [*self._policy.headers.items(), *prepared.headers, ("User-Agent", self._policy.user_agent)]
        if prepared.body is not None:
            headers.append(("Content-Type", "application/json"))
        if token is not None:
            headers.append(("Authorization", f"Bearer {token.text}"))
        return Request(prepared.verb, self._policy.base_url + prepared.target, tuple(headers), prepared.body)

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
