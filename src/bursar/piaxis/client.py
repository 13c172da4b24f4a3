"""Clients of the Piaxis API: one that blocks, one that awaits."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, Self, Unpack

from bursar import __version__
from bursar.client import SYSTEM, AsyncClient, Clock, Given, Hook, Policy, RawCaller, Session, SyncClient
from bursar.contract import Async, RawAsync, RawSync, Sync

from .api import PiaxisApi, PiaxisContract
from .errors import FAMILY
from .options import PiaxisOptions, Settings
from .reporting import reporter
from .tokens import UserTokens

USER_AGENT = f"bursar/{__version__} (piaxis; Python {platform.python_version()})"


def session_for(options: PiaxisOptions, hooks: Sequence[Hook], clock: Clock) -> Session:
    """Return what all calls of a client share. Raises `InvalidRequestError` for bad options."""
    policy = Policy(
        base_url=options.base_url,
        timeout=options.timeout,
        attempt_timeout=options.attempt_timeout,
        max_retries=options.max_retries,
        retry_base_delay=options.retry_base_delay,
        headers=options.headers(),
        hooks=tuple(hooks),
        user_agent=USER_AGENT,
        routes={"/users": f"{options.root_url()}/users"},
    )
    tokens = None if options.refresh is None else UserTokens(options, options.refresh, clock, USER_AGENT)
    return Session(policy, FAMILY, clock, tokens, reporter(options, USER_AGENT))


def _chosen(options: PiaxisOptions | None, settings: Settings) -> PiaxisOptions:
    if options is None:
        return PiaxisOptions(**settings)
    if settings:
        raise TypeError("give the options as one object or as keyword arguments, not both")
    return options


class PiaxisClient(SyncClient, PiaxisApi[Sync]):
    """Calls the API and blocks. Safe to share between threads, across forks, and picklable.

    Every failure is a `PiaxisApiError` that says in `outcome` whether the call may have been carried out; arguments
    that cannot be sent raise `InvalidRequestError`, a `ValueError`.
    """

    options: PiaxisOptions

    def __init__(
        self,
        options: PiaxisOptions | None = None,
        *,
        session: object | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
        **settings: Unpack[Settings],
    ) -> None:
        """Make a client; nothing is sent yet.

        `settings` are the fields of `PiaxisOptions`, the vendor's among them; or give them as one object. `session`:
        the caller's own `Transport` or `httpx2.Client`, which stays the caller's to close. `hooks` are told about
        each attempt.
        """
        chosen = _chosen(options, settings)
        super().__init__(chosen, Given(session, None, None), session_for(chosen, hooks, clock))

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Make a client of the environment, or of `env` alone; see `PiaxisOptions.from_env`."""
        own = {name: overrides.pop(name) for name in ("session", "hooks", "clock") if name in overrides}
        return cls(PiaxisOptions.from_env(env, **overrides), **own)

    @property
    def raw(self) -> PiaxisContract[RawSync]:
        """The endpoints of the contract, each giving a `Reply` with the HTTP answer around the value."""
        return PiaxisContract(RawCaller(self._calls.reply))


class AsyncPiaxisClient(AsyncClient, PiaxisApi[Async]):
    """The asynchronous twin of `PiaxisClient`; may be used in several event loops, one after another."""

    options: PiaxisOptions

    def __init__(
        self,
        options: PiaxisOptions | None = None,
        *,
        session: object | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
        **settings: Unpack[Settings],
    ) -> None:
        """Make a client; nothing is sent yet.

        `session`: the caller's own `AsyncTransport`, `httpx2.AsyncClient` or `aiohttp.ClientSession`.
        """
        chosen = _chosen(options, settings)
        super().__init__(chosen, Given(session, None, None), session_for(chosen, hooks, clock))

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Make a client of the environment, or of `env` alone; see `PiaxisOptions.from_env`."""
        own = {name: overrides.pop(name) for name in ("session", "hooks", "clock") if name in overrides}
        return cls(PiaxisOptions.from_env(env, **overrides), **own)

    @property
    def raw(self) -> PiaxisContract[RawAsync]:
        """The endpoints of the contract, each giving a `Reply` with the HTTP answer around the value."""
        return PiaxisContract(RawCaller(self._calls.reply))
