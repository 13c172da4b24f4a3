"""Status and cancellation: MS52-MS62, D11."""

import asyncio
from decimal import Decimal

import pytest

from bursar.contract.binding import BadRequest, route
from bursar.engine.errors import InvalidInput, NotFound
from bursar.milkyway import MilkywayPayments
from bursar.milkyway.models import TransactionStatus
from tests.engine.milkyway.rail import ALPHA, BETA, MINUTE, SECOND, Rail

DISPATCHED = SECOND // 2
PENDING, DONE, CANCELLED, FAILED, CANCEL_PENDING, STUCK = TransactionStatus


def test_ms52_own_payments_only_and_foreign_looks_like_unknown(rail: Rail) -> None:
    payment = rail.pay()
    assert rail.status(payment) is PENDING
    told = []
    for caller, number in ((BETA, payment), (ALPHA, payment + 1), (ALPHA, 0)):
        with pytest.raises(NotFound) as refused:
            rail.status(number, caller)
        told.append(str(refused.value))
    assert len(set(told)) == 1


@pytest.mark.parametrize("text", ["x", "", "1.5", "-1", "9223372036854775808", "1e3", None])
def test_ms53_a_bad_id_is_refused(rail: Rail, text: str | None) -> None:
    query = [] if text is None else [("transaction_id", text)]
    with pytest.raises(BadRequest):
        rail.wire(route(MilkywayPayments.postcheck, rail.service.postcheck), query=query)


def test_ms53_the_largest_id_is_merely_unknown(rail: Rail) -> None:
    with pytest.raises(NotFound):
        rail.status(2**63 - 1)


def test_ms54_ms55_the_answer_on_the_wire(rail: Rail) -> None:
    payments = {name: rail.pay(f"{name}-1") for name in ("ok", "decline", "silent")}
    rail.advance(15 * MINUTE)
    bound = route(MilkywayPayments.postcheck, rail.service.postcheck)
    answers = {
        name: rail.wire(bound, query=[("transaction_id", str(number))]) for name, number in payments.items()
    }
    assert answers["ok"] == {"transaction_id": payments["ok"], "status": 1}
    assert answers["decline"] == {"transaction_id": payments["decline"], "status": 3, "error": "declined"}
    assert answers["silent"]["status"] == 5
    assert "operator" in answers["silent"]["error"]


def test_ms56_statuses_never_go_back(rail: Rail) -> None:
    payment = rail.pay("slow-1")
    seen = []
    for _ in range(25):
        rail.advance(SECOND)
        seen.append(rail.status(payment))
    assert seen == sorted(seen)
    assert {PENDING, DONE} == set(seen)


def test_ms57_before_dispatch_a_cancel_succeeds_at_once(rail: Rail) -> None:
    payment = rail.pay()
    assert rail.cancel(payment) is CANCELLED
    assert rail.steps(payment)["cancelled"] == [
        ("transit:USD", "receivable:bank-alpha:USD", Decimal("100.00")),
        ("liability:commission_unearned:USD", "receivable:bank-alpha:USD", Decimal("1.50")),
    ]
    rail.advance(MINUTE)
    assert rail.status(payment) is CANCELLED


@pytest.mark.parametrize(
    ("recipient", "outcome"),
    [
        ("slow-1", CANCELLED),
        ("refuse-cancel-1", DONE),
        ("ok-1", DONE),
        ("decline-1", FAILED),
        ("silent-1", STUCK),
    ],
)
def test_ms58_after_dispatch_the_bank_decides(rail: Rail, recipient: str, outcome: TransactionStatus) -> None:
    payment = rail.pay(recipient)
    rail.advance(DISPATCHED)
    assert rail.cancel(payment) is CANCEL_PENDING
    assert list(rail.steps(payment)) == ["accepted"], "asking moves no money"
    rail.advance(15 * MINUTE)
    assert rail.status(payment) is outcome


def test_ms59_a_repeated_cancel_says_the_same(rail: Rail) -> None:
    early, late = rail.pay("slow-1"), rail.pay("slow-2")
    assert [rail.cancel(early), rail.cancel(early)] == [CANCELLED, CANCELLED]
    rail.advance(DISPATCHED)
    assert [rail.cancel(late), rail.cancel(late)] == [CANCEL_PENDING, CANCEL_PENDING]
    rail.advance(SECOND)
    assert rail.cancel(late) is CANCELLED


@pytest.mark.parametrize(
    ("recipient", "status"), [("ok-1", DONE), ("decline-1", FAILED), ("silent-1", STUCK)]
)
def test_ms60_d11_a_finished_payment_cannot_be_cancelled(
    rail: Rail, recipient: str, status: TransactionStatus
) -> None:
    payment = rail.pay(recipient)
    rail.advance(15 * MINUTE)
    with pytest.raises(InvalidInput, match=status.name):
        rail.cancel(payment)
    assert rail.status(payment) is status


def test_ms61_foreign_and_unknown_payments_cannot_be_cancelled(rail: Rail) -> None:
    payment = rail.pay()
    for caller, number in ((BETA, payment), (ALPHA, payment + 1)):
        with pytest.raises(NotFound):
            rail.cancel(number, caller)
    assert rail.status(payment) is PENDING


@pytest.mark.parametrize("cancel_first", [True, False])
@pytest.mark.parametrize("recipient", ["ok-1", "refuse-cancel-1", "decline-1", "slow-1"])
def test_ms62_cancel_racing_with_completion_has_one_winner(
    rail: Rail, recipient: str, cancel_first: bool
) -> None:
    payment = rail.pay(recipient)
    rail.clock.advance(30 * SECOND)

    async def race() -> None:
        cancel = rail.service.cancel(ALPHA, payment)
        work = rail.core.worker.run_due()
        both = (cancel, work) if cancel_first else (work, cancel)
        await asyncio.gather(*both, return_exceptions=True)
        await rail.core.worker.run_due()

    rail.do(race())
    rail.advance(MINUTE)
    assert rail.status(payment) in {DONE, CANCELLED, FAILED}
    assert len(rail.steps(payment)) == 2, "accepted, and one ending"
