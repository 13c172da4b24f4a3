"""The vendor's models of the reconciliation service, by name."""

from __future__ import annotations

from typing import Any

from .errors import ServiceError


class ErrorsErrorResponse(ServiceError):
    """The reconciliation service refused a call; `data` says why."""


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("reconciliation", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("reconciliation"), *globals()]
