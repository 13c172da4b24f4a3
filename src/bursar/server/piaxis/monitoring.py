"""Reports of failures at clients: taken from anybody, so bounded in size and rate, and logged without texts (PS114)."""

from __future__ import annotations

import json
import logging
from typing import Final

from bursar.contract.binding import BadRequest, Incoming, route
from bursar.contract.http import Response
from bursar.engine.clock import Clock
from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis.errors import Code, Kind, Refusal
from bursar.piaxis.contract import Monitoring
from bursar.piaxis.models.monitoring import ClientErrorReport
from bursar.server.api import Api
from bursar.server.exchange import Exchange
from bursar.server.piaxis.errors import unreadable

client_log = logging.getLogger("bursar.client_errors")
"""One JSON object per report at level WARNING. No messages, traces or metadata: they may hold personal data."""

REPORT_BYTES: Final = 65_536
"""Largest report; a larger one is answered with 413."""
PER_MINUTE: Final = 120
"""Most reports taken in a minute of engine time, from all clients together; more are answered with 429."""
_MINUTE: Final = 60 * SECOND_US


class Reports:
    """Takes reports."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = -1
        self._taken = 0
        self._route = route(Monitoring.report_client_error, self._take)

    def mount(self, api: Api) -> None:
        """Add the endpoint to an API."""
        api.add("POST", self._route.endpoint.description.path, self._handle)

    async def _handle(self, exchange: Exchange) -> Response:
        self._count()
        body = await exchange.body(limit=REPORT_BYTES)
        try:
            return await self._route.handle(Incoming(body=body), exchange.request_id)
        except BadRequest as error:
            raise unreadable(error, self._route.endpoint.params) from None

    async def _take(self, request_id: str, payload: ClientErrorReport) -> None:
        line = {
            "source": payload.source,
            "severity": payload.severity,
            "name": payload.name,
            "platform": payload.platform,
            "request_id": request_id,
        }
        client_log.warning("%s", json.dumps(line))

    def _count(self) -> None:
        """Raise `Refusal` when the minute is full."""
        now = self._clock.now()
        minute = now // _MINUTE
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        if self._taken > PER_MINUTE:
            seconds = -(-((minute + 1) * _MINUTE - now) // SECOND_US)
            message = "too many reports: this one was not kept"
            raise Refusal(Kind.TOO_MANY, Code.RATE_LIMITED, message, retry_after=seconds)
