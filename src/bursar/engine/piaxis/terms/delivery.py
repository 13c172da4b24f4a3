"""Confirming a delivery, by the method that was agreed."""

from __future__ import annotations

from typing import ClassVar, Final

from bursar.engine.piaxis.errors import Kind, Loc, Refusal, invalid
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import Data, Evidence, Opened, Progress, TermKind

METHODS: Final = ("code", "confirmation", "scan", "signature", "photo")
_BY_CODE: Final = ("code", "scan")
_DEADLINES: Final = ("deadline", "confirmation_deadline")


class DeliveryConfirmation(TermKind):
    """`confirmation_method`, and perhaps a `deadline`.

    code, scan: the term's own `code`, given at creation and never shown; without one, an OTP of the customer's.
    confirmation: the customer says so. signature, photo: a reference to it is kept.
    """

    action: ClassVar[str] = "Confirm the delivery"
    done: ClassVar[str] = "Delivery confirmed"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check method and deadline, and take the code out."""
        method = _method(data, at)
        self._deadline(data, at)
        code = fields.optional_text(data, "code", at)
        if code is not None and method not in _BY_CODE:
            raise invalid((*at, "code"), f"a code needs confirmation_method code or scan, not {method}")
        shown = {name: value for name, value in data.items() if name != "code"}
        return Opened(shown, code)

    def expires_at(self, data: Data) -> int | None:
        """Return the deadline."""
        return self._deadline(data, ())

    def needs_otp(self, data: Data) -> bool:
        """Whether the customer's OTP is the code, when the term has none of its own."""
        return data["confirmation_method"] in _BY_CODE

    def secret(self, given: Data) -> str:
        """Return the code that is tried."""
        return fields.text(given, "code", fields.GIVEN)

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Met by the agreed method; a code was compared before."""
        agreed = data["confirmation_method"]
        method = _method(evidence.data, fields.GIVEN)
        if method != agreed:
            place = (*fields.GIVEN, "confirmation_method")
            raise invalid(place, f"the agreed confirmation_method is {agreed}", "enum")
        if method == "confirmation" and evidence.role != evidence.customer:
            message = f"the {evidence.customer} confirms the delivery: name or prove him in user_info"
            raise Refusal(Kind.FORBIDDEN, "OTHER_PARTY_REQUIRED", message)
        if method in ("signature", "photo"):
            return Progress({method: fields.text(evidence.data, method, fields.GIVEN)}, met=True)
        return Progress({}, met=True)

    @staticmethod
    def _deadline(data: Data, at: Loc) -> int | None:
        name = next((name for name in _DEADLINES if data.get(name) is not None), None)
        return None if name is None else fields.time(data, name, at)


def _method(data: Data, at: Loc) -> str:
    method = fields.text(data, "confirmation_method", at)
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise invalid((*at, "confirmation_method"), f"confirmation_method is one of {known}", "enum")
    return method
