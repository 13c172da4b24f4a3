"""The search service's API, which the vendor gave up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bursar.contract import C, Effect, Resource, endpoint
from bursar.formance.wire import ServiceInfo

from .models import SearchQuery, SearchResult

_SERVICE: Final = "/api/search"
_GONE: Final = "the vendor gave the search service up; list ledgers and payments with filters"


class SearchV1(Resource[C]):
    """Search over accounts, transactions and payments. Errors are plain text."""

    @endpoint("GET", f"{_SERVICE}/_info", effect=Effect.SAFE, deprecated=_GONE)
    def get_server_info_search(self) -> ServiceInfo:
        """Return the version of the service. Open to everybody."""
        ...

    @endpoint(
        "POST",
        f"{_SERVICE}/",
        effect=Effect.SAFE,
        errors={
            400: "A bad query.",
            401: "No good token, or none with search:write.",
            503: "No search engine.",
        },
        deprecated=_GONE,
    )
    def search(self, query: SearchQuery | Mapping[str, Any]) -> SearchResult:
        """Search. It only reads, though it needs the scope search:write."""
        ...
