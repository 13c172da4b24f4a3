"""Schemas of a ledger: chart of accounts, transaction templates, query templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from bursar.contract import OpenEnum
from bursar.formance.wire import Wire

from .models import Runtime

Chart = Mapping[str, Any]
"""Nested objects by account segment. ``$name`` stands for any segment; ``.self``, ``.pattern``, ``.metadata`` and
``.rules`` are properties of the account at that place."""


class TransactionTemplate(Wire, kw_only=True):
    """A script that writes name instead of carrying it."""

    script: str
    description: str | None = None
    runtime: Runtime | None = None


class QueryResource(OpenEnum):
    """What a query lists."""

    ACCOUNTS = "accounts"
    LOGS = "logs"
    TRANSACTIONS = "transactions"
    VOLUMES = "volumes"


class QueryVariable(Wire, kw_only=True):
    """A variable of a query: ``boolean``, ``date``, ``int`` or ``string``; without default it must be given."""

    type: str
    default: Any = UNSET


class QueryTemplate(Wire, kw_only=True):
    """A listing with variables. In `body`, a filter, ``"${name}"`` stands for a variable.

    `params`: ``endTime``, ``startTime``, ``expand`` (a list), ``sort``, ``pageSize``; for volumes also ``groupBy`` and
    ``insertionDate``.
    """

    resource: QueryResource
    description: str | None = None
    params: Mapping[str, Any] | UnsetType | None = UNSET
    vars: Mapping[str, QueryVariable | str] | None = None
    body: Mapping[str, Any] | UnsetType | None = UNSET


class SchemaData(Wire, kw_only=True):
    """A schema to insert. It cannot be changed afterwards; insert another version."""

    chart: Chart
    transactions: Mapping[str, TransactionTemplate] | None = None
    queries: Mapping[str, QueryTemplate] | None = None


class Schema(Wire, kw_only=True):
    """A version of a ledger's schema."""

    version: str
    created_at: datetime
    chart: dict[str, Any]
    transactions: dict[str, TransactionTemplate] | None = None
    queries: dict[str, QueryTemplate] | None = None
