"""Time, the simulated banks, and unknown outcomes: MS63, MS66-MS68, D12, invariants 19, 20 and 22."""

from pathlib import Path

import pytest

from bursar.engine.books import HEADS
from bursar.engine.milkyway.simulator import Behaviour, behaviour_of
from bursar.engine.milkyway.states import NEXT
from bursar.engine.milkyway.tables import packed
from bursar.milkyway.models import TransactionStatus
from bursar.milkyway.operator import SimulatorRule
from tests.engine.milkyway.rail import MINUTE, OPERATOR, SECOND, T0, Rail

PENDING, DONE, CANCELLED, FAILED, CANCEL_PENDING, STUCK = TransactionStatus


@pytest.mark.parametrize(
    ("recipient", "after", "outcome"),
    [
        ("ok-1", SECOND, DONE),
        ("anybody", SECOND, DONE),
        ("decline-1", SECOND, FAILED),
        ("decline", SECOND, FAILED),
        ("declined", SECOND, DONE),
        ("slow-1", 20 * SECOND, PENDING),
        ("slow-1", 21 * SECOND, DONE),
        ("refuse-cancel-1", 21 * SECOND, DONE),
        ("silent-1", 14 * MINUTE, PENDING),
        ("silent-1", 15 * MINUTE, STUCK),
    ],
)
def test_ms68_recipients_choose_what_the_bank_does(
    rail: Rail, recipient: str, after: int, outcome: TransactionStatus
) -> None:
    payment = rail.pay(recipient)
    rail.advance(after)
    assert rail.status(payment) is outcome


def test_ms68_stored_rules_go_before_prefixes(rail: Rail) -> None:
    rail.set_rules(
        SimulatorRule("silent", service="another-*"),
        SimulatorRule("ok", recipient="decline-but-*"),
        SimulatorRule("decline", service="card-payout"),
        SimulatorRule("silent"),
    )
    lucky, unlucky = rail.pay("decline-but-lucky"), rail.pay("ok-1")
    rail.advance(SECOND)
    assert [rail.status(lucky), rail.status(unlucky)] == [DONE, FAILED]
    rail.set_rules()
    payment = rail.pay("ok-1")
    rail.advance(SECOND)
    assert rail.status(payment) is DONE


def test_ms68_prefixes() -> None:
    for behaviour in Behaviour:
        assert behaviour_of(None, "s", f"{behaviour.value}-7") is behaviour
    assert behaviour_of(None, "s", "slowly") is Behaviour.OK


def test_ms63_d12_a_silent_bank_leaves_the_payment_stuck_with_money_and_exposure(rail: Rail) -> None:
    rail.set_service(stuck_after_ms=5000)
    payment = rail.pay("silent-1")
    rail.advance(5 * SECOND - 1)
    assert rail.status(payment) is PENDING
    before = rail.exposure()
    rail.advance(1)
    assert rail.status(payment) is STUCK
    assert rail.exposure() == before
    balances = rail.balances()
    assert "transit:USD" not in balances
    assert balances["suspense:stuck:USD"] == 100


def test_invariant_20_stuck_stays_stuck_whatever_the_clock_says(rail: Rail) -> None:
    payment = rail.pay("silent-1")
    for _ in range(5):
        rail.advance(400 * 24 * 60 * MINUTE)
    assert rail.status(payment) is STUCK


def test_invariant_20_a_late_reply_is_evidence_and_no_outcome(rail: Rail) -> None:
    rail.set_service(stuck_after_ms=5000)
    payment = rail.pay("slow-1")
    rail.advance(30 * SECOND)
    assert rail.status(payment) is STUCK
    entry = rail.do(rail.operator.list_audit(OPERATOR)).entries[0]
    assert (entry.actor, entry.action, entry.subject) == ("bank-beta", "late-reply", f"payment:{payment}")
    assert entry.detail["outcome"] == "DONE"


def test_invariant_20_what_never_left_failed_for_certain(rail: Rail) -> None:
    payment = rail.pay("ok-1")
    rail.set_rules(SimulatorRule("down"))
    rail.advance(14 * MINUTE)
    assert rail.status(payment) is PENDING
    rail.advance(MINUTE)
    assert rail.status(payment) is FAILED
    assert "never got the instruction" in str(rail.error(payment))


def test_a_bank_that_comes_back_gets_the_instruction(rail: Rail) -> None:
    payment = rail.pay("ok-1")
    rail.set_rules(SimulatorRule("down"))
    rail.advance(MINUTE)
    rail.set_rules()
    rail.advance(5 * MINUTE)
    assert rail.status(payment) is DONE


def test_a_jump_of_the_clock_gives_the_same_outcomes_as_small_steps() -> None:
    """What a bank does counts from when it was due, not from when somebody looked."""
    outcomes = []
    for steps in (1, 600):
        with Rail() as rail:
            payments = [
                rail.pay(f"{name}-1") for name in ("ok", "slow", "decline", "silent", "refuse-cancel")
            ]
            for _ in range(steps):
                rail.advance(10 * MINUTE // steps)
            outcomes.append([rail.status(payment) for payment in payments])
    assert outcomes[0] == outcomes[1] == [DONE, DONE, FAILED, PENDING, DONE]


def test_a_manual_bank_waits_for_its_operator(rail: Rail) -> None:
    rail.set_manual()
    payment = rail.pay("decline-1")
    rail.advance(MINUTE)
    assert rail.status(payment) is PENDING
    assert rail.detail(payment).dispatched_at is not None
    rail.advance(15 * MINUTE)
    assert rail.status(payment) is STUCK


def test_ms67_a_restart_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rail.db"
    with Rail(url) as rail:
        payments = {name: rail.pay(f"{name}-1") for name in ("ok", "slow", "silent", "decline")}
    at = T0
    for pause in (SECOND // 2, SECOND, 30 * SECOND, 20 * MINUTE):
        at += pause
        with Rail(url, at=at) as rail:
            rail.advance(0)
            assert rail.damages() == []
            statuses = {name: rail.status(number) for name, number in payments.items()}
    assert statuses == {"ok": DONE, "slow": DONE, "silent": STUCK, "decline": FAILED}


def test_invariant_22_the_same_seed_and_inputs_give_the_same_book() -> None:
    def head() -> bytes:
        with Rail(seed=3) as rail:
            for name in ("ok", "slow", "decline", "silent"):
                rail.pay(f"{name}-1", key=name)
            rail.advance(MINUTE)
            row = rail.do(rail.core.read(lambda view: view.get(HEADS, "milkyway")))
        assert row is not None
        return row.hash

    assert head() == head()


def test_invariant_19_final_statuses_have_no_way_out() -> None:
    assert [NEXT[status] for status in (DONE, CANCELLED, FAILED)] == [frozenset()] * 3
    assert PENDING not in frozenset().union(*NEXT.values()), "nothing becomes PENDING again"


def test_ms71_a_stored_payment_never_shows_its_data(rail: Rail) -> None:
    payment = rail.pay("slow-secret", data={"passport": "SECRET"}, sender="sender-secret")
    shown = (
        repr(rail.row(payment))
        + repr(rail.detail(payment))
        + str(rail.do(rail.operator.list_audit(OPERATOR)))
    )
    assert "secret" not in shown.lower()
    assert rail.detail(payment).data == {"passport": "SECRET"}
    assert "SECRET" not in packed(rail.row(payment).priced)
