"""Escrows (PS43-PS66, PS76-PS78), at the seam that the server uses."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import fees, providers
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Kind, Refusal
from bursar.engine.piaxis.escrow_states import NEXT, Event, State
from bursar.engine.piaxis.escrow_tables import ESCROWS
from bursar.engine.piaxis.providers import Report
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID
from bursar.engine.piaxis.service import HANDLERS
from bursar.engine.piaxis.tables import INSTRUCTIONS, REFUNDS, RULES, FeeRow, RuleRow
from bursar.piaxis.models.escrows import EscrowStatus
from tests.engine.piaxis.escrow_calls import MANUAL, SLICES_AB, Escrows, new_escrow, otp_for, part, term
from tests.engine.piaxis.rail import (
    BUYER,
    CONTRADICTED,
    DECLINE,
    LATE,
    MINUTE,
    OLGA,
    OTHER,
    SECOND,
    SHOP,
    SILENT,
    SLOW,
    TWICE,
    Rail,
    customer,
)

WALLET = 100_000_000


@pytest.fixture
def escrows(rail: Rail) -> Escrows:
    return Escrows(rail)


def refused(call: Any, *args: Any, **options: Any) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as error:
        call(*args, **options)
    return error.value.kind, error.value.reason


def invalid(call: Any, *args: Any, **options: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(InvalidRequest) as error:
        call(*args, **options)
    return [issue.loc for issue in error.value.issues]


STATE = (Kind.CONFLICT, "INVALID_STATE")


# Creating.


def test_ps43_create_answers_the_whole_object(escrows: Escrows) -> None:
    created = escrows.open(
        MANUAL,
        term("rating_threshold", minimum_rating=4),
        allocations=SLICES_AB,
        external_order_id="order-789",
        metadata={"channel": "marketplace"},
    )
    shown = created.to_dict()
    assert [each.type.value for each in created.terms] == ["manual_release", "rating_threshold"]
    assert len({each.term_id for each in created.terms}) == 2
    assert (shown["amount"], shown["status"], shown["sender_id"]) == ("50000.00", "pending", None)
    assert (shown["receiver_id"], shown["payment_method"]) == (MERCHANT_ID, "mtn")
    assert (shown["balance_escrow_in"], shown["balance_escrow_out"]) == ("50000.00", "0.00")
    assert shown["required_actions"][0] == {
        "action_type": "manual_release",
        "description": "Merchant will release funds manually",
    }
    assert shown["allocation_summary"] == {
        "total_count": 2,
        "pending_count": 2,
        "released_count": 0,
        "reversed_count": 0,
        "pending_amount": "50000.00",
        "released_amount": "0.00",
        "reversed_amount": "0.00",
    }
    assert escrows.get(created).to_dict() == shown


def test_ps45_receiver_is_the_merchant(escrows: Escrows) -> None:
    assert escrows.open(receiver_id=MERCHANT_ID).receiver_id == MERCHANT_ID
    assert refused(escrows.open, receiver_id="somebody") == (Kind.BAD_REQUEST, "RECIPIENT_MISMATCH")


def test_ps46_terms_are_required(rail: Rail, escrows: Escrows) -> None:
    asked = new_escrow()
    assert invalid(lambda: rail.do(escrows.service.create_escrow(SHOP, asked))) == [("body", "terms")]


def test_ps47_unknown_term_type_lists_the_known(escrows: Escrows) -> None:
    with pytest.raises(InvalidRequest, match="sequential_approvals") as error:
        escrows.open(term("full_moon"))
    assert error.value.issues[0].loc == ("body", "terms", 0, "type")


@pytest.mark.parametrize(
    ("allocations", "loc"),
    [
        ([part("a", "1"), part("a", "2")], ("body", "allocations", 1, "allocation_key")),
        ([part("a", "0")], ("body", "allocations", 0, "amount")),
        ([part("a", "-5")], ("body", "allocations", 0, "amount")),
        ([part("a", "0.5")], ("body", "allocations", 0, "amount")),
        ([part("a", "30000"), part("b", "20001")], ("body", "allocations")),
        ([part(str(n), "1") for n in range(201)], ("body", "allocations")),
    ],
)
def test_ps48_bad_allocations(rail: Rail, escrows: Escrows, allocations: Any, loc: Any) -> None:
    assert invalid(escrows.open, allocations=allocations) == [loc]
    assert rail.rows(ESCROWS) == []


def test_ps48_a_rest_stays_unallocated(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=[part("rest", "20000"), part("a b/ü", "5000")])
    assert rail.balance(book.escrow(created.id, None)) == 25_000
    assert rail.balance(book.escrow(created.id, "rest")) == 20_000
    assert rail.balance(book.escrow(created.id, "a b/ü")) == 5_000


def test_ps49_metadata_gains_order_and_allocations(escrows: Escrows) -> None:
    created = escrows.open(
        external_order_id="o-1", metadata={"a": 1, "exact": Decimal("0.10")}, allocations=SLICES_AB
    )
    shown = created.to_dict()["metadata"]
    assert shown["a"] == 1
    assert str(created.metadata["exact"]) == "0.10"
    assert shown["external_order_id"] == "o-1"
    assert [each["allocation_key"] for each in shown["allocations"]] == ["alpha", "beta"]
    assert escrows.open().metadata is None


@pytest.mark.parametrize("name", ["external_order_id", "allocations"])
def test_ps49_a_clash_is_refused(escrows: Escrows, name: str) -> None:
    assert invalid(escrows.open, metadata={name: "mine"}) == [("body", "metadata", name)]


def test_ps50_orders_repeat_and_are_found(escrows: Escrows) -> None:
    ids = [escrows.open(external_order_id="o-1").id for _ in range(2)]
    escrows.open(external_order_id="o-2")
    found = escrows.list(external_order_id="o-1")
    assert (found.total, sorted(each.id for each in found.results)) == (2, sorted(ids))


def test_e29_listing_by_status_and_page(escrows: Escrows) -> None:
    first, second = escrows.open(), escrows.open()
    escrows.release(first)
    assert [each.id for each in escrows.list(status=EscrowStatus.RELEASED).results] == [first.id]
    assert [each.id for each in escrows.list(status=EscrowStatus.PENDING).results] == [second.id]
    assert escrows.list(limit=1, offset=1).total == 2
    assert escrows.list(caller=OTHER).total == 0
    assert invalid(escrows.list, limit=0) == [("query", "limit")]


def test_card_numbers_are_refused_and_coordinates_are_not(escrows: Escrows) -> None:
    card = "4111 1111 1111 1111"
    assert invalid(escrows.open, metadata={"note": card}) == [("body", "metadata", "note")]
    assert invalid(escrows.open, term("manual_release", note=card)) == [("body", "terms", 0, "data", "note")]
    place = {"latitude": Decimal("0.4111111111111111"), "longitude": 32, "radius_meters": 10}
    escrows.open(term("geo_verification", **place))


def test_pending_money_of_a_wallet(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(caller=customer(), method="piaxis_external", user_info={})
    assert created.sender_id == CUSTOMER_ID
    assert rail.wallet(CUSTOMER_ID) == 4_950_000
    escrows.reverse(created, reason="sold out")
    assert rail.wallet(CUSTOMER_ID) == 5_000_000
    assert rail.rows(REFUNDS) == []
    poor = {"caller": customer(), "method": "piaxis_external", "user_info": {}, "amount": "5000001"}
    assert refused(escrows.open, **poor) == (Kind.NO_MONEY, "INSUFFICIENT_FUNDS")


# Funding.


def test_e3_async_funding_waits_for_the_provider(rail: Rail, escrows: Escrows) -> None:
    escrows.async_funding()
    created = escrows.open(allocations=SLICES_AB)
    assert created.to_dict()["balance_escrow_in"] == "0.00"
    rail.advance(SECOND)
    assert escrows.get(created).to_dict()["balance_escrow_in"] == "50000.00"
    assert rail.events() == ["escrow.created", "escrow.funded"]


def test_e3_instant_funding_still_lets_numbers_ask_for_failure(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=DECLINE)
    assert created.to_dict()["balance_escrow_in"] == "0.00"
    rail.advance(SECOND)
    assert escrows.get(created).status == EscrowStatus.CANCELLED


def test_ps51_failed_funding_cancels(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=DECLINE, allocations=SLICES_AB)
    rail.advance(SECOND)
    for act in (escrows.release, escrows.reverse, escrows.dispute):
        assert refused(act, created) == STATE
    shown = escrows.get(created)
    assert shown.allocation_summary.pending_amount == 0
    assert shown.required_actions is None
    assert rail.events() == ["escrow.created", "escrow.cancelled"]


def test_ps52_nothing_moves_before_funding(escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=1), phone=SILENT)
    for act in (escrows.release, escrows.reverse, escrows.dispute):
        assert refused(act, created) == (Kind.CONFLICT, "ESCROW_NOT_FUNDED")
    assert refused(escrows.fulfil, created, user_info=otp_for(SILENT), rating=5)[1] == "ESCROW_NOT_FUNDED"


def test_unknown_funding_is_neither_success_nor_failure(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=LATE)
    rail.advance(11 * MINUTE)
    assert escrows.get(created).status == EscrowStatus.PENDING
    assert refused(escrows.release, created)[1] == "ESCROW_NOT_FUNDED"
    rail.advance(5 * MINUTE)
    escrows.release(created)
    assert rail.wallet() == WALLET + 50_000


def test_duplicated_callbacks_fund_once(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=TWICE)
    rail.advance(SECOND)
    assert escrows.held(created) == 50_000
    assert rail.events().count("escrow.funded") == 1


def test_e26_money_after_failure_is_in_suspense(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=CONTRADICTED)
    rail.advance(MINUTE)
    assert escrows.get(created).status == EscrowStatus.CANCELLED
    assert (escrows.held(created), rail.balance(book.suspense("mtn"))) == (0, 50_000)


# Releasing and reversing.


def test_ps53_release_of_nothing_named_is_everything(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=[part("alpha", "20000")])
    shown = escrows.release(created)
    assert (shown["amount"], shown["status"], shown["allocation_keys"]) == ("50000.00", "released", ["alpha"])
    assert rail.wallet() == WALLET + 50_000
    assert escrows.held(created) == 0
    ended = escrows.get(created)
    assert (ended.status, ended.required_actions) == (EscrowStatus.RELEASED, None)
    assert escrows.status(created).all_terms_met


def test_ps54_unmet_terms_are_listed(escrows: Escrows) -> None:
    created = escrows.open(MANUAL, term("rating_threshold", minimum_rating=4))
    with pytest.raises(Refusal) as error:
        escrows.release(created)
    assert (error.value.kind, error.value.reason) == (Kind.CONFLICT, "TERMS_NOT_MET")
    assert error.value.details["terms"] == [
        {"term_id": created.terms[1].term_id, "term_type": "rating_threshold"}
    ]
    escrows.fulfil(created, 1, user_info={"phone_number": BUYER}, rating=5)
    escrows.release(created)


def test_ps55_force_needs_a_reason_and_an_owner(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=4))
    assert invalid(escrows.release, created, force=True) == [("body", "reason")]
    assert invalid(escrows.release, created, force=True, reason="  ") == [("body", "reason")]
    clerk = Caller(MERCHANT_ID, key="k")
    options: dict[str, Any] = {"force": True, "reason": "Manual merchant release"}
    assert refused(escrows.release, created, caller=clerk, **options) == (Kind.FORBIDDEN, "OWNER_REQUIRED")
    assert escrows.release(created, **options).force
    assert rail.wallet() == WALLET + 50_000


def test_e6_force_overrides_neither_dispute_nor_missing_money(escrows: Escrows) -> None:
    waiting, disputed = escrows.open(phone=SILENT), escrows.open()
    escrows.dispute(disputed)
    assert refused(escrows.release, waiting, force=True, reason="now")[1] == "ESCROW_NOT_FUNDED"
    assert refused(escrows.release, disputed, force=True, reason="now")[1] == "ESCROW_DISPUTED"


def test_ps56_slices_go_all_or_none(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=SLICES_AB)
    assert invalid(escrows.release, created, "alpha", "gamma") == [("body", "allocation_keys", 1)]
    assert invalid(escrows.release, created, "alpha", "alpha") == [("body", "allocation_keys")]
    escrows.release(created, "alpha")
    assert refused(escrows.release, created, "beta", "alpha") == (Kind.CONFLICT, "ALLOCATION_SETTLED")
    assert rail.wallet() == WALLET + 20_000
    assert rail.balance(book.escrow(created.id, "beta")) == 30_000


def test_ps57_amount_with_keys_is_their_sum(escrows: Escrows) -> None:
    created = escrows.open(allocations=SLICES_AB)
    assert invalid(escrows.release, created, "alpha", amount="19999") == [("body", "amount")]
    assert invalid(escrows.release, created, "alpha", amount="0.5") == [("body", "amount")]
    assert escrows.release(created, "alpha", amount="20000").amount == 20_000


def test_ps58_amount_without_keys_comes_from_the_rest(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=[part("alpha", "20000")])
    assert invalid(escrows.release, created, amount="30001") == [("body", "amount")]
    escrows.release(created, amount="10000")
    assert rail.balance(book.escrow(created.id, None)) == 20_000
    plain = escrows.open()
    assert escrows.release(plain, amount="1").allocation_keys is None
    assert escrows.release(plain, amount="49999").allocation_summary.pending_amount == 0
    assert escrows.get(plain).status == EscrowStatus.RELEASED


def test_ps59_more_than_is_held(escrows: Escrows) -> None:
    created = escrows.open()
    escrows.release(created, amount="20000")
    assert refused(escrows.release, created, amount="30001") == (Kind.CONFLICT, "AMOUNT_EXCEEDS_HELD")


def test_ps60_ps61_ps62_the_fixtures_story(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=SLICES_AB)
    released = escrows.release(created, "alpha", amount="20000", force=True, reason="Manual merchant release")
    assert released.to_dict() == {
        "status": "released",
        "escrow_id": created.id,
        "amount": "20000.00",
        "force": True,
        "reason": "Manual merchant release",
        "allocation_keys": ["alpha"],
        "allocation_summary": {
            "total_count": 2,
            "pending_count": 1,
            "released_count": 1,
            "reversed_count": 0,
            "pending_amount": "30000.00",
            "released_amount": "20000.00",
            "reversed_amount": "0.00",
        },
    }
    middle = escrows.get(created)
    assert middle.balance_escrow_in - middle.balance_escrow_out == middle.allocation_summary.pending_amount
    assert [each.status.value for each in middle.allocations] == ["released", "pending"]
    assert middle.allocations[0].status_reason == "Manual merchant release"
    assert middle.status == EscrowStatus.PENDING
    reversed_ = escrows.reverse(created, "beta", reason="Buyer cancelled order").to_dict()
    assert (reversed_["status"], reversed_["amount"]) == ("reversed", "30000.00")
    assert reversed_["allocation_summary"]["reversed_amount"] == "30000.00"
    assert escrows.get(created).status == EscrowStatus.RELEASED
    rail.advance(SECOND)
    assert rail.balance(book.rail("mtn")) == -200_000_000 - 20_000


@pytest.mark.parametrize("second", ["release", "reverse"])
def test_ps63_ps64_one_of_two_wins(rail: Rail, escrows: Escrows, second: str) -> None:
    created = escrows.open(allocations=SLICES_AB)
    escrows.release(created, "alpha")
    assert refused(getattr(escrows, second), created, "alpha")[1] == "ALLOCATION_SETTLED"
    assert rail.wallet() == WALLET + 20_000


def test_ps65_reversal_goes_back_by_the_payers_rail(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=SLOW)
    rail.advance(MINUTE)
    escrows.reverse(created, reason="no stock")
    assert rail.balance(book.inflight("mtn")) == 50_000
    rail.advance(MINUTE)
    assert rail.balance(book.inflight("mtn")) == 0
    assert [row.status for row in rail.rows(REFUNDS)] == ["paid"]
    assert rail.balance(book.rail("mtn")) == -200_000_000


def test_ps65_what_cannot_be_paid_back_stays_visible(rail: Rail, escrows: Escrows) -> None:
    rules = RuleRow("mtn", '[{"behaviour":"invalid_recipient","direction":"payout"}]')
    rail.submit(lambda view: view.put(RULES, rules))
    created = escrows.open()
    escrows.reverse(created, reason="no stock")
    rail.advance(SECOND)
    assert rail.balance(book.refund_payable(created.id)) == 50_000
    assert [(row.status, row.object_kind) for row in rail.rows(REFUNDS)] == [("payable", "escrow")]


def test_ps66_earned_money_is_not_reversed(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=4))
    escrows.fulfil(created, user_info={"phone_number": BUYER}, rating=4)
    assert refused(escrows.reverse, created) == (Kind.CONFLICT, "TERMS_MET")
    assert refused(escrows.reverse, created, verification_code="000000")[1] == "OTP_INVALID"
    rail.otp(BUYER)
    assert escrows.reverse(created, verification_code="123456").amount == 50_000


def test_e7_a_profile_may_ask_for_the_buyers_consent(rail: Rail, escrows: Escrows) -> None:
    escrows.profile(verify_buyer=True)
    created = escrows.open()
    assert refused(escrows.release, created)[1] == "OTP_REQUIRED"
    rail.otp(BUYER)
    escrows.release(created, verification_code="123456", verification_method="phone")


def test_moving_money_needs_the_api_key(escrows: Escrows) -> None:
    created = escrows.open(caller=customer(), method="piaxis_external", user_info={})
    bearer = Caller(MERCHANT_ID, user=CUSTOMER_ID)
    for act in (escrows.release, escrows.reverse):
        assert refused(act, created, caller=bearer) == (Kind.FORBIDDEN, "API_KEY_REQUIRED")
    assert escrows.get(created, caller=bearer).id == created.id
    assert escrows.list(caller=bearer).total == 1
    assert escrows.list(caller=Caller(MERCHANT_ID, user="user-3")).total == 0
    assert refused(escrows.get, created, caller=Caller(MERCHANT_ID, user="user-3"))[0] is Kind.NOT_FOUND


def test_ps97_release_with_a_key_is_done_once(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=SLICES_AB)
    first = escrows.release(created, "alpha", key="k-1")
    assert escrows.release(created, "alpha", key="k-1").to_dict() == first.to_dict()
    assert refused(escrows.release, created, "beta", key="k-1")[1] == "IDEMPOTENCY_KEY_REUSED"
    assert rail.wallet() == WALLET + 20_000


# Fees (E11, E12).


def escrow_fee(rail: Rail, fixed: int) -> None:
    rail.submit(lambda view: fees.put_fee(view, OLGA, FeeRow("escrow", "*", "UGX", "0", fixed, 0, None)))


def test_e11_the_merchant_pays_at_release(rail: Rail, escrows: Escrows) -> None:
    escrow_fee(rail, 700)
    created = escrows.open()
    escrows.release(created, amount="500")
    assert (rail.wallet(), rail.balance(book.fee_income("escrow"))) == (WALLET, 500)
    escrows.release(created)
    assert (rail.wallet(), rail.balance(book.fee_income("escrow"))) == (WALLET + 49_300, 700)
    returned = escrows.open()
    escrows.reverse(returned)
    assert rail.balance(book.fee_income("escrow")) == 700
    assert refused(escrows.open, amount="699") == (Kind.BAD_REQUEST, "FEE_EXCEEDS_AMOUNT")


@pytest.mark.parametrize(("returns", "kept"), [(False, 700), (True, 0)])
def test_e12_the_payers_fee_comes_back_if_the_profile_says_so(
    rail: Rail, escrows: Escrows, returns: bool, kept: int
) -> None:
    escrow_fee(rail, 700)
    escrows.profile(return_fees=returns)
    float_before = rail.balance(book.rail("mtn"))
    created = escrows.open(metadata={"customer_pays_fees": True})
    assert rail.balance(book.rail("mtn")) == float_before - 50_700
    escrows.reverse(created)
    rail.advance(SECOND)
    assert rail.balance(book.fee_income("escrow")) == kept
    assert rail.balance(book.rail("mtn")) == float_before - kept


# Disputes.


def test_ps76_a_dispute_freezes(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open()
    assert invalid(escrows.dispute, created, reason=" ") == [("body", "reason")]
    assert invalid(escrows.dispute, created, initiator_role="judge") == [("body", "initiator_role")]
    opened = escrows.dispute(created, initiator_role="sender")
    assert (opened.message, opened.initiator_role) == ("Dispute initiated successfully", "sender")
    for act in (escrows.release, escrows.reverse, escrows.dispute):
        assert refused(act, created) == (Kind.CONFLICT, "ESCROW_DISPUTED")
    shown = escrows.get(created)
    assert (shown.status, shown.required_actions[0].action_type) == (EscrowStatus.DISPUTED, "dispute")
    assert rail.events()[-1] == "escrow.disputed"


def test_e8_who_disputes(rail: Rail, escrows: Escrows) -> None:
    assert escrows.dispute(escrows.open()).initiator_role == "receiver"
    created = escrows.open()
    rail.otp(BUYER)
    assert escrows.dispute(created, user_info=otp_for(BUYER)).initiator_role == "sender"
    registered = escrows.open(caller=customer(), method="piaxis_external", user_info={})
    assert refused(escrows.dispute, registered, initiator_role="sender")[1] == "OTP_REQUIRED"
    bearer = Caller(MERCHANT_ID, user=CUSTOMER_ID)
    assert escrows.dispute(registered, caller=bearer).initiator_role == "sender"


def test_e9_a_resolution_splits_what_is_held(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(allocations=[part("alpha", "20000"), part("beta", "25000")])
    escrows.release(created, "alpha")
    opened = escrows.dispute(created)
    for release, reverse in ((20_000, 9_999), (30_001, -1), (50_000, 0)):
        assert invalid(escrows.resolve, opened, release, reverse) == [("body",)]
    escrows.resolve(opened, 10_000, 20_000)
    rail.advance(SECOND)
    ended = escrows.get(created)
    assert (ended.status, ended.balance_escrow_out) == (EscrowStatus.RELEASED, 50_000)
    assert ended.allocation_summary.to_dict()["reversed_amount"] == "20000.00"
    assert rail.wallet() == WALLET + 30_000
    assert refused(escrows.resolve, opened, 10_000, 20_000) == STATE
    assert rail.events()[-1] == "escrow.resolved"


def test_e9_a_dismissed_dispute_changes_nothing(escrows: Escrows) -> None:
    created = escrows.open()
    first = escrows.dispute(created)
    escrows.dismiss(first)
    assert escrows.get(created).status == EscrowStatus.PENDING
    escrows.dispute(created)
    assert refused(escrows.dismiss, first) == STATE


def test_ps78_escrows_of_others_are_not_found(escrows: Escrows) -> None:
    created = escrows.open(term("rating_threshold", minimum_rating=4))
    for act in (escrows.get, escrows.status, escrows.release, escrows.reverse, escrows.dispute):
        assert refused(act, created, caller=OTHER) == (Kind.NOT_FOUND, "NOT_FOUND")
    assert refused(escrows.fulfil, created, caller=OTHER, rating=5) == (Kind.NOT_FOUND, "NOT_FOUND")
    assert refused(escrows.get, "nothing") == (Kind.NOT_FOUND, "NOT_FOUND")


def test_b5_4_the_table_is_closed() -> None:
    """Every edge leads into the table, nothing leaves a final state, and money moves only while it is held."""
    assert set(NEXT) == set(State)
    assert all(following in NEXT for edges in NEXT.values() for following in edges.values())
    assert all(not NEXT[state] for state in (State.RELEASED, State.REVERSED, State.CANCELLED))
    moving = {Event.RELEASE, Event.REVERSE}
    assert [state for state in State if moving & set(NEXT[state])] == [State.HELD]


def test_an_operators_word_funds_what_the_provider_kept_to_itself(rail: Rail, escrows: Escrows) -> None:
    created = escrows.open(phone=SILENT)
    rail.advance(11 * MINUTE)
    (instruction,) = rail.rows(INSTRUCTIONS)
    rail.submit(lambda view: providers.report(view, HANDLERS, instruction.id, Report("succeeded")))
    assert escrows.held(created) == 50_000
