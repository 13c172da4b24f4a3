"""Every table of the engine; the schema is rendered from this.

A domain with tables of its own adds its `TABLES` here.
"""

from __future__ import annotations

from bursar.engine import books, lease, registry, view, work
from bursar.engine.auth import tables as auth
from bursar.engine.auth.formance import tables as stack
from bursar.engine.events import tables as events
from bursar.engine.ledger import tables as ledger
from bursar.engine.milkyway import tables as milkyway
from bursar.engine.piaxis import escrow_tables as piaxis_escrows
from bursar.engine.piaxis import oauth_tables as piaxis_oauth
from bursar.engine.piaxis import shopify as piaxis_shopify
from bursar.engine.piaxis import tables as piaxis
from bursar.engine.pipelines import tables as pipelines
from bursar.engine.store.table import AnyTable
from bursar.engine.webhooks import tables as webhooks


def all_tables() -> tuple[AnyTable, ...]:
    """The tables of the whole engine, each once."""
    return (
        *books.TABLES,
        registry.LEDGERS,
        view.SEQUENCES,
        work.WORK,
        lease.LEASES,
        *auth.TABLES,
        *stack.TABLES,
        *ledger.TABLES,
        *milkyway.TABLES,
        *piaxis.TABLES,
        *piaxis_escrows.TABLES,
        *piaxis_oauth.TABLES,
        *piaxis_shopify.TABLES,
        *webhooks.TABLES,
        *pipelines.TABLES,
        *events.TABLES,
    )
