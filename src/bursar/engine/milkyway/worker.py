"""The rail's durable work: payments' alarms, and forgetting old idempotency keys."""

from __future__ import annotations

from functools import partial

from bursar.engine.books import REFERENCES
from bursar.engine.core import Core
from bursar.engine.milkyway.accounts import LEDGER
from bursar.engine.milkyway.intake import DAY, PURGE
from bursar.engine.milkyway.lifecycle import ALARM, reference, wake
from bursar.engine.milkyway.tables import KEYS, PAYMENTS, KeyRow
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import ReadView, View
from bursar.engine.work import Claimed

_FORGOTTEN_AT_ONCE = 500


def register(core: Core) -> None:
    """Name the handlers of the rail's work; once for each core, before its worker starts."""
    core.worker.register_step(ALARM, _ring, _rung)
    core.worker.register(PURGE, _purge)


def _ring(view: View, key: str) -> None:
    """Do what is due for a payment."""
    wake(view, int(key))


def _rung(key: str) -> list[tuple[AnyTable, Key]]:
    """The payment, and the reference that its ending looks up: never in memory, being new."""
    payment_id = int(key)
    return [(PAYMENTS, (payment_id,)), (REFERENCES, (LEDGER, reference(payment_id, "final")))]


async def _purge(core: Core, claimed: Claimed) -> None:
    """Forget the keys of one day, when the last of them has been kept long enough (D2)."""
    while rows := await core.read(lambda view: _keys_of(view, claimed)):
        await core.submit(partial(forget, rows=rows))
    await core.submit(lambda view: view.unschedule(claimed.kind, claimed.key))


def _keys_of(view: ReadView, claimed: Claimed) -> list[KeyRow]:
    start = int(claimed.key) * DAY
    return view.select(KEYS, {"created_at >=": start, "created_at <": start + DAY}, limit=_FORGOTTEN_AT_ONCE)


def forget(view: View, rows: list[KeyRow]) -> None:
    """Delete keys, but none that was bound anew since `rows` were read."""
    for row in rows:
        if view.get(KEYS, row.institution, row.key) == row:
            view.delete(KEYS, row.institution, row.key)
