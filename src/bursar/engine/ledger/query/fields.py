"""What a list can be filtered by, and the SQL of each condition (sections 6.3 to 6.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from bursar.engine.ledger import times, wire
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query.expression import All, Expression, Not, Some, Test
from bursar.engine.limits import FILTER_DEPTH
from bursar.engine.store.base import Sql

Kind = Literal["string", "date", "number", "boolean", "strings", "numbers"]
"""`strings` and `numbers` are maps, asked with an index or without."""

_ORDERED: Final = ("$match", "$lt", "$lte", "$gt", "$gte")
_OPERATORS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "string": ("$match", "$like", "$in"),
    "date": _ORDERED,
    "number": _ORDERED,
    "boolean": ("$match",),
    "strings": ("$match", "$like", "$in", "$exists"),
    "numbers": _ORDERED,
}
SIGNS: Final[Mapping[str, str]] = {"$match": "=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}

_PLAIN: Final = re.compile(r"[ !#$&-\[\]-~]{1,1000}")
"""Texts that JSON and LIKE take as they are, but for `_`, which fits any character."""

TRUE: Final = Sql("TRUE")
FALSE: Final = Sql("FALSE")
UNKNOWN: Final = Sql("NULL")
"""Neither this nor its negation selects a row."""


class Field(Struct, frozen=True):
    """A field: the name that messages use, its kind, and the SQL of a test that passed the checks of its kind."""

    name: str
    kind: Kind
    sql: Callable[[Test], Sql]


Fields = Mapping[str, Field]


def compile_filter(expression: Expression | None, fields: Fields) -> Sql:
    """The condition as SQL. Raises Validation for the first fault in reading order."""
    if expression is None:
        return TRUE
    try:
        return _compile(expression, fields, negated=False, depth=0)
    except RecursionError:
        raise Validation("the filter is nested too deep") from None


def _compile(expression: Expression, fields: Fields, *, negated: bool, depth: int) -> Sql:
    """Negations are moved inwards, and what joins like parts is joined once: databases nest only so deep."""
    match expression:
        case Not(part=part):
            return _compile(part, fields, negated=not negated, depth=depth)
        case Test():
            test = _compile_test(expression, fields)
            return Sql(f"NOT ({test.text})", test.values) if negated else test
        case All(parts=parts) | Some(parts=parts):
            if len(parts) == 1:
                return _compile(parts[0], fields, negated=negated, depth=depth)
            if not parts:
                return FALSE if negated else TRUE
            word = " AND " if isinstance(expression, All) != negated else " OR "
            if depth == FILTER_DEPTH:
                raise Validation(f"a filter has at most {FILTER_DEPTH} levels of alternatives")
            return join(word, [_compile(part, fields, negated=negated, depth=depth + 1) for part in parts])


def _compile_test(test: Test, fields: Fields) -> Sql:
    field = fields.get(test.field)
    if field is None or (test.index is not None and field.kind not in ("strings", "numbers")):
        shown = test.field if test.index is None else f"{test.field}[{test.index}]"
        raise Validation(f"unknown key '{shown}' when building query")
    check(test, field)
    return field.sql(test)


def check(test: Test, field: Field) -> None:
    """Refuse an operator or a value that does not belong to the field's kind. Raises Validation."""
    check_operator(test, field)
    if not _fits(test, field.kind):
        raise Validation(f"invalid value '{test.value}' for property '{field.name}'")


def fits(test: Test, field: Field) -> bool:
    """Whether a test passes `check`."""
    return test.operator in _OPERATORS[field.kind] and _fits(test, field.kind)


def check_operator(test: Test, field: Field) -> None:
    """Refuse an operator that does not belong to the field's kind. Raises Validation."""
    if test.operator not in _OPERATORS[field.kind]:
        raise Validation(f"operator '{test.operator}' is not allowed for property '{field.name}'")


def _fits(test: Test, kind: Kind) -> bool:
    value = test.value
    if test.operator == "$in":
        return isinstance(value, list) and all(isinstance(item, str) for item in wire.items(value))
    match kind:
        case "string" | "strings":
            return isinstance(value, str)
        case "number" | "numbers":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _is_date(value)


def _is_date(text: str) -> bool:
    try:
        times.parse(text)
    except Validation:
        return False
    return True


def join(word: str, parts: Sequence[Sql]) -> Sql:
    """The parts in brackets, joined; true when there is none."""
    if not parts:
        return TRUE
    text = word.join(f"({part.text})" for part in parts)
    return Sql(text, tuple(value for part in parts for value in part.values))


def both(*parts: Sql | None) -> Sql:
    """All conditions that there are."""
    return join(" AND ", [part for part in parts if part is not None and part is not TRUE])


def date(name: str, column: str) -> Field:
    """A date column in microseconds."""

    def sql(test: Test) -> Sql:
        return Sql(f"{column} {SIGNS[test.operator]} ?", (times.parse(test.value),))

    return Field(name, "date", sql)


def number(name: str, column: str) -> Field:
    """An integer column of 64 bits; larger numbers compare as such."""

    def sql(test: Test) -> Sql:
        if isinstance(bound(test.value), int):
            return Sql(f"{column} {SIGNS[test.operator]} ?", (test.value,))
        return Sql(f"compare({column}, ?) {SIGNS[test.operator]} 0", (bound(test.value),))

    return Field(name, "number", sql)


def text(name: str, column: str, *, like: bool = True) -> Field:
    """A text column."""

    def sql(test: Test) -> Sql:
        if test.operator == "$in":
            return among(column, test.value)
        if test.operator == "$like" and like:
            return Sql(f"like_text({column}, ?)", (test.value,))
        return Sql(f"{column} = ?", (test.value,))

    return Field(name, "string", sql)


def members(name: str, column: str, *, values: tuple[Any, ...] = ()) -> Field:
    """A JSON map of texts in the SQL expression `column`, which takes `values`."""

    def sql(test: Test) -> Sql:
        if test.operator == "$in":
            return FALSE
        if test.index is None:
            return Sql(f"member({column}, ?) IS NOT NULL", (*values, test.value))
        # A missing key does not match, so that the negation selects it (6.5).
        seen = hint(column, values, '"{}":"{}"', test.index, test.value)
        return Sql(
            f"coalesce({seen.text}member({column}, ?) = ?, FALSE)",
            (*seen.values, *values, test.index, test.value),
        )

    return Field(name, "strings", sql)


def hint(column: str, values: tuple[Any, ...], form: str, *texts: str) -> Sql:
    """`... AND `, where a plain LIKE can rule out that a text contains the form with these texts in it.

    A database does that a hundred times faster than it calls our functions. The column is an address or JSON as
    `books.encode` writes it; for texts that JSON or LIKE would change there is no hint.
    """
    if not all(_PLAIN.fullmatch(text) for text in texts):
        return Sql("")
    return Sql(f"{column} LIKE ? AND ", (*values, f"%{form.format(*texts)}%"))


def among(column: str, values: Sequence[str]) -> Sql:
    """Whether a column is one of some texts; of none, neither yes nor no (6.5)."""
    if not values:
        return UNKNOWN
    return Sql(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def bound(value: int) -> int | str:
    """A number as a store takes it."""
    return value if -(2**63) <= value < 2**63 else str(value)
