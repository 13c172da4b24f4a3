"""The simulated providers (MTN, Airtel, card, bank): what each does with an instruction, and when (PS113).

A rule of the operator's decides, else the last four digits of the phone number (see `SUFFIXES`), else the provider does
as it is told. What a behaviour does is a `SCRIPT`: beats at fixed times after the instruction was sent, carried out by
durable work on the engine's clock. Only a `Report` is evidence. When the deadline passes without one, the instruction
is *unknown*, which is neither success nor failure, until a later report or an operator says what happened.

The first report settles: the owner's handler runs once, in the same command. A report that repeats the outcome is
counted and does nothing. One that contradicts it moves the money into suspense, for an operator to decide (E26).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from bursar.engine.core import Core
from bursar.engine.errors import NotFound
from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import audit
from bursar.engine.piaxis.tables import (
    ANY,
    INSTRUCTIONS,
    RULES,
    SUSPENSE,
    Instruction,
    SuspenseRow,
)
from bursar.engine.view import View
from bursar.engine.work import Work

ALARM: Final = "piaxis.provider"
"""Kind of the work item; its key is the instruction's id."""
DEADLINE: Final = 600 * SECOND_US
"""From sending until an instruction without outcome is unknown (E28)."""
PROVIDERS: Final = ("mtn", "airtel", "card", "bank")

Result = Literal["succeeded", "failed"]


class Owner(NamedTuple):
    """What an instruction is for: a kind that has handlers, such as "payment", and the object's id."""

    kind: str
    id: str


class Handler(msgspec.Struct, frozen=True):
    """What an owner kind does with the news of its instructions, inside the command that brings them.

    `settled` is called once for each instruction: the book is the owner's to change. `unknown` is called at most once,
    before it: nothing moves.
    """

    settled: Callable[[View, Instruction], object]
    unknown: Callable[[View, Instruction], object]


Handlers = Mapping[str, Handler]
"""By owner kind."""


class Behaviour(StrEnum):
    """What a simulated provider does."""

    OK = "ok"
    SLOW = "slow"
    """Succeeds after 20 seconds."""
    DECLINE = "decline"
    """The payer, or the provider, says no."""
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INVALID_RECIPIENT = "invalid_recipient"
    SILENT = "silent"
    """Never says anything: unknown at the deadline."""
    CALLBACK_LOST = "callback_lost"
    """Succeeds; its callback does not arrive, and the status query after a minute finds out."""
    LATE = "late"
    """Succeeds, and says so after 15 minutes: unknown meanwhile."""
    DUPLICATED = "duplicated"
    """Succeeds, and says so three times."""
    BAD_SIGNATURE = "bad_signature"
    """Its callback has a bad signature and is no evidence; the status query finds out, as for a lost one."""
    CONTRADICTED = "contradicted"
    """Says that it failed, and 30 seconds later that it succeeded."""


class Report(msgspec.Struct, frozen=True):
    """Evidence of an outcome. `error` says why it failed."""

    result: Result
    error: str | None = None


class Beat(msgspec.Struct, frozen=True):
    """What happens `after` microseconds from sending: a report, or (None) a callback that is no evidence."""

    after: int
    report: Report | None


_SOON: Final = SECOND_US // 5
_YES: Final = Report("succeeded")


def _no(error: str) -> tuple[Beat, ...]:
    return (Beat(_SOON, Report("failed", error)),)


SCRIPTS: Final[Mapping[Behaviour, tuple[Beat, ...]]] = {
    Behaviour.OK: (Beat(_SOON, _YES),),
    Behaviour.SLOW: (Beat(20 * SECOND_US, _YES),),
    Behaviour.DECLINE: _no("declined"),
    Behaviour.INSUFFICIENT_FUNDS: _no("insufficient funds"),
    Behaviour.INVALID_RECIPIENT: _no("invalid recipient"),
    Behaviour.SILENT: (),
    Behaviour.CALLBACK_LOST: (Beat(60 * SECOND_US, _YES),),
    Behaviour.LATE: (Beat(900 * SECOND_US, _YES),),
    Behaviour.DUPLICATED: (Beat(_SOON, _YES), Beat(2 * _SOON, _YES), Beat(3 * _SOON, _YES)),
    Behaviour.BAD_SIGNATURE: (Beat(_SOON, None), Beat(60 * SECOND_US, _YES)),
    Behaviour.CONTRADICTED: (Beat(_SOON, Report("failed", "declined")), Beat(30 * SECOND_US, _YES)),
}

SUFFIXES: Final[Mapping[str, Behaviour]] = {
    "9901": Behaviour.SLOW,
    "9902": Behaviour.DECLINE,
    "9903": Behaviour.INSUFFICIENT_FUNDS,
    "9904": Behaviour.INVALID_RECIPIENT,
    "9905": Behaviour.SILENT,
    "9906": Behaviour.CALLBACK_LOST,
    "9907": Behaviour.LATE,
    "9908": Behaviour.DUPLICATED,
    "9909": Behaviour.BAD_SIGNATURE,
    "9910": Behaviour.CONTRADICTED,
}
"""The last four digits of a phone number that ask for a behaviour."""


class Rule(msgspec.Struct, frozen=True):
    """One rule of a provider: `phone` is a shell pattern; `direction` is "collect", "payout" or ``*``."""

    behaviour: Behaviour
    phone: str = ANY
    direction: str = ANY


def behaviour_of(rules: str | None, direction: str, phone: str | None) -> Behaviour:
    """Return how a provider treats an instruction. `rules` is the stored JSON, None without any."""
    for rule in read_rules(rules):
        if rule.direction in (ANY, direction) and fnmatchcase(phone or "", rule.phone):
            return rule.behaviour
    return SUFFIXES.get((phone or "")[-4:], Behaviour.OK)


@lru_cache(maxsize=256)
def read_rules(rules: str | None) -> tuple[Rule, ...]:
    """Return stored rules."""
    return () if rules is None else msgspec.json.decode(rules, type=tuple[Rule, ...])


def collect(view: View, *, rail: str, phone: str | None, amount: int, currency: str, owner: Owner) -> str:
    """Ask a provider to take money from a payer; return the instruction's id. Nothing is booked until it reports."""
    return _send(view, "collect", rail, phone, amount, currency, owner)


def payout(view: View, *, rail: str, phone: str | None, amount: int, currency: str, owner: Owner) -> str:
    """Ask a provider to pay money out; return the instruction's id.

    The caller books the amount to `accounts.inflight(rail)` in the same command, and out of it again in `settled`.
    """
    return _send(view, "payout", rail, phone, amount, currency, owner)


def register(core: Core, handlers: Handlers) -> None:
    """Name the worker's step that carries out what is due; once for each core, before its worker starts."""
    core.worker.register_step(
        ALARM, lambda view, key: wake(view, handlers, key), lambda key: [(INSTRUCTIONS, (key,))]
    )


def wake(view: View, handlers: Handlers, id: str) -> None:
    """Do what is due for an instruction, and set its alarm again."""
    instruction = view.get(INSTRUCTIONS, id)
    while instruction is not None and (due := next_due(instruction)) is not None and due <= view.now:
        instruction = _beat(view, handlers, instruction, due)
    if instruction is not None:
        _set_alarm(view, instruction)


def report(view: View, handlers: Handlers, id: str, told: Report) -> Instruction:
    """Take evidence of an outcome, from a provider or an operator. Raises `NotFound` for an unknown instruction."""
    instruction = view.get(INSTRUCTIONS, id)
    if instruction is None:
        raise NotFound(f"there is no instruction {id}")
    return _take(view, handlers, instruction, told)


def next_due(instruction: Instruction) -> int | None:
    """Return when something happens to an instruction by itself; None when nothing will."""
    times = [instruction.sent_at + beat.after for beat in _left(instruction)[:1]]
    if instruction.outcome is None and instruction.unknown_at is None:
        times.append(instruction.sent_at + DEADLINE)
    return min(times, default=None)


def _send(
    view: View, direction: str, rail: str, phone: str | None, amount: int, currency: str, owner: Owner
) -> str:
    rules = view.get(RULES, rail)
    behaviour = behaviour_of(None if rules is None else rules.rules, direction, phone)
    instruction = Instruction(
        id=view.ids.uuid(),
        direction=direction,
        rail=rail,
        owner_kind=owner.kind,
        owner_id=owner.id,
        phone=phone,
        currency=currency,
        amount=amount,
        behaviour=behaviour.value,
        beat=0,
        sent_at=view.now,
        reference=f"{rail}-{view.ids.integer(10**11, 10**12 - 1)}",
    )
    view.put(INSTRUCTIONS, instruction)
    _set_alarm(view, instruction)
    return instruction.id


def _left(instruction: Instruction) -> tuple[Beat, ...]:
    return SCRIPTS[Behaviour(instruction.behaviour)][instruction.beat :]


def _beat(view: View, handlers: Handlers, instruction: Instruction, due: int) -> Instruction:
    """Carry out the next beat of the script, or the deadline when that comes first."""
    left = _left(instruction)
    if not left or instruction.sent_at + left[0].after != due:
        changed = _save(view, replace(instruction, unknown_at=view.now))
        audit.record(
            view, audit.ENGINE, "outcome-unknown", _subject(changed), "no outcome before the deadline"
        )
        handlers[changed.owner_kind].unknown(view, changed)
        return changed
    changed = _save(view, replace(instruction, beat=instruction.beat + 1))
    told = left[0].report
    if told is None:
        audit.record(view, audit.ENGINE, "callback-refused", _subject(changed), "the signature was bad")
        return changed
    return _take(view, handlers, changed, told)


def _take(view: View, handlers: Handlers, instruction: Instruction, told: Report) -> Instruction:
    counted = replace(instruction, reports=instruction.reports + 1)
    if instruction.outcome is None:
        changed = _save(view, replace(counted, outcome=told.result, error=told.error, settled_at=view.now))
        _set_alarm(view, changed)
        handlers[changed.owner_kind].settled(view, changed)
        return changed
    return _contradict(view, counted, told)


def _contradict(view: View, instruction: Instruction, told: Report) -> Instruction:
    """After the first outcome: keep suspense equal to what the provider last said, less what was booked (E26)."""
    sign = 1 if instruction.direction == "collect" else -1
    booked = instruction.amount * sign if instruction.outcome == "succeeded" else 0
    said = instruction.amount * sign if told.result == "succeeded" else 0
    change = said - booked - instruction.booked
    changed = _save(view, replace(instruction, booked=instruction.booked + change))
    if change:
        _suspend(view, changed, change, told)
    return changed


def _suspend(view: View, instruction: Instruction, change: int, told: Report) -> None:
    """Book money that came (`change` above zero) or went although something else was booked before."""
    row = SuspenseRow(
        id=view.ids.uuid(),
        instruction=instruction.id,
        rail=instruction.rail,
        currency=instruction.currency,
        amount=change,
        why=f"{instruction.direction} was {instruction.outcome}, then the provider said {told.result}",
        at=view.now,
    )
    view.put(SUSPENSE, row)
    rail, suspense = book.rail(instruction.rail), book.suspense(instruction.rail)
    debit, credit = (rail, suspense) if change > 0 else (suspense, rail)
    entry = book.move(debit, credit, abs(change), instruction.currency)
    book.post(view, "suspense", row.id, "booked", [entry])
    audit.record(view, audit.ENGINE, "suspense", f"suspense:{row.id}", row.why, instruction=instruction.id)


def _save(view: View, instruction: Instruction) -> Instruction:
    view.put(INSTRUCTIONS, instruction)
    return instruction


def _set_alarm(view: View, instruction: Instruction) -> None:
    due = next_due(instruction)
    if due is None:
        view.unschedule(ALARM, instruction.id)
    else:
        view.schedule(Work(ALARM, instruction.id, due))


def _subject(instruction: Instruction) -> str:
    return f"{instruction.owner_kind}:{instruction.owner_id}"
