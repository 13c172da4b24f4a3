"""What every type of term says of itself. Pure: rows, clock and postings are `escrow_terms`' part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from msgspec import Struct

from bursar.engine.piaxis.errors import Loc, Refusal, conflict

Role = Literal["sender", "receiver"]
"""The side of an escrow: who pays in, and who is paid out."""
ROLES: Final[tuple[Role, Role]] = ("sender", "receiver")

Data = Mapping[str, Any]
"""JSON members; numbers with a fraction are Decimal."""


class Opened(Struct, frozen=True):
    """Checked create data: `data` is shown in answers; `secret` is not, and only its hash is stored."""

    data: dict[str, Any]
    secret: str | None = None


class Evidence(Struct, frozen=True):
    """What somebody brings to fulfil a term: the request's data, and for which side he speaks."""

    data: Data
    role: Role
    customer: Role
    """The side that is not the merchant: a buyer, or the beneficiary of a batch."""


class Progress(Struct, frozen=True):
    """How far a term is: `given` is kept for the next piece of evidence."""

    given: dict[str, Any]
    met: bool
    requires_other_party: bool | None = None
    """None for terms that one party fulfils alone."""


class TermKind:
    """A type of term; each family overrides what is its own.

    `action` says what somebody has to do next, `done` what a fulfilment answers once the term is met.
    """

    action: ClassVar[str] = ""
    done: ClassVar[str] = ""
    by_release: ClassVar[bool] = False
    """Met by the merchant's release itself (PS54)."""

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check create data; `at` is where it stands in the request. Raises `InvalidRequest`."""
        return Opened(dict(data))

    def expires_at(self, data: Data) -> int | None:
        """Return until when the data itself lets the term be fulfilled, in microseconds of engine time."""
        return None

    def due_at(self, data: Data, funded_at: int) -> int | None:
        """Return when the clock meets the term; None when it does not."""
        return None

    def secret(self, given: Data) -> str | None:
        """Return the secret that a fulfilment brings, for types that have one. Raises `InvalidRequest`."""
        return None

    def needs_otp(self, data: Data) -> bool:
        """Whether the secret is an OTP of the customer's rather than the term's own."""
        return False

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Weigh evidence; `given` is what came before. Raises `InvalidRequest` and `Refusal`."""
        raise NotImplementedError


class ByItself(TermKind):
    """A term that nobody fulfils by a call."""

    why: ClassVar[str] = ""

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Refuse."""
        raise self.refusal()

    def refusal(self) -> Refusal:
        """Return why there is nothing to fulfil."""
        return conflict(self.why, "TERM_NOT_FULFILLABLE")
