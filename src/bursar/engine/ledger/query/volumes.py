"""Volumes per account and asset, aggregated balances, stats (sections 8.7 to 8.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import structs

from bursar.engine.ledger import features
from bursar.engine.ledger.query import addresses, fields, metadata_at, moved
from bursar.engine.ledger.query.accounts import shown_volumes
from bursar.engine.ledger.query.expression import Expression, Test
from bursar.engine.ledger.query.fields import SIGNS, Field, Fields, bound
from bursar.engine.ledger.query.pages import Column, Listing, Page, Source, run
from bursar.engine.registry import LedgerRow
from bursar.engine.store.base import Sql
from bursar.engine.view import ReadView

COLUMNS: Final[Mapping[str, Column]] = {"account": Column("x.account", "text")}
_ACCOUNT: Final = " LEFT JOIN accounts a ON a.ledger = ? AND a.address = v.account"


def page(view: ReadView, ledger: LedgerRow, listing: Listing) -> Page:
    """A page of rows (account, asset, volumes). Raises Validation."""
    dated = listing.pit is not None or listing.oot is not None
    if dated:
        features.need(ledger, features.MOVES)
    condition = fields.compile_filter(listing.expression(), _filters(ledger, listing, dated=dated))
    rows = _rows(ledger, listing.pit, listing.oot, insertion=bool(listing.options.get("insertionDate")))
    levels = listing.options.get("groupBy", 0)
    account = f"segments(v.account, {levels})" if levels > 0 else "v.account"
    grouped = " GROUP BY 1, 2" if levels > 0 else ""
    put_in, put_out = ("exact_sum(v.input)", "exact_sum(v.output)") if levels > 0 else ("v.input", "v.output")
    table = (
        f"SELECT {account} AS account, v.asset AS asset, {put_in} AS input, {put_out} AS output"
        f" FROM ({rows.text}) v{_ACCOUNT} WHERE ({condition.text}){grouped}"
    )
    values = (*rows.values, ledger.name, *condition.values)
    source = Source(
        "x.account, x.asset, x.input, x.output", Sql(f"FROM ({table}) x WHERE TRUE", values), "x.asset"
    )
    found, shape = run(view, listing, source, COLUMNS[listing.column])
    data = [{"account": row[0], "asset": row[1], **shown_volumes(int(row[2]), int(row[3]))} for row in found]
    return structs.replace(shape, data=data)


def aggregated(
    view: ReadView, ledger: LedgerRow, expression: Expression | None, pit: int | None, *, insertion: bool
) -> dict[str, int]:
    """The balance of all accounts together, by asset. Raises Validation."""
    if insertion:
        features.need(ledger, features.MOVES)
    elif pit is not None:
        features.need(ledger, features.EFFECTIVE)
    known: Fields = {
        "address": addresses.of_column("v.account"),
        "metadata": fields.members("metadata", metadata_at.of_account(ledger, pit)),
    }
    condition = fields.compile_filter(expression, known)
    if pit is not None and not features.has(ledger, features.MOVES):
        return {}
    rows = _rows(ledger, pit, None, insertion=insertion)
    text = (
        f"SELECT v.asset, exact_sum(balance(v.input, v.output)) FROM ({rows.text}) v{_ACCOUNT}"
        f" WHERE {condition.text} GROUP BY v.asset ORDER BY v.asset"
    )
    found = view.query(Sql(text, (*rows.values, ledger.name, *condition.values)))
    return {asset: int(balance) for asset, balance in found}


def stats(view: ReadView, ledger: LedgerRow) -> dict[str, int]:
    """How many transactions and accounts there are."""
    text = (
        "SELECT (SELECT count(*) FROM transactions t WHERE t.ledger = ?),"
        " (SELECT count(*) FROM accounts a WHERE a.ledger = ?)"
    )
    transactions, accounts = view.query(Sql(text, (ledger.name, ledger.name)))[0]
    return {"transactions": transactions, "accounts": accounts}


def _rows(ledger: LedgerRow, pit: int | None, oot: int | None, *, insertion: bool) -> Sql:
    """The table (account, asset, input, output) to start from: totals, or sums of a window."""
    if pit is None and oot is None:
        return Sql(
            "SELECT v.account AS account, v.asset AS asset, v.input AS input, v.output AS output"
            " FROM volumes v WHERE v.ledger = ?",
            (ledger.name,),
        )
    return moved.within(ledger.name, pit, oot, insertion=insertion)


def _filters(ledger: LedgerRow, listing: Listing, *, dated: bool) -> Fields:
    history = features.has(ledger, features.ACCOUNT_HISTORY)
    return _fields("NULL" if dated and not history else metadata_at.of_account(ledger, listing.pit))


def _fields(metadata: str) -> Fields:
    address = addresses.of_column("v.account")
    return {
        "address": address,
        "account": address,
        "balance": _balance(),
        "first_usage": fields.date("first_usage", "a.first_usage"),
        "metadata": fields.members("metadata", metadata),
    }


def _balance() -> Field:
    """The asset is part of the condition, so that the negation selects rows of other assets (6.5)."""

    def sql(test: Test) -> Sql:
        compared = f"compare(balance(v.input, v.output), ?) {SIGNS[test.operator]} 0"
        if test.index is None:
            return Sql(compared, (bound(test.value),))
        return Sql(f"v.asset = ? AND {compared}", (test.index, bound(test.value)))

    return Field("balance", "numbers", sql)


FIELDS: Final[Fields] = _fields("a.metadata")
"""What rows can be filtered by, as of now."""
