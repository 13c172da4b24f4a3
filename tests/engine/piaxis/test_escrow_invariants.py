"""The check of escrows finds what is damaged: each damage is made on purpose."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bursar.engine.books import VOLUMES
from bursar.engine.currency import asset
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis.escrow_tables import DISPUTES, ESCROW_BATCHES, ESCROW_ITEMS, ESCROWS, SLICES
from bursar.engine.piaxis.escrow_terms import ALARM
from bursar.engine.store.table import Table
from bursar.engine.view import View
from tests.engine.piaxis.escrow_calls import SLICES_AB, Escrows, term, to_phone
from tests.engine.piaxis.rail import OK, SILENT, Rail

Damage = Callable[[View, Any], None]


def change(table: Table[Any], **changes: Any) -> Damage:
    return lambda view, row: view.put(table, replace(row, **changes))


def take(view: View, row: Any) -> None:
    """Money leaves an escrow's account without a posting."""
    found = view.get(VOLUMES, book.LEDGER, book.escrow(row.id, "alpha"), asset("UGX"))
    assert found is not None
    view.put(VOLUMES, replace(found, output=1))


DAMAGES: list[tuple[Table[Any], Any, Damage, set[str]]] = [
    (ESCROWS, {}, take, {"balance"}),
    (ESCROWS, {}, change(ESCROWS, released=20_000), {"escrow figures"}),
    (ESCROWS, {}, change(ESCROWS, rest=5), {"escrow figures", "balance"}),
    (ESCROWS, {}, change(ESCROWS, fee_taken=5), {"balance"}),
    (ESCROWS, {}, change(ESCROWS, state="released", shown="released"), {"escrow state", "balance"}),
    (ESCROWS, {}, change(ESCROWS, shown="released"), {"escrow state"}),
    (ESCROWS, {}, change(ESCROWS, funded_at=None), {"escrow state"}),
    (ESCROWS, {}, change(ESCROWS, dispute=None, state="disputed", shown="disputed"), {"escrow dispute"}),
    (ESCROWS, {}, lambda view, row: view.unschedule(ALARM, row.id), {"alarm"}),
    (
        ESCROWS,
        {"phone": SILENT},
        change(ESCROWS, state="cancelled", shown="cancelled"),
        {"escrow funding"},
    ),
    (SLICES, {"key": "alpha"}, change(SLICES, amount=1), {"escrow figures", "balance"}),
    (SLICES, {"key": "alpha"}, change(SLICES, status="released"), {"escrow figures", "balance"}),
    (DISPUTES, {}, change(DISPUTES, outcome="dismissed"), {"escrow dispute"}),
    (ESCROW_BATCHES, {}, change(ESCROW_BATCHES, released=1), {"batch figures"}),
    (ESCROW_BATCHES, {}, change(ESCROW_BATCHES, status="completed"), {"batch figures"}),
    (ESCROW_BATCHES, {}, change(ESCROW_BATCHES, total=1), {"batch figures"}),
    (ESCROW_ITEMS, {}, change(ESCROW_ITEMS, amount=1), {"batch item"}),
]


@pytest.mark.parametrize(("table", "where", "damage", "kinds"), DAMAGES)
def test_damage_is_found(table: Table[Any], where: Any, damage: Damage, kinds: set[str]) -> None:
    with Rail() as rail:
        escrows = Escrows(rail)
        created = escrows.open(term("time_lock", release_after=60), allocations=SLICES_AB)
        rail.clock.advance(1)
        escrows.open(phone=SILENT)
        escrows.dispute(escrows.open())
        escrows.pay(to_phone(OK))
        assert rail.damages() == []
        chosen = where or ({"id": created.id} if table is ESCROWS else {})
        row = rail.rows(table, **chosen)[0]
        rail.submit(lambda view: damage(view, row))
        assert kinds <= {text.partition(":")[0] for text in rail.damages()}
