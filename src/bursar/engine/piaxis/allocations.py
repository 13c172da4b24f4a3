"""Which part of an escrow an action means: slices by key, the unallocated rest, or all of it (PS48, PS56-PS62). Pure.

A slice is the unit: it goes whole (E4), but for the one that an operator's split of a dispute cuts through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bursar.engine.piaxis import money
from bursar.engine.piaxis.errors import InvalidRequest, Issue, conflict, invalid

PENDING: Final = "pending"
RELEASED: Final = "released"
REVERSED: Final = "reversed"

_KEYS: Final = ("body", "allocation_keys")
_AMOUNT: Final = ("body", "amount")


class Slice(Struct, frozen=True):
    """A named part of an escrow, in minor units."""

    key: str
    amount: int
    status: str = PENDING


class Chosen(Struct, frozen=True):
    """What an action moves: whole slices by key, and so much of the unallocated rest."""

    keys: Sequence[str]
    slices: int
    """Sum of the slices."""
    rest: int

    @property
    def amount(self) -> int:
        """All of it."""
        return self.slices + self.rest


class Summary(Struct, frozen=True):
    """Counts are of slices, amounts of the whole escrow, its unallocated rest included.

    So counts add up to `total`, and amounts to the escrow's amount (PS61).
    """

    total: int
    pending: int
    released: int
    reversed: int
    pending_amount: int
    released_amount: int
    reversed_amount: int


class Parts(Struct, frozen=True):
    """An escrow's slices and what is left of its rest, in minor units of `currency`."""

    currency: str
    slices: Sequence[Slice]
    rest: int

    @property
    def held(self) -> int:
        """What has not gone yet."""
        return self.rest + sum(part.amount for part in self.slices if part.status == PENDING)

    def choose(self, keys: Sequence[str] | None, amount: int | None) -> Chosen:
        """Return what a release or reversal by these keys and this amount means.

        Raises `InvalidRequest` for unknown keys (PS56), a sum that differs (PS57), an amount that cuts slices (PS58);
        `Refusal` for a slice that has gone (PS56, PS63), or more than is held (PS59).
        """
        if keys is not None:
            return self._by_keys(keys, amount)
        if amount is None or amount == self.held:
            return self._everything()
        if amount > self.held:
            raise conflict(
                f"{money.show(self.held, self.currency)} are held, less than {money.show(amount, self.currency)}",
                "AMOUNT_EXCEEDS_HELD",
            )
        if amount > self.rest:
            message = (
                f"only {money.show(self.rest, self.currency)} are unallocated: name slices in allocation_keys"
            )
            raise invalid(_AMOUNT, message)
        return Chosen((), 0, amount)

    def _everything(self) -> Chosen:
        keys = [part.key for part in self.slices if part.status == PENDING]
        return Chosen(keys, self.held - self.rest, self.rest)

    def _by_keys(self, keys: Sequence[str], amount: int | None) -> Chosen:
        known = {part.key: part for part in self.slices}
        issues = [
            Issue((*_KEYS, index), f"there is no allocation {key}")
            for index, key in enumerate(keys)
            if key not in known
        ]
        if not keys or len(set(keys)) < len(keys):
            issues.append(Issue(_KEYS, "allocation_keys names each slice once, at least one"))
        if issues:
            raise InvalidRequest(issues)
        total = sum(known[key].amount for key in keys)
        if amount is not None and amount != total:
            message = (
                f"these slices are {money.show(total, self.currency)}: a slice moves whole, leave amount out"
            )
            raise invalid(_AMOUNT, message)
        gone = [key for key in keys if known[key].status != PENDING]
        if gone:
            states = ", ".join(f"{key} was {known[key].status}" for key in gone)
            raise conflict(f"nothing was moved: {states}", "ALLOCATION_SETTLED", allocation_keys=gone)
        return Chosen(list(keys), total, 0)

    def summary(self, amount: int, released: int, reversed: int) -> Summary:
        """Return the figures of an escrow of `amount`, of which so much has gone each way."""
        counts = Counter(part.status for part in self.slices)
        return Summary(
            len(self.slices),
            counts[PENDING],
            counts[RELEASED],
            counts[REVERSED],
            amount - released - reversed,
            released,
            reversed,
        )

    def split(self, release: int) -> list[tuple[str | None, int, int]]:
        """Cut what is held in two: (slice, part to the receiver, part to the sender), first slices first, rest last.

        `release` is at most `held`.
        """
        cut: list[tuple[str | None, int, int]] = []
        pieces: list[tuple[str | None, int]] = [
            (part.key, part.amount) for part in self.slices if part.status == PENDING
        ]
        for key, amount in [*pieces, (None, self.rest)]:
            if amount:
                forward = min(amount, release)
                release -= forward
                cut.append((key, forward, amount - forward))
        return cut


def check(amounts: Sequence[tuple[str, int]], total: int, currency: str) -> int:
    """Check the slices of a new escrow and return its unallocated rest (PS48). Raises `InvalidRequest`."""
    issues: list[Issue] = []
    seen: set[str] = set()
    for index, (key, _) in enumerate(amounts):
        if key in seen:
            place = ("body", "allocations", index, "allocation_key")
            issues.append(Issue(place, f"allocation_key {key} is there twice"))
        seen.add(key)
    rest = total - sum(amount for _, amount in amounts)
    if rest < 0:
        message = f"allocations add up to more than the amount, by {money.show(-rest, currency)}"
        issues.append(Issue(("body", "allocations"), message))
    if issues:
        raise InvalidRequest(issues)
    return rest
