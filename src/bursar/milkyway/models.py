"""What goes over the wire of the MilkyWay Payments API.

Amounts, rates and commissions are `Decimal` with the digits they have on the wire; a rate is debit units for one
credit unit. The *credit party* is the caller's own institution (named by its token, never sent), the *debit party*
the recipient's bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from bursar.contract import InvalidRequestError, Model, OpenIntEnum, Secret

Text = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"\S")]
"""A name or id: not blank, at most 255 characters."""
Currency = Annotated[str, Meta(max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217 code")]
TransactionId = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class TransactionStatus(OpenIntEnum):
    """Where a payment is in its life. An integer this version does not know is kept, with `is_known` False."""

    PENDING = 0
    DONE = 1
    CANCELLED = 2
    FAILED = 3
    CANCEL_PENDING = 4
    STUCK = 5

    def is_terminal(self) -> bool:
        """True when nothing moves the payment by itself any more: DONE, CANCELLED, FAILED and STUCK."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {
        TransactionStatus.DONE,
        TransactionStatus.CANCELLED,
        TransactionStatus.FAILED,
        TransactionStatus.STUCK,
    }
)


class PrecheckRequest(Model, omit_defaults=True):
    """A quote asked for. It creates nothing.

    `data` holds what the service's JSON Schema asks for; None leaves it out, an empty mapping is sent as ``{}``.
    """

    third_party_id_debit: Text
    service_id: Text
    recipient_id: Text
    amount_credit: Decimal
    """More than zero, in units of `currency_credit` (not minor units)."""
    currency_credit: Currency
    data: Mapping[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"data"})

    def validate(self) -> None:
        """Refuse an amount that is not above zero (MC15, MS19)."""
        if self.amount_credit <= 0:
            raise InvalidRequestError("amount_credit must be > 0", "/amount_credit")


class PayRequest(Model, omit_defaults=True):
    """A payment to make; the fields of `PrecheckRequest` and who sends."""

    third_party_id_debit: Text
    service_id: Text
    sender_id: Text
    recipient_id: Text
    amount_credit: Decimal
    """More than zero, in units of `currency_credit` (not minor units)."""
    currency_credit: Currency
    data: Mapping[str, Any] | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"data"})

    def validate(self) -> None:
        """Refuse an amount that is not above zero (MC15, MS19)."""
        if self.amount_credit <= 0:
            raise InvalidRequestError("amount_credit must be > 0", "/amount_credit")


class PrecheckResult(Model):
    """A quote. The markup is inside `rate`; `commission` comes on top of `amount_credit`, in the credit currency."""

    third_party_id: str | None
    service_id: str | None
    recipient_id: str | None
    amount_credit: Decimal
    currency_credit: str | None
    amount_debit: Decimal
    currency_debit: str | None
    rate: Decimal
    commission: Decimal


class PostcheckResult(Model, omit_defaults=True):
    """The state of a payment. `error` is there only when the payment failed or is stuck.

    `timed_out` is set by `wait_for_completion` when its time ran out before a terminal status (MC71).
    """

    transaction_id: int
    status: TransactionStatus
    error: str | None = None

    @property
    def timed_out(self) -> bool:
        """True when a wait gave up on this status; never set by `postcheck`."""
        return bool(self.__dict__.get("gave_up", False))

    def mark_timed_out(self) -> PostcheckResult:
        """Remember that the wait gave up on this status."""
        vars(self)["gave_up"] = True
        return self


class CancelResult(Model):
    """The status that a payment has after a cancellation was asked for."""

    status: TransactionStatus


@dataclass(slots=True)
class PollOptions:
    """How `wait_for_completion` polls. All times in seconds."""

    initial_delay: float = 1.0
    max_delay: float = 30.0
    backoff_multiplier: float = 2.0
    timeout: float = 300.0


@dataclass(slots=True)
class MilkywayOptions:
    """Where the API is and how to call it. Times in seconds.

    Attributes:
        base_url: API root, https unless the host is loopback; a path prefix is kept.
        token_url: Keycloak token endpoint, same rule.
        client_id: the institution's client.
        client_secret: its secret; never shown by `repr`.
        scope: OAuth scope, left out when blank.
        token_refresh_skew: a token is not used in its last so many seconds (at most a tenth of its life).
        request_timeout: bounds one whole call: token, waiting for a connection, attempts, pauses, body.
        max_retries: how often a call that may be repeated is sent again.
        retry_base_delay: the first pause before a retry; doubles each time, with jitter.
        attempt_timeout: bounds one attempt inside `request_timeout`; None: an attempt may take all that is left.
    """

    base_url: str
    token_url: str
    client_id: str
    client_secret: str | Secret = field(repr=False)
    scope: str | None = None
    token_refresh_skew: float = 30.0
    request_timeout: float = 30.0
    max_retries: int = 3
    retry_base_delay: float = 0.5
    attempt_timeout: float | None = None

    def validate(self) -> None:
        """Raise `ValueError` for a missing or impossible setting."""
        for name in ("base_url", "token_url", "client_id", "client_secret"):
            value = getattr(self, name)
            text = value.reveal() if isinstance(value, Secret) else value
            if not (isinstance(text, str) and text.strip()):
                raise InvalidRequestError(f"{name} is required.", name)
        if self.max_retries < 0:
            raise InvalidRequestError("max_retries cannot be negative.", "max_retries")
        for name in ("token_refresh_skew", "retry_base_delay"):
            if getattr(self, name) < 0:
                raise InvalidRequestError(f"{name} cannot be negative.", name)
        if not self.request_timeout > 0:
            raise InvalidRequestError("request_timeout must be more than 0 seconds.", "request_timeout")
