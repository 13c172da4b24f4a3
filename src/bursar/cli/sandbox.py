"""A running sandbox, as the commands that need one reach it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Self

from bursar.cli.output import refuse
from bursar.client.transport.pool import PoolTransport
from bursar.contract import Request, TransportError
from bursar.contract.json import loads
from bursar.piaxis import PiaxisClient


class Sandbox:
    """The server at `url`: its clock, and a client of its Piaxis API. Exits with a message when none is there."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url: Final = url.rstrip("/")
        self._transport = PoolTransport()
        self.clock()
        self.piaxis: Final = PiaxisClient(api_key=api_key, base_url=f"{self.url}/piaxis/api")

    def clock(self) -> dict[str, Any]:
        """What the sandbox's clock says: see `ClockState`."""
        return self._control("GET", "/clock")

    def run_to_next(self) -> None:
        """Move the clock to the next due work."""
        self._control("POST", "/clock/run-to-next")

    def close(self) -> None:
        """Release connections."""
        self.piaxis.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _control(self, method: str, path: str) -> dict[str, Any]:
        try:
            answer = self._transport.send(Request(method, f"{self.url}/_bursar{path}", ()), 10)
        except (TransportError, ValueError):
            refuse(
                f"nothing answers at {self.url}: start it with `bursar serve --sandbox`, or name it with --url"
            )
        if not answer.is_success:
            refuse(f"the server at {self.url} is no sandbox: start it with --sandbox")
        found: dict[str, Any] = loads(answer.body)
        return found
