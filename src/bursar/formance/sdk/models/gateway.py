"""The vendor's models of the gateway, by name."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("gateway", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("gateway"), *globals()]
