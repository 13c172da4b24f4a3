"""Clients of the MilkyWay Payments API: one that blocks, one that awaits."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self, TypeVar

from bursar import __version__
from bursar.client import (
    SYSTEM,
    AsyncCaller,
    Clock,
    Credentials,
    Hook,
    Policy,
    ProvidedTokens,
    RawCaller,
    Session,
    SyncCaller,
    TokenManager,
    TokenSource,
    asynchronous,
    blocking,
)
from bursar.client.drivers import Driver
from bursar.contract import Async, RawAsync, RawSync, Resource, Secret, Sync
from bursar.contract.url import base_url

from .contract import MilkywayPayments
from .errors import FAMILY, MilkywayAuthError
from .models import MilkywayOptions, PollOptions, PostcheckResult
from .polling import until_terminal

Client = TypeVar("Client", bound=Resource[Any])
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


class MilkywayPaymentsClient(MilkywayPayments[Sync]):
    """Calls the API and blocks. Safe to share between threads, across forks, and picklable.

    Every failure is a `MilkywayApiError` that says in `outcome` whether the call may have been carried out; arguments
    that cannot be sent raise `InvalidRequestError`, a `ValueError`.
    """

    _calls: SyncCaller

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
        self.options = options
        self._given = session, token_session, token_provider
        token_transport = None if token_session is None else blocking(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        self._calls = SyncCaller(shared, blocking(session))
        super().__init__(self._calls)

    @property
    def raw(self) -> MilkywayPayments[RawSync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayPayments(RawCaller(self._calls.reply))

    def with_options(self, **changes: Any) -> Self:
        """Return a client with other settings (of `bursar.client.Policy`) on the same connections and tokens."""
        return _derived(self, SyncCaller(_altered(self._calls.session, changes), self._calls.transport))

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

    def close(self) -> None:
        """Release connections that are Bursar's own."""
        if self._given[0] is None:
            self._calls.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.options, _settings(self._given, self._calls.session.policy))


class AsyncMilkywayPaymentsClient(MilkywayPayments[Async]):
    """The asynchronous twin of `MilkywayPaymentsClient`; may be used in several event loops, one after another."""

    _calls: AsyncCaller

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
        self.options = options
        self._given = session, token_session, token_provider
        token_transport = None if token_session is None else asynchronous(token_session)
        shared = session_for(options, token_provider, token_transport, hooks, clock)
        self._calls = AsyncCaller(shared, asynchronous(session))
        super().__init__(self._calls)

    @property
    def raw(self) -> MilkywayPayments[RawAsync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return MilkywayPayments(RawCaller(self._calls.reply))

    def with_options(self, **changes: Any) -> Self:
        """Return a client with other settings (of `bursar.client.Policy`) on the same connections and tokens."""
        return _derived(self, AsyncCaller(_altered(self._calls.session, changes), self._calls.transport))

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

    async def aclose(self) -> None:
        """Release connections that are Bursar's own."""
        if self._given[0] is None:
            await self._calls.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.options, _settings(self._given, self._calls.session.policy))


def _altered(session: Session, changes: Mapping[str, Any]) -> Session:
    return replace(session, policy=session.policy.altered(changes))


def _derived(client: Client, caller: Any) -> Client:
    derived = object.__new__(type(client))
    vars(derived).update(vars(client), caller=caller, _calls=caller)
    return derived


def _settings(given: tuple[Any, ...], policy: Policy) -> dict[str, Any]:
    """Return the settings that a pickled client takes along."""
    if any(part is not None for part in given):
        raise TypeError("a client with a session or token provider of the caller's cannot be pickled")
    return {name: getattr(policy, name) for name in Policy.__slots__ if name != "user_agent"}


def _revive(kind: Any, options: MilkywayOptions, settings: dict[str, Any]) -> Any:
    return kind(options).with_options(**settings)
