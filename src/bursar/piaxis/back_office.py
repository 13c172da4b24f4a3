"""Clients of the back office: one that blocks, one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bursar.client import (
    SYSTEM,
    AsyncClient,
    Clock,
    Credentials,
    Given,
    Hook,
    Policy,
    RawCaller,
    Session,
    SyncClient,
    TokenManager,
    asynchronous,
    blocking,
)
from bursar.client.transport import AsyncTransport, Transport
from bursar.contract import Async, C, RawAsync, RawSync, Secret, Sync
from bursar.contract.url import base_url

from .client import USER_AGENT
from .connections import PiaxisConnections
from .errors import FAMILY, PiaxisAuthError
from .operator import PiaxisOperator


class BackOffice(PiaxisOperator[C], PiaxisConnections[C]):
    """The whole back office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOptions:
    """Where the back office is, and an operator's credentials. Times in seconds.

    Attributes:
        base_url: for example ``http://127.0.0.1:8787/piaxis``.
        token_url: where the client gets its tokens, by client credentials.
        client_id: the operator's name in the audit trail.
        client_secret: its secret.
        timeout: bounds one whole call.
        max_retries: how often a call that may be repeated is sent again.
        retry_base_delay: the first pause before a retry; doubles each time, with jitter.
    """

    base_url: str
    token_url: str
    client_id: str
    client_secret: str | Secret = field(repr=False)
    timeout: float = 30.0
    max_retries: int = 3
    retry_base_delay: float = 0.5


def _session(
    options: OperatorOptions,
    token_transport: Transport | AsyncTransport | None,
    hooks: Sequence[Hook],
    clock: Clock,
) -> Session:
    secret = Secret.of(options.client_secret)
    tokens = TokenManager(
        Credentials(base_url(options.token_url, what="token_url"), options.client_id, secret, None),
        auth_error=PiaxisAuthError,
        clock=clock,
        user_agent=USER_AGENT,
        transport=token_transport,
    )
    policy = Policy(
        base_url=options.base_url,
        timeout=options.timeout,
        max_retries=options.max_retries,
        retry_base_delay=options.retry_base_delay,
        hooks=tuple(hooks),
        user_agent=USER_AGENT,
    )
    return Session(policy, FAMILY, clock, tokens)


class PiaxisOperatorClient(SyncClient, BackOffice[Sync]):
    """Calls the back office and blocks; errors and hooks are those of `PiaxisClient`."""

    options: OperatorOptions

    def __init__(
        self,
        options: OperatorOptions,
        *,
        session: object | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client with an operator's credentials; nothing is sent yet. `session`: also for tokens."""
        transport = None if session is None else blocking(session)
        super().__init__(options, Given(session, session, None), _session(options, transport, hooks, clock))

    @property
    def raw(self) -> BackOffice[RawSync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return BackOffice(RawCaller(self._calls.reply))


class AsyncPiaxisOperatorClient(AsyncClient, BackOffice[Async]):
    """The asynchronous twin of `PiaxisOperatorClient`."""

    options: OperatorOptions

    def __init__(
        self,
        options: OperatorOptions,
        *,
        session: object | None = None,
        hooks: Sequence[Hook] = (),
        clock: Clock = SYSTEM,
    ) -> None:
        """Make a client with an operator's credentials; nothing is sent yet. `session`: also for tokens."""
        transport = None if session is None else asynchronous(session)
        super().__init__(options, Given(session, session, None), _session(options, transport, hooks, clock))

    @property
    def raw(self) -> BackOffice[RawAsync]:
        """The same endpoints, each giving a `Reply` with the HTTP answer around the value."""
        return BackOffice(RawCaller(self._calls.reply))
