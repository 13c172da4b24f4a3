"""From the vendor's settings of a call to those of a native client."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Protocol

from bursar.client.events import AttemptFinished, AttemptStarted, Event, RetryScheduled
from bursar.contract import BaseEndpoint, InvalidRequestError

from .types import Unset
from .utils.retries import RetryConfig

TIMEOUT: Final = 30.0
"""Seconds a call may take when nobody says otherwise."""
_RETRIES_MAX: Final = 1000
"""How often a call is repeated at most; time ends it before."""
_FIXED: Final = frozenset({"connection", "content-length", "content-type", "host", "transfer-encoding"})


class Logger(Protocol):
    """Something with the method of `logging.Logger`."""

    def debug(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a message."""
        ...


class AttemptLog:
    """Logs each attempt of a call: never a query, a header or a body."""

    def __init__(self, logger: Logger | logging.Logger) -> None:
        self._logger = logger

    def __call__(self, event: Event) -> None:
        """Tell of one event."""
        match event:
            case AttemptStarted():
                self._logger.debug(
                    "%s: request %d: %s %s", event.operation, event.attempt, event.method, event.path
                )
            case AttemptFinished():
                self._logger.debug(
                    "%s: answer %d: status %d in %.0f ms",
                    event.operation, event.attempt, event.status, event.elapsed * 1000,
                )  # fmt: skip
            case RetryScheduled():
                self._logger.debug("%s: again in %.2f s", event.operation, event.delay)


def patience(retries: RetryConfig | Unset | None, timeout_ms: int | None) -> dict[str, Any]:
    """Return how long a call may take and how often it is sent."""
    timeout = TIMEOUT if timeout_ms is None else timeout_ms / 1000
    if not isinstance(retries, RetryConfig) or retries.strategy != "backoff":
        return {"timeout": timeout, "attempt_timeout": None, "max_retries": 0}
    backoff = retries.backoff
    return {
        "timeout": timeout + backoff.max_elapsed_time / 1000,
        "attempt_timeout": timeout,
        "max_retries": _RETRIES_MAX,
        "retry_base_delay": backoff.initial_interval / 1000,
        "retry_max_delay": backoff.max_interval / 1000,
    }


def headers(
    given: Mapping[str, str], endpoint: BaseEndpoint, arguments: dict[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the headers that a call adds, and its arguments with those that are parameters.

    Raises `InvalidRequestError` for headers that belong to the connection or the body.
    """
    added: dict[str, str] = {}
    filled = dict(arguments)
    parameters = {param.wire_name.lower(): param.name for param in endpoint.params}
    for name, value in given.items():
        if name.lower() in _FIXED:
            raise InvalidRequestError(f"{name} cannot be set for a call", "http_headers")
        if name.lower() == "idempotency-key" and "idempotency-key" in parameters:
            filled[parameters["idempotency-key"]] = value
        else:
            added[name] = value
    return added, filled
