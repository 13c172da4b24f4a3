"""The vendor's requests and answers of operations, by name."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("operations", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("operations"), *globals()]
