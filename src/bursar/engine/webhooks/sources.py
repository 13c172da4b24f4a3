"""How each API writes and signs its webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from bursar.engine.webhooks.policy import Policy
from bursar.engine.webhooks.tables import Delivery, Endpoint, Event


class Signing(Struct, frozen=True):
    """The moment of an attempt, in Unix seconds, and the secrets good at it."""

    timestamp: int
    secret: str
    """Signs where there is room for one signature."""
    all: Sequence[str]
    """Sign where there is room for several, the newest first."""


class Source(Protocol):
    """An API whose events are delivered."""

    @property
    def name(self) -> str:
        """Its name, as `emit` gets it."""
        ...

    @property
    def policy(self) -> Policy:
        """When deliveries are tried again."""
        ...

    def new_secret(self, random: bytes) -> str:
        """A secret of 32 random bytes, as this API's receivers expect it."""
        ...

    def body(self, event: Event, endpoint: Endpoint, name: str) -> bytes:
        """What is sent: the same bytes at every try. `name`: what the endpoint calls this type of event."""
        ...

    def trial(self) -> tuple[str, Mapping[str, Any]]:
        """The type and the data of a made-up event, to try an endpoint with."""
        ...

    def headers(self, delivery: Delivery, body: bytes, signing: Signing) -> list[tuple[str, str]]:
        """The fields of one try, its signatures included."""
        ...
