"""The rail's check finds what is damaged (PS112): each damage is made on purpose."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bursar.engine.books import VOLUMES
from bursar.engine.currency import asset
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis.providers import ALARM
from bursar.engine.piaxis.sandbox import MERCHANT_ID
from bursar.engine.piaxis.tables import DISBURSEMENTS, INSTRUCTIONS, ITEMS, PAYMENTS, SUSPENSE, SuspenseRow
from bursar.engine.store.table import Table
from bursar.engine.view import View
from tests.engine.piaxis.rail import BUYER, OK, SECOND, SLOW, Rail, account, phone


def change(table: Table[Any], **changes: Any) -> Callable[[View, Any], None]:
    return lambda view, row: view.put(table, replace(row, **changes))


def volumes(account: str, **changes: int) -> Callable[[View, Any], None]:
    def damage(view: View, row: Any) -> None:
        found = view.get(VOLUMES, book.LEDGER, account, asset("UGX"))
        assert found is not None
        view.put(VOLUMES, replace(found, **changes))

    return damage


def suspend(view: View, row: Any) -> None:
    view.put(SUSPENSE, SuspenseRow("s", "i", "mtn", "UGX", 5, "", view.now))


DAMAGES: list[tuple[Table[Any], Callable[[View, Any], None], set[str]]] = [
    (PAYMENTS, change(PAYMENTS, status="failed"), {"payment postings", "payment outcome"}),
    (PAYMENTS, change(PAYMENTS, amount=1), {"payment postings"}),
    (DISBURSEMENTS, change(DISBURSEMENTS, succeeded=0), {"batch figures"}),
    (DISBURSEMENTS, change(DISBURSEMENTS, total=1), {"batch total"}),
    (DISBURSEMENTS, change(DISBURSEMENTS, status="completed"), {"batch status"}),
    (DISBURSEMENTS, change(DISBURSEMENTS, status="pending"), {"batch work"}),
    (ITEMS, change(ITEMS, status="pending"), {"balance", "batch figures"}),
    (PAYMENTS, volumes(book.available(MERCHANT_ID), output=10**12), {"overdrawn", "zero sum", "volumes"}),
    (PAYMENTS, volumes(book.inflight("mtn"), input=1), {"balance", "overdrawn", "zero sum", "volumes"}),
    (PAYMENTS, suspend, {"balance"}),
    (PAYMENTS, lambda view, row: view.unschedule(ALARM, _waiting(view)), {"alarm"}),
]


@pytest.mark.parametrize(("table", "damage", "kinds"), DAMAGES)
def test_damage_is_found(table: Table[Any], damage: Callable[[View, Any], None], kinds: set[str]) -> None:
    with Rail() as rail:
        rail.pay(BUYER)
        rail.disburse(account(), phone(SLOW), phone(OK))
        rail.advance(3 * SECOND)
        assert rail.damages() == []
        row = rail.rows(table)[0]
        rail.submit(lambda view: damage(view, row))
        found = {text.partition(":")[0] for text in rail.damages()}
        assert kinds <= found | {"volumes"}
        assert found


def _waiting(view: View) -> str:
    return next(row.id for row in view.scan(INSTRUCTIONS) if row.outcome is None)
