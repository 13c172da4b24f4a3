"""What a run asks of the books, and the balances as the run sees them (specification 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

WORLD: Final = "world"

Rows: TypeAlias = dict[str, dict[tuple[str, str], int]]


class BalanceKey(NamedTuple):
    """One balance. An asset ending in `/*` asks for every scale of it that the account has (asset scaling)."""

    account: str
    asset: str
    color: str = ""


class Store(Protocol):
    """Where balances and metadata come from.

    A run asks for balances in as few calls as it can: one before the first statement, with all that the statements
    will need, and one for each `balance()` that comes as a surprise. Whatever a store raises passes through the run
    unchanged (so that it may stop to load what it misses, and run again), but for UnknownAccount.
    """

    def balances(self, wanted: Sequence[BalanceKey]) -> Mapping[BalanceKey, int]:
        """The balances of these keys; one left out is 0. For `BASE/*`: a row for each asset that there is."""
        ...

    def metadata(self, account: str, key: str) -> str | None:
        """One entry of an account's metadata, or None. May raise UnknownAccount."""
        ...


class Balances:
    """The balances that a run has seen, changed by what it does.

    One that was never asked of the store counts from 0. With `spelled_colors` a color is part of the asset's name.
    """

    __slots__ = ("_pending", "_rows", "_spelled_colors", "_store")

    def __init__(self, store: Store, *, spelled_colors: bool = False) -> None:
        self._store = store
        self._spelled_colors = spelled_colors
        self._rows: Rows = {}
        self._pending: dict[BalanceKey, None] = {}

    def want(self, account: str, asset: str, color: str = "") -> None:
        """Note a balance to ask for with the next `load`."""
        if account != WORLD:
            if color and self._spelled_colors:
                asset, color = spelled(asset, color), ""
            self._pending[BalanceKey(account, asset, color)] = None

    def load(self) -> None:
        """Ask the store, at once, for all that is wanted and not known yet."""
        rows = self._rows
        wanted = [key for key in self._pending if (key[1], key[2]) not in rows.get(key[0], ())]
        self._pending.clear()
        if not wanted:
            return
        answer = self._store.balances(wanted)
        for key in (*answer, *wanted):
            account, asset, color = key
            amount = answer.get(key)
            if amount is not None or not asset.endswith("/*"):
                rows.setdefault(account, {}).setdefault((asset, color), amount or 0)

    def get(self, account: str, asset: str, color: str = "") -> int:
        """The balance now."""
        if color and self._spelled_colors:
            asset, color = spelled(asset, color), ""
        row = self._rows.get(account)
        if row is None:
            row = self._rows[account] = {}
        return row.setdefault((asset, color), 0)

    def add(self, account: str, asset: str, color: str, amount: int) -> None:
        """Credit, or with a negative amount debit."""
        if color and self._spelled_colors:
            asset, color = spelled(asset, color), ""
        row = self._rows.get(account)
        if row is None:
            row = self._rows[account] = {}
        key = (asset, color)
        row[key] = row.get(key, 0) + amount

    def lookup(self, account: str, asset: str) -> int:
        """The uncoloured balance, asked of the store now if it is not known."""
        self.want(account, asset)
        self.load()
        return self.get(account, asset)

    def assets(self, account: str) -> list[tuple[str, int]] | None:
        """The uncoloured balances known of an account; None if nothing at all is known of it."""
        row = self._rows.get(account)
        return (
            None if row is None else [(asset, amount) for (asset, color), amount in row.items() if not color]
        )

    def snapshot(self) -> tuple[Rows, int]:
        """A copy to `restore`, and how many balances it holds."""
        copy = {account: dict(row) for account, row in self._rows.items()}
        return copy, sum(map(len, copy.values()))

    def restore(self, rows: Rows) -> None:
        """Go back to a snapshot."""
        self._rows = rows


def spelled(asset: str, color: str) -> str:
    """The asset's name with the color in it: `USD/2` in RED is `USD_RED/2`."""
    if not color:
        return asset
    base, slash, scale = asset.partition("/")
    return f"{base}_{color}{slash}{scale}"
