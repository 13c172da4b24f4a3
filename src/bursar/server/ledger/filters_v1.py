"""The query parameters by which version 1 filters, as filters of version 2 (section 18.3)."""

from __future__ import annotations

from typing import Any, Final

from msgspec import json

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger import times, wire
from bursar.engine.ledger.errors import Validation
from bursar.server.ledger.call import Call

_OPERATORS: Final = {
    "e": "$match",
    "ne": "$match",
    "lt": "$lt",
    "lte": "$lte",
    "gt": "$gt",
    "gte": "$gte",
}


def of_transactions(call: Call) -> str:
    """The filter of a list of transactions. Raises Validation."""
    parts: list[dict[str, Any]] = [
        {"$match": {name: call.parameter(name)}}
        for name in ("reference", "account", "source", "destination")
        if call.parameter(name)
    ]
    for part in parts:
        for name, value in part["$match"].items():
            if "\0" in value and name != "reference":
                raise Validation(f"'{name}' cannot hold the character NUL")
    after, before = window(call, ("startTime", "start_time"), ("endTime", "end_time"))
    if after is not None:
        parts.append({"$gte": {"timestamp": format_time(after)}})
    if before is not None:
        parts.append({"$lt": {"timestamp": format_time(before)}})
    return _all([*parts, *_metadata(call)])


def of_accounts(call: Call) -> str:
    """The filter of a list of accounts. Raises Validation."""
    parts: list[dict[str, Any]] = []
    if call.parameter("address"):
        parts.append({"$match": {"address": call.parameter("address")}})
    parts += _metadata(call)
    if call.parameter("balance"):
        parts.append(_balance(call.parameter("balance"), call.parameter("balanceOperator") or "eq"))
    return _all(parts)


def window(call: Call, start: tuple[str, ...], end: tuple[str, ...]) -> tuple[int | None, int | None]:
    """From when (inclusive) and until when (exclusive). Raises Validation."""
    return _time(call, start), _time(call, end)


def _time(call: Call, names: tuple[str, ...]) -> int | None:
    text = call.parameter(*names)
    return times.parse(text) if text else None


def _metadata(call: Call) -> list[dict[str, Any]]:
    """`metadata[key]=value` is equality, `metadata=key` presence."""
    parts: list[dict[str, Any]] = []
    for name, values in call.query.items():
        if name == "metadata":
            parts.append({"$exists": {"metadata": values[0]}})
        elif name.startswith("metadata"):
            if not (name.startswith("metadata[") and name.endswith("]") and len(name) > len("metadata[]")):
                raise Validation(f"'{name}' is no parameter: write metadata[key]=value")
            parts.append({"$match": {name: values[0]}})
    return parts


def _balance(text: str, operator: str) -> dict[str, Any]:
    number = wire.integer(text, -(2**63), 2**63 - 1)
    if number is None:
        raise Validation(f"invalid 'balance': {text!r} is no whole number of 64 bits")
    if operator not in _OPERATORS:
        raise Validation(f"invalid 'balanceOperator': {operator!r}")
    test = {_OPERATORS[operator]: {"balance": number}}
    return {"$not": test} if operator == "ne" else test


def _all(parts: list[dict[str, Any]]) -> str:
    return json.encode({"$and": parts}).decode() if parts else ""
