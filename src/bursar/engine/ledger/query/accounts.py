"""Accounts: list, count, one (section 8.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Raw, structs

from bursar.engine.ledger import features
from bursar.engine.ledger.errors import NotFound, Validation
from bursar.engine.ledger.query import addresses, fields, metadata_at, moved, patterns
from bursar.engine.ledger.query.expression import Test
from bursar.engine.ledger.query.fields import SIGNS, Field, Fields, bound
from bursar.engine.ledger.query.pages import Column, Listing, Page, Row, Source, run, shown_time
from bursar.engine.registry import LedgerRow
from bursar.engine.store.base import QueryRefused, Sql
from bursar.engine.view import ReadView

COLUMNS: Final[Mapping[str, Column]] = {
    "address": Column("a.address", "text"),
    "first_usage": Column("a.first_usage", "date"),
    "insertion_date": Column("a.insertion_date", "date"),
    "updated_at": Column("a.updated_at", "date"),
}
VOLUMES: Final = "volumes"
EFFECTIVE: Final = "effectiveVolumes"
_NEEDS: Final = {VOLUMES: features.MOVES, EFFECTIVE: features.EFFECTIVE}


def page(view: ReadView, ledger: LedgerRow, listing: Listing) -> Page:
    """A page of accounts. Raises Validation."""
    expand = _expanded(ledger, listing.expand)
    source = Source(
        f"a.address, {metadata_at.of_account(ledger, listing.pit)}, a.first_usage, a.insertion_date, a.updated_at",
        _body(ledger, listing),
        "a.address",
    )
    with _refusals():
        rows, shape = run(view, listing, source, COLUMNS[listing.column])
    return structs.replace(shape, data=_rendered(view, ledger, rows, listing.pit, expand))


def count(view: ReadView, ledger: LedgerRow, listing: Listing) -> int:
    """How many accounts there are. Raises Validation."""
    body = _body(ledger, listing)
    with _refusals():
        return int(view.query(Sql(f"SELECT count(*) {body.text}", body.values))[0][0])


def one(
    view: ReadView, ledger: LedgerRow, address: str, pit: int | None, expand: Sequence[str]
) -> dict[str, Any]:
    """The account of an address; of a pattern, the smallest that fits (24.3). Raises NotFound and Validation."""
    wanted = _expanded(ledger, expand)
    if "\0" in address:
        raise Validation("an address cannot hold the character NUL")
    condition = addresses.fits("a.address", patterns.parse(address, middle=True))
    seen = f" AND a.first_usage <= {pit}" if pit is not None else ""
    rows = view.query(
        Sql(
            f"SELECT a.address, {metadata_at.of_account(ledger, pit)}, a.first_usage, a.insertion_date, a.updated_at"
            f" FROM accounts a WHERE a.ledger = ? AND {condition.text}{seen} ORDER BY a.address LIMIT 1",
            (ledger.name, *condition.values),
        )
    )
    if not rows:
        raise NotFound
    return _rendered(view, ledger, rows, pit, wanted)[0]


def filters(ledger: LedgerRow, pit: int | None) -> Fields:
    """What accounts can be filtered by."""
    return {
        "address": addresses.of_column("a.address"),
        "first_usage": fields.date("first_usage", "a.first_usage"),
        "insertion_date": fields.date("insertion_date", "a.insertion_date"),
        "updated_at": fields.date("updated_at", "a.updated_at"),
        "balance": _balance(ledger, pit),
        "metadata": fields.members("metadata", metadata_at.of_account(ledger, pit)),
    }


def volumes_of(
    view: ReadView, ledger: LedgerRow, names: Sequence[str], pit: int | None, *, effective: bool
) -> dict[str, dict[str, dict[str, int]]]:
    """By account and asset the volumes, now or as of a point in time."""
    if not names:
        return {}
    if pit is None or (effective and not features.has(ledger, features.MOVES)):
        condition = fields.among("v.account", names)
        statement = Sql(
            f"SELECT v.account, v.asset, v.input, v.output FROM volumes v WHERE v.ledger = ? AND {condition.text}",
            (ledger.name, *condition.values),
        )
    else:
        statement = moved.within(ledger.name, pit, None, insertion=not effective, accounts=names)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for account, asset, put_in, put_out in view.query(statement):
        found.setdefault(account, {})[asset] = shown_volumes(int(put_in), int(put_out))
    return found


def shown_volumes(put_in: int, put_out: int) -> dict[str, int]:
    """Volumes as the API writes them."""
    return {"input": put_in, "output": put_out, "balance": put_in - put_out}


def _body(ledger: LedgerRow, listing: Listing) -> Sql:
    condition = fields.compile_filter(listing.expression(), filters(ledger, listing.pit))
    seen = f" AND a.first_usage <= {listing.pit}" if listing.pit is not None else ""
    return Sql(
        f"FROM accounts a WHERE a.ledger = ?{seen} AND ({condition.text})", (ledger.name, *condition.values)
    )


def _balance(ledger: LedgerRow, pit: int | None) -> Field:
    """Balances of an account; one without the asset is neither selected nor by the negation (6.5)."""

    def sql(test: Test) -> Sql:
        if pit is not None:
            features.need(ledger, features.MOVES)
            if not features.has(ledger, features.EFFECTIVE):
                return fields.UNKNOWN
        sign, value = SIGNS[test.operator], bound(test.value)
        of_asset = "" if test.index is None else " AND {0}.asset = ?"
        values = () if test.index is None else (test.index,)
        if pit is None:
            where = "v.ledger = a.ledger AND v.account = a.address" + of_asset.format("v")
            if test.index is not None:  # at most one row
                fits = f"compare(balance(v.input, v.output), ?) {sign} 0"
                return Sql(f"(SELECT {fits} FROM volumes v WHERE {where})", (value, *values))
            table = f"SELECT balance(v.input, v.output) AS b FROM volumes v WHERE {where}"
        else:
            where = (
                f"m.ledger = a.ledger AND m.account = a.address AND m.effective_at <= {pit}"
                + of_asset.format("m")
            )
            table = f"SELECT exact_sum(balance(m.input, m.output)) AS b FROM moves m WHERE {where} GROUP BY m.asset"
        fits = f"CASE WHEN compare(x.b, ?) {sign} 0 THEN 1 ELSE 0 END"
        return Sql(f"(SELECT single(count(*), min({fits})) FROM ({table}) x) = 1", (value, *values))

    return Field("balance", "numbers", sql)


def _expanded(ledger: LedgerRow, names: Sequence[str]) -> frozenset[str]:
    """What to show besides; a feature is asked for only in the exact spelling (8.4). Raises Validation."""
    wanted: set[str] = set()
    for name in names:
        plain = name.replace("_", "").replace("-", "").lower()
        if not name or "," in name or plain in _COLUMN_NAMES:
            raise Validation(f"invalid expand '{name}'")
        for known, feature in _NEEDS.items():
            if name == known:
                features.need(ledger, feature)
            if plain == known.lower():
                wanted.add(known)
    return frozenset(wanted)


_COLUMN_NAMES: Final = frozenset(
    {"address", "metadata", "firstusage", "insertiondate", "updatedat", "ledger", "seq", "addressarray"}
)


def _rendered(
    view: ReadView, ledger: LedgerRow, rows: Sequence[Row], pit: int | None, expand: frozenset[str]
) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = [
        {
            "address": row[0],
            "metadata": Raw(row[1] or "{}"),
            "firstUsage": shown_time(row[2]),
            "insertionDate": shown_time(row[3]),
            "updatedAt": shown_time(row[4]),
        }
        for row in rows
    ]
    for name in expand:
        volumes = volumes_of(view, ledger, [row[0] for row in rows], pit, effective=name == EFFECTIVE)
        for row, account in zip(rows, shown, strict=True):
            if row[0] in volumes:
                account[name] = volumes[row[0]]
    return shown


class _refusals:  # noqa: N801 - used as a context manager
    """A query that has no meaning for some account is the caller's fault."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is QueryRefused:
            raise Validation("a balance without asset compares only accounts that have one asset") from None
