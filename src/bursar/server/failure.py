"""What a request is refused with, before an API gives it a shape of its own."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence

from bursar.contract.http import Response
from bursar.engine.errors import FieldError

_log = logging.getLogger("bursar.server")


class Failure(Exception):
    """A request that is answered with an error status.

    Attributes:
        status: the HTTP status.
        message: what is wrong, for the caller's eyes.
        errors: what is wrong at which place of the body, when known (D15).
        code: a machine-readable name, when the API has one.
        headers: header fields that go with the status, for example ``allow``.
        plain: whether it is answered as plain text instead of in the API's envelope.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[FieldError] = (),
        code: str = "",
        headers: Sequence[tuple[str, str]] = (),
        plain: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = tuple(errors)
        self.code = code
        self.headers = tuple(headers)
        self.plain = plain


Translate = Callable[[Exception], Failure | None]
"""How an API answers a domain error; None for one that it does not expect."""

Render = Callable[[Failure], Response]
"""How an API writes a failure."""


def unexpected(request_id: str, error: BaseException) -> Failure:
    """Log a programming error once, and return the 500 that answers it.

    The log has the place and the type but not the exception's text, which may quote what the caller sent (MS71).
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    name = type(error).__qualname__
    _log.error("request %s failed with %s\n%s", request_id, name, frames, extra={"fields": {"error": name}})
    return Failure(500, f"internal error, reported as request {request_id}", code="internal")


def challenge(realm: str, *, error: str = "", description: str = "") -> tuple[str, str]:
    """Return the ``WWW-Authenticate`` field of a refused bearer token (RFC 6750 section 3)."""
    parts = [f'Bearer realm="{realm}"']
    if error:
        parts.append(f'error="{error}"')
    if description:
        parts.append(f'error_description="{description}"')
    return "www-authenticate", ", ".join(parts)
