"""Refusals of the rail. They say what kind of refusal they are; only the server knows which HTTP status that is.

Shape errors of a request (422) are `InvalidRequest`, with one `Issue` for each place. Everything else is a `Refusal`
with a stable code for programs, and nothing has changed. `Counted` is the exception: a refusal whose trace stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, ClassVar, Final

from msgspec import Struct

from bursar.engine.errors import EngineError
from bursar.engine.view import View

Loc = tuple[str | int, ...]


class Kind(Enum):
    """Why something is refused, in the order in which it is looked at (E14)."""

    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    BAD_REQUEST = "bad request"
    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    NO_MONEY = "no money"
    TOO_MANY = "too many"


class Code:
    """The codes that the rail itself gives. An open set: escrows and OAuth add theirs."""

    CONTACT_REQUIRED: Final = "CONTACT_REQUIRED"
    DISABLED: Final = "ACCOUNT_DISABLED"
    IDEMPOTENCY_MISMATCH: Final = "IDEMPOTENCY_KEY_REUSED"
    INSUFFICIENT_FUNDS: Final = "INSUFFICIENT_FUNDS"
    INVALID_STATE: Final = "INVALID_STATE"
    MFA_INVALID: Final = "MFA_INVALID"
    MFA_REQUIRED: Final = "MFA_REQUIRED"
    NOT_FOUND: Final = "NOT_FOUND"
    OTP_EXPIRED: Final = "OTP_EXPIRED"
    OTP_INVALID: Final = "OTP_INVALID"
    OTP_LOCKED: Final = "OTP_LOCKED"
    OTP_REQUIRED: Final = "OTP_REQUIRED"
    OWNER_REQUIRED: Final = "OWNER_REQUIRED"
    RATE_LIMITED: Final = "RATE_LIMITED"
    RECIPIENT_MISMATCH: Final = "RECIPIENT_MISMATCH"
    USER_REQUIRED: Final = "USER_TOKEN_REQUIRED"


class Refusal(EngineError):
    """Something the rail does not do, with a `reason` for programs (the `code` of Piaxis' answers)."""

    code: ClassVar[str] = "PIAXIS_REFUSAL"

    def __init__(
        self, kind: Kind, reason: str, message: str, *, retry_after: int | None = None, **details: Any
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which trying again makes sense; None when waiting does not help."""
        self.details = details
        """More members for the answer, such as the terms that are not met."""


class Counted(Refusal):
    """A refusal that leaves a trace although the rest of its command is undone: a wrong code used up one try.

    `trace` runs in the same commit (see `submit.submit`).
    """

    def __init__(self, kind: Kind, reason: str, message: str, *, trace: Callable[[View], object]) -> None:
        super().__init__(kind, reason, message)
        self.trace = trace


class Issue(Struct, frozen=True):
    """What is wrong at one place of a request, in FastAPI's form: `loc` such as ("body", "recipients", 3, "amount")."""

    loc: Loc
    msg: str
    type: str = "value_error"


class InvalidRequest(EngineError):
    """A request whose form or values are not acceptable (422, PS101)."""

    code: ClassVar[str] = "INVALID_REQUEST"

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.msg for issue in issues))
        self.issues = tuple(issues)


def invalid(loc: Loc, msg: str, type: str = "value_error") -> InvalidRequest:
    """Return the refusal of one place of a request."""
    return InvalidRequest([Issue(loc, msg, type)])


def bad_request(reason: str, message: str) -> Refusal:
    """Return the refusal of a request that is well formed but cannot be meant."""
    return Refusal(Kind.BAD_REQUEST, reason, message)


def not_found(what: str, id: str) -> Refusal:
    """Return the refusal for an object that is not there, or not the caller's: the same for both (E15)."""
    return Refusal(Kind.NOT_FOUND, Code.NOT_FOUND, f"there is no {what} {id}")


def conflict(message: str, reason: str = Code.INVALID_STATE, **details: Any) -> Refusal:
    """Return the refusal of an action that the object's state does not allow (409)."""
    return Refusal(Kind.CONFLICT, reason, message, **details)


def no_money(message: str) -> Refusal:
    """Return the refusal for a wallet that cannot pay (402, E16)."""
    return Refusal(Kind.NO_MONEY, Code.INSUFFICIENT_FUNDS, message)
