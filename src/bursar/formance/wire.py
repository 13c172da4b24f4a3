"""What the models of all Formance services share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from bursar.contract import Body, CursorPaging, IdempotencyKey, Model, Query


class Wire(Model, omit_defaults=True, rename="camel"):
    """A JSON object whose member names are the fields' in camelCase; members at their default are left out.

    Times are aware `datetime`s in UTC, on the wire RFC 3339 with at most microseconds.
    """


class ServiceInfo(Wire, kw_only=True):
    """Which version of a service answers."""

    version: str
    debug: bool | None = None


Metadata = dict[str, str]
"""Texts by name."""
Filter = Annotated[Mapping[str, Any] | None, Body()]
"""A filter expression as plain JSON; `bursar.formance.filters` builds them. None: no filter."""
PageSize = Annotated[int | None, Query("pageSize")]
"""Items in a page; None or 0: the server's default."""
Cursor = Annotated[str | None, Query("cursor")]
"""A page's token out of ``page.body["cursor"]``; it holds the whole query, so that the rest is ignored."""
Sort = Annotated[str | None, Query("sort")]
"""``field``, ``field:asc`` or ``field:desc``."""
Key = Annotated[str | None, IdempotencyKey("Idempotency-Key")]
"""At most 255 visible ASCII characters, best a UUID. Without one the call is sent once; with one it is repeated on
transient failures and carried out once however often it arrives. The service's scope of a key is the ledger."""
Time = Annotated[datetime | None, Query()]
Names = str | Sequence[str] | None

PAGES = CursorPaging()
