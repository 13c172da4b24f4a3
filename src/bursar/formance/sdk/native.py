"""The native clients behind an SDK."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin

from bursar.client.transport import AsyncTransport, Transport
from bursar.contract import BaseEndpoint, Secret
from bursar.formance.client import AsyncFormance, Formance
from bursar.formance.options import FormanceOptions

from .borrowed import async_transport, transport
from .models.shared import TOKENS_AT, Security
from .settings import AttemptLog, Logger, patience
from .surface import OPEN
from .types import Unset
from .utils.retries import RetryConfig

_CLIENTS_MAX: Final = 16
"""Native clients kept: one for each server and credentials in use."""


class Target(NamedTuple):
    """Where calls go, and as whom."""

    url: str
    client_id: str | None = None
    client_secret: Secret | None = None
    token_url: str | None = None


class CallSettings(NamedTuple):
    """What a call is made with beside its request."""

    retries: RetryConfig | Unset | None
    server_url: str | None
    timeout_ms: int | None
    http_headers: Mapping[str, str] | None


class Native:
    """The native clients behind an SDK, and what it was told about calls."""

    def __init__(
        self,
        security: Security | Callable[[], Security] | None,
        url: str,
        carriers: tuple[object | None, object | None],
        defaults: tuple[RetryConfig | Unset | None, int | None],
        logger: Logger | None,
    ) -> None:
        self._security = security
        self._url = url
        self._borrowed = carriers
        self._retries, self._timeout_ms = defaults
        self._hooks = () if logger is None else (AttemptLog(logger),)
        self._transport: Transport | None = None
        self._async_transport: AsyncTransport | None = None
        self._clients: dict[tuple[type, Target], Any] = {}
        self._lock = threading.Lock()
        """Held while transports and clients are made: first calls may come from several threads."""

    def blocking(self, endpoint: BaseEndpoint, settings: CallSettings, extra: Mapping[str, str]) -> Any:
        """Return what makes blocking calls with these settings."""
        with self._lock:
            if self._transport is None:
                self._transport = transport(self._borrowed[0])
        return self._caller(Formance, self._transport, endpoint, settings, extra)

    def asynchronous(self, endpoint: BaseEndpoint, settings: CallSettings, extra: Mapping[str, str]) -> Any:
        """Return what makes asynchronous calls with these settings."""
        with self._lock:
            if self._async_transport is None:
                self._async_transport = async_transport(self._borrowed[1])
        return self._caller(AsyncFormance, self._async_transport, endpoint, settings, extra)

    def _caller(
        self,
        kind: type[Any],
        session: object,
        endpoint: BaseEndpoint,
        settings: CallSettings,
        extra: Mapping[str, str],
    ) -> Any:
        own_token = any(name.lower() == "authorization" for name in extra)
        target = self._target(settings.server_url, secured=endpoint.name not in OPEN and not own_token)
        client = self._client(kind, session, target)
        retries = self._retries if isinstance(settings.retries, Unset) else settings.retries
        timeout_ms = self._timeout_ms if settings.timeout_ms is None else settings.timeout_ms
        changes: dict[str, Any] = patience(retries, timeout_ms)
        agent = [name for name in extra if name.lower() == "user-agent"]
        if agent:
            changes["user_agent"] = extra[agent[0]]
        added = {name: value for name, value in extra.items() if name not in agent}
        return client.with_options(headers=added, **changes).raw.caller

    def _client(self, kind: type[Any], session: object, target: Target) -> Any:
        with self._lock:
            client = self._clients.get((kind, target))
            if client is None:
                if len(self._clients) >= _CLIENTS_MAX:
                    del self._clients[next(iter(self._clients))]
                options = FormanceOptions(
                    target.url, target.client_id, target.client_secret, target.token_url
                )
                client = kind(options, session=session, hooks=self._hooks)
                self._clients[kind, target] = client
            return client

    def _target(self, server_url: str | None, *, secured: bool) -> Target:
        url = (server_url or self._url).rstrip("/")
        security = self._security() if callable(self._security) else self._security
        if not secured or security is None or security.client_id is None or security.client_secret is None:
            return Target(url)
        tokens = urljoin(url, security.token_url or TOKENS_AT)
        return Target(url, security.client_id, Secret(security.client_secret), tokens)

    def close(self) -> None:
        """Release Bursar's own connections of blocking calls."""
        if self._transport is not None and self._borrowed[0] is None:
            self._transport.close()

    async def aclose(self) -> None:
        """Release Bursar's own connections of asynchronous calls."""
        if self._async_transport is not None and self._borrowed[1] is None:
            await self._async_transport.aclose()
