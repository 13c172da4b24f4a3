"""Tokens from an endpoint that a discovery document names (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bursar.contract import ApiError, BursarError, Outcome, Request, TransportError, UnreadableAnswer
from bursar.contract.json import loads, members
from bursar.contract.url import base_url

from .clock import Clock
from .effects import Flow, Send
from .tokens import Token, TokenManager, TokenSource


class DiscoveredTokens:
    """Asks for the token endpoint before the first token, and then leaves tokens to a `TokenManager`.

    The document is trusted as far as its URL; the endpoint it names must be https, or on a loopback host.
    """

    def __init__(
        self,
        document_url: str,
        manager: Callable[[str], TokenManager],
        *,
        auth_error: type[ApiError],
        clock: Clock,
        user_agent: str = "bursar",
        transport: Any = None,
    ) -> None:
        """`manager` makes the token manager for an endpoint."""
        self._document_url = document_url
        self._make = manager
        self._auth_error = auth_error
        self._clock = clock
        self._user_agent = user_agent
        self._transport = transport
        self._manager: TokenSource | None = None

    def get(self, deadline: float, stale: Token | None) -> Flow[Token]:
        """See `TokenSource`."""
        if self._manager is None:
            self._keep((yield from self._discover(deadline)))
        manager = self._manager
        assert manager is not None
        return (yield from manager.get(deadline, stale))

    def discard(self, token: Token) -> None:
        """See `TokenSource`."""
        if self._manager is not None:
            self._manager.discard(token)

    def _keep(self, endpoint: str) -> None:
        """Of callers that discovered at the same time, the first one's manager serves all."""
        if self._manager is None:
            self._manager = self._make(endpoint)

    def _discover(self, deadline: float) -> Flow[str]:
        headers = (("Accept", "application/json"), ("User-Agent", self._user_agent))
        request = Request("GET", self._document_url, headers)
        try:
            response = yield Send(request, deadline - self._clock.monotonic(), self._transport)
        except TransportError as error:
            raise self._failure(f"the discovery document could not be reached: {error}", 0) from error
        if not response.is_success:
            raise self._failure(
                f"the discovery document answered with status {response.status}", response.status
            )
        try:
            endpoint = (members(loads(response.body)) or {}).get("token_endpoint")
            if not isinstance(endpoint, str):
                raise UnreadableAnswer("it names no token_endpoint")
            return base_url(endpoint, what="token_endpoint")
        except BursarError as error:
            raise self._failure(f"the discovery document is of no use: {error}", response.status) from error

    def _failure(self, message: str, status: int) -> ApiError:
        error = self._auth_error.build(401, message, None)
        error.token_status = status
        error.outcome = Outcome.NOT_SENT
        return error
