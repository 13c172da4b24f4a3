"""Pages of a merchant's objects: newest first, by id among equal times, `total` counting all (PS37-PS39)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from bursar.engine.piaxis.errors import Loc, invalid
from bursar.engine.piaxis.times import microseconds
from bursar.engine.store.base import Where
from bursar.engine.store.table import Scalar, Table
from bursar.engine.view import ReadView

R = TypeVar("R", bound=msgspec.Struct)

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
_FAR: Final = 2**63 - 1


class Page(msgspec.Struct, frozen=True):
    """Which rows of a listing are asked for."""

    limit: int
    offset: int


def asked_page(limit: int | None, offset: int | None, *, default: int = DEFAULT_LIMIT) -> Page:
    """Return the page of a request. Raises `InvalidRequest` outside 1..100, or for an offset below 0 (PS38)."""
    page = Page(default if limit is None else limit, offset or 0)
    if not 1 <= page.limit <= MAX_LIMIT:
        raise invalid(("query", "limit"), f"limit is 1 to {MAX_LIMIT}", "out_of_range")
    if not 0 <= page.offset <= _FAR:
        raise invalid(("query", "offset"), "offset is at least 0", "out_of_range")
    return page


def between(from_date: datetime | None, to_date: datetime | None) -> dict[str, Scalar]:
    """Return the condition on `created_at`, both ends inclusive. Raises `InvalidRequest`: out of range."""
    where: dict[str, Scalar] = {}
    if from_date is not None:
        where["created_at >="] = _at(from_date, ("query", "from_date"))
    if to_date is not None:
        where["created_at <="] = _at(to_date, ("query", "to_date"))
    return where


def page_of(view: ReadView, table: Table[R], where: Where, page: Page) -> tuple[list[R], int]:
    """Return a page of rows that have `created_at` and `id`, and how many there are in all."""
    total = view.count(table, where)
    if page.offset >= total:
        return [], total
    rows = view.select(table, where, order=("-created_at", "-id"), limit=page.offset + page.limit)
    return rows[page.offset :], total


def _at(date: datetime, loc: Loc) -> int:
    try:
        return microseconds(date)
    except OverflowError:
        raise invalid(loc, "this time is out of range", "out_of_range") from None
