"""One-time passwords (PS20-PS25)."""

from typing import Any

import pytest

from bursar.engine.errors import Unavailable
from bursar.engine.piaxis import merchants
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.otp import Codes
from bursar.engine.piaxis.otp_service import OtpService
from bursar.engine.piaxis.sandbox import MERCHANT_ID
from bursar.engine.piaxis.tables import OTPS, PAYMENTS
from bursar.piaxis.models.otp import RequestOtp
from tests.engine.piaxis.rail import BUYER, DAY, HOUR, OLGA, SECOND, SHOP, Rail


def refused(rail: Rail, **options: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        rail.create(**options)
    return caught.value


def test_ps20_a_contact_is_needed(rail: Rail) -> None:
    with pytest.raises(InvalidRequest) as caught:
        rail.otp(None, None)
    assert [issue.loc for issue in caught.value.issues] == [("body", "email"), ("body", "phone_number")]


def test_ps21_the_sandbox_shows_the_code(rail: Rail) -> None:
    assert rail.otp(BUYER, "buyer@example.com").to_dict() == {
        "verification_methods": {"email_sent": True, "phone_sent": True},
        "expires_in": 300,
        "otp": "123456",
    }


def test_ps21_only_the_sandbox_shows_it(rail: Rail) -> None:
    sent: list[tuple[str, str]] = []
    service = OtpService(
        rail.core, Codes(sandbox=False, deliver=lambda contact, code: sent.append((contact, code)))
    )
    answer = rail.do(service.request_otp(SHOP, RequestOtp(phone_number=BUYER)))
    assert answer.otp is None
    ((contact, code),) = sent
    assert contact == BUYER
    assert len(code) == 6
    assert code not in str(rail.rows(OTPS)), "stored as a digest"
    assert rail.create(BUYER, otp=code).status == "pending"


def test_without_anybody_to_deliver_codes_there_are_none(rail: Rail) -> None:
    service = OtpService(rail.core, Codes(sandbox=False))
    with pytest.raises(Unavailable):
        rail.do(service.request_otp(SHOP, RequestOtp(phone_number=BUYER)))
    assert rail.rows(OTPS) == []


@pytest.mark.parametrize("method", ["mtn", "airtel", "card"])
def test_ps24_payers_without_account_need_a_code(rail: Rail, method: str) -> None:
    assert refused(rail, otp=None, method=method).reason == "OTP_REQUIRED"
    assert refused(rail, method=method).reason == "OTP_INVALID"
    rail.otp()
    assert refused(rail, otp="000000", method=method).reason == "OTP_INVALID"
    assert rail.create(method=method).status == "pending"


def test_ps24_the_code_is_read_from_mfa_code_as_well(rail: Rail) -> None:
    rail.otp()
    assert rail.create(otp=None, mfa_code="123456").status == "pending"


def test_ps21_ps24_codes_expire(rail: Rail) -> None:
    rail.otp()
    rail.advance(300 * SECOND)
    assert refused(rail).reason == "OTP_EXPIRED"


def test_ps22_a_code_works_once_for_either_contact(rail: Rail) -> None:
    rail.otp(BUYER, "buyer@example.com")
    rail.create()
    assert refused(rail).reason == "OTP_INVALID"
    assert (
        refused(rail, phone=None, method="card", user_info={"email": "buyer@example.com"}).reason
        == "OTP_INVALID"
    )


def test_ps22_five_tries_then_locked(rail: Rail) -> None:
    rail.otp()
    for left in (4, 3, 2, 1):
        assert f"{left} more tries" in refused(rail, otp="000000").message
    assert "ask for a new one" in refused(rail, otp="000000").message
    assert refused(rail).reason == "OTP_LOCKED", "not even the right one"
    assert rail.rows(PAYMENTS) == []
    rail.otp()
    assert rail.create().status == "pending"


def test_ps23_a_new_code_voids_the_old(rail: Rail) -> None:
    codes: list[str] = []
    service = OtpService(rail.core, Codes(sandbox=False, deliver=lambda contact, code: codes.append(code)))
    for _ in range(2):
        rail.do(service.request_otp(SHOP, RequestOtp(phone_number=BUYER)))
    assert refused(rail, otp=codes[0]).reason == "OTP_INVALID"
    assert rail.create(otp=codes[1]).status == "pending"


def test_ps23_one_in_thirty_seconds_and_five_in_an_hour(rail: Rail) -> None:
    rail.submit(lambda view: merchants.set_profile(view, OLGA, MERCHANT_ID, {"limit_otp": True}))
    rail.otp()
    with pytest.raises(Refusal) as caught:
        rail.otp()
    assert (caught.value.kind, caught.value.retry_after) == (Kind.TOO_MANY, 30)
    rail.otp("+256700000009")
    for _ in range(4):
        rail.advance(30 * SECOND)
        rail.otp()
    rail.advance(30 * SECOND)
    with pytest.raises(Refusal) as caught:
        rail.otp()
    assert caught.value.retry_after == 3600 - 150
    rail.advance(HOUR - 150 * SECOND)
    rail.otp()
    rail.advance(DAY)


def test_ps25_a_refused_payment_does_not_burn_the_code(rail: Rail) -> None:
    rail.otp()
    with pytest.raises(InvalidRequest):
        rail.create(amount="0")
    assert refused(rail, recipient_id="x").reason == "RECIPIENT_MISMATCH"
    assert rail.create().status == "pending"


def test_contacts_are_forgotten_an_hour_after_their_last_code(rail: Rail) -> None:
    rail.otp(BUYER, "buyer@example.com")
    rail.advance(HOUR // 2)
    rail.otp(BUYER)
    rail.advance(HOUR // 2)
    assert [row.contact for row in rail.rows(OTPS)] == [BUYER]
    rail.advance(HOUR // 2)
    assert rail.rows(OTPS) == []
