"""Clients of the MilkyWay Payments API: one that blocks, one that awaits."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any, Protocol

from bursar import __version__
from bursar.client import (
    SYSTEM,
    AsyncClient,
    Clock,
    Credentials,
    Given,
    Hook,
    Policy,
    ProvidedTokens,
    RawCaller,
    Session,
    SyncClient,
    TokenManager,
    TokenSource,
    asynchronous,
    blocking,
)
from bursar.client.drivers import Driver
from bursar.contract import Async, RawAsync, RawSync, Secret, Sync
from bursar.contract.url import base_url

from .contract import MilkywayPayments
from .errors import FAMILY, MilkywayAuthError
from .models import MilkywayOptions, PollOptions, PostcheckResult
from .polling import until_terminal

USER_AGENT = f"bursar/{__version__} (milkyway; Python {platform.python_version()})"


class TokenProvider(Protocol):
    """Anything that gives access tokens."""

    def get_access_token(self, force_refresh: bool = False) -> str:
        """Return a token; a new one when the last was refused."""
        ...


class KeycloakTokenProvider:
    """Gets and keeps tokens by client credentials; for use on its own, or shared by several clients.

    Raises `MilkywayAuthError` when no token can be had.
    """

    def __init__(
        self, options: MilkywayOptions, session: object | None = None, *, clock: Clock = SYSTEM
    ) -> None:
        """`session`: the caller's `Transport` or `httpx2.Client` for the token endpoint."""
        options.validate()
        self._timeout = options.request_timeout
        self._clock = clock
        self._manager = _manager(options, clock, None)
        self._own = session is None
        self._driver = Driver(blocking(session), clock, None)
        self._last: Any = None

    def get_access_token(self, force_refresh: bool = False) -> str:
        """Return a token that is good for now; with `force_refresh` another one than the last returned."""
        deadline = self._clock.monotonic() + self._timeout
        token = self._driver.run(self._manager.get(deadline, self._last if force_refresh else None))
        self._last = token
        return token.text

    def close(self) -> None:
        """Release connections that are Bursar's own."""
        if self._own:
            self._driver.transport.close()


def _manager(options: MilkywayOptions, clock: Clock, transport: Any) -> TokenManager:
    credentials = Credentials(
        base_url(options.token_url, what="token_url"),
        options.client_id,
        Secret.of(options.client_secret),
        options.scope,
    )
    return TokenManager(
        credentials,
        auth_error=MilkywayAuthError,
        clock=clock,
        skew=options.token_refresh_skew,
        user_agent=USER_AGENT,
        transport=transport,
    )


def session_for(
    options: MilkywayOptions,
    token_provider: TokenProvider | None,
    token_transport: Any,
    hooks: Sequence[Hook],
    clock: Clock,
) -> Session:
    """Return what all calls of a client share. Raises `InvalidRequestError` for bad options."""
    options.validate()
    tokens: TokenSource = (
        _manager(options, clock, token_transport)
        if token_provider is None
        else ProvidedTokens(token_provider.get_access_token, clock)
    )
    policy = Policy(
        base_url=options.base_url,
        timeout=options.request_timeout,
        attempt_timeout=options.attempt_timeout,
        max_retries=options.max_retries,
        retry_base_delay=options.retry_base_delay,
        hooks=tuple(hooks),
        user_agent=USER_AGENT,
    )
    return Session(policy, FAMILY, clock, tokens)


class MilkywayPaymentsClient(SyncClient, MilkywayPayments[Sync]):
    """Calls the API and blocks. Safe to share between threads, across forks, and picklable.

    Every failure is a `MilkywayApiError` that says in `outcome` whether the call may have been carried out; arguments
    that cannot be sent raise `InvalidRequestError`, a `ValueError`.
    """

    options: MilkywayOptions

    def __init__(
        self,
        options: MilkywayOptions,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client; nothing is sent yet.

        `session` and `token_session`: the caller's own `Transport` or `httpx2.Client` for the API and for the token
        endpoint (by default one pool of Bursar's for both); they stay the caller's to close. `hooks` are told about
        each attempt.
        """
        token_transport = None if token_session is None else blocking(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(options, given, shared)

    @property
    def raw(self) -> MilkywayPayments[RawSync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayPayments(RawCaller(self._calls.reply))

    def wait_for_completion(
        self, transaction_id: int, poll_options: PollOptions | None = None
    ) -> PostcheckResult:
        """Poll until the payment is terminal; on running out of time return the last status with `timed_out` set."""
        session = self._calls.session
        return self._calls.run(
            until_terminal(
                transaction_id, poll_options or PollOptions(), session.clock, session.policy.timeout
            )
        )


class AsyncMilkywayPaymentsClient(AsyncClient, MilkywayPayments[Async]):
    """The asynchronous twin of `MilkywayPaymentsClient`; may be used in several event loops, one after another."""

    options: MilkywayOptions

    def __init__(
        self,
        options: MilkywayOptions,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client; nothing is sent yet.

        `session` and `token_session`: the caller's own `AsyncTransport`, `httpx2.AsyncClient` or
        `aiohttp.ClientSession`; a `token_provider` may return an awaitable.
        """
        token_transport = None if token_session is None else asynchronous(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(options, given, shared)

    @property
    def raw(self) -> MilkywayPayments[RawAsync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayPayments(RawCaller(self._calls.reply))

    async def wait_for_completion(
        self, transaction_id: int, poll_options: PollOptions | None = None
    ) -> PostcheckResult:
        """Poll until the payment is terminal; on running out of time return the last status with `timed_out` set."""
        session = self._calls.session
        return await self._calls.run(
            until_terminal(
                transaction_id, poll_options or PollOptions(), session.clock, session.policy.timeout
            )
        )
