"""Where a server tells what happens in its ledgers."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from bursar.engine.core import Core
from bursar.engine.events.destinations import HttpDestination, MissingLibrary, NatsDestination
from bursar.engine.events.publisher import Publisher
from bursar.server.outgoing import Outgoing


class EventsTo(Struct, frozen=True):
    """The destinations; "" for none."""

    http: str = ""
    nats: str = ""

    def check(self) -> None:
        """Raise ValueError when a URL cannot be one, or its library is missing."""
        for url, schemes in ((self.http, ("http", "https")), (self.nats, ("nats", "tls"))):
            parts = urlsplit(url)
            if url and (parts.scheme not in schemes or not parts.hostname):
                raise ValueError(f"{url!r} is no URL for events: it begins with {schemes[0]}://")
        if self.nats:
            try:
                NatsDestination(self.nats)
            except MissingLibrary as error:
                raise ValueError(str(error)) from None


NOWHERE: Final = EventsTo()


class Told:
    """The publishers of a server's events."""

    def __init__(self, core: Core, to: EventsTo, outgoing: Outgoing) -> None:
        self._destinations: list[HttpDestination | NatsDestination] = []
        self._publishers: list[Publisher] = []
        if to.http:
            self._add(core, "http", HttpDestination(to.http, outgoing.post))
        if to.nats:
            self._add(core, "nats", NatsDestination(to.nats))

    def _add(self, core: Core, name: str, destination: HttpDestination | NatsDestination) -> None:
        self._destinations.append(destination)
        self._publishers.append(Publisher(core, name, destination.send))

    async def start(self) -> None:
        """Begin."""
        for publisher in self._publishers:
            await publisher.start()

    async def close(self) -> None:
        """End."""
        for publisher in self._publishers:
            await publisher.close()
        for destination in self._destinations:
            await destination.close()
