"""Idempotency (PS97-PS100)."""

import asyncio

import pytest

from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.keys import chosen_key
from bursar.engine.piaxis.sandbox import MERCHANT_ID
from bursar.engine.piaxis.tables import DISBURSEMENTS, KEYS, PAYMENTS
from bursar.piaxis.models.disbursements import CancelDisbursement
from tests.engine.piaxis.rail import DAY, OK, OTHER, OTHER_ID, Rail, new_batch, phone


def fresh(merchant: str = MERCHANT_ID) -> Caller:
    return Caller(merchant, key="k", owner=True)


def test_ps97_the_same_key_and_body_bring_the_same_answer(rail: Rail) -> None:
    rail.otp()
    first, second = fresh(), fresh()
    answer = rail.create(key="k1", caller=first)
    again = rail.create(key="k1", caller=second)
    assert again == answer
    assert again.to_dict() == answer.to_dict()
    assert (first.replay.replayed, second.replay.replayed) == (False, True)
    assert len(rail.rows(PAYMENTS)) == 1


def test_ps97_numbers_are_compared_by_value_and_the_answer_is_the_old_one(rail: Rail) -> None:
    created = rail.disburse(phone(OK, "1000"), key="k")
    rail.advance(DAY)
    assert rail.disburse(phone(OK, "1000.00"), key="k") == created, "although it is completed by now"


def test_ps98_another_body_or_route_is_refused(rail: Rail) -> None:
    rail.otp()
    rail.create(key="k1")
    with pytest.raises(Refusal) as refused:
        rail.create(amount="15001", key="k1")
    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "IDEMPOTENCY_KEY_REUSED")
    with pytest.raises(Refusal):
        rail.disburse(phone(OK), key="k1")


def test_ps98_the_object_is_part_of_the_request(rail: Rail) -> None:
    cancel = rail.services.disbursements.cancel_disbursement
    one, two = (rail.disburse(phone(OK)).disbursement_id for _ in range(2))
    rail.do(cancel(fresh(), one, CancelDisbursement(reason=None), idempotency_key="c"))
    with pytest.raises(Refusal, match="another request"):
        rail.do(cancel(fresh(), two, CancelDisbursement(reason=None), idempotency_key="c"))


def test_ps99_keys_are_per_merchant(rail: Rail) -> None:
    for caller in (fresh(), OTHER):
        rail.otp(caller=caller)
        rail.create(key="shared", caller=caller)
    assert {row.merchant for row in rail.rows(PAYMENTS)} == {MERCHANT_ID, OTHER_ID}


def test_ps99_keys_are_kept_for_a_day_and_more_and_then_forgotten(rail: Rail) -> None:
    rail.disburse(phone(OK), key="k")
    rail.advance(DAY)
    rail.disburse(phone(OK), key="k")
    assert len(rail.rows(DISBURSEMENTS)) == 1
    rail.advance(3 * DAY)
    assert rail.rows(KEYS) == []
    rail.disburse(phone(OK), key="k")
    assert len(rail.rows(DISBURSEMENTS)) == 2


def test_ps100_without_key_each_call_acts(rail: Rail) -> None:
    for _ in range(2):
        rail.disburse(phone(OK))
    assert len(rail.rows(DISBURSEMENTS)) == 2


def test_a_refusal_leaves_the_key_free(rail: Rail) -> None:
    with pytest.raises(Refusal):
        rail.create(key="k")
    with pytest.raises(InvalidRequest):
        rail.disburse(key="k")
    rail.otp()
    assert rail.create(key="k").status == "pending"


def test_many_at_once_act_once(rail: Rail) -> None:
    service = rail.services.disbursements
    calls = [
        service.create_disbursement(fresh(), new_batch(phone(OK)), idempotency_key="k") for _ in range(20)
    ]

    async def together() -> list[object]:
        return await asyncio.gather(*calls)

    answers = rail.do(together())
    assert all(answer == answers[0] for answer in answers)
    assert len(rail.rows(DISBURSEMENTS)) == 1


def test_e13_the_two_headers(rail: Rail) -> None:
    assert chosen_key("a", None) == chosen_key(None, '"a"') == chosen_key("a", "a") == "a"
    assert chosen_key(None, None) is None
    for piaxis, ietf in (("a", "b"), ("", None), ("a\n", None), ("x" * 300, None), ('"a', None)):
        with pytest.raises(Refusal) as refused:
            chosen_key(piaxis, ietf)
        assert refused.value.kind is Kind.BAD_REQUEST
    with pytest.raises(Refusal):
        rail.disburse(phone(OK), key=" ")


def test_a_code_that_is_wrong_counts_under_a_key_as_well(rail: Rail) -> None:
    rail.otp()
    for _ in range(5):
        with pytest.raises(Refusal):
            rail.create(otp="000000", key="k")
    with pytest.raises(Refusal) as refused:
        rail.create(key="k")
    assert refused.value.reason == "OTP_LOCKED"
