"""Telling the server about failures, when a client is asked to (B11). What may be personal is taken out (PC92)."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from typing import Any, Final

from bursar.client import Flow, Send
from bursar.contract import ApiError, BaseEndpoint, BursarError, Request
from bursar.contract.json import dumps
from bursar.contract.url import base_url

from .models.monitoring import ClientErrorReport
from .options import ErrorReporting, PiaxisOptions

TIMEOUT: Final = 2.0
# Electronic mail addresses, and runs of digits as in phone numbers, one-time passwords and account numbers.
_PERSONAL = re.compile(r"[^\s@\"'<>()]+@[^\s@\"'<>()]+|\+?\d(?:[\d\s().-]*\d)?")
_SHORT: Final = 3
"""So many digits tell nothing about anybody: a status stays readable."""

Report = Callable[[ApiError, BaseEndpoint], Flow[None]]


def reporter(options: PiaxisOptions, user_agent: str) -> Report | None:
    """Return what tells the server about a failure; None where nothing is to be told."""
    settings = options.error_reporting
    if settings is None or not settings.enabled:
        return None
    default = f"{options.root_url()}/monitoring/client-errors"
    url = default if settings.endpoint is None else base_url(settings.endpoint, what="endpoint")
    named = f"{options.app_name}/{options.app_version}" if options.app_version else options.app_name
    headers = (
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("User-Agent", user_agent),
    )

    def report(error: ApiError, endpoint: BaseEndpoint) -> Flow[None]:
        try:
            body = dumps(_told(error, endpoint, settings, named or "piaxis-python-sdk"))
            yield Send(Request("POST", url, headers, body), TIMEOUT)
        except BursarError:
            return  # the call's own error is what matters

    return report


def _told(error: ApiError, endpoint: BaseEndpoint, settings: ErrorReporting, named: str) -> ClientErrorReport:
    stack = "".join(traceback.format_exception(error)) if settings.include_stack else None
    facts: dict[str, Any] = {
        **settings.metadata,
        "method": endpoint.description.verb,
        "status": error.status_code,
        "code": getattr(error, "code", None),
        "request_id": error.request_id,
    }
    return ClientErrorReport(
        source="python_sdk",
        severity="warning" if 0 < error.status_code < 500 else "error",
        name=type(error).__name__[:255],
        message=impersonal(error.message)[:4000],
        stack=None if stack is None else impersonal(stack)[:20000],
        path=endpoint.description.path[:512],
        platform="python",
        user_agent=named[:255],
        metadata=facts,
    )


def impersonal(text: str) -> str:
    """Return a text without mail addresses and without longer runs of digits."""
    return _PERSONAL.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    if "@" in text:
        return "***"
    return text if sum(character.isdigit() for character in text) <= _SHORT else "***"
