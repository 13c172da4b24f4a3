"""What goes over the wire of the search service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bursar.contract import OpenEnum
from bursar.formance.wire import Wire


class SearchTarget(OpenEnum):
    """Kinds of documents."""

    ACCOUNT = "ACCOUNT"
    TRANSACTION = "TRANSACTION"
    ASSET = "ASSET"
    PAYMENT = "PAYMENT"
    PAYMENT_ACCOUNT = "PAYMENT_ACCOUNT"
    PAYMENT_BALANCE = "PAYMENT_BALANCE"
    PAYMENT_BANK_ACCOUNT = "PAYMENT_BANK_ACCOUNT"
    PAYMENT_TRANSFER_INITIATION = "PAYMENT_TRANSFER_INITIATION"
    AUDIT = "AUDIT"


class SearchPolicy(OpenEnum):
    """Whether documents must fit all terms or one."""

    AND = "AND"
    OR = "OR"


class SearchQuery(Wire, kw_only=True):
    """What to look for.

    `terms` are ``field=value``, also with ``<``, ``>``, ``<=``, ``>=``, or texts to find anywhere.
    """

    target: SearchTarget | None = None
    """None: the best matches of every kind."""
    terms: Sequence[str] | None = None
    ledgers: Sequence[str] | None = None
    page_size: int | None = None
    """None: 5."""
    cursor: str | None = None
    after: Sequence[str] | None = None
    sort: str | Sequence[str] | None = None
    """``field:asc`` or ``field:desc``; servers differ in whether they take one text or a list."""
    policy: SearchPolicy | None = None
    raw: Mapping[str, Any] | None = None
    """A query in the search engine's own language; the answer is the engine's, in `extra` of the result."""


class SearchTotal(Wire, kw_only=True):
    """How many documents fit."""

    value: int | None = None
    relation: str | None = None
    """``eq``: exactly so many; ``gte``: at least."""


class SearchCursor(Wire, kw_only=True):
    """A page of documents of one kind.

    Servers say in `value` how many fit, the published contract in `total`.
    """

    data: list[dict[str, Any]] | None = None
    page_size: int | None = None
    has_more: bool | None = None
    previous: str | None = None
    next: str | None = None
    total: SearchTotal | None = None
    value: SearchTotal | int | None = None


class SearchResult(Wire, kw_only=True):
    """What was found: a page for a target, else documents by kind."""

    cursor: SearchCursor | None = None
    data: dict[str, Any] | None = None
