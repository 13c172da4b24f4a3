"""Access tokens by OAuth 2 client credentials (RFC 6749 section 4.4).

One manager per client. However many threads or tasks need a token at once, one of them asks and the others wait for
its answer, when the first token is needed and when one was refused.
"""

from __future__ import annotations

import copy
import json
import math
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from bursar.contract import (
    ApiError,
    InvalidRequestError,
    Outcome,
    Request,
    Response,
    Secret,
    TransportError,
    UnreadableAnswer,
)
from bursar.contract.json import loads, members
from bursar.contract.record import Record

from .clock import Clock
from .effects import Ask, Flow, Join, Send

# What can follow "Bearer " in a header field; RFC 6750 section 2.1 allows less.
_TOKEN = re.compile(r"[\x21-\x7e]+")


class Credentials(Record, frozen=True):
    """Where tokens come from and who asks."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """A token and until when (monotonic seconds) it may be used. Compared by identity: a server may repeat a text."""

    text: str = field(repr=False)
    usable_until: float


class TokenSource(Protocol):
    """Where a call gets its token from."""

    def get(self, deadline: float, stale: Token | None) -> Flow[Token]:
        """Return a token that is not `stale`, before `deadline` (monotonic seconds). Raises the API's auth error."""
        ...

    def discard(self, token: Token) -> None:
        """Forget a token that the API refused."""
        ...


class _Desk:
    """Where the callers of one process meet: after a fork, a fetch under way in the parent never ends here."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.flight: Future[Token] | None = None


class TokenManager:
    """Gets tokens, keeps them while they are good, and asks once for many callers."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        auth_error: type[ApiError],
        clock: Clock,
        skew: float = 30.0,
        user_agent: str = "bursar",
        transport: Any = None,
    ) -> None:
        """`skew`: seconds at the end of a token's life in which it is not used, at most a tenth of its life."""
        self._credentials = credentials
        self._auth_error = auth_error
        self._clock = clock
        self._skew = skew
        self._user_agent = user_agent
        self._transport = transport
        self._held: Token | None = None
        self._desk = _Desk()

    def get(self, deadline: float, stale: Token | None) -> Flow[Token]:
        """See `TokenSource`."""
        if self._desk.pid != os.getpid():
            self._desk = _Desk()
        while True:
            held = self._held
            if held is not None and held is not stale and self._clock.monotonic() < held.usable_until:
                return held
            flight, leading = self._join(stale)
            if flight is None:
                continue
            if leading:
                return (yield from self._lead(flight, deadline))
            if not (yield Join(flight, deadline - self._clock.monotonic())):
                raise self._failure("no token came in time", 0)
            error = flight.exception()
            if error is None:
                return flight.result()
            if isinstance(error, ApiError) and not _ran_out_of_time(error):
                raise copy.copy(error) from error.__cause__
            # The one who asked was cancelled or had less time than this call: ask again.

    def discard(self, token: Token) -> None:
        """See `TokenSource`."""
        if self._held is token:
            self._held = None

    def _join(self, stale: Token | None) -> tuple[Future[Token] | None, bool]:
        """Return the fetch under way, or a new one that the caller leads; None when a token has come meanwhile."""
        desk = self._desk
        with desk.lock:
            if desk.flight is not None:
                return desk.flight, False
            held = self._held
            if held is not None and held is not stale and self._clock.monotonic() < held.usable_until:
                return None, False
            desk.flight = Future()
            return desk.flight, True

    def _lead(self, flight: Future[Token], deadline: float) -> Flow[Token]:
        try:
            token = yield from self._fetch(deadline)
        except BaseException as error:
            self._desk.flight = None
            flight.set_exception(error)
            raise
        self._held = token
        self._desk.flight = None
        flight.set_result(token)
        return token

    def _fetch(self, deadline: float) -> Flow[Token]:
        started = self._clock.monotonic()
        try:
            response = yield Send(self._request(), deadline - started, self._transport)
        except TransportError as error:
            raise self._failure(f"the token endpoint could not be reached: {error}", 0) from error
        if not response.is_success:
            raise self._failure(
                f"the token endpoint answered with status {response.status}{_reason(response)}",
                response.status,
                response,
            )
        return self._read(response, started)

    def _request(self) -> Request:
        c = self._credentials
        form = {
            "grant_type": "client_credentials",
            "client_id": c.client_id,
            "client_secret": c.client_secret.reveal(),
        }
        if c.scope is not None and c.scope.strip():
            form["scope"] = c.scope
        headers = (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
            ("User-Agent", self._user_agent),
        )
        return Request("POST", c.token_url, headers, urlencode(form).encode("ascii"))

    def _read(self, response: Response, started: float) -> Token:
        try:
            answer = members(loads(response.body)) or {}
        except UnreadableAnswer as error:
            raise self._failure(
                f"the token endpoint's answer is {error}", response.status, response
            ) from error
        text = answer.get("access_token")
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise self._failure(
                "the token endpoint's answer has no usable access_token", response.status, response
            )
        life = _seconds(answer.get("expires_in"))
        return Token(text, started + life - min(self._skew, life / 10))

    def _failure(self, message: str, status: int, response: Response | None = None) -> ApiError:
        body = None if response is None else self._masked(response.text)
        error = self._auth_error.build(401, self._masked(message), body)
        error.token_status = status
        error.outcome = Outcome.NOT_SENT
        return error

    def _masked(self, text: str) -> str:
        """Hide the secret in what a server echoes: as it is, form-encoded, or in JSON."""
        secret = self._credentials.client_secret.reveal()
        for form in {secret, quote_plus(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            text = text.replace(form, Secret.MASK)
        return text


class ProvidedTokens:
    """Tokens from an object of the caller's with ``get_access_token(force_refresh=...)``."""

    def __init__(self, provide: Callable[[bool], Any], clock: Clock) -> None:
        self._provide = provide
        self._clock = clock

    def get(self, deadline: float, stale: Token | None) -> Flow[Token]:
        """See `TokenSource`."""
        text = yield Ask(lambda: self._provide(stale is not None))
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise InvalidRequestError("the token provider gave no token of visible ASCII characters")
        return Token(text, self._clock.monotonic())

    def discard(self, token: Token) -> None:
        """Nothing is kept here."""


def _ran_out_of_time(error: ApiError) -> bool:
    return isinstance(error.__cause__, TransportError) and error.__cause__.timed_out


def _seconds(value: object) -> float:
    """Read ``expires_in``: a number or a numeric text; anything else counts as 0, which is never reused (MC27)."""
    try:
        seconds = msgspec.convert(str(value), float, strict=False)
    except msgspec.ValidationError:
        return 0.0
    return seconds if 0.0 < seconds < math.inf else 0.0


def _reason(response: Response) -> str:
    """Return the OAuth error of an answer in brackets (RFC 6749 section 5.2)."""
    try:
        answer = members(loads(response.body)) or {}
    except UnreadableAnswer:
        return ""
    code = answer.get("error")
    return f" ({code})" if isinstance(code, str) else ""
