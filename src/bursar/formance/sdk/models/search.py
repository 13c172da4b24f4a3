"""The vendor's models of the search service, by name."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from .catalogue import named

    return named("search", name)


def __dir__() -> list[str]:
    from .catalogue import names

    return [*names("search"), *globals()]
