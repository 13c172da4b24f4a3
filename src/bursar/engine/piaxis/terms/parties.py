"""Terms that several people agree to: all of them, some of them, or one after another (PS73).

The merchant's key vouches for whom a call names; a call that proved to come from one side speaks for that side alone
(see `escrow_terms`).
"""

from __future__ import annotations

from typing import ClassVar

from bursar.engine import limits
from bursar.engine.piaxis.errors import Loc, conflict, invalid
from bursar.engine.piaxis.terms import fields
from bursar.engine.piaxis.terms.base import Data, Evidence, Opened, Progress, TermKind

MEMBERS = ("participant", "approver")
"""Members of a fulfilment's data that say who agrees; without them it is the side that calls."""


class All(TermKind):
    """`participants`: each of them agrees, in any order."""

    action: ClassVar[str] = "Every participant confirms"
    done: ClassVar[str] = "All participants confirmed"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check the participants."""
        fields.names(data, "participants", at)
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Take one participant's word; the last one's meets the term."""
        wanted = fields.names(data, "participants", ())
        agreed = _with(given, _known(evidence, wanted))
        met = set(wanted) <= set(agreed)
        return Progress({"agreed": agreed}, met, requires_other_party=not met)


class Meeting(All):
    """`participants` who confirm that they met."""

    action: ClassVar[str] = "Every participant confirms the meeting"
    done: ClassVar[str] = "Meeting confirmed"


class Threshold(TermKind):
    """`required` different approvals; if `participants` are named, by some of them."""

    action: ClassVar[str] = "Approvals are required"
    done: ClassVar[str] = "Enough approvals"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check that the threshold can be reached."""
        required = fields.whole(data, "required", at, 1, limits.ESCROW_PARTICIPANTS)
        if "participants" in data and required > len(fields.names(data, "participants", at)):
            raise invalid((*at, "required"), "more approvals are required than there are participants")
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Take one approval; the same approver counts once."""
        open_to = fields.names(data, "participants", ()) if "participants" in data else None
        agreed = _with(given, _known(evidence, open_to))
        met = len(agreed) >= fields.whole(data, "required", (), 1, limits.ESCROW_PARTICIPANTS)
        return Progress({"agreed": agreed}, met, requires_other_party=not met)


class Sequential(TermKind):
    """`order`: they approve one after another."""

    action: ClassVar[str] = "Approve in the agreed order"
    done: ClassVar[str] = "All approvals given in order"

    def opened(self, data: Data, at: Loc) -> Opened:
        """Check the order."""
        fields.names(data, "order", at)
        return Opened(dict(data))

    def fulfilled(self, data: Data, given: Data, evidence: Evidence) -> Progress:
        """Take the approval of whose turn it is. Raises `Refusal` out of turn (PS73)."""
        order = fields.names(data, "order", ())
        agreed = list(given.get("agreed", []))
        who = _known(evidence, order)
        if who not in agreed:
            if who != order[len(agreed)]:
                message = f"it is not {who}'s turn: {len(agreed)} of {len(order)} approvals are given"
                raise conflict(message, "OUT_OF_TURN")
            agreed.append(who)
        met = len(agreed) == len(order)
        return Progress({"agreed": agreed}, met, requires_other_party=not met)


def named(data: Data) -> tuple[str, str] | None:
    """Return the member that says who agrees, and its value; None without one. Raises `InvalidRequest`."""
    for name in MEMBERS:
        if name in data:
            return name, fields.text(data, name, fields.GIVEN)
    return None


def _known(evidence: Evidence, open_to: list[str] | None) -> str:
    name, who = named(evidence.data) or (MEMBERS[0], evidence.role)
    if open_to is not None and who not in open_to:
        message = f"{who} is not asked; data.{name} is one of those whom the term names"
        raise invalid((*fields.GIVEN, name), message, "enum")
    return who


def _with(given: Data, who: str) -> list[str]:
    agreed = list(given.get("agreed", []))
    return agreed if who in agreed else [*agreed, who]
