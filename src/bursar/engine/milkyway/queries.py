"""Questions of the back office that need more than one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from bursar.engine.books import VOLUMES
from bursar.engine.currency import to_decimal
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway.invariants import check
from bursar.engine.milkyway.shown import currency_of
from bursar.engine.milkyway.tables import LIMITS, AuditRow, Movement, Payment
from bursar.engine.store.table import Scalar, Table
from bursar.engine.view import ReadView
from bursar.milkyway import operator as contract

Numbered = TypeVar("Numbered", Payment, Movement, AuditRow)


def page(
    view: ReadView, table: Table[Numbered], where: Mapping[str, Scalar], before: int | None, limit: int
) -> tuple[list[Numbered], int | None]:
    """Return rows with ids below `before`, newest first, and the `before` of the next page if there is one."""
    bound = {} if before is None else {"id <": before}
    rows = view.select(table, {**where, **bound}, order=("-id",), limit=limit + 1)
    kept = rows[:limit]
    return kept, kept[-1].id if len(rows) > limit else None


def currencies_of(view: ReadView, institution: str) -> list[str]:
    """Return the currencies in which an institution has a limit, a debt or a deposit."""
    found = {row.currency for row in view.select(LIMITS, {"institution": institution})}
    for name in ("receivable", "deposit"):
        # ";" comes right after ":", so these are the accounts below this name.
        below = {
            "ledger": book.LEDGER,
            "account >=": f"{name}:{institution}:",
            "account <": f"{name}:{institution};",
        }
        found |= {currency_of(row.asset) for row in view.select(VOLUMES, below)}
    return sorted(found)


def trial_balance(view: ReadView) -> contract.TrialBalance:
    """Return every account of the book, the sums by currency, and what the invariants say."""
    accounts: list[contract.AccountBalance] = []
    sums: defaultdict[str, int] = defaultdict(int)
    for row in view.scan(VOLUMES, book.LEDGER):
        currency = currency_of(row.asset)
        sums[currency] += row.input - row.output
        accounts.append(
            contract.AccountBalance(
                account=row.account,
                currency=currency,
                debits=to_decimal(row.output, currency),
                credits=to_decimal(row.input, currency),
                balance=to_decimal(row.input - row.output, currency),
            )
        )
    return contract.TrialBalance(
        accounts=accounts,
        sums={currency: to_decimal(total, currency) for currency, total in sorted(sums.items())},
        problems=[str(damage) for damage in check(view)],
    )
