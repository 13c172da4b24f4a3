"""Who pays: a registered user, known by a bearer token, or somebody at an email address or phone number.

The method says which: money of a wallet needs the user's token, and a code above the merchant's threshold (PS41, PS42);
money of a provider needs, for payers without token, a one-time password for one of their contacts (PS24).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from bursar.engine.piaxis import otp
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, Counted, Kind, Loc, Refusal, bad_request, invalid
from bursar.engine.piaxis.merchants import Reader, merchant_account
from bursar.engine.piaxis.tables import ACCOUNTS, Account
from bursar.engine.view import View

PROVIDERS: Final = frozenset({"mtn", "airtel", "card"})
"""Methods by which a provider collects."""
WALLETS: Final = frozenset({"piaxis", "piaxis_external"})
"""Methods that debit a registered user's wallet."""

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_USER_INFO: Final = ("body", "user_info")


class Payer(Struct, frozen=True):
    """A payer as a request names him. `code` is the OTP or MFA code that came with it."""

    user: str | None
    email: str | None
    phone: str | None
    code: str | None

    @property
    def contacts(self) -> list[str]:
        """Where he can be reached."""
        return [contact for contact in (self.phone, self.email) if contact is not None]

    @property
    def type(self) -> str:
        """The word of Piaxis' answers."""
        return "unregistered" if self.user is None else "registered"

    def __repr__(self) -> str:
        return f"Payer({self.type})"


def read_payer(
    reader: Reader, caller: Caller, user_info: Mapping[str, Any] | None, mfa_code: str | None = None
) -> Payer:
    """Return the payer of a request. Raises `InvalidRequest` for a malformed contact (PS20)."""
    info = user_info or {}
    email = _text(info, "email", _EMAIL, "an email address")
    phone = _text(info, "phone_number", _PHONE, "an E.164 number such as +256700000000")
    code = _text(info, "otp") or mfa_code
    account = None if caller.user is None else _user(reader, caller.user)
    if account is None:
        return Payer(None, email, phone, code)
    return Payer(account.id, email or account.email, phone or account.phone, code)


def check_method(method: str, payer: Payer) -> None:
    """Check that a payer can pay by a method.

    Raises `Refusal` for a wallet without its owner's token, `InvalidRequest` for a method that is not for collecting,
    or mobile money without phone number.
    """
    if method in WALLETS:
        if payer.user is None:
            message = f"{method} debits a wallet: it needs the access token of the wallet's owner"
            raise Refusal(Kind.UNAUTHENTICATED, Code.USER_REQUIRED, message)
    elif method not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS | WALLETS))
        raise invalid(("body", "payment_method"), f"{method} cannot be paid with; known are {known}", "enum")
    elif method != "card" and payer.phone is None:
        raise invalid((*_USER_INFO, "phone_number"), f"{method} needs the payer's phone number", "missing")


def consent(view: View, caller: Caller, payer: Payer, method: str, currency: str, amount: int) -> None:
    """Make sure that the payer agrees; uses his code up, so it comes after every other check (PS25).

    Raises `Refusal` OTP_* for payers without account, MFA_REQUIRED or MFA_INVALID for wallets (PS24, PS42).
    """
    if payer.user is None:
        spend(view, caller, payer)
        return
    limit = merchant_account(view, caller.merchant).settings.mfa_above.get(currency)
    if method not in WALLETS or limit is None or amount <= limit:
        return
    if payer.code is None:
        message = "this amount needs the wallet owner's code: POST /request-otp, then send it in mfa_code"
        raise Refusal(Kind.FORBIDDEN, Code.MFA_REQUIRED, message)
    account = _user(view, payer.user)
    own = [contact for contact in (account.phone, account.email) if contact is not None]
    try:
        otp.spend(view, caller.merchant, own, payer.code)
    except Counted as wrong:
        raise Counted(Kind.FORBIDDEN, Code.MFA_INVALID, wrong.message, trace=wrong.trace) from None
    except Refusal as refusal:
        raise Refusal(Kind.FORBIDDEN, Code.MFA_INVALID, refusal.message) from None


def spend(view: View, caller: Caller, payer: Payer) -> None:
    """Use up the OTP of a payer without account. Raises `Refusal` (PS24)."""
    if not payer.contacts:
        message = "a payer without account is named by user_info.email or user_info.phone_number"
        raise bad_request(Code.CONTACT_REQUIRED, message)
    otp.spend(view, caller.merchant, payer.contacts, payer.code)


def _user(reader: Reader, id: str) -> Account:
    account = reader.get(ACCOUNTS, id)
    if account is None or account.disabled_at is not None:
        raise Refusal(Kind.UNAUTHENTICATED, Code.DISABLED, "the access token's user has no open account")
    return account


def _text(
    info: Mapping[str, Any], name: str, form: re.Pattern[str] | None = None, what: str = "a text"
) -> str | None:
    value = info.get(name)
    if value is None or value == "":
        return None
    loc: Loc = (*_USER_INFO, name)
    if not isinstance(value, str) or len(value) > 255:
        raise invalid(loc, f"{name} must be {what}", "string_type")
    if form is not None and not form.fullmatch(value):
        raise invalid(loc, f"{name} must be {what}", "string_pattern_mismatch")
    return value
