"""The vendor's modules of models. Each is loaded when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        auth,
        errors,
        gateway,
        ledger,
        operations,
        orchestration,
        payments,
        reconciliation,
        search,
        shared,
        wallets,
        webhooks,
    )

__all__ = [
    "auth",
    "errors",
    "gateway",
    "ledger",
    "operations",
    "orchestration",
    "payments",
    "reconciliation",
    "search",
    "shared",
    "wallets",
    "webhooks",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
