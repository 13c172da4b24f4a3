"""The life of an escrow as one table: which state follows which, on what event (specification B5.4). Pure.

Anything not in the table is refused. What a state is called in answers is `SHOWN`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bursar.engine.piaxis.errors import Refusal, conflict


class State(StrEnum):
    """Where an escrow is."""

    AWAITING = "awaiting"
    """The money was asked for and has not come."""
    HELD = "held"
    DISPUTED = "disputed"
    """Money is held, and frozen until an operator decides."""
    RELEASED = "released"
    """Nothing is held any more, and some of it went to the receiver."""
    REVERSED = "reversed"
    """Nothing is held any more: all went back to the sender."""
    CANCELLED = "cancelled"
    """The money never came."""


class Event(StrEnum):
    """What happens to an escrow."""

    FUNDED = "be funded"
    FUNDING_FAILED = "fail to be funded"
    FULFIL = "have terms fulfilled"
    DISPUTE = "be disputed"
    DISMISS = "have a dispute dismissed"
    RELEASE = "be released"
    """Part of what is held goes to the receiver."""
    REVERSE = "be reversed"
    """Part of what is held goes back to the sender."""
    RESOLVE = "have a dispute resolved"
    """All that is held goes, to both sides as the operator said."""


NEXT: Final[Mapping[State, Mapping[Event, State]]] = {
    State.AWAITING: {
        Event.FUNDED: State.HELD,
        Event.FUNDING_FAILED: State.CANCELLED,
    },
    State.HELD: {
        Event.FULFIL: State.HELD,
        Event.RELEASE: State.HELD,
        Event.REVERSE: State.HELD,
        Event.DISPUTE: State.DISPUTED,
    },
    State.DISPUTED: {
        Event.FULFIL: State.DISPUTED,
        Event.DISMISS: State.HELD,
        Event.RESOLVE: State.HELD,
    },
    State.RELEASED: {},
    State.REVERSED: {},
    State.CANCELLED: {},
}
"""State x event -> state. An escrow that an event left HELD without money goes on at once: see `emptied`."""

FINAL: Final = frozenset({State.RELEASED, State.REVERSED, State.CANCELLED})
"""States that nothing leaves."""
FUNDED: Final = frozenset({State.HELD, State.DISPUTED})
"""States in which the escrow's accounts hold money."""

SHOWN: Final[Mapping[State, str]] = {
    State.AWAITING: "pending",
    State.HELD: "pending",
    State.DISPUTED: "disputed",
    State.RELEASED: "released",
    State.REVERSED: "reversed",
    State.CANCELLED: "cancelled",
}
"""The word of the wire: `pending` as long as something is held or awaited (E2)."""

_WHY: Final[Mapping[State, tuple[str, str]]] = {
    State.AWAITING: ("ESCROW_NOT_FUNDED", "its money has not come yet"),
    State.HELD: ("INVALID_STATE", "it is not disputed"),
    State.DISPUTED: ("ESCROW_DISPUTED", "it is disputed until an operator has decided"),
    State.RELEASED: ("INVALID_STATE", "it was released"),
    State.REVERSED: ("INVALID_STATE", "it was reversed"),
    State.CANCELLED: ("INVALID_STATE", "it was cancelled"),
}


def after(id: str, state: State, event: Event) -> State:
    """Return the state that follows. Raises `Refusal` for an edge that is not in the table."""
    following = NEXT[state].get(event)
    if following is None:
        raise refusal(id, state, event)
    return following


def refusal(id: str, state: State, event: Event) -> Refusal:
    """Return the refusal of an illegal edge."""
    reason, why = _WHY[state]
    return conflict(f"escrow {id} cannot {event}: {why}", reason)


def emptied(state: State, held: int, released: int) -> State:
    """Return the state once money has gone: an escrow without any is final (E2). Amounts in minor units."""
    if state is not State.HELD or held:
        return state
    return State.RELEASED if released else State.REVERSED
