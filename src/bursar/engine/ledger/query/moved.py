"""Sums of moves: volumes of a window of time, by effective date or by insertion date (sections 7, 8.8)."""

from __future__ import annotations

from bursar.engine.store.base import Sql


def within(
    ledger: str, pit: int | None, oot: int | None, *, insertion: bool, accounts: Sql | None = None
) -> Sql:
    """A table `(account, asset, input, output)` of the moves in the closed window [oot, pit].

    `accounts` is a condition on `m.account`.
    """
    day = "t.inserted_at" if insertion else "m.effective_at"
    joined = ' JOIN transactions t ON t.ledger = m.ledger AND t.id = m."transaction"' if insertion else ""
    tests = ["m.ledger = ?"]
    if pit is not None:
        tests.append(f"{day} <= {pit}")
    if oot is not None:
        tests.append(f"{day} >= {oot}")
    values: tuple[int | str | bytes | bool | None, ...] = (ledger,)
    if accounts is not None:
        tests.append(f"({accounts.text})")
        values += accounts.values
    return Sql(
        "SELECT m.account AS account, m.asset AS asset, exact_sum(m.input) AS input, exact_sum(m.output) AS output"
        f" FROM moves m{joined} WHERE {' AND '.join(tests)} GROUP BY m.account, m.asset",
        values,
    )
