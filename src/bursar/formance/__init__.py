"""Formance: a client of the stack's services; the models of each are in its own module.

    from bursar.formance import Formance, FormanceOptions
    from bursar.formance.ledger.models import NewTransaction, Posting

    with Formance(FormanceOptions("http://127.0.0.1:8787/formance")) as client:
        client.ledger.v2.create_transaction("main", NewTransaction(postings=[Posting("world", "bank", 100, "USD/2")]))

A service is loaded when it is first used, and so is `SDK`, which has the surface of the vendor's own SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client import AsyncFormance, Formance, StaticToken, TokenProvider
from .errors import (
    ErrorCode,
    FormanceApiError,
    FormanceAuthError,
    FormanceBulkError,
    FormanceConflictError,
    FormanceImportError,
    FormanceInsufficientFundsError,
    FormanceNotFoundError,
    FormanceSchemaError,
    FormanceScriptError,
    FormanceTooLargeError,
    FormanceUnavailableError,
    FormanceUnreadableAnswerError,
    FormanceUnsupportedError,
    FormanceValidationError,
)
from .options import ALL_SCOPES, FormanceOptions

if TYPE_CHECKING:
    from .sdk import SDK

__all__ = [
    "ALL_SCOPES",
    "SDK",
    "AsyncFormance",
    "ErrorCode",
    "Formance",
    "FormanceApiError",
    "FormanceAuthError",
    "FormanceBulkError",
    "FormanceConflictError",
    "FormanceImportError",
    "FormanceInsufficientFundsError",
    "FormanceNotFoundError",
    "FormanceOptions",
    "FormanceSchemaError",
    "FormanceScriptError",
    "FormanceTooLargeError",
    "FormanceUnavailableError",
    "FormanceUnreadableAnswerError",
    "FormanceUnsupportedError",
    "FormanceValidationError",
    "StaticToken",
    "TokenProvider",
]


def __getattr__(name: str) -> Any:
    if name == "SDK":
        from .sdk import SDK

        return SDK
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
