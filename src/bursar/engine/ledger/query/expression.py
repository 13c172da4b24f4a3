"""The grammar of filters (section 6.2), before any field is known."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, cast

from msgspec import Struct

from bursar.engine.ledger.errors import Validation

COMPARISONS: Final = ("$match", "$gt", "$gte", "$lt", "$lte", "$like", "$exists", "$in")


class All(Struct, frozen=True):
    """Every part holds; true when there is none."""

    parts: Sequence[Expression]


class Some(Struct, frozen=True):
    """Some part holds; true when there is none."""

    parts: Sequence[Expression]


class Not(Struct, frozen=True):
    """The part does not hold."""

    part: Expression


class Test(Struct, frozen=True):
    """A field compared with a value. `index` is what stood in brackets, None without brackets."""

    operator: str
    field: str
    index: str | None
    value: Any


Expression = All | Some | Not | Test


def parse(document: object) -> Expression | None:
    """The expression of a decoded filter; None for null and {}. Raises Validation.

    Numbers with a fraction or an exponent are expected as `Decimal`: they are refused anywhere.
    """
    _refuse_fractions(document)
    if document is None or document == {}:
        return None
    try:
        return _parse(document)
    except RecursionError:
        raise Validation("the filter is nested too deep") from None


def _refuse_fractions(value: object) -> None:
    ahead = [value]
    while ahead:
        item = ahead.pop()
        if isinstance(item, Decimal):
            raise Validation(f"a filter has only whole numbers, not {item}")
        if isinstance(item, dict):
            ahead.extend(cast("dict[str, object]", item).values())
        elif isinstance(item, list):
            ahead.extend(cast("list[object]", item))


def _parse(document: object) -> Expression:
    operator, operand = _only(document, "a filter is an object with one operator")
    if operator in ("$and", "$or"):
        if not isinstance(operand, list):
            raise Validation(f"{operator} takes an array of filters")
        parts = [_parse(part) for part in cast("list[object]", operand)]
        return All(parts) if operator == "$and" else Some(parts)
    if operator == "$not":
        return Not(_parse(operand))
    if operator not in COMPARISONS:
        raise Validation(f"unknown operator '{operator}'")
    key, value = _only(operand, f"{operator} takes an object with one field")
    field, index = _split(key)
    return Test(operator, field, index, value)


def _only(value: object, complaint: str) -> tuple[str, Any]:
    if not isinstance(value, dict) or len(cast("dict[str, Any]", value)) != 1:
        raise Validation(complaint)
    return next(iter(cast("dict[str, Any]", value).items()))


def _split(key: str) -> tuple[str, str | None]:
    """An index is all between the first `[` and the last `]` (6.2)."""
    opening, closing = key.find("["), key.rfind("]")
    if opening < 0:
        return key, None
    name = key[:opening]
    if closing < opening or (closing == opening + 1 and name == "metadata"):
        raise Validation(f"the index of '{key}' is not complete")
    return name, key[opening + 1 : closing]
