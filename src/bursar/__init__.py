"""Bursar: move money from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bursar.embedded import Engine

__version__ = "0.1.0"
__all__ = ["Engine", "__version__"]


def __getattr__(name: str) -> Any:
    # Late: a client needs no engine, which may not even be installed.
    if name != "Engine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bursar.embedded import Engine

    return Engine
