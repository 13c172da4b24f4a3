"""The back office, as the server calls it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.errors import Conflict, InvalidInput, NotFound
from bursar.engine.piaxis.errors import Kind, Refusal
from bursar.engine.piaxis.merchants import by_key
from bursar.engine.piaxis.sandbox import API_KEY, CUSTOMER_ID, MERCHANT_ID
from bursar.engine.piaxis.tables import INSTRUCTIONS
from bursar.piaxis import operator as contract
from tests.engine.piaxis.rail import (
    CONTRADICTED,
    DECLINE,
    HOUR,
    MINUTE,
    OK,
    OTHER_ID,
    SECOND,
    SILENT,
    Rail,
    account,
    phone,
)


@dataclass(frozen=True)
class Operator:
    client_id: str


OLGA = Operator("olga")
WHY = contract.Why("because")


def ask(rail: Rail, method: str, *arguments: Any, **named: Any) -> Any:
    return rail.do(getattr(rail.services.operator, method)(OLGA, *arguments, **named))


def wallet_order(amount: str = "5000", account: str = OTHER_ID) -> contract.WalletOrder:
    return contract.WalletOrder(account=account, amount=Decimal(amount), currency="UGX", reason="bank slip")


def test_a_merchant_is_set_up_and_gets_a_key(rail: Rail) -> None:
    new = contract.NewAccount(kind=contract.AccountKind.MERCHANT, name="Shop", email="Shop@Example.com")
    made = ask(rail, "create_account", new)
    assert made.email == "shop@example.com"
    key = ask(rail, "create_key", made.id, contract.NewKey(label="till", owner=False))
    assert key.key not in repr(key)
    row = rail.submit(lambda view: by_key(view, key.key))
    assert (row.merchant, row.owner) == (made.id, False)
    assert [each.key for each in ask(rail, "list_keys", made.id).keys] == [None], "shown once"
    assert ask(rail, "revoke_key", key.id).revoked_at is not None
    with pytest.raises(Refusal) as refused:
        rail.submit(lambda view: by_key(view, key.key))
    assert refused.value.kind is Kind.UNAUTHENTICATED
    for method, arguments in (("create_key", (CUSTOMER_ID, contract.NewKey())), ("revoke_key", ("nokey",))):
        with pytest.raises(NotFound):
            ask(rail, method, *arguments)


def test_contacts_belong_to_one_user(rail: Rail) -> None:
    user: dict[str, Any] = {"kind": contract.AccountKind.USER, "name": "Customer"}
    with pytest.raises(Conflict):
        ask(rail, "create_account", contract.NewAccount(**user, phone_number="+256700000001"))
    with pytest.raises(Conflict):
        ask(rail, "create_account", contract.NewAccount(**user, id=CUSTOMER_ID))
    ids = [each.id for each in ask(rail, "list_accounts", contract.AccountKind.USER).accounts]
    assert ids == sorted(ids)
    assert ask(rail, "list_accounts", after=ids[0], limit=1).accounts[0].id > ids[0]


def test_a_disabled_merchant_is_refused_at_once(rail: Rail) -> None:
    assert ask(rail, "disable_account", MERCHANT_ID, WHY).disabled_at is not None
    with pytest.raises(Refusal, match="disabled"):
        rail.submit(lambda view: by_key(view, API_KEY))
    assert ask(rail, "enable_account", MERCHANT_ID, WHY).disabled_at is None
    rail.submit(lambda view: by_key(view, API_KEY))


def test_a_profile_is_changed_member_by_member(rail: Rail) -> None:
    changes = contract.Profile(mfa_above={"USD": Decimal("10.50")}, batch_delay_ms=0)
    shown = ask(rail, "set_profile", MERCHANT_ID, changes).profile
    assert shown.mfa_above == {"USD": Decimal("10.50")}
    assert (shown.batch_delay_ms, shown.funding, shown.limit_otp) == (0, "instant", False)
    spoilt: list[dict[str, Any]] = [
        {"funding": "later"},
        {"mfa_above": {"XXX": Decimal(1)}},
        {"batch_delay_ms": -1},
    ]
    for wrong in spoilt:
        with pytest.raises(InvalidInput):
            ask(rail, "set_profile", MERCHANT_ID, contract.Profile(**wrong))


def test_wallets_are_funded_and_withdrawn_from(rail: Rail) -> None:
    ask(rail, "fund_wallet", wallet_order("5000"))
    assert ask(rail, "withdraw_wallet", wallet_order("2000")).kind == "withdraw"
    assert ask(rail, "get_account", OTHER_ID).balances == [contract.Balance("UGX", Decimal(3000), Decimal(0))]
    with pytest.raises(Refusal) as refused:
        ask(rail, "withdraw_wallet", wallet_order("3001"))
    assert refused.value.kind is Kind.NO_MONEY
    for wrong in (wallet_order("0"), wallet_order("1.5"), wallet_order("1" + "0" * 20)):
        with pytest.raises(InvalidInput):
            ask(rail, "fund_wallet", wrong)
    with pytest.raises(NotFound):
        ask(rail, "fund_wallet", wallet_order(account="nobody"))


def test_floats_and_charges(rail: Rail) -> None:
    order = contract.RailOrder(
        rail=contract.ProviderName.MTN, amount=Decimal(700), currency="UGX", reason="invoice"
    )
    before = rail.balance("rail:mtn:clearing")
    ask(rail, "charge_rail", order)
    assert rail.balance("expense:rail:mtn") == -700
    ask(rail, "top_up_rail", order)
    assert rail.balance("rail:mtn:clearing") == before


def test_e10_fees(rail: Rail) -> None:
    settings = contract.FeeSettings(percent=Decimal("1.5"), minimum=Decimal(100), maximum=Decimal(400))
    ask(rail, "put_fee", "payout", "mtn", "UGX", settings)
    ask(rail, "put_fee", "payout", "*", "UGX", contract.FeeSettings(fixed=Decimal(7)))
    rail.disburse(phone(OK, "1000"), phone(OK, "10001"), phone(OK, "1000000"), account())
    assert rail.held() == 1000 + 10001 + 1000000 + 1000 + (100 + 151 + 400 + 7)
    assert len(ask(rail, "list_fees").fees) == 2
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("tax", "mtn", {}),
        ("payout", "shells", {}),
        ("payout", "mtn", {"percent": Decimal(-1)}),
        ("payout", "mtn", {"percent": Decimal(101)}),
        ("payout", "mtn", {"percent": Decimal("0.00000001")}),
        ("payout", "mtn", {"percent": Decimal("NaN")}),
        ("payout", "mtn", {"fixed": Decimal("0.5")}),
        ("payout", "mtn", {"fixed": Decimal(10**19)}),
        ("payout", "mtn", {"minimum": Decimal(2), "maximum": Decimal(1)}),
    ]
    for kind, method, members in wrong:
        with pytest.raises(InvalidInput):
            ask(rail, "put_fee", kind, method, "UGX", contract.FeeSettings(**members))


def test_rules_of_a_provider(rail: Rail) -> None:
    mtn = contract.ProviderName.MTN
    rules = contract.ProviderRules([contract.ProviderRule(behaviour="decline", phone="*00")])
    assert ask(rail, "put_provider_rules", mtn, rules) == ask(rail, "list_provider_rules", mtn) == rules
    payment = rail.pay()
    rail.advance(SECOND)
    assert rail.payment(payment.payment_id).status == "failed"
    with pytest.raises(InvalidInput, match="known are ok, slow"):
        ask(rail, "put_provider_rules", mtn, contract.ProviderRules([contract.ProviderRule(behaviour="x")]))
    with pytest.raises(InvalidInput):
        ask(rail, "list_provider_rules", contract.ProviderName("shells"))


def test_an_unknown_outcome_is_listed_and_decided(rail: Rail) -> None:
    payment = rail.pay(SILENT)
    assert ask(rail, "list_unknown").instructions == []
    rail.advance(HOUR)
    (open_one,) = ask(rail, "list_unknown").instructions
    assert open_one.owner == f"payment:{payment.payment_id}"
    evidence = contract.Evidence(result="succeeded", reason="statement of 14 November")
    assert ask(rail, "report_outcome", open_one.id, evidence).outcome == "succeeded"
    assert rail.payment(payment.payment_id).status == "succeeded"
    assert ask(rail, "list_unknown").instructions == []
    entry = ask(rail, "list_audit").entries[0]
    assert (entry.actor, entry.action, entry.reason) == ("olga", "report-outcome", "statement of 14 November")
    with pytest.raises(NotFound):
        ask(rail, "report_outcome", "nothing", evidence)


def test_e26_suspense_is_listed_and_decided(rail: Rail) -> None:
    rail.pay(CONTRADICTED)
    rail.disburse(phone(CONTRADICTED, "4000"))
    rail.advance(MINUTE)
    surplus, missing = ask(rail, "list_suspense").suspense
    assert (surplus.amount, missing.amount) == (Decimal(15000), Decimal(-4000))
    with pytest.raises(Refusal, match="claim"):
        ask(rail, "return_suspense", missing.id, WHY)
    ask(rail, "return_suspense", surplus.id, WHY)
    before = rail.wallet()
    decision = contract.SuspenseDecision(reason="he has the money", account=MERCHANT_ID)
    assert ask(rail, "settle_suspense", missing.id, decision).resolution == MERCHANT_ID
    assert rail.wallet() == before - 4000
    assert ask(rail, "list_suspense").suspense == []
    assert rail.balance("suspense:mtn") == 0


def test_suspense_that_the_platform_takes(rail: Rail) -> None:
    rail.disburse(phone(CONTRADICTED, "4000"))
    rail.advance(MINUTE)
    (missing,) = ask(rail, "list_suspense").suspense
    assert (
        ask(rail, "settle_suspense", missing.id, contract.SuspenseDecision(reason="loss")).resolution
        == "platform"
    )
    assert rail.balance("expense:rail:mtn") == -4000
    with pytest.raises(Refusal) as refused:
        ask(rail, "settle_suspense", "nothing", contract.SuspenseDecision(reason="loss"))
    assert refused.value.kind is Kind.NOT_FOUND


def test_e23_refunds_that_cannot_be_paid_out(rail: Rail) -> None:
    payment = rail.pay()
    rail.advance(SECOND)
    rules = contract.ProviderRules([contract.ProviderRule(behaviour="invalid_recipient", direction="payout")])
    ask(rail, "put_provider_rules", contract.ProviderName.MTN, rules)
    assert ask(rail, "refund_payment", payment.payment_id, WHY).refunded_at is not None
    rail.advance(SECOND)
    (refund,) = ask(rail, "list_refunds").refunds
    assert (refund.status, refund.error) == ("payable", "invalid recipient")
    order = contract.RetryRefund(reason="by Airtel", rail=contract.ProviderName.AIRTEL, phone_number=DECLINE)
    ask(rail, "retry_refund", refund.id, order)
    rail.advance(SECOND)
    credit = contract.CreditRefund(account=CUSTOMER_ID, reason="he has an account")
    assert ask(rail, "credit_refund", refund.id, credit).status == "paid"
    assert ask(rail, "list_refunds").refunds == []


def test_the_audit_trail_pages(rail: Rail) -> None:
    for _ in range(3):
        ask(rail, "fund_wallet", wallet_order())
    first = ask(rail, "list_audit", limit=2)
    second = ask(rail, "list_audit", before=first.next, limit=2)
    numbers = [entry.id for entry in (*first.entries, *second.entries)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 4


def test_the_trial_balance_is_zero_and_without_problems(rail: Rail) -> None:
    rail.pay(SILENT)
    rail.disburse(phone(OK), account())
    rail.advance(MINUTE)
    assert rail.rows(INSTRUCTIONS)
    balance = ask(rail, "trial_balance")
    assert set(balance.sums.values()) == {Decimal(0)}
    assert balance.problems == []
    assert any(row.account == "bank:settlement" for row in balance.accounts)
