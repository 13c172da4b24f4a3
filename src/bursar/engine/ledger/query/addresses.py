"""Conditions on addresses of accounts and of postings (section 6.6)."""

from __future__ import annotations

from collections.abc import Sequence

from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import patterns
from bursar.engine.ledger.query.expression import Test
from bursar.engine.ledger.query.fields import Field, among
from bursar.engine.ledger.query.patterns import Pattern
from bursar.engine.store.base import Sql


def fits(column: str, pattern: Pattern) -> Sql:
    """Whether an address column fits a pattern; a prefix narrows the range of the index."""
    if pattern.exact is not None:
        return Sql(f"{column} = ?", (pattern.exact,))
    if not pattern.prefix:
        return Sql(f"matches({column}, ?)", (pattern.regex,))
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


def of_postings(name: str, ledger: str) -> Field:
    """An account of a transaction `t`: on either side ("account"), or on one ("source", "destination")."""

    def touched(pattern: Pattern) -> Sql:
        account = fits("m.account", pattern)
        found = Sql(
            f't.id IN (SELECT m."transaction" FROM moves m WHERE m.ledger = ? AND {account.text})',
            (ledger, *account.values),
        )
        if name == "account":
            return found
        return Sql(
            f"{found.text} AND posting_matches(t.postings, '{name}', ?)", (*found.values, pattern.regex)
        )

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
