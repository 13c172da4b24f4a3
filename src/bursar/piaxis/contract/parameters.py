"""Parameters and meanings that several groups share."""

from __future__ import annotations

from typing import Annotated, Final

from bursar.contract import IdempotencyKey

Key = Annotated[str | None, IdempotencyKey("X-Idempotency-Key", mint=True)]
"""The idempotency key of a call that moves money (B9). A call without one gets a fresh UUID, the same on each attempt;
give your own, and keep it, to repeat the call later."""

INVALID: Final = "The request does not have the documented form, or breaks a rule of the service."
UNKNOWN: Final = "There is no such thing, or it belongs to another merchant."
STATE: Final = "The state it is in does not allow this."
MONEY: Final = "There is not enough money."
REFUSED: Final = {400: "A rule of the service is broken.", 422: INVALID}
ACTED: Final = {**REFUSED, 404: UNKNOWN, 409: STATE}
"""What may come of acting on something that exists."""
