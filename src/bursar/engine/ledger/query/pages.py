"""Pages of a list and the tokens that lead from one to the next (section 5)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger import wire
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.query import expression
from bursar.engine.ledger.query.expression import Expression
from bursar.engine.store.base import Sql
from bursar.engine.store.table import Scalar
from bursar.engine.view import ReadView

LARGEST_SIZE: Final = 2**32 - 1
NEARBY: Final = 1_000
"""Rows that are looked at one by one before an index is asked."""
Row = Sequence[Any]


class Listing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One list as it was asked for: all that a token has to hold.

    `filter` is its JSON text. `at` is the position, a value of the sort column and the tiebreak: rows from there on,
    or, with `back`, those before it. Lists sorted by a text have an `offset` instead.
    """

    resource: str
    size: int
    column: str
    descending: bool = False
    filter: str = ""
    pit: int | None = None
    oot: int | None = None
    expand: tuple[str, ...] = ()
    options: dict[str, int] = {}
    at: tuple[int | str | None, int | str] | None = None
    back: bool = False
    offset: int = 0

    def expression(self) -> Expression | None:
        """The filter. Raises Validation."""
        return expression.parse(wire.value_at(self.filter, 0)[0]) if self.filter else None


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Listing).decode


def token_of(listing: Listing) -> str:
    """The opaque text of a position."""
    return urlsafe_b64encode(_encode(listing)).decode()


def listing_of(token: str, resource: str, columns: Mapping[str, Column]) -> Listing:
    """The reverse. A token of another list is good when its column is there (5.4). Raises Validation."""
    try:
        listing = _decode(urlsafe_b64decode(token.encode()))
    except (ValueError, msgspec.MsgspecError):
        raise Validation("invalid cursor") from None
    column = columns.get(listing.column)
    if column is None or listing.size < 1 or listing.offset < 0:
        raise Validation("invalid cursor: it belongs to another list")
    if listing.at is not None and column.kind != "text" and isinstance(listing.at[0], str):
        raise Validation("invalid cursor: it belongs to another list")
    return msgspec.structs.replace(listing, resource=resource)


class Page(Struct, frozen=True, kw_only=True):
    """A page of rendered rows."""

    data: Sequence[Any]
    size: int
    next: Listing | None = None
    previous: Listing | None = None


class Column(Struct, frozen=True):
    """A column that a list can be sorted by: SQL and kind. Texts are paged by offset."""

    sql: str
    kind: Literal["number", "date", "text"]
    nullable: bool = False


class Source(Struct, frozen=True):
    """A list's query. `tiebreak` orders rows that the sort column does not; rows end with column and tiebreak."""

    columns: str
    body: Sql
    tiebreak: str
    prefix: Sql = Sql("")
    near: Near | None = None


class Near(Struct, frozen=True):
    """Another body for the rows at the list's beginning, whose condition looks at each row alone.

    What many rows match is found there, and what few match by an index: neither body is good at both. `ends` selects
    the least and the greatest tiebreak, which is a number.
    """

    body: Sql
    ends: Sql


def sort_of(
    text: str, columns: Mapping[str, Column], default: str, *, descending: bool, usual: str = ""
) -> tuple[str, bool]:
    """Column and direction of a `sort` parameter (5.2); without a name it is the `usual` one. Raises Validation."""
    if not text:
        return usual or default, descending
    name, colon, direction = text.partition(":")
    if colon:
        if direction.lower() not in ("asc", "desc"):
            raise Validation(f"invalid order: {direction}")
        descending = direction.lower() == "desc"
    column = snake_case(name) if name else default
    if column not in columns:
        raise Validation(f"invalid sort column '{name}'")
    return column, descending


def snake_case(name: str) -> str:
    """A field's name from any casing (2.2): `InsertedAt`, `inserted-at`, `ID`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", name)
    return re.sub(r"[-\s.]+", "_", spaced).lower()


def run(view: ReadView, listing: Listing, source: Source, column: Column) -> tuple[list[Row], Page]:
    """The rows of a page, in the list's order, and the page without its data. Raises Validation."""
    if column.kind == "text":
        return _by_offset(view, listing, source, column)
    return _by_key(view, listing, source, column)


def _by_offset(view: ReadView, listing: Listing, source: Source, column: Column) -> tuple[list[Row], Page]:
    way = "DESC" if listing.descending else "ASC"
    order = f"{column.sql} {way}, {source.tiebreak} {way}"
    rows = _select(view, source, column, None, order, listing.size + 1, listing.offset)
    more = len(rows) > listing.size
    following = msgspec.structs.replace(listing, offset=listing.offset + listing.size)
    before = msgspec.structs.replace(listing, offset=max(0, listing.offset - listing.size))
    page = Page(
        data=(),
        size=listing.size,
        next=following if more else None,
        previous=before if listing.offset else None,
    )
    return rows[: listing.size], page


def _by_key(view: ReadView, listing: Listing, source: Source, column: Column) -> tuple[list[Row], Page]:
    """Rows from a key on, or backwards from it; the extra row tells whether there are more."""
    falling = listing.descending != listing.back
    way = "DESC" if falling else "ASC"
    condition = None
    if listing.at is not None:
        sign = ("<" if falling else ">") + ("" if listing.back else "=")
        condition = Sql(f"({column.sql}, {source.tiebreak}) {sign} (?, ?)", listing.at)
    nulls = "" if not column.nullable else " NULLS LAST" if falling else " NULLS FIRST"
    order = f"{column.sql} {way}{nulls}, {source.tiebreak} {way}"
    rows = _nearby(view, listing, source, column, condition, order)
    if len(rows) <= listing.size:
        rows = _select(view, source, column, condition, order, listing.size + 1, 0)
    if column.nullable and any(row[-2] is None for row in rows):
        raise Validation(f"invalid sort column '{listing.column}': some rows have no value there")
    more = len(rows) > listing.size
    if listing.back:
        kept = rows[: listing.size]
        previous = _at(listing, kept[-1], back=True) if more else None
        forth = msgspec.structs.replace(listing, back=False)
        return kept[::-1], Page(data=(), size=listing.size, next=forth, previous=previous)
    return rows[: listing.size], Page(
        data=(),
        size=listing.size,
        next=_at(listing, rows[-1], back=False) if more else None,
        previous=None if listing.at is None else msgspec.structs.replace(listing, back=True),
    )


def _nearby(
    view: ReadView, listing: Listing, source: Source, column: Column, condition: Sql | None, order: str
) -> list[Row]:
    """The rows among the first NEARBY ids of the list: the page, if it is full."""
    near, falling = source.near, listing.descending != listing.back
    if near is None or column.sql != source.tiebreak:
        return []
    least, greatest = view.query(near.ends)[0]
    start = listing.at[0] if listing.at is not None else greatest if falling else least
    if not isinstance(start, int):
        return []
    window = f"{column.sql} > {start - NEARBY}" if falling else f"{column.sql} < {start + NEARBY}"
    both = Sql(window) if condition is None else Sql(f"{window} AND {condition.text}", condition.values)
    close = Source(source.columns, near.body, source.tiebreak, source.prefix)
    return _select(view, close, column, both, order, listing.size + 1, 0)


def _at(listing: Listing, row: Row, *, back: bool) -> Listing:
    return msgspec.structs.replace(listing, at=(row[-2], row[-1]), back=back)


def _select(
    view: ReadView, source: Source, column: Column, condition: Sql | None, order: str, limit: int, offset: int
) -> list[Row]:
    """One query; `source.body` ends with its WHERE clause, so that conditions can follow."""
    values: tuple[Scalar, ...] = (*source.prefix.values, *source.body.values)
    text = f"{source.prefix.text} SELECT {source.columns}, {column.sql}, {source.tiebreak} {source.body.text}"
    if condition is not None:
        text += f" AND {condition.text}"
        values += condition.values
    text += f" ORDER BY {order} LIMIT ? OFFSET ?"
    return list(view.query(Sql(text, (*values, limit, offset))))


Render = Callable[[Row], Any]


def shown_time(us: int | None) -> str | None:
    """A time of a row as the API writes it."""
    return None if us is None else format_time(us)
