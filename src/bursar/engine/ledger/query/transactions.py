"""Transactions: list, count, one (section 8.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Raw, json, structs

from bursar.engine.books import LOGS, MOVES, before, member
from bursar.engine.kernel import Posting, Volumes, chain
from bursar.engine.kernel.model import Pair
from bursar.engine.ledger import features
from bursar.engine.ledger.errors import NotFound
from bursar.engine.ledger.query import addresses, fields, metadata_at
from bursar.engine.ledger.query.expression import All, Expression, Test
from bursar.engine.ledger.query.fields import Field, Fields
from bursar.engine.ledger.query.pages import Column, Listing, Near, Page, Row, Source, run, shown_time
from bursar.engine.registry import RAIL_LEDGERS, LedgerRow
from bursar.engine.store.base import Sql
from bursar.engine.view import ReadView

COLUMNS: Final[Mapping[str, Column]] = {
    "id": Column("t.id", "number"),
    "timestamp": Column("t.timestamp", "date"),
    "inserted_at": Column("t.inserted_at", "date"),
    "updated_at": Column("t.updated_at", "date"),
    "reverted_at": Column("t.reverted_at", "date", nullable=True),
}
FEW: Final = 10_000
"""Transactions that are found and then put in order."""
_postings: Final = json.Decoder(tuple[Posting, ...]).decode


def page(view: ReadView, ledger: LedgerRow, listing: Listing) -> Page:
    """A page of transactions. Raises Validation."""
    near = Near(_body(view, ledger, listing, near=True), _ends(ledger)) if listing.filter else None
    source = Source(_columns(ledger, listing.pit), _body(view, ledger, listing), "t.id", near=near)
    rows, shape = run(view, listing, source, COLUMNS[listing.column])
    return structs.replace(shape, data=_rendered(view, ledger, rows, listing.expand))


def count(view: ReadView, ledger: LedgerRow, listing: Listing) -> int:
    """How many transactions there are. Raises Validation."""
    body = _body(view, ledger, listing)
    return int(view.query(Sql(f"SELECT count(*) {body.text}", body.values))[0][0])


def one(view: ReadView, ledger: LedgerRow, id: int, pit: int | None, expand: Sequence[str]) -> dict[str, Any]:
    """The transaction of this id. Raises NotFound."""
    seen = f" AND t.timestamp <= {pit}" if pit is not None else ""
    text = f"SELECT {_columns(ledger, pit)} FROM transactions t WHERE t.ledger = ? AND t.id = ?{seen}"
    rows = view.query(Sql(text, (ledger.name, id)))
    if not rows:
        raise NotFound
    return _rendered(view, ledger, rows, expand)[0]


def filters(ledger: LedgerRow, pit: int | None, *, near: bool = False, window: Sql = fields.TRUE) -> Fields:
    """What transactions can be filtered by; see `addresses.of_postings`."""
    reverted_at = _reverted_at(pit)
    dates = {name: fields.date(name, f"t.{name}") for name in ("timestamp", "inserted_at", "updated_at")}
    return {
        "id": fields.number("id", "t.id"),
        "reference": fields.text("reference", "t.reference"),
        **dates,
        "reverted_at": fields.date("reverted_at", reverted_at),
        "reverted": _reverted(reverted_at),
        **{name: addresses.of_postings(name, ledger.name, near=near, window=window) for name in _SIDES},
        "metadata": fields.members("metadata", metadata_at.of_transaction(ledger, pit)),
    }


_SIDES: Final = ("account", "source", "destination")


def _reverted(column: str) -> Field:
    def sql(test: Test) -> Sql:
        return Sql(f"{column} IS {'NOT ' if test.value else ''}NULL")

    return Field("reverted", "boolean", sql)


def _reverted_at(pit: int | None) -> str:
    """A revert after the point in time has not happened yet."""
    return "t.reverted_at" if pit is None else f"CASE WHEN t.reverted_at <= {pit} THEN t.reverted_at END"


def _columns(ledger: LedgerRow, pit: int | None) -> str:
    return (
        f"t.id, t.postings, {metadata_at.of_transaction(ledger, pit)}, t.reference, t.timestamp, t.inserted_at,"
        f" t.updated_at, {_reverted_at(pit)}, t.template, t.volumes, t.log"
    )


def _ends(ledger: LedgerRow) -> Sql:
    ends = (f"(SELECT {which}(t.id) FROM transactions t WHERE t.ledger = ?)" for which in ("min", "max"))
    return Sql(f"SELECT {', '.join(ends)}", (ledger.name, ledger.name))


def _body(view: ReadView, ledger: LedgerRow, listing: Listing, *, near: bool = False) -> Sql:
    wanted = listing.expression()
    tests = _conjuncts(wanted)
    known = filters(ledger, listing.pit, near=near, window=_window(tests, listing.pit))
    condition = fields.compile_filter(wanted, known)
    if not near:
        condition = fields.both(
            condition, *_narrowed(ledger, tests, listing.pit), _rare_days(view, ledger, tests)
        )
    seen = f" AND t.timestamp <= {listing.pit}" if listing.pit is not None else ""
    return Sql(
        f"FROM transactions t WHERE t.ledger = ?{seen} AND ({condition.text})",
        (ledger.name, *condition.values),
    )


def _conjuncts(expression: Expression | None) -> list[Test]:
    """Tests that every transaction of the list passes."""
    tests: list[Test] = []
    ahead = [expression]
    while ahead:
        part = ahead.pop()
        if isinstance(part, All):
            ahead.extend(part.parts)
        elif isinstance(part, Test):
            tests.append(part)
    return tests


def _narrowed(ledger: LedgerRow, tests: Sequence[Test], pit: int | None) -> Iterator[Sql]:
    """What the tests imply and an index can find.

    It would not do as the tests' own conditions: a transaction without reference is selected neither by a test of it
    nor by the negation.
    """
    for test in tests:
        if _indexed(ledger, test, pit):
            yield Sql(
                't.id IN (SELECT i."transaction" FROM transaction_members i'
                " WHERE i.ledger = ? AND i.key = ? AND i.value = ?)",
                (ledger.name, *member(test.index or "", test.value)),
            )
        if test.field == "reference" and test.operator != "$like":
            known = fields.text("reference", "r.reference").sql(test)
            yield Sql(
                f't.id IN (SELECT r."transaction" FROM ledger_references r WHERE r.ledger = ? AND {known.text})',
                (ledger.name, *known.values),
            )


def _rare_days(view: ReadView, ledger: LedgerRow, tests: Sequence[Test]) -> Sql | None:
    """The same of timestamps, if the index has few: beyond, reading on from where the list begins takes no longer."""
    days = _times("i.timestamp", tests)
    if not days:
        return None
    within = fields.both(Sql("i.ledger = ?", (ledger.name,)), *days)
    some = f"SELECT count(*) FROM (SELECT 1 FROM transactions i WHERE {within.text} LIMIT {FEW + 1}) x"
    if view.query(Sql(some, within.values))[0][0] > FEW:
        return None
    return Sql(f"t.id IN (SELECT i.id FROM transactions i WHERE {within.text})", within.values)


def _times(column: str, tests: Sequence[Test]) -> list[Sql]:
    """The tests of timestamps, of a column that has the same ones."""
    day = fields.date("timestamp", column)
    return [
        day.sql(test)
        for test in tests
        if (test.field, test.index) == ("timestamp", None) and fields.fits(test, day)
    ]


def _indexed(ledger: LedgerRow, test: Test, pit: int | None) -> bool:
    """Whether it asks for a member of the metadata as it is now."""
    now = pit is None and ledger.name not in RAIL_LEDGERS
    return (
        now and test.field == "metadata" and test.index is not None and test.operator in ("$match", "$like")
    )


def _window(tests: Sequence[Test], pit: int | None) -> Sql:
    """What the tests imply of moves: a move has its transaction's timestamp."""
    return fields.both(
        *_times("m.effective_at", tests), None if pit is None else Sql(f"m.effective_at <= {pit}")
    )


def _rendered(
    view: ReadView, ledger: LedgerRow, rows: Sequence[Row], expand: Sequence[str]
) -> list[dict[str, Any]]:
    if "effectiveVolumes" in expand and features.has(ledger, features.MOVES):
        features.need(ledger, features.EFFECTIVE)
    return [_shown(view, ledger, row, expand) for row in rows]


def _shown(view: ReadView, ledger: LedgerRow, row: Row, expand: Sequence[str]) -> dict[str, Any]:
    number, postings, metadata, reference, timestamp, inserted_at, updated_at, reverted_at, template = row[:9]
    inserted = shown_time(inserted_at)
    shown: dict[str, Any] = {
        "postings": Raw(postings),
        "metadata": Raw(metadata),
        "timestamp": inserted if timestamp == inserted_at else shown_time(timestamp),
    }
    if reference:
        shown["reference"] = reference
    shown["id"], shown["insertedAt"] = number, inserted
    shown["updatedAt"] = inserted if updated_at == inserted_at else shown_time(updated_at)
    if reverted_at is not None:
        shown["revertedAt"] = shown_time(reverted_at)
    if template:
        shown["template"] = template
    shown["reverted"] = reverted_at is not None
    if "volumes" in expand:
        after = _post_commit(view, ledger, row[9], row[10])
        _add_maps(shown, "CommitVolumes", after, before(after, _postings(postings)))
    if "effectiveVolumes" in expand and features.has(ledger, features.MOVES):
        _add_maps(
            shown, "CommitEffectiveVolumes", *_effective(view, ledger, number, timestamp, _postings(postings))
        )
    return shown


def _add_maps(
    shown: dict[str, Any], name: str, post: Mapping[Pair, Volumes], pre: Mapping[Pair, Volumes]
) -> None:
    shown[f"post{name}"] = chain.encode_volumes(post)
    shown[f"pre{name}"] = chain.encode_volumes(pre)


def _post_commit(view: ReadView, ledger: LedgerRow, volumes: str | None, log: int) -> Mapping[Pair, Volumes]:
    """From the log that made the transaction, unless that was imported."""
    if volumes is not None:
        return chain.decode_volumes(volumes)
    row = view.get(LOGS, ledger.name, log)
    assert row is not None
    data = chain.decode_data(row.type, row.data.encode())
    assert isinstance(data, chain.NewTransactionJson | chain.RevertedTransactionJson)
    told = data.transaction.post_commit_volumes
    return chain.decode_volumes(told) if isinstance(told, Raw) else {}


def _effective(
    view: ReadView, ledger: LedgerRow, id: int, timestamp: int, postings: Sequence[Posting]
) -> tuple[Mapping[Pair, Volumes], Mapping[Pair, Volumes]]:
    """Effective volumes as they are now: later back-dated transactions have changed them."""
    post: dict[Pair, Volumes] = {}
    pre: dict[Pair, Volumes] = {}
    pairs = {(name, p.asset): None for p in postings for name in (p.source, p.destination)}
    for account, asset in pairs:
        move = view.get(MOVES, ledger.name, account, asset, timestamp, id)
        if move is not None:
            total = Volumes(move.effective_input, move.effective_output)
            post[account, asset] = total
            pre[account, asset] = Volumes(total.input - move.input, total.output - move.output)
    return post, pre
