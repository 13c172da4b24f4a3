"""How a request reaches an endpoint. What carries it over a network is the server's part; tests have one without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

NO_ANSWER: Final = 0
"""Status code of an attempt that got no answer."""


class Outgoing(Struct, frozen=True, gc=False):
    """A POST to an endpoint, with all that the endpoint is told."""

    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class Answer(Struct, frozen=True, gc=False):
    """What came of a request; `status_code` is NO_ANSWER when nothing came, and `error` says why."""

    status_code: int
    error: str | None = None
    retry_after: str | None = None
    """The answer's ``Retry-After`` field, as it came."""
    excerpt: str = ""
    duration_us: int = 0


class Sender(Protocol):
    """Carries requests to endpoints."""

    async def send(self, outgoing: Outgoing, timeout_s: float) -> Answer:
        """Send, follow no redirect, and return within `timeout_s`. Raises nothing for what a network can do."""
        ...

    def objection(self, url: str) -> str | None:
        """Why nothing would be sent to this URL, as far as the URL itself tells; None if it would."""
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
