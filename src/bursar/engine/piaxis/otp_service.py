"""The OTP group as methods."""

from __future__ import annotations

from bursar.engine.core import Core
from bursar.engine.piaxis import otp
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Issue
from bursar.engine.piaxis.otp import Codes
from bursar.piaxis.models.otp import OtpSent, RequestOtp, VerificationMethods


class OtpService:
    """Serves merchants whose payers have no account."""

    def __init__(self, core: Core, codes: Codes) -> None:
        self._core = core
        self._codes = codes

    async def request_otp(self, caller: Caller, payload: RequestOtp) -> OtpSent:
        """Send a code to a payer. Raises `InvalidRequest` without contact, `Refusal` if asked too often (PS20-PS23)."""
        contacts = [contact for contact in (payload.phone_number, payload.email) if contact is not None]
        if not contacts:
            message = "email or phone_number is required"
            raise InvalidRequest(
                [Issue(("body", name), message, "missing") for name in ("email", "phone_number")]
            )
        code = await self._core.submit(lambda view: self._codes.issue(view, caller.merchant, contacts))
        self._codes.send(contacts, code)
        return OtpSent(
            verification_methods=VerificationMethods(
                email_sent=payload.email is not None, phone_sent=payload.phone_number is not None
            ),
            expires_in=otp.EXPIRES_IN,
            otp=code if self._codes.sandbox else None,
        )
