"""Whatever is done to a ledger, it says what a plain dictionary says: now, at any time, and in a copy."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bursar.engine.kernel.model import format_time
from bursar.engine.ledger import times
from tests.server.ledger.conftest import NOON, Ledgers

SECOND = 1_000_000
ACCOUNTS = ["world", "bank", "users:1", "users:2"]
ASSETS = ["USD/2", "BIG"]
POSTINGS = st.lists(
    st.builds(
        lambda sides, amount, asset: {
            "source": sides[0],
            "destination": sides[1],
            "amount": amount,
            "asset": asset,
        },
        st.permutations(ACCOUNTS),
        st.integers(1, 60) | st.just(10**40),
        st.sampled_from(ASSETS),
    ),
    min_size=1,
    max_size=3,
)
MOMENTS = st.integers(-100, 100).map(lambda seconds: NOON + seconds * SECOND)
METADATA = st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"]), min_size=1)


@dataclass
class Booked:
    """A transaction as the oracle knows it."""

    postings: list[dict[str, Any]]
    effective: int
    inserted: int
    reference: str = ""
    reverted: bool = False
    metadata: dict[str, str] = field(default_factory=dict[str, str])


class Books(RuleBasedStateMachine):
    """The ledger `l` of a service, and dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.api = Ledgers()
        self.asked: list[tuple[Any, ...]] = []
        self.booked: dict[int, Booked] = {}
        self.keys: dict[str, tuple[Any, int]] = {}
        self.metadata: dict[str, dict[str, str]] = {}

    @initialize()
    def opened(self) -> None:
        assert self.ask("POST", "").status == 204

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None):
        self.asked.append((method, path, body, headers))
        return self.api(method, f"/v2/l{path}", body, headers=headers)

    # What is done.

    @rule(
        postings=POSTINGS,
        at=st.none() | MOMENTS,
        reference=st.sampled_from(["", "", "r-1", "r-2"]),
        force=st.booleans(),
        key=st.sampled_from(["", "", "k-1", "k-2"]),
    )
    def create(self, postings, at, reference, force, key) -> None:
        body: dict[str, Any] = {"postings": postings, "force": force}
        body |= {"reference": reference} if reference else {}
        body |= {} if at is None else {"timestamp": format_time(at)}
        answer = self.ask("POST", "/transactions", body, {"Idempotency-Key": key} if key else None)
        if key in self.keys:
            before, number = self.keys[key]
            assert answer.status == (200 if before == body else 400)
            if before == body:
                assert (answer.data["id"], answer.headers["idempotency-hit"]) == (number, "true")
            return
        if not force and not self.affordable(postings):
            assert (answer.status, answer.code) == (400, "INSUFFICIENT_FUND")
            return
        if reference and any(reference == tx.reference for tx in self.booked.values()):
            assert (answer.status, answer.code) == (409, "CONFLICT")
            return
        made = answer.data
        assert made["id"] > max(self.booked, default=0)
        inserted = times.parse(made["insertedAt"])
        self.booked[made["id"]] = Booked(postings, inserted if at is None else at, inserted, reference)
        if key:
            self.keys[key] = (body, made["id"])

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), force=st.booleans(), then=st.booleans())
    def revert(self, data, force, then) -> None:
        number = data.draw(st.sampled_from(sorted(self.booked)))
        original = self.booked[number]
        query = f"?force={str(force).lower()}&atEffectiveDate={str(then).lower()}"
        answer = self.ask("POST", f"/transactions/{number}/revert{query}")
        if original.reverted:
            assert answer.code == "ALREADY_REVERT"
            return
        back = [
            {**posting, "source": posting["destination"], "destination": posting["source"]}
            for posting in reversed(original.postings)
        ]
        after = self.volumes() + moved(back)
        poor = any(p["source"] != "world" and balance(after, p["source"], p["asset"]) < 0 for p in back)
        if poor and not force:
            assert answer.code == "INSUFFICIENT_FUND"
            return
        assert answer.status == 201
        inserted = times.parse(answer.data["insertedAt"])
        original.reverted = True
        self.booked[answer.data["id"]] = Booked(back, original.effective if then else inserted, inserted)

    @rule(account=st.sampled_from([*ACCOUNTS, "users:3"]), metadata=METADATA)
    def describe(self, account, metadata) -> None:
        assert self.ask("POST", f"/accounts/{account}/metadata", metadata).status == 204
        self.metadata.setdefault(account, {}).update(metadata)

    @rule(account=st.sampled_from(ACCOUNTS), key=st.sampled_from("ab"))
    def forget(self, account, key) -> None:
        assert self.ask("DELETE", f"/accounts/{account}/metadata/{key}").status == 204
        self.metadata.get(account, {}).pop(key, None)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), metadata=METADATA)
    def tag(self, data, metadata) -> None:
        number = data.draw(st.sampled_from(sorted(self.booked)))
        assert self.ask("POST", f"/transactions/{number}/metadata", metadata).status == 204
        self.booked[number].metadata.update(metadata)

    # What the oracle knows.

    def affordable(self, postings: list[dict[str, Any]]) -> bool:
        held = self.volumes()
        for posting in postings:
            source = posting["source"]
            if source != "world" and balance(held, source, posting["asset"]) < posting["amount"]:
                return False
            held += moved([posting])
        return True

    def volumes(self, until: int | None = None, *, insertion: bool = False) -> "Moved":
        found = Moved()
        for tx in self.booked.values():
            if until is None or (tx.inserted if insertion else tx.effective) <= until:
                found += moved(tx.postings)
        return found

    # What must be the same.

    def read_volumes(self, query: str = "") -> dict[tuple[str, str], tuple[int, int]]:
        page = self.api("GET", f"/v2/l/volumes?pageSize=100{query}").json["cursor"]["data"]
        return {(row["account"], row["asset"]): (row["input"], row["output"]) for row in page}

    @invariant()
    def volumes_agree(self) -> None:
        if not self.asked:
            return
        assert self.read_volumes() == self.volumes().shown()
        sums = self.api("GET", "/v2/l/aggregate/balances").data
        assert all(total == 0 for total in sums.values())

    @rule(at=MOMENTS)
    def volumes_of_the_past_agree(self, at) -> None:
        when = f"&endTime={format_time(at)}"
        assert self.read_volumes(when) == self.volumes(at).shown()
        past = self.read_volumes(f"{when}&insertionDate=true")
        assert past == self.volumes(at, insertion=True).shown()

    @rule(account=st.sampled_from(ACCOUNTS), at=MOMENTS)
    def an_account_of_the_past_agrees(self, account, at) -> None:
        answer = self.api(
            "GET", f"/v2/l/accounts/{account}?pit={format_time(at)}&expand=volumes&expand=effectiveVolumes"
        )
        shown = answer.data if answer.status == 200 else {}
        for name, insertion in (("volumes", True), ("effectiveVolumes", False)):
            known = self.volumes(at, insertion=insertion).shown()
            read = shown.get(name) or {}
            found = {(account, asset): (entry["input"], entry["output"]) for asset, entry in read.items()}
            assert found == {place: both for place, both in known.items() if place[0] == account} or (
                answer.status == 404
            )

    @rule()
    def transactions_agree(self) -> None:
        shown = self.api("GET", "/v2/l/transactions?pageSize=100&expand=volumes").json["cursor"]["data"]
        assert [tx["id"] for tx in shown] == sorted(self.booked, reverse=True)
        running = Moved()
        for tx in reversed(shown):
            known = self.booked[tx["id"]]
            assert (tx["postings"], tx["reverted"]) == (known.postings, known.reverted)
            assert (tx["metadata"].items() >= known.metadata.items(), tx.get("reference", "")) == (
                True,
                known.reference,
            )
            running += moved(tx["postings"])
            after = running.shown()
            for account, assets in tx["postCommitVolumes"].items():
                for asset, entry in assets.items():
                    assert (entry["input"], entry["output"]) == after[account, asset]

    @rule()
    def accounts_agree(self) -> None:
        shown = self.api("GET", "/v2/l/accounts?pageSize=100").json["cursor"]["data"]
        used = {account for account, _ in self.volumes().shown()} | set(self.metadata)
        assert {account["address"]: account["metadata"] for account in shown} == {
            account: self.metadata.get(account, {}) for account in used
        }

    def teardown(self) -> None:
        """The books are sound, a copy has the same bytes, and the same requests make the same chain."""
        exported = self.api("POST", "/v2/l/logs/export").body
        if self.booked:
            self.api("POST", "/v2/copy")
            assert self.api("POST", "/v2/copy/logs/import", body=exported).status == 204
            assert self.api("POST", "/v2/copy/logs/export").body == exported
        assert self.api.damages() == []
        again = Ledgers()
        for method, path, body, headers in self.asked:
            again.clock.advance(0)
            again(method, f"/v2/l{path}", body, headers=headers)
        theirs = again("POST", "/v2/l/logs/export").body
        assert [undated(line) for line in theirs.splitlines()] == [
            undated(line) for line in exported.splitlines()
        ]
        again.close()
        self.api.close()


class Moved(Counter[tuple[str, str, str]]):
    """Sums of (account, asset, "in" or "out")."""

    def __add__(self, other: Any) -> "Moved":
        found = Moved(self)
        found.update(other)
        return found

    def __iadd__(self, other: Any) -> Self:
        self.update(other)
        return self

    def shown(self) -> dict[tuple[str, str], tuple[int, int]]:
        places = {(account, asset) for account, asset, _ in self}
        return {place: (self[*place, "in"], self[*place, "out"]) for place in places}


def moved(postings: list[dict[str, Any]]) -> Moved:
    found = Moved()
    for posting in postings:
        found[posting["source"], posting["asset"], "out"] += posting["amount"]
        found[posting["destination"], posting["asset"], "in"] += posting["amount"]
    return found


def balance(held: Moved, account: str, asset: str) -> int:
    return held[account, asset, "in"] - held[account, asset, "out"]


def undated(line: bytes) -> Any:
    """What a log says, without its moments and the hashes over them: reads between writes move the clock."""
    log = json.loads(line)
    return log["type"], log["id"], log["idempotencyKey"], log["idempotencyHash"]


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=40, stateful_step_count=25)


def test_the_same_requests_make_the_same_head() -> None:
    """Ids, times and hashes too, when the clock stands the same."""
    heads = []
    for _ in range(2):
        api = Ledgers()
        api("POST", "/v2/l")
        api.pay("l", "world", "a", 5, headers={"Idempotency-Key": "k"})
        api.pay("l", "a", "b", 3, reference="r")
        api("POST", "/v2/l/transactions/2/revert")
        heads.append(api("POST", "/v2/l/logs/export").body)
        api.close()
    assert heads[0] == heads[1]


@pytest.mark.parametrize(
    ("listing", "key", "sort"),
    [
        ("transactions", "id", "id:desc"),
        ("transactions", "id", "timestamp:asc"),
        ("accounts", "address", "insertion_date:asc"),
        ("logs", "id", "id:desc"),
    ],
)
def test_pages_miss_and_repeat_nothing_while_others_write(api, listing, key, sort) -> None:
    """By numbers and dates; lists sorted by a text go by offset, as in the real service (5.3)."""
    for number in range(20):
        api.pay("l", "world", f"users:{number}", 1)
    before = {row[key] for row in api("GET", f"/v2/l/{listing}?pageSize=100").json["cursor"]["data"]}
    seen: list[Any] = []
    path = f"/v2/l/{listing}?pageSize=3&sort={sort}"
    for step in range(8):
        cursor = api("GET", path).json["cursor"]
        seen += [row[key] for row in cursor["data"]]
        if not cursor["hasMore"]:
            break
        api.pay("l", "world", f"users:10:{step}", 1)
        path = f"/v2/l/{listing}?cursor={cursor['next']}"
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
