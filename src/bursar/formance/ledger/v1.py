"""The ledger's older API. It creates a ledger at the first request that names one; new programs use `v2`.

Where the published contract and the server disagree, this speaks with the server: `Idempotency-Key` and
`balanceOperator` are there, log dates go as ``start_time`` and ``end_time``, and what the server fails at or ignores
(``after``, ``pagination_token``) is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, OpenEnum, Query, Resource, count, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, Key, PageSize

from .logs import Log
from .models import ConfigInfo, LedgerInfo, Stats
from .parameters import MISSING, REFUSED, EndTime, Expand, Pit, StartTime
from .v1_models import (
    AccountV1,
    AccountWithBalances,
    ContractMapping,
    NewTransactionsV1,
    NewTransactionV1,
    ScriptResult,
    ScriptV1,
    TransactionV1,
)

_SERVICE: Final = "/api/ledger"
_LEDGER: Final = f"{_SERVICE}/{{ledger}}"
_ACCOUNT: Final = f"{_LEDGER}/accounts/{{address}}"
_TRANSACTION: Final = f"{_LEDGER}/transactions/{{txid}}"

_GONE: Final = "the ledger has had no such operation since its version 2; use ledger.v2"

Address = Annotated[str | None, Query()]
"""An address, or a pattern: an empty segment stands for any one, ``...`` at the end for everything below."""
MetadataFilter = Annotated[Mapping[str, str] | None, Query("metadata")]
"""Entries that must be there."""
Texts = Annotated[Mapping[str, str], Body()]


class BalanceOperator(OpenEnum):
    """How `balance` compares. The server knows no default: a balance needs one."""

    EQUAL = "e"
    NOT_EQUAL = "ne"
    GREATER = "gt"
    GREATER_OR_EQUAL = "gte"
    LESS = "lt"
    LESS_OR_EQUAL = "lte"


class LedgerV1(Resource[C]):
    """The older API of the ledger. Filters are query parameters; dry runs are called previews."""

    @get(f"{_SERVICE}/_info", unwrap="data")
    def get_info(self) -> ConfigInfo:
        """Return the server's settings and the names of all ledgers. Open to everybody."""
        ...

    @get(f"{_LEDGER}/_info", unwrap="data", errors=REFUSED)
    def get_ledger_info(self, ledger: str) -> LedgerInfo:
        """Return the state of a ledger's storage."""
        ...

    @get(f"{_LEDGER}/stats", unwrap="data", errors=REFUSED)
    def read_stats(self, ledger: str) -> Stats:
        """Return how many accounts and transactions there are."""
        ...

    # -- accounts

    @listing(f"{_LEDGER}/accounts", paging=PAGES, errors=REFUSED)
    def list_accounts_ledger(
        self,
        ledger: str,
        *,
        address: Address = None,
        metadata: MetadataFilter = None,
        balance: Annotated[int | None, Query()] = None,
        balance_operator: Annotated[BalanceOperator | None, Query("balanceOperator")] = None,
        pit: Pit = None,
        expand: Expand = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> AccountV1:
        """List accounts by address. `balance` needs `balance_operator`, which the vendor's SDK does not have."""
        ...

    @count(f"{_LEDGER}/accounts", header="Count", errors=REFUSED)
    def count_accounts(self, ledger: str, *, address: Address = None, metadata: MetadataFilter = None) -> int:
        """Count accounts."""
        ...

    @get(_ACCOUNT, unwrap="data", errors=REFUSED)
    def get_account_ledger(self, ledger: str, address: str) -> AccountWithBalances:
        """Return an account; one that was never used comes back empty, with dates of the year 1."""
        ...

    @post(f"{_ACCOUNT}/metadata", effect=Effect.KEYED, status=204, errors=REFUSED)
    def add_metadata_to_account(
        self, ledger: str, address: str, metadata: Texts, *, idempotency_key: Key = None
    ) -> None:
        """Merge metadata into an account's. Texts only, whatever the published contract says."""
        ...

    @endpoint("DELETE", f"{_ACCOUNT}/metadata/{{key}}", effect=Effect.KEYED, status=204, errors=REFUSED)
    def delete_account_metadata(
        self, ledger: str, address: str, key: str, *, idempotency_key: Key = None
    ) -> None:
        """Delete an entry of an account's metadata. The vendor's SDK has no such operation."""
        ...

    # -- transactions

    @listing(f"{_LEDGER}/transactions", paging=PAGES, errors=REFUSED)
    def list_transactions(
        self,
        ledger: str,
        *,
        reference: Annotated[str | None, Query()] = None,
        account: Address = None,
        source: Address = None,
        destination: Address = None,
        start_time: StartTime = None,
        end_time: EndTime = None,
        metadata: MetadataFilter = None,
        expand: Expand = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> TransactionV1:
        """List transactions, newest first; from `start_time` on, before `end_time`."""
        ...

    @count(f"{_LEDGER}/transactions", header="Count", errors=REFUSED)
    def count_transactions(
        self,
        ledger: str,
        *,
        reference: Annotated[str | None, Query()] = None,
        account: Address = None,
        source: Address = None,
        destination: Address = None,
        start_time: StartTime = None,
        end_time: EndTime = None,
        metadata: MetadataFilter = None,
    ) -> int:
        """Count transactions. The server answers 204, where the published contract says 200."""
        ...

    @post(
        f"{_LEDGER}/transactions",
        effect=Effect.KEYED,
        unwrap="data",
        errors={**REFUSED, 400: "Funds are missing, or a rule is broken.", 409: "Reference taken."},
    )
    def create_transaction(
        self,
        ledger: str,
        transaction: NewTransactionV1 | Mapping[str, Any],
        *,
        preview: Annotated[bool | None, Query()] = None,
        idempotency_key: Key = None,
    ) -> list[TransactionV1]:
        """Create a transaction from postings or a script; returns it as a list of one."""
        ...

    @get(_TRANSACTION, unwrap="data", errors=MISSING)
    def get_transaction(self, ledger: str, txid: int, *, expand: Expand = None) -> TransactionV1:
        """Return a transaction."""
        ...

    @post(f"{_TRANSACTION}/revert", effect=Effect.KEYED, status=201, unwrap="data", errors=MISSING)
    def revert_transaction(
        self,
        ledger: str,
        txid: int,
        *,
        disable_checks: Annotated[bool | None, Query("disableChecks")] = None,
        idempotency_key: Key = None,
    ) -> TransactionV1:
        """Revert a transaction by an opposite one, and return that. `disable_checks`: also below zero."""
        ...

    @post(f"{_TRANSACTION}/metadata", effect=Effect.KEYED, status=204, errors=MISSING)
    def add_metadata_on_transaction(
        self, ledger: str, txid: int, metadata: Texts, *, idempotency_key: Key = None
    ) -> None:
        """Merge metadata into a transaction's. Texts only, whatever the published contract says."""
        ...

    @endpoint("DELETE", f"{_TRANSACTION}/metadata/{{key}}", effect=Effect.KEYED, status=204, errors=MISSING)
    def delete_transaction_metadata(
        self, ledger: str, txid: int, key: str, *, idempotency_key: Key = None
    ) -> None:
        """Delete an entry of a transaction's metadata. The vendor's SDK has no such operation."""
        ...

    # -- balances and logs

    @listing(f"{_LEDGER}/balances", paging=PAGES, errors=REFUSED)
    def get_balances(
        self, ledger: str, *, address: Address = None, page_size: PageSize = None, cursor: Cursor = None
    ) -> dict[str, dict[str, int]]:
        """List balances, each item one account: balances of its assets by its address."""
        ...

    @get(f"{_LEDGER}/aggregate/balances", unwrap="data", errors=REFUSED)
    def get_balances_aggregated(
        self,
        ledger: str,
        *,
        address: Address = None,
        use_insertion_date: Annotated[bool | None, Query("useInsertionDate")] = None,
    ) -> dict[str, int]:
        """Return the sum of balances by asset. The server always takes the insertion date."""
        ...

    @listing(f"{_LEDGER}/logs", paging=PAGES, errors=REFUSED)
    def list_logs(
        self,
        ledger: str,
        *,
        start_time: Annotated[datetime | None, Query("start_time")] = None,
        end_time: Annotated[datetime | None, Query("end_time")] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Log:
        """List log entries, newest first; from `start_time` on, before `end_time`.

        The server reads these under the old names ``start_time`` and ``end_time`` only.
        """
        ...

    # -- what the server no longer has

    @endpoint(
        "POST",
        f"{_LEDGER}/transactions/batch",
        effect=Effect.ONCE,
        unwrap="data",
        errors={400: "Not supported."},
        deprecated="the ledger refuses batches since its version 2; use ledger.v2.create_bulk",
    )
    def create_transactions(
        self, ledger: str, transactions: NewTransactionsV1 | Mapping[str, Any]
    ) -> list[TransactionV1]:
        """Create several transactions. Servers since version 2 refuse this with 400."""
        ...

    @endpoint(
        "POST", f"{_LEDGER}/script", effect=Effect.ONCE, errors={404: "No such operation."}, deprecated=_GONE
    )
    def run_script(
        self,
        ledger: str,
        script: ScriptV1 | Mapping[str, Any],
        *,
        preview: Annotated[bool | None, Query()] = None,
    ) -> ScriptResult:
        """Run a script. Servers since version 2 answer 404."""
        ...

    @endpoint(
        "GET",
        f"{_LEDGER}/mapping",
        effect=Effect.SAFE,
        unwrap="data",
        errors={404: "No such operation."},
        deprecated=_GONE,
    )
    def get_mapping(self, ledger: str) -> ContractMapping | None:
        """Return the mapping of a ledger. Servers since version 2 answer 404."""
        ...

    @endpoint(
        "PUT",
        f"{_LEDGER}/mapping",
        effect=Effect.IDEMPOTENT,
        unwrap="data",
        errors={404: "No such operation."},
        deprecated=_GONE,
    )
    def update_mapping(
        self, ledger: str, mapping: ContractMapping | Mapping[str, Any]
    ) -> ContractMapping | None:
        """Replace the mapping of a ledger. Servers since version 2 answer 404."""
        ...
