"""The one error of a delivery that is not to be trusted."""

from __future__ import annotations

from enum import StrEnum

from bursar.contract import BursarError


class Reason(StrEnum):
    """Why a delivery was refused; for logs, not for the answer."""

    MISSING = "missing"
    """A header field that the scheme needs is not there."""
    MALFORMED = "malformed"
    """A header field, or the body, does not have the documented form."""
    BAD_SIGNATURE = "bad_signature"
    """No signature fits any secret."""
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    """Signed for a time too far ahead of this machine's clock."""
    REPLAYED = "replayed"
    """This very delivery was accepted before."""
    TOO_LARGE = "too_large"


class WebhookVerificationError(BursarError, ValueError):
    """A delivery that is not to be trusted. Answer with 400; the message names no secret and quotes no input."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason
