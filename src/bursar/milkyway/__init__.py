"""MilkyWay Payments: quote, make, track and cancel payments between banks.

The names of the vendor's ``milkyway_payments`` package are all here, so switching means changing the import; each
client has an asynchronous twin besides.
"""

from bursar.contract import InvalidRequestError, Outcome

from .client import (
    AsyncMilkywayPaymentsClient,
    KeycloakTokenProvider,
    MilkywayPaymentsClient,
    TokenProvider,
)
from .contract import MilkywayPayments
from .errors import (
    MilkywayApiError,
    MilkywayAuthError,
    MilkywayExposureBlockedError,
    MilkywayNotFoundError,
    MilkywayServiceUnavailableError,
    MilkywayUnreadableAnswerError,
    MilkywayValidationError,
)
from .models import (
    CancelResult,
    MilkywayOptions,
    PayRequest,
    PollOptions,
    PostcheckResult,
    PrecheckRequest,
    PrecheckResult,
    TransactionStatus,
)

__all__ = [
    "AsyncMilkywayPaymentsClient",
    "CancelResult",
    "InvalidRequestError",
    "KeycloakTokenProvider",
    "MilkywayApiError",
    "MilkywayAuthError",
    "MilkywayExposureBlockedError",
    "MilkywayNotFoundError",
    "MilkywayOptions",
    "MilkywayPayments",
    "MilkywayPaymentsClient",
    "MilkywayServiceUnavailableError",
    "MilkywayUnreadableAnswerError",
    "MilkywayValidationError",
    "Outcome",
    "PayRequest",
    "PollOptions",
    "PostcheckResult",
    "PrecheckRequest",
    "PrecheckResult",
    "TokenProvider",
    "TransactionStatus",
]
