"""Terms of an escrow as rows: opened with it, met by evidence or by the clock, expired (PS67-PS74).

Whoever touches an escrow first lets `catch_up` do what the clock has brought, so that a late worker changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.piaxis import escrow_actors, terms
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import Counted, Kind, Loc, conflict, invalid, not_found
from bursar.engine.piaxis.escrow_events import tell
from bursar.engine.piaxis.escrow_states import FUNDED
from bursar.engine.piaxis.escrow_tables import TERMS, EscrowRow, TermRow, kept, members
from bursar.engine.piaxis.terms import secrets
from bursar.engine.piaxis.terms.base import Data, Evidence, Progress, TermKind
from bursar.engine.piaxis.times import microseconds
from bursar.engine.view import View
from bursar.engine.work import Work
from bursar.piaxis.models.escrows import NewTerm

ALARM: Final = "piaxis.escrow"
"""Kind of the work item that lets the clock act on an escrow; its key is the escrow's id."""


def opened(view: View, escrow: str, asked: Sequence[NewTerm], at: Loc) -> list[TermRow]:
    """Return the checked rows of a new escrow's terms, ids in order (PS43). Raises `InvalidRequest` (PS46, PS47)."""
    if not 1 <= len(asked) <= limits.ESCROW_TERMS:
        raise invalid(at, f"1 to {limits.ESCROW_TERMS} terms", "too_short" if not asked else "too_long")
    return [_opened(view, escrow, position, term, (*at, position)) for position, term in enumerate(asked)]


def started(rows: Sequence[TermRow], now: int) -> list[TermRow]:
    """Return the terms of an escrow that is funded now: what counts from funding begins."""
    return [replace(row, due_at=terms.TYPES[row.type].due_at(members(row.data), now)) for row in rows]


def catch_up(view: View, escrow: EscrowRow, rows: Sequence[TermRow]) -> list[TermRow]:
    """Do what the clock has brought, tell of it in order of time, and set the alarm; return the terms."""
    rows = list(rows)
    happened: list[tuple[int, int, TermRow]] = []
    for position, row in enumerate(rows):
        changed = _by_clock(row, view.now) if escrow.at in FUNDED else row
        if changed is not row:
            rows[position] = changed
            view.put(TERMS, changed)
            happened.append((changed.met_at or changed.expired_at or 0, position, changed))
    for _, _, row in sorted(happened, key=lambda one: one[:2]):
        _tell(view, escrow, row)
    set_alarm(view, escrow, rows)
    return rows


def set_alarm(view: View, escrow: EscrowRow, rows: Sequence[TermRow]) -> None:
    """Schedule what the clock does next; nothing once the escrow is final."""
    due = next_due(escrow, rows)
    if due is None:
        view.unschedule(ALARM, escrow.id)
    else:
        view.schedule(Work(ALARM, escrow.id, due))


def next_due(escrow: EscrowRow, rows: Sequence[TermRow]) -> int | None:
    """Return when the clock acts on an escrow next."""
    if escrow.at not in FUNDED:
        return None
    times = [at for row in rows if row.is_open for at in (row.due_at, row.expires_at) if at is not None]
    return min(times, default=None)


def unmet(rows: Sequence[TermRow], *, for_release: bool = False) -> list[TermRow]:
    """Return the terms that are not met; `for_release`: without those that a release itself meets (PS54)."""
    return [
        row for row in rows if row.met_at is None and not (for_release and terms.TYPES[row.type].by_release)
    ]


def met_by_release(view: View, rows: Sequence[TermRow]) -> None:
    """Meet what a release meets, when it has emptied the escrow."""
    for row in rows:
        if row.is_open and terms.TYPES[row.type].by_release:
            view.put(TERMS, replace(row, met_at=view.now))


def of(rows: Sequence[TermRow], escrow: EscrowRow, term_id: str) -> TermRow:
    """Return a term of this escrow. Raises `Refusal` for another's (PS67)."""
    found = next((row for row in rows if row.id == term_id), None)
    if found is None:
        raise not_found(f"term of escrow {escrow.id}", term_id)
    return found


def refuse_cards(data: Data, at: Loc) -> None:
    """Refuse texts of a term that hold a card number; coordinates have as many digits, so numbers are let through."""
    for name, value in data.items():
        if not isinstance(value, (int, float, Decimal)):
            refuse_card_numbers(value, (*at, name))


def fulfil(view: View, escrow: EscrowRow, row: TermRow, evidence: Evidence) -> Progress:
    """Take evidence for a term; a met one stays as it is (PS69). Raises `InvalidRequest` and `Refusal`."""
    kind = terms.TYPES[row.type]
    data, given = members(row.data), members(row.given)
    if row.met_at is not None:
        return Progress(given, met=True, requires_other_party=_several(given))
    if row.expired_at is not None:
        raise conflict(f"term {row.id} has expired", "TERM_EXPIRED", term_id=row.id)
    progress = kind.fulfilled(data, given, evidence)
    _check_secret(view, escrow, row, kind, evidence.data)
    changed = replace(row, given=kept(progress.given), met_at=view.now if progress.met else None)
    view.put(TERMS, changed)
    if progress.met:
        _tell(view, escrow, changed)
    return progress


def _opened(view: View, escrow: str, position: int, asked: NewTerm, at: Loc) -> TermRow:
    kind = terms.known(asked.type.value, (*at, "type"))
    checked = kind.opened(asked.data, (*at, "data"))
    refuse_cards(checked.data, (*at, "data"))
    until = [_expiry(asked, at), kind.expires_at(checked.data)]
    expires_at = min((each for each in until if each is not None), default=None)
    if expires_at is not None and expires_at <= view.now:
        raise invalid((*at, "expiry_date"), "the term would have expired already")
    salt = None if checked.secret is None else view.ids.bytes(16)
    return TermRow(
        escrow=escrow,
        position=position,
        id=view.ids.uuid(),
        type=asked.type.value,
        data=kept(checked.data, (*at, "data")),
        salt=salt,
        digest=None if salt is None or checked.secret is None else secrets.digest(checked.secret, salt),
        expires_at=expires_at,
    )


def _expiry(asked: NewTerm, at: Loc) -> int | None:
    if asked.expiry_date is None:
        return None
    try:
        return microseconds(asked.expiry_date)
    except OverflowError:
        raise invalid((*at, "expiry_date"), "this time is out of range", "out_of_range") from None


def _by_clock(row: TermRow, now: int) -> TermRow:
    """A term after the clock: met when it is due, else expired; of both at one moment it is met."""
    if not row.is_open:
        return row
    if (
        row.due_at is not None
        and row.due_at <= now
        and (row.expires_at is None or row.due_at <= row.expires_at)
    ):
        return replace(row, met_at=row.due_at)
    if row.expires_at is not None and row.expires_at <= now:
        return replace(row, expired_at=row.expires_at)
    return row


def _check_secret(view: View, escrow: EscrowRow, row: TermRow, kind: TermKind, data: Data) -> None:
    """Compare a term's secret, or use up the customer's OTP in its place."""
    if row.digest is None or row.salt is None:
        if kind.needs_otp(members(row.data)):
            escrow_actors.spend(view, escrow, kind.secret(data))
        return
    if row.tries >= secrets.TRIES:
        raise conflict(f"term {row.id} is locked after {secrets.TRIES} wrong secrets", "TERM_LOCKED")
    if secrets.same(kind.secret(data) or "", row.salt, row.digest):
        return
    left = secrets.TRIES - row.tries - 1
    message = f"the secret is wrong; {left} more tries" if left else "the secret is wrong: the term is locked"
    raise Counted(Kind.BAD_REQUEST, "TERM_SECRET_WRONG", message, trace=lambda late: _count_try(late, row))


def _count_try(view: View, row: TermRow) -> None:
    """Count a wrong secret: what stays of a fulfilment that is undone otherwise."""
    view.put(TERMS, replace(row, tries=row.tries + 1))


def _several(given: Data) -> bool | None:
    """What a met term of several parties says again: that no other is awaited."""
    return False if {"agreed", "sender"} & set(given) else None


def _tell(view: View, escrow: EscrowRow, row: TermRow) -> None:
    event = "term_fulfilled" if row.met_at is not None else "term_expired"
    tell(view, escrow, event, term_id=row.id, term_type=row.type)
