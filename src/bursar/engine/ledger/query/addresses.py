"""Conditions on addresses of accounts and of postings (section 6.6)."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import patterns
from bursar.engine.ledger.query.expression import Test
from bursar.engine.ledger.query.fields import Field, among, hint
from bursar.engine.ledger.query.patterns import Pattern
from bursar.engine.store.base import Sql


def fits(column: str, pattern: Pattern) -> Sql:
    """Whether an address column fits a pattern; a prefix narrows the range of the index."""
    if pattern.exact is not None:
        return Sql(f"{column} = ?", (pattern.exact,))
    if not pattern.prefix:
        seen = hint(column, (), "{}", pattern.known)
        return Sql(f"{seen.text}matches({column}, ?)", (*seen.values, pattern.regex))
    return Sql(
        f"{column} >= ? AND {column} < ? AND matches({column}, ?)",
        (pattern.prefix, patterns.after(pattern.prefix), pattern.regex),
    )


def listed(test: Test, name: str) -> Sequence[str]:
    """The addresses of `$in`, which may not be patterns. Raises Validation."""
    for address in test.value:
        if patterns.is_pattern(address):
            raise Validation(f"invalid value '{address}' for property '{name}': $in takes whole addresses")
    return list(test.value)


def of_column(column: str) -> Field:
    """The address of an account in a column."""

    def sql(test: Test) -> Sql:
        if test.operator == "$in":
            return among(column, listed(test, "address"))
        return fits(column, patterns.parse(test.value, middle=True))

    return Field("address", "string", sql)


def of_postings(name: str, ledger: str, *, near: bool, window: Sql) -> Field:
    """An account of a transaction `t`: on either side ("account"), or on one ("source", "destination").

    The condition looks at the row alone if `near`; otherwise it finds transactions by the moves of their accounts,
    of which `window` is true anyway.
    """
    sides = ("source", "destination") if name == "account" else (name,)

    def touched(pattern: Pattern) -> Sql:
        on_side = " OR ".join(f"posting_matches(t.postings, '{side}', ?)" for side in sides)
        patterns = (pattern.regex,) * len(sides)
        if near:
            quoted = ('"{}"', pattern.exact) if pattern.exact is not None else ('"{}', pattern.prefix)
            seen = hint("t.postings", (), *quoted)
            return Sql(f"({seen.text}({on_side}))", (*seen.values, *patterns))
        found = _moved(ledger, pattern, window)
        if name == "account":
            return found
        return Sql(f"{found.text} AND {on_side}", (*found.values, *patterns))

    def sql(test: Test) -> Sql:
        if test.operator != "$in":
            return touched(patterns.parse(test.value, middle=False))
        addresses = listed(test, name)
        if not addresses:
            raise Validation(f"invalid value '[]' for property '{name}': $in needs an address")
        parts = [touched(patterns.parse(address, middle=False)) for address in addresses]
        return Sql(
            " OR ".join(f"({part.text})" for part in parts), tuple(v for part in parts for v in part.values)
        )

    return Field(name, "string", sql)


def _moved(ledger: str, pattern: Pattern, window: Sql) -> Sql:
    """Whether `t` is a transaction of the accounts that fit. Each account and asset is a range of the moves' key.

    CROSS JOIN, because SQLite would begin with the moves.
    """
    account = fits("v.account", pattern)
    return Sql(
        't.id IN (SELECT m."transaction" FROM volumes v CROSS JOIN moves m WHERE m.ledger = v.ledger'
        f" AND m.account = v.account AND m.asset = v.asset AND v.ledger = ? AND {account.text} AND {window.text})",
        (ledger, *account.values, *window.values),
    )
