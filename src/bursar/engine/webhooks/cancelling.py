"""The end of what was on its way to an endpoint that was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.core import Core
from bursar.engine.view import ReadView, View
from bursar.engine.webhooks.lanes import want_deliveries
from bursar.engine.webhooks.tables import CANCELLED, DELIVERIES, INBOX, LANES, PENDING
from bursar.engine.work import Claimed

CANCEL: Final = "webhooks-cancel"
"""Kind of the work that cancels the unfinished deliveries of a deleted endpoint; its key is the endpoint's id."""


async def cancel_all(core: Core, item: Claimed) -> None:
    """Cancel the unfinished deliveries of a deleted endpoint. The handler of `CANCEL`."""
    unfinished = partial(_unfinished, endpoint_id=item.key)
    while found := await core.read(unfinished):
        await core.submit(partial(_cancel, ids=found))


def _unfinished(view: ReadView, endpoint_id: str) -> list[str]:
    where = {"endpoint": endpoint_id, "status": PENDING}
    return [row.id for row in view.select(DELIVERIES, where, limit=limits.WEBHOOK_REPLAYED)]


def _cancel(view: View, ids: Sequence[str]) -> None:
    """End deliveries and their lanes, which nobody serves any more."""
    want_deliveries(view, ids)
    for delivery_id in ids:
        delivery = view.get(DELIVERIES, delivery_id)
        if delivery is not None and delivery.status == PENDING:
            ended = replace(
                delivery, status=CANCELLED, next_attempt_at=None, follower=None, updated_at=view.now
            )
            view.put(DELIVERIES, ended)
            view.delete(INBOX, delivery.endpoint, delivery.id)
            view.delete(LANES, delivery.endpoint, delivery.object)
