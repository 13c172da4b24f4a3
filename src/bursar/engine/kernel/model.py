"""Values of double entry: postings, volumes, transactions, moves, logs.

Amounts are integers in minor units of their asset ("USD/2", "JPY"), without bound. Times are microseconds since the
Unix epoch, UTC. A credit is the destination of a posting (its input grows), a debit the source (its output grows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Raw, Struct, UnsetType

WORLD: Final = "world"
"""The account that money comes from and goes to; it may always go negative."""

REVERTS: Final = "com.formance.spec/state/reverts"
"""Metadata key under which a reverting transaction names the transaction it reverts."""

Metadata = Mapping[str, str]
Pair = tuple[str, str]
"""(account, asset): what has volumes."""


NEVER: Final = -(2**63)
"""A moment before all others."""


class Volumes(Struct, frozen=True, gc=False):
    """All that an account ever received and sent of one asset; both only grow (invariant 2).

    `latest` is the greatest timestamp among the moves, NEVER if nothing moved yet.
    """

    input: int = 0
    output: int = 0
    latest: int = NEVER

    @property
    def balance(self) -> int:
        """What is left: input less output."""
        return self.input - self.output


class Posting(Struct, frozen=True, gc=False):
    """`amount` minor units of `asset` move from `source` (debit) to `destination` (credit).

    Balanced by construction: what one account sends another receives (invariant 1).
    """

    source: str
    destination: str
    amount: int
    asset: str


class NewTransaction(Struct, frozen=True, gc=False):
    """What a caller asks to be posted.

    `timestamp` None means the moment of insertion. `overdraft` names the accounts that may go negative, with the
    deepest allowed debt in minor units (of any asset), or None for no bound; `world` needs no entry.
    """

    postings: Sequence[Posting]
    metadata: Metadata | None = {}
    reference: str | None = None
    timestamp: int | None = None
    account_metadata: Mapping[str, Metadata | None] | None = {}
    overdraft: Mapping[str, int | None] = {}
    account_defaults: Mapping[str, Metadata] = {}
    """Metadata of those of its accounts that did not exist before; not logged."""
    template: str = ""
    """Name of the schema's script that the postings come from; "" for none."""


class CommitVolumes(Struct, frozen=True, gc=False):
    """The volumes of all pairs that a transaction touched, as JSON: `{account: {asset: {balance, input, output}}}`.

    Those after and before the commit count in insertion order and never change; effective ones count in order of
    (timestamp, id) as of this commit. Unset is what a ledger does not show, or an imported log did not tell.
    """

    post: Raw | UnsetType
    pre: Raw | UnsetType
    post_effective: Raw | UnsetType
    pre_effective: Raw | UnsetType


class Transaction(Struct, frozen=True, gc=False, kw_only=True):
    """A posted transaction; without volumes when it is read back without its log."""

    id: int
    postings: tuple[Posting, ...]
    metadata: Metadata | None
    reference: str | None
    timestamp: int
    inserted_at: int
    updated_at: int
    reverted_at: int | None = None
    template: str = ""
    volumes: CommitVolumes | None = None


class Move(Struct, frozen=True, gc=False):
    """What one transaction did to one (account, asset), and the effective volumes after it."""

    account: str
    asset: str
    effective_at: int
    transaction: int
    input: int
    output: int
    effective_input: int
    effective_output: int


class Account(Struct, frozen=True, gc=False):
    """An account that was used or described. `first_usage` is the earliest timestamp of its transactions."""

    address: str
    metadata: Metadata
    first_usage: int
    insertion_date: int
    updated_at: int


class Log(Struct, frozen=True, gc=False, kw_only=True):
    """One successful write. `data` is its JSON as the ledger API shows it; `hash` chains it to the log before."""

    id: int
    type: str
    data: bytes
    date: int
    hash: bytes
    idempotency_key: str = ""
    idempotency_hash: str = ""
    schema_version: str = ""


class Head(Struct, frozen=True, gc=False):
    """Where a ledger stands: the last log and transaction ids that were taken, last log date, last hash (empty: none).

    A taken id is never given again, even if nothing carries it: a dry run takes ids too. `hashed` says whether logs are
    chained, `effective` whether logs show effective volumes: both are fixed when the ledger is made.
    """

    ledger: str = ""
    log: int = 0
    transaction: int = 0
    date: int = -(2**63)
    hash: bytes = b""
    hashed: bool = True
    effective: bool = True


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@lru_cache(maxsize=1024)
def format_time(us: int) -> str:
    """RFC 3339 in UTC with up to six fractional digits, trailing zeros trimmed: `2026-01-02T03:04:06.5Z`."""
    second, fraction = divmod(us, 1_000_000)
    text = _second(second)
    return f"{text}.{fraction:06d}".rstrip("0") + "Z" if fraction else text + "Z"


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat()[:-6]


def parse_time(text: str) -> int:
    """Microseconds of a time written by `format_time`. Raises ValueError for anything else."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
