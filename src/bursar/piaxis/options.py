"""Where the Piaxis API is and how to call it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

from bursar.contract import InvalidRequestError, Secret
from bursar.contract.url import base_url

from .models.oauth import Tokens

DEFAULT_BASE_URL: Final = "https://api.gopiaxis.com/api"
CREDENTIALS: Final = frozenset({"api-key", "authorization", "x-piaxis-client-id"})
"""Header fields that say who calls."""
_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)


class RequestOptions(TypedDict, total=False):
    """What one call does otherwise: more header fields, another timeout in seconds."""

    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class TokenRefresh:
    """How a client renews its user's access token when the API refuses it (PC25).

    The refresh token is good for one use: `on_refresh` is given each new pair, before it is used; keep it.
    """

    refresh_token: str | Secret = field(repr=False)
    client_id: str
    client_secret: str | Secret = field(repr=False)
    on_refresh: Callable[[Tokens], None] | None = None


@dataclass(frozen=True, slots=True)
class ErrorReporting:
    """What to tell the server about failures. Off unless a client is given one of these (B11).

    Attributes:
        endpoint: another address; None: ``/monitoring/client-errors`` beside the API.
        include_stack: send the traceback too.
        metadata: sent with each report.
        enabled: False switches it off again.
    """

    endpoint: str | None = None
    include_stack: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    enabled: bool = True


class Settings(TypedDict, total=False):
    """The fields of `PiaxisOptions` as keyword arguments."""

    api_key: str | Secret | None
    access_token: str | Secret | None
    piaxis_client_id: str | None
    base_url: str
    timeout: float
    app_name: str | None
    app_version: str | None
    max_retries: int
    retry_base_delay: float
    attempt_timeout: float | None
    refresh: TokenRefresh | None
    error_reporting: ErrorReporting | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PiaxisOptions:
    """Where the API is and how to call it. Times in seconds. The first seven are the vendor's.

    Attributes:
        api_key: the merchant's key.
        access_token: a user's token, for ``piaxis_external``; with or without ``Bearer``.
        piaxis_client_id: sent as ``X-piaxis-Client-ID``.
        base_url: API root, https unless the host is loopback; a path prefix is kept.
        timeout: bounds one whole call: waiting for a connection, attempts, pauses, body.
        app_name: who calls, sent as ``x-piaxis-sdk-client``.
        app_version: its version.
        max_retries: how often a call that may be repeated is sent again.
        retry_base_delay: the first pause before a retry; doubles each time, with jitter.
        attempt_timeout: bounds one attempt inside `timeout`; None: an attempt may take all that is left.
        refresh: how to renew the access token; None: it is used until it is refused.
        error_reporting: what to tell the server about failures; None: nothing.
    """

    api_key: str | Secret | None = field(default=None, repr=False)
    access_token: str | Secret | None = field(default=None, repr=False)
    piaxis_client_id: str | None = None
    base_url: str = DEFAULT_BASE_URL
    timeout: float = 30.0
    app_name: str | None = None
    app_version: str | None = None
    max_retries: int = 3
    retry_base_delay: float = 0.5
    attempt_timeout: float | None = None
    refresh: TokenRefresh | None = None
    error_reporting: ErrorReporting | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **overrides: Any) -> PiaxisOptions:
        """Read the environment, or `env` alone; `overrides` win.

        ``PIAXIS_API_KEY``, ``PIAXIS_ACCESS_TOKEN``, ``PIAXIS_CLIENT_ID`` (or ``PIAXIS_OAUTH_CLIENT_ID``),
        ``PIAXIS_API_BASE_URL``; an empty one counts as absent. Raises `ValueError` without a credential (PC08).
        """
        source: Mapping[str, str] = os.environ if env is None else env
        read: dict[str, Any] = {
            "api_key": source.get("PIAXIS_API_KEY") or None,
            "access_token": source.get("PIAXIS_ACCESS_TOKEN") or None,
            "piaxis_client_id": source.get("PIAXIS_CLIENT_ID")
            or source.get("PIAXIS_OAUTH_CLIENT_ID")
            or None,
            "base_url": source.get("PIAXIS_API_BASE_URL") or DEFAULT_BASE_URL,
            **overrides,
        }
        if not read["api_key"] and not read["access_token"]:
            raise InvalidRequestError("set PIAXIS_API_KEY or PIAXIS_ACCESS_TOKEN", "api_key")
        return cls(**read)

    def headers(self) -> dict[str, str]:
        """Return what is sent with each call; the token only where nothing renews it."""
        named = f"{self.app_name}/{self.app_version}" if self.app_version else self.app_name
        given = {
            "Accept": "application/json",
            "api-key": _text(self.api_key),
            "Authorization": None if self.refresh or not self.access_token else f"Bearer {self.bearer()}",
            "X-piaxis-Client-ID": self.piaxis_client_id,
            "x-piaxis-sdk-client": named,
        }
        return {name: value for name, value in given.items() if value}

    def bearer(self) -> str:
        """Return the access token without ``Bearer``, however often and in whichever case it was given (PC04)."""
        token = (_text(self.access_token) or "").strip()
        while (prefix := _BEARER.match(token)) is not None:
            token = token[prefix.end() :]
        return token

    def root_url(self) -> str:
        """Return the base URL without ``/api``: webhook endpoints and reports are there."""
        return base_url(self.base_url).removesuffix("/api")


def _text(value: str | Secret | None) -> str | None:
    return value.reveal() if isinstance(value, Secret) else value
