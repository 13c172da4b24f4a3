"""What goes over the wire of the ledger's older API, where it differs from v2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bursar.formance.errors import ErrorCode
from bursar.formance.wire import Metadata, Wire

from .models import Account, Posting, TransactionFields


class AccountV1(Account, kw_only=True):
    """An account in a listing."""

    type: str | None = None
    """Not sent by servers since version 2."""


class AccountWithBalances(AccountV1, kw_only=True):
    """An account with its balances by asset."""

    balances: dict[str, int] | None = None


class TransactionV1(TransactionFields, kw_only=True):
    """A committed transaction. `txid` and `id` are the same number."""

    txid: int
    metadata: Metadata


class ExactMonetary(Wire):
    """An amount of an asset as a script variable."""

    asset: str
    amount: int


class NewScriptV1(Wire, kw_only=True):
    """A Numscript program with its variables: texts, or amounts of an asset."""

    plain: str
    vars: Mapping[str, str | ExactMonetary] | None = None


class NewTransactionV1(Wire, kw_only=True):
    """A transaction to create: either postings or a script."""

    postings: Sequence[Posting] | None = None
    script: NewScriptV1 | None = None
    timestamp: datetime | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None


class TransactionData(Wire, kw_only=True):
    """One transaction of a batch."""

    postings: Sequence[Posting]
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    timestamp: datetime | None = None


class NewTransactionsV1(Wire, kw_only=True):
    """A batch of transactions."""

    transactions: Sequence[TransactionData]


class ScriptV1(Wire, kw_only=True):
    """A script to run."""

    plain: str
    vars: Mapping[str, Any] | None = None
    reference: str | None = None
    metadata: Mapping[str, str] | None = None


class ScriptResult(Wire, kw_only=True):
    """What came of a script."""

    error_code: ErrorCode | None = None
    error_message: str | None = None
    details: str | None = None
    transaction: TransactionV1 | None = None


class Contract(Wire, kw_only=True):
    """An expression for accounts."""

    account: str | None = None
    expr: Mapping[str, Any]


class ContractMapping(Wire, kw_only=True):
    """The contracts of a ledger."""

    contracts: Sequence[Contract]
