"""Operations on a ledger, and a generator of them that likes trouble. Nothing of Bursar is imported here.

All choices come from a `random.Random`: a seeded one in campaigns, hypothesis' own in the state machine.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
T0 = 1_780_000_000_000_000
ACCOUNTS = ("world", "a", "b", "a:1", "a:2", "bank:main")
STRANGERS = ("c:9", "nobody")
ASSETS = ("USD/2", "EUR", "X_Y/4")
REFERENCES = ("r1", "r2", "r3", "r<4>", "é")
ODD_KEYS = ('k"q', "k&", "k'", "k<")
LONG_KEY = "x" * 256
REMEMBERED = 8
TEXTS = ("", "1", "gold", 'x<y>&"q" é \\', "\u2028\t\x7f\u2029", "\x01\b\n\r\f😀")
NAMES = ("tier", "note", "k<", "com.formance.spec/state/reverts")
AMOUNTS = (0, 0, 1, 2, 5, 10, 20, 50, 100, 1000, 2**63, 2**64 + 1, 10**40)
BAD = (
    {"amount": -1},
    {"source": "a::b"},
    {"destination": ""},
    {"asset": "usd"},
    {"asset": "USD/1234567"},
    {"source": "a b"},
    {"amount": "10"},
    {"amount": 1.5},
    {"amount": None},
)


@dataclass(frozen=True)
class Create:
    """A new transaction; `timestamp` in microseconds. `body` has the other members as they are sent."""

    body: dict[str, Any]
    timestamp: int | None = None
    force: bool = False


@dataclass(frozen=True)
class Revert:
    """`metadata` None: without a body."""

    id: int
    force: bool = False
    at_effective_date: bool = False
    metadata: dict[str, str] | None = None


@dataclass(frozen=True)
class SetMetadata:
    """Of an account (an address) or of a transaction (an id)."""

    target: str | int
    metadata: dict[str, str] | None


@dataclass(frozen=True)
class DeleteMetadata:
    """Of an account (an address) or of a transaction (an id)."""

    target: str | int
    key: str


Request = Create | Revert | SetMetadata | DeleteMetadata


@dataclass(frozen=True)
class Write:
    """One write, alone or as an element of a bulk."""

    request: Request
    key: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class Bulk:
    """Several writes in one request."""

    elements: tuple[Write, ...]
    atomic: bool = False
    keep_going: bool = False


@dataclass(frozen=True)
class Read:
    """One read. `what`: account, transaction, accounts, transactions, volumes, balances, stats, logs, counts."""

    what: str
    target: str | int = ""
    pit: int | None = None
    oot: int | None = None
    insertion: bool = False
    expand: tuple[str, ...] = ()
    group_by: int = 0
    page_size: int = 15
    filter: tuple[str, str, Any] | None = None
    """Operator, field and value."""


Operation = Write | Bulk | Read


@dataclass
class Known:
    """What the generator may know of a ledger, so that it hits what exists."""

    now: int
    transactions: int = 0
    moments: tuple[int, ...] = (T0,)


class Generator:
    """Operations for one ledger."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._keyed: list[Write] = []

    def operation(self, known: Known) -> Operation:
        """Some operation: two thirds are writes."""
        chance = self.random.random()
        if chance < 0.58:
            return self.write(known)
        if chance < 0.66:
            return self.bulk(known)
        return self.read(known)

    def write(self, known: Known) -> Write:
        """A single write; many of those with a key come again."""
        if self._keyed and self._seldom(8):
            return replace(self._again(), dry_run=self._seldom(5))
        write = Write(self.request(known), self._key(known), dry_run=self._seldom(12))
        if write.key:
            self._keyed.append(write)
        return write

    def bulk(self, known: Known) -> Bulk:
        """A bulk of up to six; what it refers to may be its own."""
        choice = self.random
        ahead = Known(known.now, known.transactions + 3, known.moments)
        elements = tuple(
            replace(self._again(), dry_run=False)
            if self._keyed and self._seldom(6)
            else Write(self.request(ahead, in_bulk=True), self._key(known))
            for _ in range(choice.randint(0, 6))
        )
        return Bulk(elements, atomic=choice.random() < 0.5, keep_going=choice.random() < 0.4)

    def request(self, known: Known, *, in_bulk: bool = False) -> Request:
        """A write without key."""
        chance = self.random.random()
        if chance < 0.52:
            return self.create(known, in_bulk=in_bulk)
        if chance < 0.7:
            return self.revert(known)
        if chance < 0.87:
            metadata = None if self._seldom(20) else self._metadata()
            return SetMetadata(self._target(known), metadata)
        return DeleteMetadata(self._target(known), self.random.choice(NAMES[: self.random.randint(1, 3)]))

    def create(self, known: Known, *, in_bulk: bool = False) -> Create:
        """Of one to five postings, some bad."""
        choice = self.random
        number = choice.choice((1, 1, 1, 2, 2, 3, 5))
        body: dict[str, Any] = {"postings": [self._posting() for _ in range(number)]}
        if self._seldom(25):
            # An amount of another type fails a whole bulk, which is dull.
            fault = choice.choice(BAD[:6] if in_bulk else BAD)
            body["postings"][-1] = {**body["postings"][-1], **fault}
        if self._seldom(5):
            body["reference"] = choice.choice(REFERENCES)
        if self._seldom(3):
            body["metadata"] = self._metadata() if choice.random() < 0.9 else None
        if self._seldom(6):
            addresses = choice.sample([*ACCOUNTS, *STRANGERS, "no address!"], choice.randint(0, 2))
            body["accountMetadata"] = {
                address: None if self._seldom(10) else self._metadata() for address in addresses
            }
        timestamp = self._moment(known) if self._seldom(3) else None
        return Create(body, timestamp, force=self._seldom(8))

    def revert(self, known: Known) -> Revert:
        """Of a transaction that may be there, and may be reverted already."""
        metadata = self._metadata() if self._seldom(4) else None
        return Revert(self._id(known), self._seldom(4), self._seldom(4), metadata)

    def read(self, known: Known) -> Read:
        """A read, as of now or of a point in time."""
        choice = self.random
        what = choice.choice((*READS, "account", "transaction"))
        pit = self._moment(known) if choice.random() < 0.5 else None
        expand = tuple(name for name in ("volumes", "effectiveVolumes") if choice.random() < 0.5)
        size = choice.choice((1, 3, 15, 100))
        match what:
            case "account":
                return Read(what, choice.choice((*ACCOUNTS, *STRANGERS)), pit, expand=expand)
            case "transaction":
                return Read(what, self._id(known), pit, expand=expand)
            case "accounts":
                return Read(what, pit=pit, expand=expand, page_size=size, filter=self._filter(what))
            case "transactions":
                return Read(what, pit=pit, expand=expand, page_size=size, filter=self._filter(what))
            case "volumes":
                oot = self._moment(known) if self._seldom(4) else None
                group = choice.choice((0, 0, 1, 2))
                return Read(what, "", pit, oot, choice.random() < 0.5, (), group, size)
            case "balances":
                return Read(what, pit=pit, insertion=choice.random() < 0.5, filter=self._filter(what))
            case "counts":
                return Read(what, choice.choice(("accounts", "transactions")), pit)
            case _:
                return Read(what, page_size=size)

    def step(self) -> int:
        """How far the clock goes on, in microseconds: often not at all."""
        return self.random.choice((0, 0, 0, 1, 1, 7, SECOND, 3600 * SECOND))

    def _filter(self, what: str) -> tuple[str, str, Any] | None:
        choice = self.random
        if choice.random() < 0.5:
            return None
        address = choice.choice((*ACCOUNTS, "nobody"))
        metadata = ("$match", f"metadata[{choice.choice(('tier', 'note'))}]", choice.choice(TEXTS[1:3]))
        amount = choice.choice((-5, 0, 1, 100, 2**64))
        balance = (choice.choice(("$lt", "$gte", "$match")), f"balance[{choice.choice(ASSETS)}]", amount)
        return choice.choice(
            {
                "accounts": [("$match", "address", address), metadata, balance],
                "transactions": [
                    metadata,
                    ("$match", "account", address),
                    ("$match", "source", address),
                    ("$match", "destination", address),
                    ("$match", "reverted", choice.random() < 0.5),
                    ("$match", "reference", choice.choice(REFERENCES)),
                ],
                "balances": [("$match", "address", address), metadata],
            }[what]
        )

    def _posting(self) -> dict[str, Any]:
        choice = self.random
        source = "world" if choice.random() < 0.4 else choice.choice(ACCOUNTS)
        destination = choice.choice(ACCOUNTS)
        amount = choice.choice(AMOUNTS)
        return {
            "source": source,
            "destination": destination,
            "amount": amount,
            "asset": choice.choice(ASSETS[: choice.randint(1, 3)]),
        }

    def _again(self) -> Write:
        return self.random.choice(self._keyed[-REMEMBERED:])

    def _metadata(self) -> dict[str, str]:
        choice = self.random
        if self._seldom(80):
            return {"nul": "\0"}
        return {
            choice.choice(NAMES[: choice.randint(1, 4)]): choice.choice(TEXTS)
            for _ in range(choice.randint(0, 2))
        }

    def _target(self, known: Known) -> str | int:
        if self.random.random() < 0.5:
            return self.random.choice((*ACCOUNTS[:3], *STRANGERS[:1]))
        return self._id(known)

    def _id(self, known: Known) -> int:
        last = known.transactions
        if self._seldom(12):
            return self.random.choice((0, last + 1, 10**6, 2**63))
        recent = self.random.random() < 0.5
        return self.random.randint(max(1, last - 5) if recent else 1, max(1, last))

    def _key(self, known: Known) -> str:
        """None, as a rule; one of few that grow with the ledger, so that many are new and many are used."""
        if self._seldom(60):
            return LONG_KEY
        if not self._seldom(5):
            return ""
        if self._seldom(8):
            return self.random.choice(ODD_KEYS)
        return f"k{self.random.randint(0, 4 + known.transactions)}"

    def _moment(self, known: Known) -> int:
        choice = self.random
        return choice.choice(
            (
                known.now,
                choice.choice(known.moments),
                choice.choice(known.moments) - 1,
                T0 - DAY,
                T0 - choice.randint(0, 5) * SECOND,
                known.now + choice.choice((1, DAY)),
            )
        )

    def _seldom(self, times: int) -> bool:
        return self.random.randrange(times) == 0


READS = ("accounts", "transactions", "volumes", "balances", "stats", "logs", "counts")
