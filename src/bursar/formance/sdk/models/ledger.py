"""The vendor's models of the ledger, by name."""

from __future__ import annotations

from typing import Any

from .errors import ServiceError


class ErrorsErrorResponse(ServiceError):
    """The ledger refused a call; `data` says why."""


class ErrorsV2ErrorResponse(ServiceError):
    """The ledger refused a call; `data` says why."""


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("ledger", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("ledger"), *globals()]
