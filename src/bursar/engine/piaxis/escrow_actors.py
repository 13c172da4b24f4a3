"""For which side of an escrow a call speaks, and whether the customer agreed (E7, E8).

The customer is proved by his access token or by an OTP for one of his contacts. A customer without account can also be
vouched for by the merchant, who names him in `user_info`, unless the merchant's profile asks for proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bursar.engine.piaxis import otp
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, Kind, Refusal, bad_request, invalid
from bursar.engine.piaxis.escrow_tables import EscrowRow
from bursar.engine.piaxis.merchants import known_account, merchant_account
from bursar.engine.piaxis.terms.base import Role
from bursar.engine.view import View

CONTACTS: Final = ("email", "phone_number")


def role_of(
    view: View,
    caller: Caller,
    row: EscrowRow,
    user_info: Mapping[str, Any] | None,
    *,
    for_customer: bool = False,
) -> Role:
    """Return the side that a call speaks for. `for_customer`: the request says so in other words.

    An OTP is used up, so call this after what else could be refused. Raises `Refusal` without the proof that is needed.
    """
    if caller.user is not None and caller.user == row.customer:
        return row.customer_role
    info = user_info or {}
    code = _code(info)
    named = [info[name] for name in CONTACTS if info.get(name) is not None]
    if code is None and not named and not for_customer:
        return row.merchant_role
    _check_contacts(view, row, named)
    if code is not None or row.customer is not None or _wants_proof(view, row):
        spend(view, row, code)
    return row.customer_role


def is_proved(caller: Caller, row: EscrowRow) -> bool:
    """Whether the call comes from the customer alone, without the merchant's key."""
    return caller.key is None and caller.user is not None and caller.user == row.customer


def require_merchant(caller: Caller) -> None:
    """Refuse a customer's token alone: moving money is the merchant's action (B2)."""
    if caller.key is None:
        message = "releasing and reversing need the merchant's api-key"
        raise Refusal(Kind.FORBIDDEN, "API_KEY_REQUIRED", message)


def require_owner(caller: Caller, reason: str | None) -> None:
    """Refuse `force` without owner's rights or reason (PS55, E6)."""
    if reason is None or not reason.strip():
        raise invalid(("body", "reason"), "force needs a reason", "missing")
    if not caller.owner:
        raise Refusal(Kind.FORBIDDEN, Code.OWNER_REQUIRED, "this api-key may not force a release")


def customer_agrees(
    view: View, row: EscrowRow, code: str | None, user_info: Mapping[str, Any] | None, *, needed: bool
) -> None:
    """Use up the OTP of a customer without account, if his consent is needed (E7). Raises `Refusal`."""
    if needed or (row.customer is None and _wants_proof(view, row)):
        spend(view, row, code or _code(user_info or {}))


def spend(view: View, row: EscrowRow, code: str | None) -> None:
    """Use up an OTP for one of the customer's contacts. Raises `Refusal`."""
    contacts = _contacts(view, row)
    if not contacts:
        raise bad_request(Code.CONTACT_REQUIRED, f"the {row.customer_role} has no contact an OTP could go to")
    otp.spend(view, row.merchant, contacts, code)


def _contacts(view: View, row: EscrowRow) -> list[str]:
    if row.customer is None:
        return row.contacts
    account = known_account(view, row.customer)
    known = (row.phone, row.email, account.phone, account.email)
    return list(dict.fromkeys(contact for contact in known if contact is not None))


def _check_contacts(view: View, row: EscrowRow, named: list[Any]) -> None:
    known = {otp.normal(contact) for contact in _contacts(view, row)}
    if any(not isinstance(contact, str) or otp.normal(contact) not in known for contact in named):
        message = f"user_info names somebody else than the {row.customer_role} of this escrow"
        raise bad_request("CONTACT_MISMATCH", message)


def _wants_proof(view: View, row: EscrowRow) -> bool:
    return merchant_account(view, row.merchant).settings.verify_buyer


def _code(info: Mapping[str, Any]) -> str | None:
    code = info.get("otp")
    if code is None or code == "":
        return None
    if not isinstance(code, str):
        raise invalid(("body", "user_info", "otp"), "otp must be a text", "string_type")
    return code
