"""The vendor's models of the payments service, by name."""

from __future__ import annotations

from typing import Any

from .errors import ServiceError


class PaymentsErrorResponse(ServiceError):
    """The payments service refused a call; `data` says why."""


class V3ErrorResponse(ServiceError):
    """The payments service refused a call; `data` says why."""


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("payments", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("payments"), *globals()]
