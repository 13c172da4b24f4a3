"""Filter expressions for listings and counts, as plain JSON.

    client.ledger.v2.list_accounts("main", filter=and_(match("address", "users:"), gt(balance("USD/2"), 0)))

Field names are those of filters (`inserted_at`), not those of answers (`insertedAt`); which ones a listing knows,
and which operators each takes, stands with the listing. A plain mapping of the same shape does everywhere.

Addresses are patterns: an empty segment stands for any one (``users:`` has two), ``...`` at the end for everything
below (``users:...``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bursar.contract import InvalidRequestError
from bursar.contract.json import moment

Expression = dict[str, Any]
Value = str | int | datetime


def match(field: str, value: Value) -> Expression:
    """The field equals the value; for addresses: fits the pattern. ``match("metadata", "k")``: the key is there."""
    return {"$match": {field: _plain(field, value)}}


def gt(field: str, value: int | datetime) -> Expression:
    """The field is greater, or later."""
    return {"$gt": {field: _plain(field, value)}}


def gte(field: str, value: int | datetime) -> Expression:
    """The field is greater or equal, or not earlier."""
    return {"$gte": {field: _plain(field, value)}}


def lt(field: str, value: int | datetime) -> Expression:
    """The field is less, or earlier. An account that never held the asset has no balance that could be less."""
    return {"$lt": {field: _plain(field, value)}}


def lte(field: str, value: int | datetime) -> Expression:
    """The field is less or equal, or not later."""
    return {"$lte": {field: _plain(field, value)}}


def like(field: str, pattern: str) -> Expression:
    """The text fits an SQL pattern: ``%`` for any characters, ``_`` for one. Plain equality on metadata."""
    return {"$like": {field: pattern}}


def exists(field: str, key: str) -> Expression:
    """The map has an entry: ``exists("metadata", "tier")``."""
    return {"$exists": {field: key}}


def in_(field: str, values: Iterable[str]) -> Expression:
    """The text is one of these; of none of no texts. Addresses are exact here, no patterns."""
    return {"$in": {field: list(values)}}


def and_(*expressions: Mapping[str, Any]) -> Expression:
    """All of these hold; always true for none."""
    return {"$and": [dict(expression) for expression in expressions]}


def or_(*expressions: Mapping[str, Any]) -> Expression:
    """One of these holds; for none always true too, which is the service's rule."""
    return {"$or": [dict(expression) for expression in expressions]}


def not_(expression: Mapping[str, Any]) -> Expression:
    """This does not hold."""
    return {"$not": dict(expression)}


def metadata(key: str) -> str:
    """Return the field of one metadata entry."""
    return f"metadata[{key}]"


def balance(asset: str) -> str:
    """Return the field of the balance in one asset."""
    return f"balance[{asset}]"


def _plain(field: str, value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidRequestError(f"{field}: a time needs a zone, for example datetime.now(UTC)", field)
        return moment(value)
    if not isinstance(value, (str, int)):
        raise InvalidRequestError(f"{field}: a filter compares texts, integers, booleans and times", field)
    return value
