"""Webhooks out: events and their deliveries, for any API of the engine.

`emit` writes an event in its cause's own commit; the delivery engine carries it to the endpoints at least once.
"""

from bursar.engine.webhooks.outbox import emit

__all__ = ["emit"]
