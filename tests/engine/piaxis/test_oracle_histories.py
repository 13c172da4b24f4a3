"""Random histories of escrows and disbursements against an oracle of plain dictionaries (`oracle`).

Whatever the order of releases, reversals, disputes, resolutions, expiry, cancellation, steps of the clock and reports
of providers (good, bad, silent, lost, late, duplicated, contradicting): no illegal edge, no money made or lost, at most
one final outcome. `BURSAR_ORACLE_EXAMPLES` sets the number of histories for a long run.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bursar.engine.books import VOLUMES
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import InvalidRequest, Refusal
from bursar.engine.piaxis.escrow_tables import ESCROW_BATCHES, ESCROWS, SLICES, TERMS
from bursar.engine.piaxis.invariants import check
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID, RECIPIENT_ID
from bursar.engine.piaxis.tables import DISBURSEMENTS, ITEMS, RULES, RuleRow
from bursar.engine.view import ReadView
from bursar.piaxis.models.disbursements import CancelDisbursement
from bursar.piaxis.models.escrow_disbursements import ReleaseEscrowDisbursement
from bursar.piaxis.models.escrows import NewTerm
from tests.engine.piaxis.escrow_calls import Escrows, new_escrow, part, term, to_account, to_phone
from tests.engine.piaxis.oracle import BATCH_EDGES, EDGES, PHONES, SCRIPTS, Oracle
from tests.engine.piaxis.rail import SHOP, Rail, account, customer, phone

SECOND = 1_000_000
MINUTE = 60 * SECOND
EXAMPLES = int(os.environ.get("BURSAR_ORACLE_EXAMPLES", "60"))

amounts = st.sampled_from([3, 1_000, 50_000, 50_000, 50_000, 4_000_000, 60_000_000])
payers = st.sampled_from(["customer", "customer", *[PHONES["ok"]] * 5, *PHONES.values()])
receivers = st.sampled_from([*["recipient"] * 4, *PHONES.values()])
keys = st.sampled_from([[], [], [], ["a"], ["b"], ["a", "b"], ["zzz"]])
shares = st.sampled_from([None, None, None, 1, 1_000, 20_000, 60_000_001])
numbers = st.sampled_from(sorted(PHONES.values()))
behaviours = st.sampled_from(["", "decline", "decline", *SCRIPTS])
pauses = st.sampled_from([0, SECOND // 10, SECOND // 5, 2 * SECOND, 31 * SECOND, MINUTE, 16 * MINUTE])
picks = st.integers(0, 10**6)
waits = st.sampled_from([0, 20, 60, 3600])
"""Of time locks, in seconds."""
lives = st.sampled_from([None, None, 60, 120])
"""Of terms, in seconds."""
slicings = st.sampled_from(["", "a", "ab", "ab-"])
conditions = st.lists(
    st.tuples(st.sampled_from(["manual", "rating", "lock"]), waits, lives), min_size=1, max_size=2
)

Told = list[tuple[str, int, int | None]]
"""Terms as a history has them: kind, wait and life in seconds."""


class History(RuleBasedStateMachine):
    """The rail and the oracle, told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.rail = Rail()
        self.calls = Escrows(self.rail)
        self.calls.profile(
            funding="async"
        )  # as the oracle begins: hypothesis orders initial rules as it likes
        self.oracle = Oracle(self.rail.clock.now(), instant=False)
        self.disputes: dict[str, Any] = {}
        self.seen: dict[str, str] = {}
        """The last status of every object."""

    @initialize(instant=st.booleans())
    def begin(self, instant: bool) -> None:
        self.oracle.instant = instant
        self.calls.profile(funding="instant" if instant else "async")

    @rule(pause=pauses)
    def let_time_pass(self, pause: int) -> None:
        self.wait(pause)

    def wait(self, pause: int) -> None:
        self.rail.advance(pause)
        self.oracle.pass_time(self.rail.clock.now())

    @precondition(lambda self: self.oracle.boundary() is not None)
    @rule(before=st.sampled_from([0, 0, 1]))
    def wait_for_what_comes(self, before: int) -> None:
        """To the very microsecond at which something happens next, or the one before it."""
        at = self.oracle.boundary()
        assert at is not None
        self.wait(max(at - before - self.rail.clock.now(), 0))

    @rule(behaviour=behaviours)
    def change_payouts(self, behaviour: str) -> None:
        """An operator tells the provider how to treat payouts from now on."""
        rules = f'[{{"behaviour":"{behaviour}","direction":"payout"}}]' if behaviour else "[]"
        self.rail.submit(lambda view: view.put(RULES, RuleRow("mtn", rules)))
        self.oracle.payouts = behaviour

    def told(self, expected: str | None, call: Callable[[], Any]) -> Any:
        """The rail answers what the oracle says; a refusal changes nothing (invariant 8)."""
        version, met, answer = self.rail.core.store.version, None, None
        try:
            answer = call()
        except Refusal as refusal:
            met = refusal.reason
        except InvalidRequest:
            met = "INVALID"
        assert met == expected
        if met is None:
            return answer
        assert self.rail.core.store.version == version
        return None

    @invariant()
    def agrees(self) -> None:
        found = self.rail.do(self.rail.core.read(_snapshot))
        assert found["damages"] == []
        assert found["money"] == {name: sum_ for name, sum_ in _expected(self.oracle).items() if sum_}
        assert found["escrows"] == {
            each["id"]: (
                each["state"],
                each["released"],
                each["reversed"],
                0 if each["state"] == "cancelled" else each["rest"],
                each["slices"],
                self.oracle.terms(each["id"]),
            )
            for each in self.oracle.escrows.values()
        }
        assert found["batches"] == {each: self.oracle.batch_status(each) for each in self.oracle.batches}
        assert found["disbursements"] == {
            name: (each["status"], [item["status"] for item in each["items"]])
            for name, each in self.oracle.disbursements.items()
        }
        for name, (status, edges) in found["shown"].items():
            assert status in edges[self.seen.get(name, "pending")]
            self.seen[name] = status

    def teardown(self) -> None:
        try:
            assert self.rail.damages() == []
        finally:
            self.rail.close()


class EscrowHistory(History):
    """Escrows, and batches of them."""

    @initialize(terms=st.tuples(conditions, conditions, conditions), slices=slicings, to=numbers)
    def begin_with_some(self, terms: tuple[Told, Told, Told], slices: str, to: str) -> None:
        """There is something to act on from the start."""
        self.open(PHONES["ok"], 50_000, slices, terms[0])
        self.open_batch([("recipient", 1_000, terms[1]), (to, 2_000, terms[2])])
        self.wait(SECOND)

    @rule(payer=payers, amount=amounts, slices=slicings, terms=conditions)
    def open(self, payer: str, amount: int, slices: str, terms: Told) -> None:
        parts = _parts(amount, slices)
        asked, known = self.terms(terms)
        options: dict[str, Any] = {"amount": str(amount)}
        if parts:
            options["allocations"] = [part(key, str(value)) for key, value in parts.items()]
        if payer == "customer":
            options |= {"caller": customer(), "method": "piaxis_external", "user_info": {}}
        else:
            options["phone"] = payer
            self.rail.otp(payer)  # outside of `told`: it changes something
        poor = payer == "customer" and self.oracle.money["customer"] < amount
        expected = "INSUFFICIENT_FUNDS" if poor else None
        created = self.told(expected, lambda: self._open_without_otp(asked, options))
        if created is not None:
            assert self.oracle.open(created.id, payer, amount, parts, known) is None

    def _open_without_otp(self, asked: list[NewTerm], options: dict[str, Any]) -> Any:
        caller = options.pop("caller", SHOP)
        return self.rail.do(self.calls.service.create_escrow(caller, new_escrow(*asked, **options)))

    @rule(items=st.lists(st.tuples(receivers, amounts, conditions), min_size=1, max_size=3))
    def open_batch(self, items: list[tuple[str, int, Told]]) -> None:
        known, recipients = [], []
        for to, amount, terms in items:
            asked, oracles = self.terms(terms)
            make = to_account if to == "recipient" else to_phone
            recipients.append(make(RECIPIENT_ID if to == "recipient" else to, str(amount), *asked))
            known.append({"to": to, "amount": amount, "terms": oracles})
        poor = self.oracle.money["merchant"] < sum(item["amount"] for item in known)
        created = self.told("INSUFFICIENT_FUNDS" if poor else None, lambda: self.calls.pay(*recipients))
        if created is not None:
            for item, shown in zip(known, created.escrow_items, strict=True):
                item["id"] = shown.escrow_id
            assert self.oracle.open_batch(created.disbursement_id, known) is None

    @precondition(lambda self: self.oracle.escrows)
    @rule(pick=picks, chosen=keys, share=shares, force=st.booleans())
    def release(self, pick: int, chosen: list[str], share: int | None, force: bool) -> None:
        name = self.picked(pick)
        options = {"force": True, "reason": "because"} if force else {}
        expected = self.oracle.release(name, chosen, share, force=force)
        self.told(expected, lambda: self.calls.release(name, *chosen, **options, **_share(share)))
        self.probe(name)

    @precondition(lambda self: self.oracle.escrows)
    @rule(pick=picks, chosen=keys, share=shares)
    def reverse(self, pick: int, chosen: list[str], share: int | None) -> None:
        name = self.picked(pick)
        expected = self.oracle.reverse(name, chosen, share)
        self.told(expected, lambda: self.calls.reverse(name, *chosen, **_share(share)))
        self.probe(name)

    @precondition(lambda self: self.oracle.escrows)
    @rule(pick=picks, position=st.integers(0, 1))
    def fulfil(self, pick: int, position: int) -> None:
        name = self.picked(pick)
        escrow = self.oracle.escrows[name]
        if position >= len(escrow["terms"]):
            return
        side = escrow["receiver"] if escrow["sender"] == "merchant" else escrow["sender"]
        caller, info = SHOP, {"phone_number": side}
        if not side.startswith("+"):
            caller = Caller(MERCHANT_ID, user=RECIPIENT_ID if side == "recipient" else CUSTOMER_ID)
            info = {}
        shown = self.calls.get(name)
        expected = self.oracle.fulfil(name, position)
        self.told(
            expected, lambda: self.calls.fulfil(shown, position, caller=caller, user_info=info, rating=5)
        )
        self.probe(name)

    @precondition(lambda self: self.oracle.escrows)
    @rule(pick=picks)
    def dispute(self, pick: int) -> None:
        name = self.picked(pick)
        opened = self.told(self.oracle.dispute(name), lambda: self.calls.dispute(name))
        if opened is not None:
            self.disputes[name] = opened
        self.probe(name)

    @precondition(lambda self: self.disputes)
    @rule(pick=picks, tenths=st.integers(0, 11))
    def resolve(self, pick: int, tenths: int) -> None:
        """Also with amounts that do not add up, and when it is too late."""
        name = sorted(self.disputes)[pick % len(self.disputes)]
        held = self.oracle.held(name)
        release = held * tenths // 10
        reverse = held - release if tenths < 11 else 0
        expected = self.oracle.resolve(name, release, reverse)
        self.told(expected, lambda: self.calls.resolve(self.disputes[name], release, reverse) or True)
        self.probe(name)

    @precondition(lambda self: self.disputes)
    @rule(pick=picks)
    def dismiss(self, pick: int) -> None:
        name = sorted(self.disputes)[pick % len(self.disputes)]
        self.told(self.oracle.dismiss(name), lambda: self.calls.dismiss(self.disputes[name]) or True)
        self.probe(name)

    def probe(self, name: str) -> None:
        """No edge leads out of where an escrow is now, but those that the oracle knows."""
        if self.oracle.escrows[name]["state"] == "held":
            for key, (_, status) in self.oracle.escrows[name]["slices"].items():
                if status != "pending":  # a slice goes once
                    self.told(
                        self.oracle.release(name, [key], None, force=True),
                        lambda key=key: self.calls.release(name, key, force=True, reason="because"),
                    )
            return
        self.told(
            self.oracle.release(name, [], None, force=True),
            lambda: self.calls.release(name, force=True, reason="because"),
        )
        self.told(self.oracle.reverse(name, [], None), lambda: self.calls.reverse(name))
        self.told(self.oracle.dispute(name), lambda: self.calls.dispute(name))

    @precondition(lambda self: self.oracle.batches)
    @rule(pick=picks, force=st.booleans())
    def release_batch(self, pick: int, force: bool) -> None:
        name = sorted(self.oracle.batches)[pick % len(self.oracle.batches)]
        options: Any = {"force": True, "reason": "because"} if force else {}
        expected = self.oracle.release_batch(name, force=force)
        body = ReleaseEscrowDisbursement(**options)
        shown = self.rail.do(self.calls.batches.release_escrow_disbursement(SHOP, name, body))
        found = {each.escrow_id: "released" for each in shown.released}
        found |= {each.escrow_id: "skipped" for each in shown.skipped}
        assert found | {each.escrow_id: "failed" for each in shown.failed} == expected

    @precondition(lambda self: self.oracle.batches)
    @rule(pick=picks)
    def cancel_batch(self, pick: int) -> None:
        name = sorted(self.oracle.batches)[pick % len(self.oracle.batches)]
        service, body = self.calls.batches, CancelDisbursement(reason=None)
        expected = self.oracle.cancel_batch(name)
        self.told(expected, lambda: self.rail.do(service.cancel_escrow_disbursement(SHOP, name, body)))

    def picked(self, pick: int) -> str:
        return list(self.oracle.escrows)[pick % len(self.oracle.escrows)]

    def terms(self, told: Told) -> tuple[list[NewTerm], list[dict[str, Any]]]:
        """The same terms for the rail and for the oracle."""
        asked, known = [], []
        for kind, wait, life in told:
            until = None if life is None else self.rail.clock.now() + life * SECOND
            expiry = (
                None
                if until is None
                else datetime.fromtimestamp(until // SECOND, UTC).replace(microsecond=until % SECOND)
            )
            known.append({"type": kind, "wait": wait * SECOND, "until": until})
            if kind == "lock":
                asked.append(term("time_lock", expiry, release_after=wait))
            elif kind == "rating":
                asked.append(term("rating_threshold", expiry, minimum_rating=4))
            else:
                asked.append(term("manual_release", expiry))
        return asked, known


class DisbursementHistory(History):
    """Batches of payouts."""

    @initialize(to=numbers)
    def begin_with_a_batch(self, to: str) -> None:
        """There is something to act on from the start."""
        self.disburse([("recipient", 1_000), (to, 2_000), (PHONES["slow"], 3_000)])
        self.wait(SECOND)

    @rule(items=st.lists(st.tuples(receivers, amounts), min_size=1, max_size=4))
    def disburse(self, items: list[tuple[str, int]]) -> None:
        recipients = [
            account(RECIPIENT_ID, str(amount)) if to == "recipient" else phone(to, str(amount))
            for to, amount in items
        ]
        poor = self.oracle.money["merchant"] < sum(amount for _, amount in items)
        created = self.told("INSUFFICIENT_FUNDS" if poor else None, lambda: self.rail.disburse(*recipients))
        if created is not None:
            assert self.oracle.disburse(created.disbursement_id, items) is None

    @precondition(lambda self: self.oracle.disbursements)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        self.cancel_one(list(self.oracle.disbursements)[pick % len(self.oracle.disbursements)])

    def wait(self, pause: int) -> None:
        """Only what is still pending can be cancelled."""
        super().wait(pause)
        for name, each in self.oracle.disbursements.items():
            if each["status"] != "pending":
                self.cancel_one(name)

    def cancel_one(self, name: str) -> None:
        service, body = self.rail.services.disbursements, CancelDisbursement(reason="no")
        expected = self.oracle.cancel(name)
        self.told(expected, lambda: self.rail.do(service.cancel_disbursement(SHOP, name, body)))


class WholeHistory(EscrowHistory, DisbursementHistory):
    """Both, out of one wallet."""


def _parts(amount: int, slices: str) -> dict[str, int]:
    """Slices of an escrow; with "-" some of it stays unallocated."""
    names = [name for name in slices if name != "-"]
    share = amount // (len(slices) or 1)
    parts = dict.fromkeys(names, share)
    if names and "-" not in slices:
        parts[names[-1]] += amount - share * len(names)
    return parts


def _share(share: int | None) -> dict[str, Any]:
    return {} if share is None else {"amount": str(share)}


def _expected(oracle: Oracle) -> dict[str, int]:
    """The oracle's money by the names of the rail's accounts."""
    names = {
        "merchant": book.available(MERCHANT_ID),
        "held": book.held(MERCHANT_ID),
        "customer": book.available(CUSTOMER_ID),
        "recipient": book.available(RECIPIENT_ID),
        "mtn": book.rail("mtn"),
        "inflight": book.inflight("mtn"),
        "suspense": book.suspense("mtn"),
    }
    return {_named(name, names): amount for name, amount in oracle.money.items()}


def _named(name: str, names: dict[str, str]) -> str:
    return names.get(name, name.replace("payable:", "refund:payable:"))


def _snapshot(view: ReadView) -> dict[str, Any]:
    money: dict[str, int] = {}
    total = 0
    for row in view.select(VOLUMES, {"ledger": book.LEDGER, "asset": "UGX"}):
        balance = row.input - row.output
        total += balance
        name = "escrow:" + row.account.split(":")[1] if row.account.startswith("escrow:") else row.account
        if name not in ("bank:settlement", book.rail("airtel")):
            money[name] = money.get(name, 0) + balance
    assert total == 0  # PS112
    escrows, batches = view.select(ESCROWS), view.select(ESCROW_BATCHES)
    disbursements = view.select(DISBURSEMENTS)
    shown = {row.id: (row.shown, EDGES) for row in escrows}
    shown |= {row.id: (row.status, BATCH_EDGES) for row in (*batches, *disbursements)}
    return {
        "damages": [str(damage) for damage in check(view)],
        "money": {name: amount for name, amount in money.items() if amount},
        "escrows": {
            row.id: (
                row.state,
                row.released,
                row.reversed,
                row.rest,
                {each.key: (each.amount, each.status) for each in view.scan(SLICES, row.id)},
                [(each.met_at is not None, each.expired_at is not None) for each in view.scan(TERMS, row.id)],
            )
            for row in escrows
        },
        "batches": {row.id: row.status for row in batches},
        "disbursements": {
            row.id: (row.status, [item.status for item in view.scan(ITEMS, row.id)]) for row in disbursements
        },
        "shown": shown,
    }


LIMITS = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
TestEscrows = EscrowHistory.TestCase
TestEscrows.settings = LIMITS
TestDisbursements = DisbursementHistory.TestCase
TestDisbursements.settings = LIMITS
TestBoth = WholeHistory.TestCase
TestBoth.settings = LIMITS
