"""The kernel alone, on a ledger of plain dictionaries that folds its logs in its own way."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from bursar.engine.kernel import (
    AlreadyReverted,
    Head,
    InsufficientFunds,
    InvalidPosting,
    NewTransaction,
    Origin,
    Posting,
    ReferenceConflict,
    UnknownTransaction,
    Volumes,
    chain,
    ledger,
)
from bursar.engine.kernel.model import parse_time

USD = "USD/2"
T0 = 1_700_000_000_000_000


class Dictionaries:
    """A ledger in memory: the kernel's `State`, and what its entries make of it."""

    def __init__(self):
        self.heads, self.totals, self.moves = Head(), {}, {}
        self.accounts, self.transactions, self.references, self.logs = {}, {}, {}, []

    def head(self):
        return self.heads

    def volumes(self, account, asset):
        return self.totals.get((account, asset), Volumes())

    def moves_after(self, account, asset, at):
        return [
            m for m in self.moves.values() if (m.account, m.asset) == (account, asset) and m.effective_at > at
        ]

    def account(self, address):
        return self.accounts.get(address)

    def first_usage(self, address):
        return self.accounts[address].first_usage if address in self.accounts else None

    def transaction(self, id):
        return self.transactions.get(id)

    def reference(self, reference):
        return self.references.get(reference)

    def store(self, entry):
        self.heads = entry.head
        self.logs.append(entry.log)
        for tx in (entry.updated, entry.transaction):
            if tx is not None:
                self.transactions[tx.id] = tx
        if entry.transaction is not None and entry.transaction.reference:
            self.references[entry.transaction.reference] = entry.transaction.id
        for move in entry.moves:
            self.moves[move.account, move.asset, move.transaction] = move
        self.totals |= entry.volumes
        for account in entry.accounts:
            self.accounts[account.address] = account
        return entry

    def post(self, *postings, now=T0, origin=ledger.NO_ORIGIN, **options):
        new = NewTransaction([Posting(*posting) for posting in postings], **options)
        return self.store(ledger.post(self, new, now, origin)).transaction

    def revert(self, id, now=T0, **options):
        return self.store(ledger.revert(self, id, now, **options)).transaction

    def balances(self):
        return {pair: total.balance for pair, total in self.totals.items() if total.balance}

    def snapshot(self):
        return json.encode([self.heads, list(self.totals.items()), list(self.moves.items()), len(self.logs)])


shown = chain.decode_volumes


@pytest.fixture
def book():
    return Dictionaries()


def test_a_posting_credits_the_destination_and_debits_the_source(book):
    tx = book.post(("world", "till", 250, USD))
    assert shown(tx.volumes.post) == {("world", USD): Volumes(0, 250), ("till", USD): Volumes(250, 0)}
    assert shown(tx.volumes.pre) == {("world", USD): Volumes(), ("till", USD): Volumes()}
    assert book.volumes("till", USD).balance == 250


def test_money_received_earlier_in_a_transaction_can_be_spent_later_in_it(book):
    book.post(("world", "a", 5, USD), ("a", "b", 5, USD))
    with pytest.raises(InsufficientFunds):
        book.post(("c", "b", 5, USD), ("world", "c", 5, USD))


@pytest.mark.parametrize(
    ("overdraft", "amount", "allowed"),
    [
        ({}, 11, False),
        ({}, 10, True),
        ({"a": 5}, 15, True),
        ({"a": 5}, 16, False),
        ({"a": None}, 10**30, True),
        ({"b": None}, 11, False),
        ({"a": 0}, 11, False),
    ],
)
def test_overdraft_policy(book, overdraft, amount, allowed):
    """Invariant 9, at the very edge of each policy."""
    book.post(("world", "a", 10, USD))
    before = book.snapshot()
    if allowed:
        book.post(("a", "b", amount, USD), overdraft=overdraft)
        assert book.volumes("a", USD).balance == 10 - amount
    else:
        with pytest.raises(InsufficientFunds) as refusal:
            book.post(("a", "b", amount, USD), overdraft=overdraft)
        assert (refusal.value.account, refusal.value.needed) == ("a", amount)
        assert refusal.value.available == 10 + (overdraft.get("a") or 0)
        assert book.snapshot() == before


def test_nothing_can_always_be_sent_even_from_debt(book):
    book.post(("a", "b", 5, USD), overdraft={"a": None})
    assert book.post(("a", "b", 0, USD)).id == 2


def test_amounts_have_no_bound(book):
    book.post(("world", "a", 2**200, USD))
    book.post(("world", "a", 1, USD))
    assert book.volumes("a", USD) == Volumes(2**200 + 1, 0, latest=T0 + 1)


def test_a_posting_to_oneself_counts_on_both_sides(book):
    book.post(("world", "a", 10, USD))
    assert shown(book.post(("a", "a", 4, USD)).volumes.post) == {("a", USD): Volumes(14, 4)}
    with pytest.raises(InsufficientFunds):
        book.post(("a", "a", 11, USD))


@pytest.mark.parametrize(
    "postings",
    [
        [],
        [("a", "b", -1, USD)],
        [("a", "b", 1.0, USD)],
        [("a", "b", True, USD)],
        [("", "b", 1, USD)],
        [("a", "", 1, USD)],
        [("a", "b", 1, "")],
    ],
)
def test_what_no_ledger_may_hold(book, postings):
    with pytest.raises(InvalidPosting):
        book.post(*postings, overdraft={"a": None})
    assert book.heads == Head()


def test_a_reference_names_one_transaction(book):
    """Invariant 12."""
    book.post(("world", "a", 1, USD), reference="r")
    with pytest.raises(ReferenceConflict) as refusal:
        book.post(("world", "a", 1, USD), reference="r")
    assert (refusal.value.reference, refusal.value.transaction) == ("r", 1)
    book.post(("world", "a", 1, USD), reference="")
    book.post(("world", "a", 1, USD), reference="")
    assert book.references == {"r": 1}


def test_log_dates_increase_when_the_clock_stands_or_goes_back(book):
    """Invariant 4: ids dense, dates strictly increasing; a transaction without a timestamp has the log's date."""
    for now in (T0, T0, T0 - 5_000_000, T0 + 7):
        tx = book.post(("world", "a", 1, USD), now=now)
        assert tx.timestamp == tx.inserted_at == book.logs[-1].date
    assert [log.date for log in book.logs] == [T0, T0 + 1, T0 + 2, T0 + 7]
    assert [log.id for log in book.logs] == [1, 2, 3, 4]


def test_the_chain_covers_every_kind_of_log(book):
    """Invariant 5: each hash follows from the one before."""
    origin = Origin("key", "hash", "v1")
    book.post(("world", "a", 5, USD), origin=origin, account_metadata={"a": {"k": "v"}}, reference="r")
    book.store(ledger.set_metadata(book, "a", {"x": "1"}, T0))
    book.store(ledger.set_metadata(book, 1, {"x": "1"}, T0))
    book.store(ledger.delete_metadata(book, 1, "x", T0))
    book.store(ledger.delete_metadata(book, "a", "x", T0))
    book.store(ledger.insert_schema(book, b'{"version":"1"}', T0))
    book.revert(1, metadata={"why": "test"})
    previous = b""
    for log in book.logs:
        kept = chain.memento(chain.decode_data(log.type, log.data))
        assert chain.chain(previous, log.type, kept, log.date, log.idempotency_key) == log.hash
        previous = log.hash
    assert [log.type for log in book.logs] == [
        "NEW_TRANSACTION",
        "SET_METADATA",
        "SET_METADATA",
        "DELETE_METADATA",
        "DELETE_METADATA",
        "INSERTED_SCHEMA",
        "REVERTED_TRANSACTION",
    ]
    first = book.logs[0]
    assert (first.idempotency_key, first.idempotency_hash, first.schema_version) == ("key", "hash", "v1")


def test_the_log_shows_a_transaction_as_the_api_does(book):
    book.post(("world", "a", 5, USD), now=0, reference="r", metadata={"k": "v"})
    shown = json.decode(book.logs[0].data)
    volumes = {
        "world": {USD: {"input": 0, "output": 5, "balance": -5}},
        "a": {USD: {"input": 5, "output": 0, "balance": 5}},
    }
    nothing = {name: {USD: {"input": 0, "output": 0, "balance": 0}} for name in ("world", "a")}
    assert shown == {
        "transaction": {
            "postings": [{"source": "world", "destination": "a", "amount": 5, "asset": USD}],
            "metadata": {"k": "v"},
            "timestamp": "1970-01-01T00:00:00Z",
            "reference": "r",
            "id": 1,
            "insertedAt": "1970-01-01T00:00:00Z",
            "updatedAt": "1970-01-01T00:00:00Z",
            "reverted": False,
            "postCommitVolumes": volumes,
            "postCommitEffectiveVolumes": volumes,
            "preCommitVolumes": nothing,
            "preCommitEffectiveVolumes": nothing,
        },
        "accountMetadata": {},
    }


def test_a_back_dated_transaction_changes_only_later_effective_volumes(book):
    """Invariant 18."""
    book.post(("world", "a", 10, USD), timestamp=T0 + 10)
    book.post(("world", "a", 1, USD), timestamp=T0 + 30)
    late = book.post(("a", "b", 3, USD), timestamp=T0 + 20, metadata={})
    assert shown(late.volumes.post)["a", USD] == Volumes(11, 3)
    assert shown(late.volumes.post_effective)["a", USD] == Volumes(10, 3)
    assert shown(late.volumes.pre_effective)["a", USD] == Volumes(10, 0)
    effective = {
        m.transaction: (m.effective_input, m.effective_output)
        for m in book.moves.values()
        if m.account == "a"
    }
    assert effective == {1: (10, 0), 2: (11, 3), 3: (10, 3)}


def test_at_the_same_timestamp_the_later_transaction_comes_after(book):
    book.post(("world", "a", 10, USD), timestamp=T0)
    again = book.post(("world", "a", 5, USD), timestamp=T0)
    assert shown(again.volumes.post_effective)["a", USD] == Volumes(15, 0)


def test_funds_are_those_of_now_whatever_the_timestamp(book):
    """Section 13: a back-dated spend of money that arrived later is accepted."""
    book.post(("world", "a", 10, USD), timestamp=T0 + 100)
    spent = book.post(("a", "b", 10, USD), timestamp=T0)
    assert shown(spent.volumes.post_effective)["a", USD].balance == -10


def test_a_revert_is_the_opposite_and_happens_once(book):
    """Invariant 11."""
    book.post(("world", "a", 10, USD))
    before = book.balances()
    book.post(("a", "b", 4, USD), ("b", "c", 4, USD), metadata={"k": "v"})
    opposite = book.revert(2, metadata={"com.formance.spec/state/reverts": "99", "why": "wrong"})
    assert opposite.postings == (Posting("c", "b", 4, USD), Posting("b", "a", 4, USD))
    assert opposite.metadata == {"com.formance.spec/state/reverts": "2", "why": "wrong"}
    assert book.balances() == before
    assert book.transactions[2].reverted_at == book.logs[-1].date
    with pytest.raises(AlreadyReverted):
        book.revert(2)
    assert book.revert(3).id == 4


def test_a_revert_needs_the_money_unless_forced(book):
    book.post(("world", "a", 10, USD))
    book.post(("a", "b", 6, USD))
    with pytest.raises(InsufficientFunds) as refusal:
        book.revert(1)
    assert (refusal.value.account, refusal.value.available, refusal.value.needed) == ("a", 4, 10)
    book.revert(1, force=True)
    assert book.volumes("a", USD).balance == -6


def test_a_revert_at_the_effective_date_is_back_dated(book):
    book.post(("world", "a", 10, USD), timestamp=T0 - 50)
    assert book.revert(1, at_effective_date=True).timestamp == T0 - 50


def test_a_revert_log_shows_the_original_as_it_became(book):
    book.post(("world", "a", 10, USD), now=T0)
    book.revert(1, now=T0 + 9)
    original = json.decode(book.logs[-1].data)["revertedTransaction"]
    assert original["reverted"] is True
    assert parse_time(original["revertedAt"]) == parse_time(original["updatedAt"]) == T0 + 9
    assert "postCommitVolumes" in original
    assert "postCommitEffectiveVolumes" not in original


@pytest.mark.parametrize(
    "write", [ledger.revert, lambda book, number, now: ledger.set_metadata(book, number, {}, now)]
)
def test_an_unknown_transaction(book, write):
    with pytest.raises(UnknownTransaction):
        write(book, 1, T0)


def test_metadata_of_a_transaction(book):
    book.post(("world", "a", 1, USD), metadata={"k": "v"})
    book.store(ledger.set_metadata(book, 1, {"k": "v"}, T0 + 5))
    assert book.transactions[1].updated_at == T0
    book.store(ledger.set_metadata(book, 1, {"n": "1"}, T0 + 6))
    assert (book.transactions[1].metadata, book.transactions[1].updated_at) == ({"k": "v", "n": "1"}, T0 + 6)
    book.store(ledger.delete_metadata(book, 1, "k", T0 + 7))
    assert (book.transactions[1].metadata, book.transactions[1].updated_at) == ({"n": "1"}, T0 + 7)
    with pytest.raises(UnknownTransaction):
        ledger.delete_metadata(book, 1, "k", T0 + 8)
    assert len(book.logs) == 4


def test_accounts_are_made_described_and_aged(book):
    book.post(("world", "a", 1, USD), timestamp=T0 + 50, account_metadata={"b": {"k": "v"}, "c": None})
    assert (book.accounts["a"].first_usage, book.accounts["a"].insertion_date) == (T0 + 50, T0)
    assert (book.accounts["b"].metadata, book.accounts["c"].metadata) == ({"k": "v"}, {})
    book.post(("world", "a", 1, USD), timestamp=T0 + 60)
    assert book.accounts["a"].updated_at == T0
    book.post(("world", "a", 1, USD), timestamp=T0 + 20)
    assert (book.accounts["a"].first_usage, book.accounts["a"].updated_at) == (T0 + 20, T0 + 2)
    book.store(ledger.set_metadata(book, "b", {"k": "v"}, T0 + 70))
    assert book.accounts["b"].updated_at == T0
    book.store(ledger.set_metadata(book, "new", {"x": "1"}, T0 + 80))
    assert (book.accounts["new"].first_usage, book.accounts["new"].metadata) == (T0 + 80, {"x": "1"})
    book.store(ledger.delete_metadata(book, "new", "x", T0 + 90))
    assert (book.accounts["new"].metadata, book.accounts["new"].updated_at) == ({}, T0 + 80)
    book.store(ledger.delete_metadata(book, "nobody", "x", T0 + 90))
    assert "nobody" not in book.accounts


NAMES = st.sampled_from(["world", "a", "b", "c"])
POSTINGS = st.lists(
    st.tuples(NAMES, NAMES, st.integers(0, 40) | st.just(2**70), st.sampled_from([USD, "JPY"])),
    min_size=1,
    max_size=4,
)
OVERDRAFTS = st.dictionaries(st.sampled_from(["a", "b"]), st.none() | st.integers(0, 30), max_size=1)
STEPS = st.lists(
    st.tuples(POSTINGS, OVERDRAFTS, st.none() | st.integers(T0 - 5, T0 + 5))
    | st.tuples(st.integers(1, 8), st.booleans()),
    max_size=12,
)


@given(STEPS)
def test_history(steps):
    """Invariants 1, 2, 3, 8, 9 and 18 over random histories of posts, back-dated posts, reverts and refusals."""
    book = Dictionaries()
    for step in steps:
        before = book.snapshot()
        was = dict(book.totals)
        try:
            if len(step) == 2:
                book.revert(step[0], force=step[1])
            else:
                book.post(*step[0], overdraft=step[1], timestamp=step[2])
        except (InsufficientFunds, UnknownTransaction, AlreadyReverted):
            assert book.snapshot() == before, "a refusal changed something"
        check_sums(book, was)
        check_moves(book)
        check_logs(book)


def check_sums(book, was):
    sums = defaultdict(int)
    for (account, asset), total in book.totals.items():
        sums[asset] += total.balance
        old = was.get((account, asset), Volumes())
        assert total.input >= old.input
        assert total.output >= old.output
    assert not any(sums.values())


def check_moves(book):
    """Totals and effective volumes are sums over the moves, in insertion order and in order of time."""
    for pair, total in book.totals.items():
        moves = [m for m in book.moves.values() if (m.account, m.asset) == pair]
        assert (sum(m.input for m in moves), sum(m.output for m in moves)) == (total.input, total.output)
        assert total.latest == max(m.effective_at for m in moves)
        running = [0, 0]
        for move in sorted(moves, key=lambda m: (m.effective_at, m.transaction)):
            running = [running[0] + move.input, running[1] + move.output]
            assert running == [move.effective_input, move.effective_output]


def check_logs(book):
    """The logs alone tell the totals."""
    totals = defaultdict(lambda: [0, 0])
    for log in book.logs:
        data = chain.decode_data(log.type, log.data)
        assert isinstance(data, chain.NewTransactionJson | chain.RevertedTransactionJson)
        for posting in data.transaction.postings:
            totals[posting.source, posting.asset][1] += posting.amount
            totals[posting.destination, posting.asset][0] += posting.amount
    found = {pair: [total.input, total.output] for pair, total in book.totals.items()}
    assert found == totals


@given(POSTINGS, OVERDRAFTS)
def test_no_debit_beyond_policy(postings, overdraft):
    """Invariant 9: whatever was accepted left each debited account within its policy at the time of the debit."""
    book = Dictionaries()
    try:
        book.post(*postings, overdraft=overdraft)
    except InsufficientFunds:
        return
    running = defaultdict(int)
    for source, destination, amount, asset in postings:
        running[source, asset] -= amount
        limit = overdraft.get(source, 0)
        assert source == "world" or limit is None or amount == 0 or running[source, asset] >= -limit
        running[destination, asset] += amount
