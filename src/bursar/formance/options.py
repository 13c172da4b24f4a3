"""Where a Formance stack is and how to call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bursar.contract import InvalidRequestError, Secret

SERVICES: Final = (
    "auth",
    "ledger",
    "orchestration",
    "payments",
    "reconciliation",
    "search",
    "wallets",
    "webhooks",
)
"""The services of a stack, by the name in their path ``/api/<name>``."""
ALL_SCOPES: Final = tuple(f"{service}:{right}" for service in SERVICES for right in ("read", "write"))
"""What a client asks for unless told otherwise; a token gets those of them that the client has."""


@dataclass(slots=True)
class FormanceOptions:
    """Where a stack is and how to call it. Times in seconds.

    Attributes:
        base_url: root of the stack's gateway, https unless the host is loopback; a path prefix is kept.
        client_id: OAuth client; None: calls carry no token (or that of a token provider).
        client_secret: its secret; never shown by `repr`.
        token_url: token endpoint; None: ``<base_url>/api/auth/oauth/token``.
        discover_token_url: ask the auth service's discovery document for the token endpoint instead.
        scopes: what to ask for. A stack that checks scopes gives a token that asked for none no rights.
        service_urls: other roots by service name, for services called directly: a bare ledger at ``http://localhost:3068``
            is ``{"ledger": "http://localhost:3068"}``; its paths go without ``/api/ledger``.
        token_refresh_skew: a token is not used in its last so many seconds (at most a tenth of its life).
        timeout: bounds one whole call: token, waiting for a connection, attempts, pauses, body. A body that is streamed
            is not bounded as a whole: each read and each write is.
        max_retries: how often a call that may be repeated is sent again.
        retry_base_delay: the first pause before a retry; doubles each time, with jitter.
        attempt_timeout: bounds one attempt inside `timeout`; None: an attempt may take all that is left.
        headers: sent with each request, for example ``Formance-Bigint-As-String``.
    """

    base_url: str = "http://localhost"
    client_id: str | None = None
    client_secret: str | Secret | None = field(default=None, repr=False)
    token_url: str | None = None
    discover_token_url: bool = False
    scopes: Sequence[str] = ALL_SCOPES
    service_urls: Mapping[str, str] = field(default_factory=dict[str, str])
    token_refresh_skew: float = 30.0
    timeout: float = 30.0
    max_retries: int = 3
    retry_base_delay: float = 0.5
    attempt_timeout: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def validate(self) -> None:
        """Raise `InvalidRequestError`, a `ValueError`, for settings that do not go together."""
        if (self.client_id is None) != (self.client_secret is None):
            raise InvalidRequestError("client_id and client_secret belong together", "client_id")
        if self.client_id is not None and not self.client_id.strip():
            raise InvalidRequestError("client_id must not be blank", "client_id")
        if self.discover_token_url and self.token_url is not None:
            raise InvalidRequestError("token_url and discover_token_url exclude each other", "token_url")
        unknown = sorted(self.service_urls.keys() - set(SERVICES))
        if unknown:
            raise InvalidRequestError(f"unknown services: {', '.join(unknown)}", "service_urls")
        for name in ("token_refresh_skew", "retry_base_delay"):
            if getattr(self, name) < 0:
                raise InvalidRequestError(f"{name} cannot be negative", name)
