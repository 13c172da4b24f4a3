"""What a call may do to the world, and what is known after it failed."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What repeating a call does; retry follows from it (RFC 9110 section 9.2)."""

    SAFE = "safe"
    """Reads only: may be repeated freely."""

    IDEMPOTENT = "idempotent"
    """Repeating it leaves the same state: may be repeated."""

    KEYED = "keyed"
    """Creates something: may be repeated only under one idempotency key; without a key it counts as `ONCE`."""

    ONCE = "once"
    """Creates something and takes no key: re-sent only if it provably never left."""


class Outcome(StrEnum):
    """What a failed call is known to have done at the server."""

    NOT_SENT = "not_sent"
    """Nothing reached the server: repeating is harmless."""

    REJECTED = "rejected"
    """The server refused: nothing was done."""

    UNKNOWN = "unknown"
    """The request left and no readable evidence came back: it may or may not have been carried out."""
