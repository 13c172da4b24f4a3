"""Volumes of a window of time, by effective date or by insertion date (sections 7, 8.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bursar.engine.ledger.query.fields import among
from bursar.engine.store.base import Sql

_TRANSACTION: Final = '"transaction"'


def within(
    ledger: str, pit: int | None, oot: int | None, *, insertion: bool, accounts: Sequence[str] | None = None
) -> Sql:
    """A table `(account, asset, input, output)` of the moves in the closed window [oot, pit].

    `accounts` None stands for all.
    """
    if pit is not None and oot is None and not insertion:
        return _latest(ledger, pit, accounts)
    day = "t.inserted_at" if insertion else "m.effective_at"
    joined = ' JOIN transactions t ON t.ledger = m.ledger AND t.id = m."transaction"' if insertion else ""
    tests = ["m.ledger = ?"]
    if pit is not None:
        tests.append(f"{day} <= {pit}")
    if oot is not None:
        tests.append(f"{day} >= {oot}")
    values: tuple[int | str | bytes | bool | None, ...] = (ledger,)
    if accounts is not None:
        chosen = among("m.account", accounts)
        tests.append(f"({chosen.text})")
        values += chosen.values
    return Sql(
        "SELECT m.account AS account, m.asset AS asset, exact_sum(m.input) AS input, exact_sum(m.output) AS output"
        f" FROM moves m{joined} WHERE {' AND '.join(tests)} GROUP BY m.account, m.asset",
        values,
    )


def _latest(ledger: str, pit: int, accounts: Sequence[str] | None) -> Sql:
    """The same up to `pit`, by effective date: each pair's last move has its running totals, so nothing is summed.

    CROSS JOIN, because SQLite would begin with the moves; two subqueries, because PostgreSQL would not look up a pair.
    """
    chosen = Sql("TRUE") if accounts is None else among("v.account", accounts)
    last = (
        "(SELECT n.{} FROM moves n WHERE n.ledger = v.ledger AND n.account = v.account AND n.asset = v.asset"
        f' AND n.effective_at <= {pit} ORDER BY n.effective_at DESC, n."transaction" DESC LIMIT 1)'
    )
    return Sql(
        "SELECT v.account AS account, v.asset AS asset, m.effective_input AS input, m.effective_output AS output"
        " FROM volumes v CROSS JOIN moves m WHERE m.ledger = v.ledger AND m.account = v.account AND m.asset = v.asset"
        f' AND m.effective_at = {last.format("effective_at")} AND m."transaction" = {last.format(_TRANSACTION)}'
        f" AND v.ledger = ? AND ({chosen.text})",
        (ledger, *chosen.values),
    )
