"""Parties: merchants with their profile and API keys, users with their contacts; everybody has a wallet.

All changes are commands, check what they are given and leave an audit row; `who` is the operator. A wallet is no row:
its balances are the ledger's, one for each currency.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from bursar.engine.currency import digits
from bursar.engine.errors import Conflict, InvalidInput, NotFound
from bursar.engine.kernel import Volumes
from bursar.engine.piaxis import audit
from bursar.engine.piaxis.errors import Code, Kind, Refusal
from bursar.engine.piaxis.tables import (
    ACCOUNTS,
    API_KEYS,
    CONTACTS,
    Account,
    ApiKey,
    ContactRow,
    Profile,
    packed,
)
from bursar.engine.store.table import Scalar, Table
from bursar.engine.view import View

MERCHANT: Final = "merchant"
USER: Final = "user"
KEY_PREFIX: Final = "px_"
"""Beginning of an API key that the engine made, so that secret scanners know it."""
MIN_KEY: Final = 32
"""Characters of an API key that somebody brings along; the sandbox takes shorter ones."""

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_FUNDING: Final = ("instant", "async")
_MAX_TEXT: Final = 255

R = TypeVar("R", bound=msgspec.Struct)


class Reader(Protocol):
    """Rows and volumes as of one moment: what commands' views and queries' views have in common."""

    @property
    def now(self) -> int:
        """Engine time in microseconds."""
        ...

    def get(self, table: Table[R], *key: Scalar) -> R | None:
        """Return a row by its key."""
        ...

    def volumes(self, ledger: str, account: str, asset: str) -> Volumes:
        """Return what an account received and sent."""
        ...


def create_account(
    view: View,
    who: str,
    kind: str,
    name: str,
    *,
    id: str | None = None,
    email: str | None = None,
    phone: str | None = None,
) -> Account:
    """Add a merchant or a user. `id` None draws a UUID; an id is a part of account names in the ledger.

    Raises `Conflict` when the id, or a user's contact, is taken; `InvalidInput` for bad texts.
    """
    row = Account(
        id=view.ids.uuid() if id is None else id,
        kind=kind,
        name=name,
        created_at=view.now,
        email=None if email is None else email.lower(),
        phone=phone,
    )
    _check_account(row)
    if view.get(ACCOUNTS, row.id) is not None:
        raise Conflict(f"there is an account {row.id} already")
    view.put(ACCOUNTS, row)
    if kind == USER:
        _take_contacts(view, row)
    audit.record(view, who, f"create-{kind}", f"account:{row.id}")
    return row


def set_profile(view: View, who: str, merchant: str, changes: Mapping[str, Any]) -> Account:
    """Change settings of a merchant's `Profile`; what is not named stays. Raises `NotFound` and `InvalidInput`."""
    account = merchant_account(view, merchant)
    try:
        merged = msgspec.to_builtins(account.settings) | dict(changes)
        unknown = sorted(set(merged) - set(Profile.__struct_fields__))
        profile = msgspec.convert(merged, Profile)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the profile: {error}") from None
    if unknown:
        raise InvalidInput(
            f"a profile has no {', '.join(unknown)}; it has {', '.join(Profile.__struct_fields__)}"
        )
    _check_profile(profile)
    changed = replace(account, profile=packed(profile))
    view.put(ACCOUNTS, changed)
    audit.record(view, who, "set-profile", f"account:{merchant}", **dict(changes))
    return changed


def set_disabled(view: View, who: str, account: str, why: str, *, disabled: bool) -> Account:
    """Close or open an account: a disabled merchant's calls are refused; its money stays. Raises `NotFound`."""
    row = known_account(view, account)
    changed = replace(row, disabled_at=view.now if disabled else None)
    view.put(ACCOUNTS, changed)
    audit.record(view, who, "disable" if disabled else "enable", f"account:{account}", why)
    return changed


def new_key(view: View) -> str:
    """Return a fresh API key of 256 random bits."""
    return KEY_PREFIX + view.ids.token(32)


def add_key(
    view: View,
    who: str,
    merchant: str,
    key: str,
    *,
    label: str = "",
    owner: bool = True,
    sandbox: bool = False,
) -> ApiKey:
    """Give a merchant an API key; it may have several, so that one can be replaced without a gap.

    `owner`: may force releases (PS55). Raises `NotFound`, `Conflict` for a key in use, `InvalidInput` for a short one.
    """
    merchant_account(view, merchant)
    if not (1 if sandbox else MIN_KEY) <= len(key) <= _MAX_TEXT or not key.isprintable():
        raise InvalidInput(f"an API key is {MIN_KEY} to {_MAX_TEXT} printable characters")
    if view.get(API_KEYS, key_digest(key)) is not None:
        raise Conflict("this API key exists already")
    row = ApiKey(key_digest(key), view.ids.uuid(), merchant, label, owner, view.now)
    view.put(API_KEYS, row)
    audit.record(view, who, "add-key", f"account:{merchant}", key=row.id, label=label)
    return row


def revoke_key(view: View, who: str, key: ApiKey) -> ApiKey:
    """End an API key: calls with it are refused at once (PS02)."""
    row = view.get(API_KEYS, key.digest) or key
    changed = replace(row, revoked_at=view.now) if row.revoked_at is None else row
    view.put(API_KEYS, changed)
    audit.record(view, who, "revoke-key", f"account:{key.merchant}", key=key.id)
    return changed


def by_key(reader: Reader, key: str) -> ApiKey:
    """Return what an API key stands for. Raises `Refusal`: unknown, revoked, or of a disabled merchant (PS01, PS02)."""
    row = reader.get(API_KEYS, key_digest(key))
    if row is None or row.revoked_at is not None:
        raise Refusal(Kind.UNAUTHENTICATED, "INVALID_API_KEY", "the api-key is not known, or was revoked")
    merchant = reader.get(ACCOUNTS, row.merchant)
    if merchant is None or merchant.disabled_at is not None:
        raise Refusal(Kind.UNAUTHENTICATED, Code.DISABLED, "this merchant is disabled: ask the operator")
    return row


def key_digest(key: str) -> str:
    """Return what is stored of an API key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def known_account(reader: Reader, id: str) -> Account:
    """Return an account. Raises `NotFound`."""
    row = reader.get(ACCOUNTS, id)
    if row is None:
        raise NotFound(f"there is no account {id}")
    return row


def merchant_account(reader: Reader, id: str) -> Account:
    """Return a merchant. Raises `NotFound`."""
    row = known_account(reader, id)
    if row.kind != MERCHANT:
        raise NotFound(f"account {id} is no merchant")
    return row


def registered(reader: Reader, contact: str) -> Account | None:
    """Return the user that an email address or phone number belongs to."""
    row = reader.get(CONTACTS, contact.strip().lower())
    return None if row is None else reader.get(ACCOUNTS, row.account)


def _take_contacts(view: View, row: Account) -> None:
    for contact in (row.email, row.phone):
        if contact is None:
            continue
        if view.get(CONTACTS, contact) is not None:
            raise Conflict("this email address or phone number belongs to another user")
        view.put(CONTACTS, ContactRow(contact, row.id))


def _check_account(row: Account) -> None:
    if not _ID.fullmatch(row.id):
        raise InvalidInput("an account id is 1 to 64 letters, digits, _ or -")
    if not row.name.strip() or len(row.name) > _MAX_TEXT or not row.name.isprintable():
        raise InvalidInput(f"a name is 1 to {_MAX_TEXT} printable characters")
    if row.email is not None and not _EMAIL.fullmatch(row.email):
        raise InvalidInput("this is no email address")
    if row.phone is not None and not _PHONE.fullmatch(row.phone):
        raise InvalidInput("a phone number is E.164, such as +256700000000")


def _check_profile(profile: Profile) -> None:
    if profile.funding not in _FUNDING:
        raise InvalidInput(f"funding is one of {', '.join(_FUNDING)}")
    if not 0 <= profile.batch_delay_ms <= 86_400_000:
        raise InvalidInput("batch_delay_ms is 0 to a day")
    for currency, units in profile.mfa_above.items():
        digits(currency)
        if units < 0:
            raise InvalidInput("mfa_above is at least 0")
