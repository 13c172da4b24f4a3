"""One-time passwords."""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, post
from bursar.piaxis.models.otp import OtpSent, RequestOtp

from .parameters import REFUSED


class Otp(Resource[C]):
    """Consent of payers without account."""

    @post("/request-otp", effect=Effect.ONCE, errors={**REFUSED, 429: "Too many for this contact."})
    def request_otp(self, payload: RequestOtp) -> OtpSent:
        """Send a customer a one-time password."""
        ...
