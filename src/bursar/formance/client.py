"""Clients of a Formance stack: one that blocks, one that awaits."""

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
from bursar.client.discovery import DiscoveredTokens
from bursar.contract import Async, RawAsync, RawSync, Secret, Sync
from bursar.contract.url import base_url

from .api import FormanceApi
from .errors import FAMILY, FormanceAuthError
from .options import FormanceOptions

USER_AGENT = f"bursar/{__version__} (formance; Python {platform.python_version()})"
DISCOVERY_PATH = "/.well-known/openid-configuration"


class TokenProvider(Protocol):
    """Anything that gives access tokens; on an asynchronous client it may return an awaitable."""

    def get_access_token(self, force_refresh: bool = False) -> Any:
        """Return a token's text; a new one when the last was refused."""
        ...


class StaticToken:
    """Always the same token, for example out of the environment."""

    def __init__(self, token: str | Secret) -> None:
        self._token = Secret.of(token)

    def get_access_token(self, force_refresh: bool = False) -> str:
        """See `TokenProvider`."""
        return self._token.reveal()


def _tokens(
    options: FormanceOptions, provider: TokenProvider | None, transport: Any, clock: Clock
) -> TokenSource | None:
    if provider is not None:
        return ProvidedTokens(provider.get_access_token, clock)
    if options.client_id is None or options.client_secret is None:
        return None
    client_id, secret = options.client_id, Secret.of(options.client_secret)
    auth = _service_url(options, "auth")

    def manager(endpoint: str) -> TokenManager:
        credentials = Credentials(endpoint, client_id, secret, " ".join(options.scopes) or None)
        return TokenManager(
            credentials,
            auth_error=FormanceAuthError,
            clock=clock,
            skew=options.token_refresh_skew,
            user_agent=USER_AGENT,
            transport=transport,
        )

    if not options.discover_token_url:
        return manager(base_url(options.token_url or f"{auth}/oauth/token", what="token_url"))
    return DiscoveredTokens(
        auth + DISCOVERY_PATH,
        manager,
        auth_error=FormanceAuthError,
        clock=clock,
        user_agent=USER_AGENT,
        transport=transport,
    )


def _service_url(options: FormanceOptions, service: str) -> str:
    direct = options.service_urls.get(service)
    return base_url(options.base_url) + f"/api/{service}" if direct is None else base_url(direct)


def _session(
    options: FormanceOptions,
    provider: TokenProvider | None,
    transport: Any,
    hooks: Sequence[Hook],
    clock: Clock,
) -> Session:
    """Return what all calls of a client share. Raises `InvalidRequestError` for bad options."""
    options.validate()
    policy = Policy(
        base_url=base_url(options.base_url),
        timeout=options.timeout,
        attempt_timeout=options.attempt_timeout,
        max_retries=options.max_retries,
        retry_base_delay=options.retry_base_delay,
        headers=dict(options.headers),
        hooks=tuple(hooks),
        user_agent=USER_AGENT,
        routes={
            f"/api/{service}": base_url(url, what="service_urls")
            for service, url in options.service_urls.items()
        },
    )
    return Session(policy, FAMILY, clock, _tokens(options, provider, transport, clock))


class Formance(SyncClient, FormanceApi[Sync]):
    """Calls a stack and blocks. Safe to share between threads, across forks, and picklable.

    Every failure is a `FormanceApiError` that says in `outcome` whether the call may have been carried out; arguments
    that cannot be sent raise `InvalidRequestError`, a `ValueError`.
    """

    options: FormanceOptions

    def __init__(
        self,
        options: FormanceOptions | None = None,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client; nothing is sent yet.

        `session` and `token_session`: the caller's own `Transport` or `httpx2.Client` for the services and for the
        token endpoint (by default one pool of Bursar's for both); they stay the caller's to close. `hooks` are told
        about each attempt.
        """
        chosen = options or FormanceOptions()
        token_transport = None if token_session is None else blocking(token_session)
        shared = _session(chosen, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(chosen, given, shared)

    @property
    def raw(self) -> FormanceApi[RawSync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return FormanceApi(RawCaller(self._calls.reply))


class AsyncFormance(AsyncClient, FormanceApi[Async]):
    """The asynchronous twin of `Formance`; may be used in several event loops, one after another."""

    options: FormanceOptions

    def __init__(
        self,
        options: FormanceOptions | None = None,
        *,
        session: object | None = None,
        token_session: object | None = None,
        token_provider: TokenProvider | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client; nothing is sent yet.

        `session` and `token_session`: the caller's own `AsyncTransport`, `httpx2.AsyncClient` or
        `aiohttp.ClientSession`.
        """
        chosen = options or FormanceOptions()
        token_transport = None if token_session is None else asynchronous(token_session)
        shared = _session(chosen, token_provider, token_transport, hooks, clock)
        given = Given(session, token_session, token_provider)
        super().__init__(chosen, given, shared)

    @property
    def raw(self) -> FormanceApi[RawAsync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return FormanceApi(RawCaller(self._calls.reply))
