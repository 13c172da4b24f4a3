"""What goes over the wire of the wallets service.

Amounts are integers without upper bound, in the smallest unit that the asset's name tells: ``USD/2`` counts cents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import field

from bursar.contract import OpenEnum
from bursar.formance.ledger.models import Transaction
from bursar.formance.wire import Metadata, Wire

Amounts = dict[str, int]
"""By asset."""


class Amount(Wire):
    """An amount of an asset; zero is legal, a negative one is refused."""

    asset: str
    amount: int


class SubjectType(OpenEnum):
    """What money comes from or goes to."""

    ACCOUNT = "ACCOUNT"
    WALLET = "WALLET"


class AnySubject(Wire, tag_field="type", tag="", kw_only=True):
    """Where money comes from or goes to."""

    identifier: str

    @property
    def type(self) -> SubjectType:
        """What it is."""
        return SubjectType(self.extra.get("type", self.tag_value()))


class AccountSubject(AnySubject, tag="ACCOUNT", kw_only=True):
    """An account of the wallets' ledger; `identifier` is its address, kept as it is."""


class WalletSubject(AnySubject, tag="WALLET", kw_only=True):
    """A balance of a wallet; `identifier` is the wallet's id. None: its main balance."""

    balance: str | None = None


class UnknownSubject(AnySubject, tag="", kw_only=True):
    """A subject of a type that this version does not know."""


Subject = AccountSubject | WalletSubject | UnknownSubject


class NewWallet(Wire, kw_only=True):
    """A wallet to create. The published contract wants both members, the server neither."""

    name: str | None = None
    metadata: Mapping[str, str] | None = None


class WalletPatch(Wire, kw_only=True):
    """Metadata to merge into a wallet's."""

    metadata: Mapping[str, str]


class MainBalance(Wire, omit_defaults=False, kw_only=True):
    """A wallet's main balance; it never expires and is spent last."""

    assets: Amounts
    expires_at: datetime | None = None
    priority: int = 0


class WalletBalances(Wire, kw_only=True):
    """The balances that a wallet shows; the others are listed by `list_balances`."""

    main: MainBalance


class Wallet(Wire, kw_only=True):
    """A wallet. In a list the assets of its main balance are empty unless expanded."""

    id: str
    name: str
    metadata: Metadata
    created_at: datetime
    ledger: str
    balances: WalletBalances | None = None


class NewBalance(Wire, kw_only=True):
    """A balance to create, beside the main one.

    The names of a wallet's balances differ, in letters, digits and ``_`` (dashes do not count); ``main`` is taken.
    Money is spent from the balance that expires first, then by ascending priority.
    """

    name: str
    expires_at: datetime | None = None
    """None: never. Rounded to microseconds."""
    priority: int | None = None
    """None: 0. May be negative; 64 bits."""


class Balance(Wire, omit_defaults=False, kw_only=True):
    """A balance of a wallet."""

    name: str
    expires_at: datetime | None = None
    priority: int = 0


class BalanceWithAssets(Balance, kw_only=True):
    """A balance with what it holds."""

    assets: Amounts


class WalletSummary(Wire, kw_only=True):
    """What a wallet holds in all, by asset. Emptied assets stay, with 0."""

    balances: list[BalanceWithAssets]
    available_funds: Amounts
    """Of all balances that have not expired."""
    expired_funds: Amounts
    expirable_funds: Amounts
    """That part of `available_funds` which has an expiry."""
    hold_funds: Amounts
    """What remains on hold."""


class Credit(Wire, kw_only=True):
    """Money for a wallet."""

    amount: Amount
    metadata: Mapping[str, str] | None = None
    sources: Sequence[Subject] | None = None
    """Drawn in this order; None: the ledger's ``world``, that is, new money."""
    balance: str | None = None
    """None: the main one. One that is not there is refused."""
    reference: str | None = None
    """Unique among the ledger's transactions."""
    timestamp: datetime | None = None


class Debit(Wire, kw_only=True):
    """Money to take out of a wallet, at once or after a hold."""

    amount: Amount
    metadata: Mapping[str, str] | None = None
    pending: bool | None = None
    """Hold it, to confirm or to void. Not together with `timestamp`."""
    description: str | None = None
    """Of the hold."""
    destination: Subject | None = None
    """None: the ledger's ``world``."""
    balances: Sequence[str] | None = None
    """Drawn in this order; None: the main one. ``["*"]``: all that have not expired, the first to expire first."""
    timestamp: datetime | None = None
    reference: str | None = None
    """Unique among the ledger's transactions. The vendor's SDK does not have it."""


class HoldConfirmation(Wire, kw_only=True):
    """How much of a hold to take."""

    amount: int | None = None
    """At most what remains, and 64 bits; None or 0: all that remains."""
    final: bool | None = None
    """Release the rest to the wallet's main balance, wherever it came from."""


class Hold(Wire, kw_only=True):
    """Money of a wallet put aside."""

    id: str
    wallet_id: str = field(name="walletID")
    asset: str
    metadata: Metadata
    description: str
    destination: Subject | None = None


class HoldWithAmounts(Hold, kw_only=True):
    """A hold with its amounts; one with nothing remaining is closed."""

    original_amount: int
    remaining: int


class WalletTransaction(Transaction, kw_only=True):
    """A transaction of the wallets' ledger; metadata of the caller's has the prefix ``wallets/custom_data_``."""

    ledger: str | None = None
