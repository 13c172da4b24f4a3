"""One-time passwords, with which a payer without account consents."""

from __future__ import annotations

from typing import ClassVar

from bursar.contract import InvalidRequestError

from .base import Answer, Email, Input, Phone


class RequestOtp(Input, kw_only=True):
    """Where to send the password: at least one of the two."""

    email: Email | None = None
    phone_number: Phone | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"email", "phone_number"})

    def validate(self) -> None:
        """Refuse neither (PC30)."""
        if self.email is None and self.phone_number is None:
            raise InvalidRequestError("email or phone_number is required", "/email")


class VerificationMethods(Answer, kw_only=True):
    """Where it went."""

    email_sent: bool
    phone_sent: bool


class OtpSent(Answer, kw_only=True):
    """A password is on its way. `expires_in` is in seconds; `otp` is there in the sandbox only."""

    verification_methods: VerificationMethods
    expires_in: int
    otp: str | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"otp"})
