"""Piaxis: mobile-money checkout, escrow, disbursements, OAuth, webhooks.

The names of the vendor's ``piaxis_sdk`` package are all here, so switching means changing the import; the client has
an asynchronous twin besides. Models are in `bursar.piaxis.models`, receiving webhooks in `bursar.webhooks`.
"""

from bursar.contract import InvalidRequestError, Outcome

from .client import AsyncPiaxisClient, PiaxisClient
from .errors import (
    FieldError,
    PiaxisApiError,
    PiaxisAuthError,
    PiaxisConflictError,
    PiaxisInsufficientFundsError,
    PiaxisNotFoundError,
    PiaxisOAuthCallbackError,
    PiaxisRateLimitError,
    PiaxisServiceUnavailableError,
    PiaxisUnreadableAnswerError,
    PiaxisValidationError,
    PiaxisWaitTimeout,
)
from .oauth import AuthorizationCallback, parse_authorization_callback
from .options import DEFAULT_BASE_URL, ErrorReporting, PiaxisOptions, RequestOptions, TokenRefresh
from .security import PkcePair, generate_pkce_pair, verify_webhook_signature
from .waiting import PollOptions

__all__ = [
    "DEFAULT_BASE_URL",
    "AsyncPiaxisClient",
    "AuthorizationCallback",
    "ErrorReporting",
    "FieldError",
    "InvalidRequestError",
    "Outcome",
    "PiaxisApiError",
    "PiaxisAuthError",
    "PiaxisClient",
    "PiaxisConflictError",
    "PiaxisInsufficientFundsError",
    "PiaxisNotFoundError",
    "PiaxisOAuthCallbackError",
    "PiaxisOptions",
    "PiaxisRateLimitError",
    "PiaxisServiceUnavailableError",
    "PiaxisUnreadableAnswerError",
    "PiaxisValidationError",
    "PiaxisWaitTimeout",
    "PkcePair",
    "PollOptions",
    "RequestOptions",
    "TokenRefresh",
    "generate_pkce_pair",
    "parse_authorization_callback",
    "verify_webhook_signature",
]
