"""Money on its way through the machine: a list of what each account gives, zeros included (13.4, 13.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bursar.engine.numscript.errors import RunError


class Part(NamedTuple):
    """What one account gives."""

    account: str
    amount: int


@dataclass(slots=True)
class Funding:
    """An asset and who gives how much of it, in order. Never changed (but not frozen: that would double its cost)."""

    asset: str
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """The sum of the parts."""
        return sum([part.amount for part in self.parts])

    def take_max(self, amount: int) -> tuple[Funding, Funding]:
        """Up to the amount, from the front; and the rest."""
        taken: list[Part] = []
        rest: list[Part] = []
        for index, part in enumerate(self.parts):
            if amount <= 0:
                rest.extend(self.parts[index:])
                break
            used = min(part.amount, amount)
            taken.append(Part(part.account, used))
            if part.amount > used:
                rest.append(Part(part.account, part.amount - used))
            amount -= used
        return Funding(self.asset, tuple(taken)), Funding(self.asset, tuple(rest))

    def take(self, amount: int) -> tuple[Funding, Funding]:
        """Exactly the amount; an amount of 0 is 0 of the first account. Raises RunError if there is not enough."""
        if amount < 0 or amount > self.total:
            accounts = "|".join(f"@{part.account}" for part in self.parts)
            message = f"account(s) {accounts} had/have insufficient funds"
            raise RunError("ErrInsufficientFund", message, stage="execute")
        if amount == 0 and self.parts:
            return Funding(self.asset, (Part(self.parts[0].account, 0),)), self
        return self.take_max(amount)

    def then(self, other: Funding) -> Funding:
        """Both, one after the other; where the same account meets itself the two parts become one."""
        if self.asset != other.asset:
            message = f"cannot assemble different assets: {self.asset} and {other.asset}"
            raise RunError("ErrInvalidScript", message, stage="execute")
        if self.parts and other.parts and self.parts[-1].account == other.parts[0].account:
            joint = Part(other.parts[0].account, self.parts[-1].amount + other.parts[0].amount)
            return Funding(self.asset, (*self.parts[:-1], joint, *other.parts[1:]))
        return Funding(self.asset, self.parts + other.parts)

    def reversed(self) -> Funding:
        """The last one first."""
        return Funding(self.asset, self.parts[::-1])
