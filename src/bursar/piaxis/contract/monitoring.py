"""Reports of failures at clients. Takes no credentials."""

from __future__ import annotations

from bursar.contract import C, Effect, Resource, post
from bursar.piaxis.models.monitoring import ClientErrorReport

from .parameters import INVALID


class Monitoring(Resource[C]):
    """Failures at clients; the path begins at the base URL without ``/api``."""

    @post("/monitoring/client-errors", effect=Effect.ONCE, status=202, errors={422: INVALID})
    def report_client_error(self, payload: ClientErrorReport) -> None:
        """Report a failure."""
        ...
