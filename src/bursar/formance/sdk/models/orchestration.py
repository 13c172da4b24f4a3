"""The vendor's models of the orchestration service, by name."""

from __future__ import annotations

from typing import Any

from .errors import ServiceError


class Error(ServiceError):
    """The orchestration service refused a call; `data` says why."""


class V2Error(ServiceError):
    """The orchestration service refused a call; `data` says why."""


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("orchestration", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("orchestration"), *globals()]
