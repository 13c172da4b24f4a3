"""Several writes as one command (section 8.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.books import HEADS, Books
from bursar.engine.ledger.commands import Session, Written
from bursar.engine.ledger.errors import LedgerError
from bursar.engine.ledger.requests import Write
from bursar.engine.ledger.settings import Settings
from bursar.engine.store.base import Missing, Wanted
from bursar.engine.view import View

CANCELED: Final = "context canceled"


class Element(Struct, frozen=True):
    """One write of a bulk; `fault` instead of a request when the element was bad from the start."""

    action: str
    request: Write | None = None
    fault: LedgerError | None = None
    key: str = ""


class Outcome(Struct, frozen=True):
    """What became of an element: `error` None with `written` None never happens."""

    action: str
    written: Written | None = None
    error: LedgerError | None = None


class Mode(Struct, frozen=True):
    """`atomic`: all or nothing. `keep_going`: elements after a failed one are run too."""

    atomic: bool = False
    keep_going: bool = False
    schema_version: str = ""


def run(view: View, name: str, elements: Sequence[Element], settings: Settings, mode: Mode) -> list[Outcome]:
    """Run the elements in order.

    An atomic bulk that fails is rolled back but for the ids it used up; its outcomes still tell what each element did.
    """
    start = view.savepoint()
    session = Session(view, name, settings, mode.schema_version)
    outcomes: list[Outcome] = []
    wanted: list[Wanted] = []
    date: int | None = None
    failed = False
    for element in elements:
        if failed and not mode.keep_going:
            outcomes.append(canceled(element))
            continue
        mark = view.savepoint()
        try:
            outcome = _run(session, element, date)
        except Missing as missing:
            # Go on only to learn what else is missing: the whole command runs again.
            view.roll_back(mark)
            wanted.append(missing.wanted)
            continue
        outcomes.append(outcome)
        if outcome.written is None:
            failed = True
        elif mode.atomic and date is None and not outcome.written.hit:
            date = outcome.written.date
    if wanted:
        raise Missing(_union(wanted))
    if failed and mode.atomic:
        _undo(view, name, start)
    return outcomes


def canceled(element: Element) -> Outcome:
    """The outcome of an element that was not run."""
    return Outcome(element.action, error=LedgerError(CANCELED))


def _run(session: Session, element: Element, date: int | None) -> Outcome:
    if element.request is None:
        return Outcome(element.action, error=element.fault)
    result = session.write(element.request, element.key, date=date)
    if isinstance(result, LedgerError):
        return Outcome(element.action, error=result)
    return Outcome(element.action, result)


def _undo(view: View, name: str, start: int) -> None:
    """Take back all but the ids that were used up (section 11.4)."""
    taken = Books(view, name).head()
    view.roll_back(start)
    head = replace(Books(view, name).head(), log=taken.log, transaction=taken.transaction)
    view.put(HEADS, head)


def _union(wanted: Sequence[Wanted]) -> Wanted:
    keys = dict.fromkeys(key for want in wanted for key in want.keys)
    ranges = dict.fromkeys(part for want in wanted for part in want.ranges)
    return Wanted(list(keys), list(ranges))
