"""The vendor's models of the wallets service, by name."""

from __future__ import annotations

from typing import Any

from .errors import ServiceError


class ErrorResponse(ServiceError):
    """The wallets service refused a call; `data` says why."""


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("wallets", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("wallets"), *globals()]
