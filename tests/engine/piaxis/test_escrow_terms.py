"""Terms (PS67-PS75): every type of B5.3 with its create and fulfil data, by evidence and by the clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.escrow_tables import TERMS
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID, RECIPIENT_ID
from bursar.engine.piaxis.terms.places import EARTH_M, distance_m
from bursar.piaxis.models.escrows import EscrowStatus
from tests.engine.piaxis.escrow_calls import MANUAL, Escrows, otp_for, term, to_account
from tests.engine.piaxis.rail import BUYER, DAY, HOUR, MINUTE, SECOND, T0, Rail, customer

AS_BUYER = {"phone_number": BUYER}
KAMPALA: dict[str, Any] = {
    "latitude": Decimal("0.3136"),
    "longitude": Decimal("32.5811"),
    "radius_meters": 500,
}
THERE: dict[str, Any] = {"latitude": Decimal("0.3140"), "longitude": Decimal("32.5811")}
AWAY: dict[str, Any] = {"latitude": Decimal("0.3190"), "longitude": Decimal("32.5811")}
BUYER_THERE: dict[str, Any] = {f"buyer_{name}": value for name, value in THERE.items()}


@pytest.fixture
def escrows(rail: Rail) -> Escrows:
    return Escrows(rail)


def at(us: int) -> datetime:
    return datetime.fromtimestamp(T0 // SECOND, UTC) + timedelta(microseconds=us)


def refused(call: Any, *args: Any, **options: Any) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as error:
        call(*args, **options)
    return error.value.kind, error.value.reason


def invalid(call: Any, *args: Any, **options: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(InvalidRequest) as error:
        call(*args, **options)
    return [issue.loc for issue in error.value.issues]


def is_met(escrows: Escrows, escrow: Any, position: int = 0) -> bool:
    return bool(escrows.status(escrow).terms[position].is_met)


@pytest.mark.parametrize(
    ("asked", "member"),
    [
        (term("geo_verification", latitude=91, longitude=0, radius_meters=5), "latitude"),
        (term("geo_verification", latitude=0, longitude=181, radius_meters=5), "longitude"),
        (term("geo_verification", latitude=0, longitude=0, radius_meters=0), "radius_meters"),
        (term("geo_verification", latitude="0", longitude=0, radius_meters=5), "latitude"),
        (term("geo_verification", latitude=True, longitude=0, radius_meters=5), "latitude"),
        (term("geo_verification"), "latitude"),
        (term("meeting_delivery", latitude=1), "longitude"),
        (term("delivery_confirmation"), "confirmation_method"),
        (term("delivery_confirmation", confirmation_method="pigeon"), "confirmation_method"),
        (term("delivery_confirmation", confirmation_method="photo", code="1"), "code"),
        (term("delivery_confirmation", confirmation_method="code", deadline="soon"), "deadline"),
        (term("time_lock"), "release_after"),
        (term("time_lock", release_after="tomorrow"), "release_after"),
        (term("time_lock", release_after=-1), "release_after"),
        (term("time_lock", release_after=Decimal("1.5")), "release_after"),
        (term("return_period", days=-1), "days"),
        (term("return_period"), "days"),
        (term("meeting_confirmation"), "participants"),
        (term("meeting_confirmation", participants=[]), "participants"),
        (term("multi_party_all", participants=["a", "a"]), "participants"),
        (term("multi_party_all", participants=["a", 5]), "participants"),
        (term("multi_party_all", participants=[str(n) for n in range(51)]), "participants"),
        (term("multi_party_approval_threshold", required=0), "required"),
        (term("multi_party_approval_threshold", required=3, participants=["a", "b"]), "required"),
        (term("sequential_approvals", order="a"), "order"),
        (term("password_confirmation", secret_hint="dog"), "secret"),
        (term("password_confirmation", secret=""), "secret"),
        (term("rating_threshold", minimum_rating=6), "minimum_rating"),
        (term("manual_release", note="x" * 17_000), "data"),
    ],
)
def test_create_data_is_checked(escrows: Escrows, asked: Any, member: str) -> None:
    (loc,) = invalid(escrows.open, MANUAL, asked)
    assert loc[:4] == ("body", "terms", 1, "data")
    assert member in loc


def test_ps67_a_term_is_found_in_its_escrow_only(escrows: Escrows) -> None:
    mine, other = (escrows.open(term("rating_threshold", minimum_rating=1)) for _ in range(2))
    fulfil: dict[str, Any] = {"user_info": AS_BUYER, "rating": 5}
    assert invalid(escrows.fulfil, mine, term_type="time_lock", **fulfil) == [("body", "term_type")]
    assert invalid(escrows.fulfil, mine, term_id=other.terms[0].term_id, **fulfil) == [("body", "term_id")]
    mine.terms[0].term_id = other.terms[0].term_id
    assert refused(escrows.fulfil, mine, **fulfil) == (Kind.NOT_FOUND, "NOT_FOUND")


def test_ps68_both_sides_confirm_a_meeting(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("meeting_delivery", **KAMPALA))
    first = escrows.fulfil(created, **BUYER_THERE, device_info={"platform": "web"})
    assert (first.status, first.requires_other_party) == ("success", True)
    assert not is_met(escrows, created)
    again = escrows.fulfil(created, **BUYER_THERE)
    assert again.to_dict() == first.to_dict()
    rail.advance(MINUTE)
    assert refused(escrows.fulfil, created, **AWAY) == (Kind.BAD_REQUEST, "OUTSIDE_RADIUS")
    second = escrows.fulfil(created, **THERE)
    assert second.requires_other_party is False
    state = escrows.status(created)
    assert state.all_terms_met
    assert state.terms[0].met_at == at(MINUTE)
    escrows.release(created)


def test_ps69_a_met_term_answers_the_same(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("meeting_delivery"))
    escrows.fulfil(created, **BUYER_THERE)
    last = escrows.fulfil(created, **THERE)
    rail.advance(HOUR)
    assert escrows.fulfil(created, **AWAY).to_dict() == last.to_dict()
    assert escrows.status(created).terms[0].met_at == at(0)
    escrows.release(created)
    assert escrows.fulfil(created, **AWAY).to_dict() == last.to_dict()
    assert rail.events().count("escrow.term_fulfilled") == 1


def test_ps70_geo_inside_and_outside(escrows: Escrows) -> None:
    created = escrows.open(term("geo_verification", **KAMPALA))
    assert refused(escrows.fulfil, created, **AWAY) == (Kind.BAD_REQUEST, "OUTSIDE_RADIUS")
    assert invalid(escrows.fulfil, created, latitude=0) == [("body", "data", "longitude")]
    assert not is_met(escrows, created)
    assert escrows.fulfil(created, **THERE).to_dict()["message"] == "Location verified"
    assert is_met(escrows, created)


def test_ps71_a_time_lock_ends_by_the_clock(rail: Rail, escrows: Escrows) -> None:
    by_time = escrows.open(term("time_lock", release_after=at(HOUR).isoformat()))
    by_wait = escrows.open(term("time_lock", release_after=3600), term("return_period", days=1))
    assert refused(escrows.fulfil, by_time) == (Kind.CONFLICT, "TERM_NOT_FULFILLABLE")
    rail.advance(HOUR - 1)
    assert refused(escrows.release, by_time)[1] == "TERMS_NOT_MET"
    rail.advance(1)
    assert escrows.status(by_time).terms[0].met_at == at(HOUR)
    escrows.release(by_time)
    assert refused(escrows.release, by_wait)[1] == "TERMS_NOT_MET"
    rail.advance(DAY)
    assert escrows.status(by_wait).terms[1].met_at == at(DAY)
    escrows.release(by_wait)


def test_ps71_a_late_worker_changes_nothing(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("time_lock", release_after=60))
    rail.clock.advance(HOUR)
    escrows.release(created)
    assert escrows.status(created).terms[0].met_at == at(MINUTE)


def test_clocks_start_with_the_money(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("time_lock", release_after=10), phone="+256700009901")
    rail.advance(25 * SECOND)
    assert not is_met(escrows, created)
    rail.advance(5 * SECOND)
    assert escrows.status(created).terms[0].met_at == at(30 * SECOND)


def test_ps72_password_is_hashed_and_locks(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("password_confirmation", secret="open sesame", secret_hint="cave"))
    assert created.to_dict()["terms"][0]["data"] == {"secret_hint": "cave"}
    assert "sesame" not in repr(created) + str(rail.rows(TERMS)[0].data)
    assert rail.rows(TERMS)[0].digest not in (None, b"open sesame")
    assert invalid(escrows.fulfil, created) == [("body", "data", "secret")]
    for left in (4, 3, 2, 1):
        with pytest.raises(Refusal, match=f"{left} more") as error:
            escrows.fulfil(created, password="wrong")
        assert (error.value.kind, error.value.reason) == (Kind.BAD_REQUEST, "TERM_SECRET_WRONG")
    escrows.fulfil(created, secret="open sesame")
    assert is_met(escrows, created)


def test_ps72_five_wrong_tries_lock(escrows: Escrows) -> None:
    created = escrows.open(term("password_confirmation", password="right"))
    for _ in range(5):
        assert refused(escrows.fulfil, created, secret="wrong")[1] == "TERM_SECRET_WRONG"
    assert refused(escrows.fulfil, created, secret="right") == (Kind.CONFLICT, "TERM_LOCKED")


def test_ps73_out_of_turn(escrows: Escrows) -> None:
    created = escrows.open(term("sequential_approvals", order=["a", "b", "c"]))
    assert refused(escrows.fulfil, created, approver="b") == (Kind.CONFLICT, "OUT_OF_TURN")
    assert invalid(escrows.fulfil, created, approver="z") == [("body", "data", "approver")]
    assert escrows.fulfil(created, approver="a").requires_other_party
    assert escrows.fulfil(created, approver="a").requires_other_party
    assert escrows.fulfil(created, participant="b").requires_other_party
    assert escrows.fulfil(created, participant="c").requires_other_party is False
    assert is_met(escrows, created)


@pytest.mark.parametrize("kind", ["multi_party_all", "meeting_confirmation"])
def test_all_participants_agree(escrows: Escrows, kind: str) -> None:
    created = escrows.open(term(kind, participants=["sender", "receiver", "rider"]))
    assert escrows.fulfil(created).requires_other_party
    assert escrows.fulfil(created, user_info=AS_BUYER).requires_other_party
    assert invalid(escrows.fulfil, created, participant="thief") == [("body", "data", "participant")]
    assert escrows.fulfil(created, participant="rider").requires_other_party is False


def test_threshold_counts_different_approvers(escrows: Escrows) -> None:
    created = escrows.open(term("multi_party_approval_threshold", required=2))
    escrows.fulfil(created, approver="a")
    assert escrows.fulfil(created, approver="a").requires_other_party
    assert escrows.fulfil(created, approver="b").requires_other_party is False
    named = escrows.open(term("multi_party_approval_threshold", required=1, participants=["a"]))
    assert invalid(escrows.fulfil, named, approver="b") == [("body", "data", "approver")]


def test_a_customers_token_speaks_for_himself_alone(escrows: Escrows) -> None:
    shared: dict[str, Any] = {"caller": customer(), "method": "piaxis_external", "user_info": {}}
    created = escrows.open(term("multi_party_all", participants=["sender", "rider"]), **shared)
    bearer = Caller(MERCHANT_ID, user=CUSTOMER_ID)
    assert refused(escrows.fulfil, created, caller=bearer, participant="rider")[1] == "CONTACT_MISMATCH"
    escrows.fulfil(created, caller=bearer)
    assert refused(escrows.fulfil, created, user_info={"email": "customer@example.com"})[1] == "OTP_REQUIRED"


def test_rating_by_the_customer_alone(escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=4))
    assert refused(escrows.fulfil, created, rating=5) == (Kind.FORBIDDEN, "OTHER_PARTY_REQUIRED")
    assert invalid(escrows.fulfil, created, user_info=AS_BUYER, rating=6) == [("body", "data", "rating")]
    low = escrows.fulfil(created, user_info=AS_BUYER, rating=Decimal("3.9"))
    assert (low.status, "not met" in low.message) == ("success", True)
    escrows.fulfil(created, user_info=AS_BUYER, rating=4)
    assert is_met(escrows, created)


def test_delivery_by_code(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("delivery_confirmation", confirmation_method="code", code="K7-P2"))
    assert created.to_dict()["terms"][0]["data"] == {"confirmation_method": "code"}
    told: dict[str, Any] = {"confirmation_method": "code"}
    assert refused(escrows.fulfil, created, **told, code="K7")[1] == "TERM_SECRET_WRONG"
    assert invalid(escrows.fulfil, created, confirmation_method="scan", code="K7-P2")
    escrows.fulfil(created, **told, code="K7-P2")
    by_otp = escrows.open(term("delivery_confirmation", confirmation_method="code"))
    assert refused(escrows.fulfil, by_otp, **told, code="123456")[1] == "OTP_INVALID"
    rail.otp(BUYER)
    escrows.fulfil(by_otp, **told, code="123456")
    assert is_met(escrows, by_otp)


def test_delivery_confirmed_signed_or_photographed(escrows: Escrows) -> None:
    created = escrows.open(
        term("delivery_confirmation", confirmation_method="confirmation"),
        term("delivery_confirmation", confirmation_method="photo"),
    )
    told: dict[str, Any] = {"confirmation_method": "confirmation"}
    assert refused(escrows.fulfil, created, **told)[1] == "OTHER_PARTY_REQUIRED"
    escrows.fulfil(created, user_info=AS_BUYER, **told)
    assert invalid(escrows.fulfil, created, 1, confirmation_method="photo") == [("body", "data", "photo")]
    escrows.fulfil(created, 1, confirmation_method="photo", photo="https://img.example/1")
    assert escrows.status(created).all_terms_met


def test_manual_release_is_not_fulfilled(escrows: Escrows) -> None:
    assert refused(escrows.fulfil, escrows.open()) == (Kind.CONFLICT, "TERM_NOT_FULFILLABLE")


def test_ps74_an_expired_term_cannot_be_fulfilled(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=1, expiry_date=at(HOUR)))
    rail.advance(HOUR - 1)
    assert not [event for event in rail.events() if "expired" in event]
    rail.advance(1)
    assert rail.events()[-1] == "escrow.term_expired"
    assert refused(escrows.fulfil, created, user_info=AS_BUYER, rating=5) == (Kind.CONFLICT, "TERM_EXPIRED")
    assert refused(escrows.release, created)[1] == "TERMS_NOT_MET"
    assert escrows.reverse(created).amount == 50_000


def test_ps74_a_deadline_in_the_data_counts_too(rail: Rail, escrows: Escrows) -> None:
    until = at(MINUTE).isoformat()
    created = escrows.open(
        term("delivery_confirmation", confirmation_method="code", confirmation_deadline=until),
        term("time_lock", release_after=60, expiry_date=at(MINUTE)),
        term("time_lock", release_after=61, expiry_date=at(MINUTE)),
    )
    rail.advance(HOUR)
    assert [row.met_at is not None for row in rail.rows(TERMS, escrow=created.id)] == [False, True, False]
    assert [row.expired_at is not None for row in rail.rows(TERMS, escrow=created.id)] == [True, False, True]
    assert invalid(escrows.open, term(expiry_date=at(0))) == [("body", "terms", 0, "expiry_date")]


def test_ps75_auto_release(rail: Rail, escrows: Escrows) -> None:
    escrows.profile(auto_release=True)
    by_hand = escrows.open(MANUAL)
    by_clock = escrows.open(term("time_lock", release_after=60))
    by_word = escrows.open(term("rating_threshold", minimum_rating=1))
    at_once = escrows.open(term("time_lock", release_after=0))
    assert at_once.status == EscrowStatus.RELEASED
    escrows.fulfil(by_word, user_info=AS_BUYER, rating=1)
    assert escrows.get(by_word).status == EscrowStatus.RELEASED
    rail.advance(MINUTE)
    assert escrows.get(by_clock).status == EscrowStatus.RELEASED
    assert escrows.get(by_hand).status == EscrowStatus.PENDING


def test_ps75_not_while_disputed(rail: Rail, escrows: Escrows) -> None:
    escrows.profile(auto_release=True)
    created = escrows.open(term("time_lock", release_after=60))
    opened = escrows.dispute(created)
    rail.advance(HOUR)
    assert is_met(escrows, created)
    assert escrows.get(created).status == EscrowStatus.DISPUTED
    escrows.dismiss(opened)
    assert escrows.get(created).status == EscrowStatus.RELEASED


def test_the_beneficiary_of_a_batch_is_the_customer(rail: Rail, escrows: Escrows) -> None:
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000", term("rating_threshold", minimum_rating=3)))
    created = escrows.get(batch.escrow_items[0].escrow_id)
    bearer = Caller(MERCHANT_ID, user=RECIPIENT_ID)
    assert refused(escrows.fulfil, created, rating=5)[1] == "OTHER_PARTY_REQUIRED"
    rail.otp("+256700000002")
    escrows.fulfil(created, user_info=otp_for("+256700000002"), rating=3)
    assert is_met(escrows, created)
    assert escrows.get(created, caller=bearer).sender_id == MERCHANT_ID


def test_a_beneficiarys_otp_as_delivery_code(rail: Rail, escrows: Escrows) -> None:
    told: dict[str, Any] = {"confirmation_method": "code"}
    batch = escrows.pay(to_account(RECIPIENT_ID, "1000", term("delivery_confirmation", **told)))
    created = escrows.get(batch.escrow_items[0].escrow_id)
    rail.otp("+256700000002")
    escrows.fulfil(created, **told, code="123456")
    assert is_met(escrows, created)


def test_somebody_else_in_user_info(escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=1))
    stranger = {"phone_number": "+256799999999"}
    assert refused(escrows.fulfil, created, user_info=stranger, rating=5)[1] == "CONTACT_MISMATCH"
    escrows.profile(verify_buyer=True)
    assert refused(escrows.fulfil, created, user_info=AS_BUYER, rating=5)[1] == "OTP_REQUIRED"


degrees = st.integers(-90_000, 90_000).map(lambda n: Decimal(n) / 1000)


@given(degrees, degrees, degrees, degrees)
def test_ps70_haversine(a: Decimal, b: Decimal, c: Decimal, d: Decimal) -> None:
    """Symmetric, zero for the same place, at most half the circumference, right along a meridian."""
    one, other = (a, b * 2), (c, d * 2)
    there = distance_m(one, other)
    assert there == pytest.approx(distance_m(other, one), abs=1e-6)
    assert 0 <= there <= 3.1416 * EARTH_M
    assert distance_m(one, one) == 0
    assert distance_m((a, b), (c, b)) == pytest.approx(
        abs(a - c).__float__() * EARTH_M * 0.017453292519943295
    )
