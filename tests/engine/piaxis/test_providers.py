"""Providers: whatever is duplicated, late, lost or contradicted, an instruction has one effect (PS34, PS113)."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import merchants, payments, providers, refunds
from bursar.engine.piaxis.errors import Refusal
from bursar.engine.piaxis.providers import SCRIPTS, SUFFIXES, Behaviour, Report, Rule, behaviour_of
from bursar.engine.piaxis.sandbox import CUSTOMER_ID
from bursar.engine.piaxis.service import HANDLERS
from bursar.engine.piaxis.tables import (
    AUDIT,
    INSTRUCTIONS,
    ITEMS,
    PAYMENTS,
    REFUNDS,
    RULES,
    SUSPENSE,
    RuleRow,
    packed,
)
from tests.engine.piaxis.rail import (
    DAY,
    DECLINE,
    FORGED,
    HOUR,
    MINUTE,
    OK,
    OLGA,
    SECOND,
    SILENT,
    Rail,
    account,
    phone,
)

WALLET = 100_000_000
PHONES = [f"+25670000{suffix}" for suffix in ("0000", *SUFFIXES)]
OUTCOMES = st.sampled_from(["succeeded", "failed"])


def rule(rail: Rail, *rules: Rule, provider: str = "mtn") -> None:
    rail.submit(lambda view: view.put(RULES, RuleRow(provider, packed(rules))))


def tell(rail: Rail, instruction: str, result: Any) -> None:
    rail.submit(lambda view: providers.report(view, HANDLERS, instruction, Report(result)))


def test_every_behaviour_has_a_script_and_a_number() -> None:
    assert set(SCRIPTS) == set(Behaviour)
    assert {Behaviour.OK, *SUFFIXES.values()} == set(Behaviour)
    assert behaviour_of(None, "collect", None) is Behaviour.OK


def test_a_rule_counts_before_the_number_and_the_first_that_fits(rail: Rail) -> None:
    rule(
        rail,
        Rule(Behaviour.SILENT, phone="*7777", direction="payout"),
        Rule(Behaviour.DECLINE, phone="*7777"),
    )
    payment = rail.pay("+256700007777")
    rail.pay("+256700007777", method="airtel")
    batch = rail.disburse(phone("+256700007777"))
    rail.advance(HOUR)
    assert rail.payment(payment.payment_id).status == "failed"
    assert rail.batch(batch.disbursement_id).status == "processing"
    assert {row.rail: row.behaviour for row in rail.rows(INSTRUCTIONS, direction="collect")} == {
        "mtn": "decline",
        "airtel": "ok",
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(OUTCOMES, min_size=1, max_size=6), st.booleans())
def test_the_first_report_decides_and_suspense_holds_the_difference(
    told: Sequence[str], payout: bool
) -> None:
    with Rail() as rail:
        batch = rail.disburse(phone(SILENT, "1000")) if payout else None
        payment = None if payout else rail.pay(SILENT, "1000")
        if payout:
            rail.advance(3 * SECOND)
        (sent,) = rail.rows(INSTRUCTIONS)
        for result in told:
            tell(rail, sent.id, result)
            assert rail.damages() == []
        status = rail.payment(payment.payment_id).status if payment else rail.rows(ITEMS)[0].status
        assert status == told[0]
        paid = {"succeeded": 1000, "failed": 0}
        difference = paid[told[-1]] - paid[told[0]]
        assert rail.balance(book.suspense("mtn")) == (-difference if payout else difference)
        moved = -paid[told[0]] if payout else paid[told[0]]
        assert rail.wallet() == WALLET + moved
        assert rail.rows(INSTRUCTIONS)[0].reports == len(told)
        if batch:
            assert rail.batch(batch.disbursement_id).completed_at is not None


class Totals:
    """An independent account of what should be there, from the terminal outcomes alone."""

    def __init__(self, rail: Rail) -> None:
        self.collected = sum(row.amount for row in rail.rows(PAYMENTS, status="succeeded"))
        self.paid = sum(row.amount for row in rail.rows(ITEMS, status="succeeded"))
        self.open = sum(row.amount for row in rail.rows(ITEMS) if row.status in {"pending", "processing"})


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pay", "disburse", "report", "wait"]),
            st.sampled_from(PHONES),
            st.integers(1, 50_000),
            OUTCOMES,
        ),
        max_size=15,
    )
)
def test_no_money_is_made_or_lost_whatever_the_providers_do(
    steps: Sequence[tuple[str, str, int, str]],
) -> None:
    with Rail() as rail:
        for action, number, amount, result in steps:
            sent = rail.rows(INSTRUCTIONS)
            if action == "pay":
                rail.pay(number, str(amount))
            elif action == "disburse":
                rail.disburse(phone(number, str(amount)), account(CUSTOMER_ID, str(amount)))
            elif action == "report" and sent:
                tell(rail, sent[amount % len(sent)].id, result)
            else:
                rail.advance(amount * SECOND // 20)
            totals = Totals(rail)
            assert rail.wallet() == WALLET + totals.collected - totals.paid - totals.open
            assert rail.damages() == []
        rail.advance(DAY)
        for row in rail.rows(INSTRUCTIONS, outcome=None):
            assert row.unknown_at is not None
            tell(rail, row.id, "failed")
        assert rail.held() == rail.balance(book.inflight("mtn")) == 0
        assert {row.status for row in rail.rows(PAYMENTS)} <= {"succeeded", "failed"}
        assert rail.damages() == []


def test_unknown_and_refused_evidence_are_in_the_audit_trail(rail: Rail) -> None:
    rail.pay(SILENT)
    rail.pay(FORGED)
    rail.advance(HOUR)
    actions = [row.action for row in rail.rows(AUDIT) if row.actor == "engine"]
    assert actions == ["callback-refused", "outcome-unknown"]


def test_all_is_kept_over_a_restart(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/rail.db"
    with Rail(url) as rail:
        payment = rail.pay(SILENT).payment_id
        slow = rail.pay("+256700009901", "700").payment_id
        batch = rail.disburse(phone(OK, "5000"), key="k").disbursement_id
        at = rail.clock.now()
    with Rail(url, at=at + MINUTE) as rail:
        assert rail.held() == 5000
        assert rail.disburse(phone(OK, "5000"), key="k").disbursement_id == batch
        rail.advance(MINUTE)
        assert rail.payment(slow).status == "succeeded"
        assert rail.payment(payment).status == "pending"
        assert rail.batch(batch).status == "completed"
        rail.advance(10 * MINUTE)
        assert rail.payment(payment).status == "processing"
        assert rail.damages() == []


def test_ps65_a_refund_that_cannot_be_paid_out_waits_for_an_operator(rail: Rail) -> None:
    created = rail.pay("+256700000123")
    rail.advance(SECOND)
    rule(rail, Rule(Behaviour.INVALID_RECIPIENT, phone="*0123", direction="payout"))
    rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "broken"))
    rail.advance(SECOND)
    (refund,) = rail.rows(REFUNDS)
    assert (refund.status, refund.error) == ("payable", "invalid recipient")
    assert rail.balance(book.refund_payable(created.payment_id)) == 15000
    rail.submit(lambda view: refunds.retry(view, OLGA, refund.id, "same number"))
    rail.advance(SECOND)
    assert rail.rows(REFUNDS)[0].status == "payable"
    rail.submit(lambda view: refunds.retry(view, OLGA, refund.id, "new number", rail="airtel", phone=OK))
    with pytest.raises(Refusal, match="sent"):
        rail.submit(lambda view: refunds.credit(view, OLGA, refund.id, CUSTOMER_ID, "too late"))
    rail.advance(SECOND)
    paid = rail.rows(REFUNDS)[0]
    assert (paid.status, paid.attempts, paid.rail) == ("paid", 3, "airtel")
    assert rail.balance(book.refund_payable(created.payment_id)) == 0
    with pytest.raises(Refusal, match="paid"):
        rail.submit(lambda view: refunds.retry(view, OLGA, refund.id, "again"))


def test_a_refund_can_be_credited_to_a_wallet(rail: Rail) -> None:
    created = rail.pay("+256700000123")
    rail.advance(SECOND)
    rule(rail, Rule(Behaviour.DECLINE, direction="payout"))
    rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "broken"))
    rail.advance(SECOND)
    (refund,) = rail.rows(REFUNDS)
    before = rail.wallet(CUSTOMER_ID)
    rail.submit(lambda view: refunds.credit(view, OLGA, refund.id, CUSTOMER_ID, "his account"))
    assert rail.wallet(CUSTOMER_ID) == before + 15000


def test_a_silent_refund_is_unknown_and_no_second_one_is_sent(rail: Rail) -> None:
    created = rail.pay("+256700000123")
    rail.advance(SECOND)
    rule(rail, Rule(Behaviour.SILENT, direction="payout"))
    rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "broken"))
    rail.advance(HOUR)
    (refund,) = rail.rows(REFUNDS)
    assert refund.status == "unknown"
    with pytest.raises(Refusal, match="unknown"):
        rail.submit(lambda view: refunds.retry(view, OLGA, refund.id, "impatient"))
    tell(rail, refund.instruction, "succeeded")
    assert rail.rows(REFUNDS)[0].status == "paid"


def test_a_refund_needs_the_merchants_money(rail: Rail) -> None:
    created = rail.pay("+256700000123", "5000")
    rail.advance(SECOND)
    rail.disburse(phone(DECLINE, str(WALLET + 5000)))
    with pytest.raises(Refusal) as refused:
        rail.submit(lambda view: payments.refund(view, OLGA, created.payment_id, "broken"))
    assert refused.value.reason == "INSUFFICIENT_FUNDS"
    assert rail.rows(REFUNDS) == []
    assert rail.rows(SUSPENSE) == []


def test_api_keys(rail: Rail) -> None:
    """PS01, PS02."""
    made = rail.submit(merchants.new_key)
    row = rail.submit(
        lambda view: merchants.add_key(view, OLGA, "33333333-3333-4333-8333-333333333333", made)
    )
    assert made not in str(row)
    assert rail.submit(lambda view: merchants.by_key(view, made)).merchant.startswith("3333")
    rail.submit(lambda view: merchants.revoke_key(view, OLGA, row))
    for key in (made, "unknown", ""):
        with pytest.raises(Refusal):
            rail.submit(lambda view, key=key: merchants.by_key(view, key))
