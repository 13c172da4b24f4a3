"""The well-known sandbox: one merchant with an API key, users with wallets, and floats at the providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bursar.engine.books import HEADS
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import merchants, treasury
from bursar.engine.piaxis.merchants import MERCHANT, USER
from bursar.engine.piaxis.tables import ACCOUNTS, API_KEYS, CONTACTS
from bursar.engine.registry import IDS, LEDGERS
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import SEQUENCES, View

WHO: Final = "sandbox"
MERCHANT_ID: Final = "11111111-1111-4111-8111-111111111111"
API_KEY: Final = "piaxis-sandbox-key"
CUSTOMER_ID: Final = "22222222-2222-4222-8222-222222222222"
"""A registered user with money, for the OAuth wallet flow."""
CUSTOMER_PHONE: Final = "+256700000001"
RECIPIENT_ID: Final = "recipient-001"
"""The account that the vendor's examples pay."""

PROFILE: Final[Mapping[str, Any]] = {"funding": "instant", "limit_otp": False}
"""As the vendor's fixtures have it: escrows funded at once (E3); codes as often as one likes (E30)."""

_MERCHANT: Final = {"name": "Piaxis Demo Merchant", "email": "seller@example.com"}
_USERS: Final[Mapping[str, Mapping[str, str]]] = {
    CUSTOMER_ID: {
        "name": "Sandbox Customer",
        "email": "customer@example.com",
        "phone": CUSTOMER_PHONE,
    },
    RECIPIENT_ID: {
        "name": "Receiver Example",
        "email": "recipient@example.com",
        "phone": "+256700000002",
    },
}
_WALLETS: Final = (
    # account, minor units, currency
    (MERCHANT_ID, 100_000_000, "UGX"),
    (MERCHANT_ID, 10_000_00, "USD"),
    (CUSTOMER_ID, 5_000_000, "UGX"),
    (CUSTOMER_ID, 1_000_00, "USD"),
)
_FLOATS: Final = (("mtn", 200_000_000, "UGX"), ("airtel", 200_000_000, "UGX"))

READS: Final[tuple[tuple[AnyTable, Key], ...]] = (
    (ACCOUNTS, (MERCHANT_ID,)),
    *((ACCOUNTS, (user,)) for user in _USERS),
    *((CONTACTS, (user[name],)) for user in _USERS.values() for name in ("email", "phone")),
    (API_KEYS, (merchants.key_digest(API_KEY),)),
    (SEQUENCES, ("piaxis.audit",)),
    (SEQUENCES, (IDS,)),
    (HEADS, (book.LEDGER,)),
    (LEDGERS, (book.LEDGER,)),
)
"""Rows that `seed` looks at: loaded beforehand, they do not make it start again one by one."""


def seed(view: View) -> None:
    """Set the sandbox up; does nothing on a database that has it already."""
    if view.get(ACCOUNTS, MERCHANT_ID) is not None:
        return
    merchants.create_account(view, WHO, MERCHANT, id=MERCHANT_ID, **_MERCHANT)
    merchants.set_profile(view, WHO, MERCHANT_ID, PROFILE)
    merchants.add_key(view, WHO, MERCHANT_ID, API_KEY, label="sandbox", sandbox=True)
    for user, known in _USERS.items():
        merchants.create_account(view, WHO, USER, id=user, **known)
    for account, amount, currency in _WALLETS:
        treasury.fund(view, WHO, account, amount, currency, "sandbox seed")
    for rail, amount, currency in _FLOATS:
        treasury.top_up(view, WHO, rail, amount, currency, "sandbox seed")
