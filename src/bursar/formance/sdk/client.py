"""`SDK`: the vendor's surface over Bursar's clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from .contracts import operations
from .models.shared import Security
from .native import Native
from .operation import AsyncOperation, Operation, Service
from .sdkconfiguration import ServerEnvironment, server, templated
from .settings import Logger
from .surface import GROUPS
from .types import UNSET, Unset
from .utils.retries import RetryConfig


class SDK:
    """The vendor's SDK of a Formance stack, as far as its users see it, on Bursar's client.

    Meant for programs that move over: change the import. New programs say more with `bursar.formance.Formance`, whose
    calls are typed. What differs, and why, is in docs/migrating-from-formance-sdk.md.
    """

    auth: Service
    ledger: Service
    orchestration: Service
    payments: Service
    reconciliation: Service
    search: Service
    wallets: Service
    webhooks: Service

    def __init__(
        self,
        security: Security | Callable[[], Security] | None = None,
        environment: ServerEnvironment | str | None = None,
        organization: str | None = None,
        server_idx: int | None = None,
        url_params: Mapping[str, str] | None = None,
        server_url: str | None = None,
        client: object | None = None,
        async_client: object | None = None,
        retry_config: RetryConfig | Unset | None = UNSET,
        timeout_ms: int | None = None,
        debug_logger: Logger | None = None,
    ) -> None:
        """Make an SDK; nothing is sent yet.

        `security` may be a function that is asked before each call. `client` and `async_client` are the caller's own
        HTTP clients (`httpx`, `httpx2`, or any `HttpClient`), theirs to close. `timeout_ms` bounds a whole call, 30
        seconds by default. Without `retry_config` nothing is repeated. `debug_logger` is told of each attempt. Raises
        `InvalidRequestError`, a `ValueError`, at the first call for a URL that is neither https nor loopback.
        """
        url = (
            templated(server_url, url_params or {})
            if server_url
            else server(server_idx, environment, organization)
        )
        carriers, defaults = (client, async_client), (retry_config, timeout_ms)
        self._native = Native(security, url, carriers, defaults, debug_logger)
        for name in {group.partition(".")[0] for group in GROUPS} - {"sdk"}:
            setattr(self, name, Service(self._native, name))
        versions = operations("sdk")["get_versions"]
        self.get_versions: Operation = Operation(self._native, "sdk", versions)
        self.get_versions_async: AsyncOperation = AsyncOperation(self._native, "sdk", versions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._native.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._native.aclose()
