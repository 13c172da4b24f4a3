"""One-time passwords: a code proves that a payer can read messages at an email address or phone number (PS20-PS25).

A code belongs to a merchant and a contact, works once, for five minutes and five tries; a new one voids the old. In
the sandbox it is always `SANDBOX_CODE`; otherwise it is random, and `Codes` must be given somebody who delivers it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from bursar.engine.errors import Unavailable
from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis.errors import Code, Counted, Kind, Refusal, bad_request
from bursar.engine.piaxis.merchants import merchant_account
from bursar.engine.piaxis.tables import OTPS, OtpRow, packed
from bursar.engine.view import View
from bursar.engine.work import Work

SANDBOX_CODE: Final = "123456"
EXPIRES_IN: Final = 300
"""Seconds for which a code works (PS21, E28)."""
TRIES: Final = 5
PAUSE: Final = 30
"""Seconds between two codes for one contact (PS23)."""
PER_HOUR: Final = 5
FORGET: Final = "piaxis.otp"
"""Kind of the work item that forgets a contact; its key is "<merchant> <contact>", and a new code puts it off."""
_HOUR: Final = 3600 * SECOND_US

Deliver = Callable[[str, str], None]
"""Takes (contact, code) and sees to it that the contact gets the code; must not block."""


class Codes:
    """How codes are made and sent."""

    def __init__(self, *, sandbox: bool, deliver: Deliver | None = None) -> None:
        self.sandbox = sandbox
        self.deliver = deliver

    def issue(self, view: View, merchant: str, contacts: Sequence[str]) -> str:
        """Make a code for one or two contacts of a merchant's payer, and return it; `send` it after the commit.

        Raises `Refusal` when one of them got a code too recently or too often (PS23), `Unavailable` when nobody
        could deliver it.
        """
        if not self.sandbox and self.deliver is None:
            raise Unavailable("codes cannot be sent: no gateway for messages is set up")
        code = SANDBOX_CODE if self.sandbox else f"{view.ids.integer(0, 999_999):06d}"
        salt = view.ids.bytes(16)
        names = [normal(contact) for contact in contacts]
        limited = merchant_account(view, merchant).settings.limit_otp
        for name in names:
            sent = _sent_lately(view, merchant, name)
            if limited:
                _check_rate(view.now, sent)
            row = OtpRow(
                merchant=merchant,
                contact=name,
                salt=salt,
                digest=_digest(salt, code),
                expires_at=view.now + EXPIRES_IN * SECOND_US,
                tries=0,
                used=False,
                sent=packed([*sent, view.now][-PER_HOUR:]),
                other=next((other for other in names if other != name), None),
            )
            view.put(OTPS, row)
            view.schedule(Work(FORGET, f"{merchant} {name}", view.now + _HOUR))
        return code

    def send(self, contacts: Sequence[str], code: str) -> None:
        """Have a committed code delivered; in the sandbox everybody knows it."""
        if self.deliver is not None:
            for contact in contacts:
                self.deliver(contact, code)


def spend(view: View, merchant: str, contacts: Sequence[str], code: str | None) -> None:
    """Use up the code of one of the contacts. Call it after every other check: a refusal gives it back (PS25).

    Raises `Refusal` OTP_REQUIRED, OTP_EXPIRED, OTP_LOCKED or OTP_INVALID (PS24); a wrong code costs a try for good.
    """
    if code is None:
        raise bad_request(
            Code.OTP_REQUIRED, "an OTP is required: POST /request-otp, then send it in user_info.otp"
        )
    found = [view.get(OTPS, merchant, normal(contact)) for contact in contacts]
    rows = [row for row in found if row is not None and not row.used]
    if not rows:
        raise bad_request(Code.OTP_INVALID, "there is no unused OTP for this contact: ask for one")
    right = next((row for row in rows if hmac.compare_digest(_digest(row.salt, code), row.digest)), None)
    _check_usable(right or rows[0], view.now)
    if right is None:
        raise _wrong(rows)
    for row in (right, *_siblings(view, right)):
        view.put(OTPS, replace(row, used=True))


def forget(view: View, key: str) -> None:
    """Carry out a work item of kind `FORGET`: an hour after its last code a contact is no business of ours."""
    merchant, _, contact = key.partition(" ")
    view.delete(OTPS, merchant, contact)


def normal(contact: str) -> str:
    """Return the one spelling of a contact: email addresses in lower case, phone numbers as they are (E.164)."""
    return contact.strip().lower()


def _siblings(view: View, row: OtpRow) -> list[OtpRow]:
    """The same code at the payer's other contact."""
    other = None if row.other is None else view.get(OTPS, row.merchant, row.other)
    return [] if other is None or other.salt != row.salt else [other]


def _check_usable(row: OtpRow, now: int) -> None:
    if row.tries >= TRIES:
        raise bad_request(Code.OTP_LOCKED, f"this OTP was entered wrong {TRIES} times: ask for a new one")
    if now >= row.expires_at:
        raise bad_request(Code.OTP_EXPIRED, "this OTP has expired: ask for a new one")


def _wrong(rows: Sequence[OtpRow]) -> Counted:
    left = min(TRIES - row.tries for row in rows) - 1

    def trace(view: View) -> None:
        for row in rows:
            view.put(OTPS, replace(row, tries=row.tries + 1))

    message = f"the OTP is wrong; {left} more tries" if left else "the OTP is wrong: ask for a new one"
    return Counted(Kind.BAD_REQUEST, Code.OTP_INVALID, message, trace=trace)


def _sent_lately(view: View, merchant: str, contact: str) -> list[int]:
    row = view.get(OTPS, merchant, contact)
    sent = [] if row is None else msgspec.json.decode(row.sent, type=list[int])
    return [at for at in sent if at > view.now - _HOUR]


def _check_rate(now: int, sent: Sequence[int]) -> None:
    again = []
    if sent:
        again.append(sent[-1] + PAUSE * SECOND_US)
    if len(sent) >= PER_HOUR:
        again.append(sent[-PER_HOUR] + _HOUR)
    wait = max(again, default=now) - now
    if wait > 0:
        seconds = -(-wait // SECOND_US)
        message = f"too many codes for this contact: try again in {seconds} s"
        raise Refusal(Kind.TOO_MANY, Code.RATE_LIMITED, message, retry_after=seconds)


def _digest(salt: bytes, code: str) -> bytes:
    return hashlib.sha256(salt + code.encode("utf-8", "surrogatepass")).digest()
