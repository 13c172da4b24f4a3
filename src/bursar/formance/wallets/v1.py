"""The wallets service's API. Where the published contract and the server disagree, this speaks with the server.

The server answers 404 without a body for a wallet, hold or balance that is not there (`FormanceNotFoundError`), and
CONFLICT and REQUEST_TOO_LARGE, which the published contract does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from bursar.contract import Body, C, Effect, Query, Resource, endpoint, get, listing, post
from bursar.formance.wire import PAGES, Cursor, Key, PageSize, ServiceInfo

from .models import (
    Balance,
    BalanceWithAssets,
    Credit,
    Debit,
    Hold,
    HoldConfirmation,
    HoldWithAmounts,
    NewBalance,
    NewWallet,
    Wallet,
    WalletPatch,
    WalletSummary,
    WalletTransaction,
)

_SERVICE: Final = "/api/wallets"
_WALLETS: Final = f"{_SERVICE}/wallets"
_WALLET: Final = f"{_WALLETS}/{{id}}"
_HOLDS: Final = f"{_SERVICE}/holds"

_READ: Final = {400: "The request breaks a rule.", 401: "No good token, or one without wallets:read."}
_MISSING: Final = {**_READ, 404: "There is none of that id."}
_WRITE: Final = {
    400: "The request breaks a rule.",
    401: "No good token, or one without wallets:write.",
    409: "The idempotency key was used with other input, or the reference is taken.",
    413: "The body is over 1 MiB.",
}
_SPEND: Final = {**_WRITE, 400: "The request breaks a rule, or the money is not there."}
_SETTLE: Final = {
    **_WRITE,
    400: "The hold is closed, holds less, or the request breaks a rule.",
    404: "There is no such hold.",
}

Entries = Annotated[Mapping[str, str] | None, Query("metadata")]
"""Entries that must be there."""
WalletId = Annotated[str | None, Query("walletID")]


class WalletsV1(Resource[C]):
    """Wallets, their balances and holds. All are accounts of one ledger, ``wallets-002`` unless configured.

    Bodies are models or plain mappings of the same shape. Pages hold 1 to 100 items, 15 by default; lists go by the
    ledger account's address. Reading needs the scope wallets:read or wallets:write, everything else wallets:write.
    """

    @get(f"{_SERVICE}/_info")
    def get_server_info_wallets(self) -> ServiceInfo:
        """Return the version of the service. Open to everybody."""
        ...

    # -- wallets

    @post(_WALLETS, effect=Effect.KEYED, status=201, unwrap="data", errors=_WRITE)
    def create_wallet(
        self,
        wallet: Annotated[NewWallet | Mapping[str, Any] | None, Body()] = None,
        *,
        idempotency_key: Key = None,
    ) -> Wallet:
        """Create a wallet. Under one key the answer is always that of the creation, not today's wallet."""
        ...

    @listing(_WALLETS, paging=PAGES, errors=_READ)
    def list_wallets(
        self,
        *,
        name: Annotated[str | None, Query()] = None,
        metadata: Entries = None,
        expand: Annotated[str | None, Query()] = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Wallet:
        """List wallets, all or those of a name or with metadata. `expand`: ``balances`` fills in their assets.

        `page_size` must be given again with a cursor for the answer to show it.
        """
        ...

    @get(_WALLET, unwrap="data", errors=_MISSING)
    def get_wallet(self, id: str) -> Wallet:
        """Return a wallet with what its main balance holds. The vendor's SDK returns nothing for an unknown one."""
        ...

    @endpoint("PATCH", _WALLET, effect=Effect.KEYED, status=204, errors={**_WRITE, 404: _MISSING[404]})
    def update_wallet(
        self, id: str, wallet: WalletPatch | Mapping[str, Any], *, idempotency_key: Key = None
    ) -> None:
        """Merge metadata into a wallet's; nothing else of a wallet changes."""
        ...

    @get(f"{_WALLET}/summary", unwrap="data", errors=_READ)
    def get_wallet_summary(self, id: str) -> WalletSummary:
        """Return what a wallet holds in all. Of an unknown one nothing: there is no 404, whatever is published."""
        ...

    # -- money

    @post(f"{_WALLET}/credit", effect=Effect.KEYED, status=204, errors=_SPEND)
    def credit_wallet(
        self, id: str, credit: Credit | Mapping[str, Any], *, idempotency_key: Key = None
    ) -> None:
        """Give money to a wallet. An unknown wallet's account takes it too: check ids before."""
        ...

    @post(f"{_WALLET}/debit", effect=Effect.KEYED, status=201, unwrap="data", errors=_SPEND)
    def debit_wallet(
        self, id: str, debit: Debit | Mapping[str, Any], *, idempotency_key: Key = None
    ) -> Hold | None:
        """Take money out of a wallet; return the hold when it is `pending`, else None.

        `FormanceInsufficientFundsError`: the balances do not hold it. With a key, ``*`` and balances that are still to
        expire are refused, since what they hold may change between two attempts.
        """
        ...

    # -- balances

    @post(f"{_WALLET}/balances", effect=Effect.KEYED, status=201, unwrap="data", errors=_WRITE)
    def create_balance(
        self, id: str, balance: NewBalance | Mapping[str, Any], *, idempotency_key: Key = None
    ) -> Balance:
        """Create a balance; of an unknown wallet too. A name that is taken is `FormanceValidationError`."""
        ...

    @listing(f"{_WALLET}/balances", paging=PAGES, errors=_READ)
    def list_balances(self, id: str, *, page_size: PageSize = None, cursor: Cursor = None) -> Balance:
        """List a wallet's balances without what they hold. The vendor's SDK has no pages here."""
        ...

    @get(f"{_WALLET}/balances/{{balance_name}}", unwrap="data", errors=_MISSING)
    def get_balance(self, id: str, balance_name: str) -> BalanceWithAssets:
        """Return a balance with what it holds."""
        ...

    # -- holds

    @listing(_HOLDS, paging=PAGES, errors=_READ)
    def get_holds(
        self,
        *,
        wallet_id: WalletId = None,
        metadata: Entries = None,
        page_size: PageSize = None,
        cursor: Cursor = None,
    ) -> Hold:
        """List holds, all or those of a wallet, closed ones too."""
        ...

    @get(f"{_HOLDS}/{{hold_id}}", unwrap="data", errors=_MISSING)
    def get_hold(self, hold_id: str) -> HoldWithAmounts:
        """Return a hold with what remains of it."""
        ...

    @post(f"{_HOLDS}/{{hold_id}}/confirm", effect=Effect.KEYED, status=204, errors=_SETTLE)
    def confirm_hold(
        self,
        hold_id: str,
        confirmation: Annotated[HoldConfirmation | Mapping[str, Any] | None, Body()] = None,
        *,
        idempotency_key: Key = None,
    ) -> None:
        """Move held money to the hold's destination, by default all that remains.

        A repetition of what closed the hold is HOLD_CLOSED (`FormanceConflictError`), even under the same key: then
        `get_hold` tells whether the first attempt was carried out.
        """
        ...

    @post(f"{_HOLDS}/{{hold_id}}/void", effect=Effect.KEYED, status=204, errors=_SETTLE)
    def void_hold(self, hold_id: str, *, idempotency_key: Key = None) -> None:
        """Give held money back to the balances that it came from. Repeating it is HOLD_CLOSED, as in `confirm_hold`."""
        ...

    # -- transactions

    @listing(f"{_SERVICE}/transactions", paging=PAGES, errors=_READ)
    def get_transactions(
        self, *, wallet_id: WalletId = None, page_size: PageSize = None, cursor: Cursor = None
    ) -> WalletTransaction:
        """List the service's transactions, newest first; with `wallet_id` those of its main balance only.

        The real server passes amounts through double precision: beyond 2**53 they come out wrong.
        """
        ...
