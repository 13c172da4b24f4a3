"""The simulated recipient banks: what each does with a payment, and when (MS68). Pure.

A stored rule decides, else the recipient id's prefix (``slow-42``), else the bank pays. A simulated bank knows nothing
that its behaviour does not say, so a payment's outcome is evidence from it, never a guess (invariant 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from bursar.engine.limits import SECOND_US
from bursar.engine.milkyway.tables import ANY


class Behaviour(StrEnum):
    """What a simulated bank does. Each value is also the recipient prefix that asks for it."""

    OK = "ok"
    """Pays quickly; agrees to a cancellation that reaches it before it paid."""
    SLOW = "slow"
    """As OK, but takes long: time to cancel."""
    DOWN = "down"
    """Cannot be reached: 503 before acceptance; a payment accepted earlier waits for it until its deadline."""
    DECLINE = "decline"
    """Takes the instruction and reports that it will not pay."""
    SILENT = "silent"
    """Takes the instruction and never says anything again: STUCK at the deadline."""
    REFUSE_CANCEL = "refuse-cancel"
    """As SLOW, but refuses a cancellation because it has paid."""
    UNKNOWN = "unknown"
    """Does not know the recipient: 400 before acceptance."""


REPLY_AFTER: dict[Behaviour, int | None] = {
    Behaviour.OK: SECOND_US // 5,
    Behaviour.SLOW: 20 * SECOND_US,
    Behaviour.DECLINE: SECOND_US // 5,
    Behaviour.SILENT: None,
    Behaviour.REFUSE_CANCEL: 20 * SECOND_US,
    Behaviour.UNKNOWN: SECOND_US // 5,
}
"""From dispatch until the bank reports the outcome, in microseconds; None: never."""

CANCEL_REPLY_AFTER = SECOND_US // 5
"""From the request to cancel until the bank's answer."""

DISPATCH_RETRY_AFTER = 5 * SECOND_US
"""Between attempts to hand an instruction to a bank that is down."""

REFUSALS: dict[str | None, str] = {
    Behaviour.DECLINE: "declined",
    Behaviour.UNKNOWN: "recipient unknown at the bank",
}
"""Behaviours that end a payment FAILED, and the error that the sender sees."""


class Rule(msgspec.Struct, frozen=True):
    """One rule. `service` and `recipient` are shell patterns; ``*`` matches everything."""

    behaviour: Behaviour
    service: str = ANY
    recipient: str = ANY


def behaviour_of(rules: str | None, service: str, recipient: str) -> Behaviour:
    """Return how a simulated bank treats a recipient. `rules` is the bank's stored JSON, None without any."""
    for rule in read_rules(rules):
        if fnmatchcase(service, rule.service) and fnmatchcase(recipient, rule.recipient):
            return rule.behaviour
    return next(
        (b for b in Behaviour if recipient == b.value or recipient.startswith(b.value + "-")), Behaviour.OK
    )


def is_down(rules: str | None, service: str) -> bool:
    """Return whether a rule takes a whole service down, whoever the recipient (MS12)."""
    whole = (r for r in read_rules(rules) if r.recipient == ANY and fnmatchcase(service, r.service))
    first = next(whole, None)
    return first is not None and first.behaviour is Behaviour.DOWN


@lru_cache(maxsize=256)
def read_rules(rules: str | None) -> Sequence[Rule]:
    """Return stored rules."""
    return () if rules is None else msgspec.json.decode(rules, type=tuple[Rule, ...])
