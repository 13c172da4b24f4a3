"""What carries webhooks: to receivers inside this process, which a sandbox's tests have, and over the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bursar.engine.webhooks.sending import Answer, Outgoing
from bursar.server.webhooks.guard import Guard

if TYPE_CHECKING:
    from bursar.server.webhooks.sender import HttpSender

Inside = Callable[[Outgoing], Answer]
"""A receiver in this process. It must not wait: it runs on the engine's loop."""


class Carrier:
    """See `Sender`. The HTTP client is loaded by the first webhook that leaves the process."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._http: HttpSender | None = None
        self._inside: dict[str, Inside] = {}

    def attach(self, url: str, receiver: Inside) -> None:
        """From now on what is sent to `url` stays in this process."""
        self._inside[url] = receiver

    def detach(self, url: str) -> None:
        """Undo `attach`."""
        self._inside.pop(url, None)

    def objection(self, url: str) -> str | None:
        """See `Sender`."""
        return None if url in self._inside else self._guard.objection(url)

    async def send(self, outgoing: Outgoing, timeout_s: float) -> Answer:
        """See `Sender`."""
        receiver = self._inside.get(outgoing.url)
        if receiver is not None:
            return receiver(outgoing)
        if self._http is None:
            from bursar.server.webhooks.sender import HttpSender

            self._http = HttpSender(self._guard)
        return await self._http.send(outgoing, timeout_s)

    async def aclose(self) -> None:
        """See `Sender`."""
        if self._http is not None:
            await self._http.aclose()
