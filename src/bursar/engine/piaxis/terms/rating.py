"""A term that the customer's rating meets."""

from __future__ import annotations

from typing import ClassVar

from bursar.engine.piaxis.errors import Kind, Loc, Refusal
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import Data, Evidence, Opened, Progress, TermKind


class RatingThreshold(TermKind):
    """`minimum_rating`, 1 to 5. A rating below it is kept, does not meet the term, and can be given anew."""

    action: ClassVar[str] = "Rate the transaction"
    done: ClassVar[str] = "Rating accepted"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check the threshold."""
        fields.number(data, "minimum_rating", at, 1, 5)
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Take the customer's rating. Raises `Refusal` for the merchant's own."""
        if evidence.role != evidence.customer:
            message = f"the {evidence.customer} rates: name or prove him in user_info"
            raise Refusal(Kind.FORBIDDEN, "OTHER_PARTY_REQUIRED", message)
        rating = fields.number(evidence.data, "rating", fields.GIVEN, 1, 5)
        return Progress({"rating": rating}, met=rating >= fields.number(data, "minimum_rating", (), 1, 5))
