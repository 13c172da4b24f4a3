"""A year of a ledger's transactions, the same in each run: what `bench.ledger_size` fills a ledger with."""

from __future__ import annotations

import random

from bursar.engine.kernel import Posting
from bursar.engine.kernel.model import format_time
from bursar.engine.ledger.bulk import Element
from bursar.engine.ledger.requests import CreateTransaction

LEDGER = "bench"
BULK = 50
START_US = 1_735_689_600_000_000
"""1 January 2025."""
STEP_US = 31_000_000
"""Between two transactions: a million take a year."""
LATE_US = 3 * 86_400_000_000
"""Most by which a transaction is dated back."""
ASSET = "USD/2"


class Data:
    """What the ledger is filled with; `DESCRIPTION` says it in a line."""

    DESCRIPTION = (
        "of five transactions three pay in from world, two go between accounts; a quarter has two metadata keys, half a"
        " reference; one transfer in twelve is dated back by up to three days; a tenth of the accounts has two keys"
    )

    def __init__(self, accounts: int) -> None:
        self._accounts = accounts
        self._random = random.Random(7)
        self._paid_in = 0
        self.made = 0

    def address(self, number: int) -> str:
        """Return the address of an account: one in ten is a merchant's."""
        return f"merchants:{number:06d}:sales" if number % 10 == 3 else f"users:{number:06d}:main"

    def bulk(self, count: int) -> list[Element]:
        """Return the next transactions."""
        return [Element("CREATE_TRANSACTION", self._next()) for _ in range(count)]

    def _next(self) -> CreateTransaction:
        number = self.made
        self.made += 1
        described = None
        timestamp = START_US + number * STEP_US
        if number % 5 < 3:
            account = self._paid_in % self._accounts
            posting = Posting("world", self.address(account), 10_000, ASSET)
            if account % 10 == 0 and self._paid_in < self._accounts:
                tier = "gold" if account % 100 == 0 else "plain"
                described = {self.address(account): {"owner": f"owner-{account}", "tier": tier}}
            self._paid_in += 1
        else:
            source = self._random.randrange(min(self._paid_in, self._accounts))
            target = self._random.randrange(min(self._paid_in, self._accounts))
            posting = Posting(self.address(source), self.address(target), 1 + number % 100, ASSET)
            if number % 50 == 4 or number % 100 == 8:
                timestamp -= self._random.randrange(LATE_US)
        channel = "app" if number % 8 == 0 else "web"
        return CreateTransaction(
            postings=[posting],
            timestamp=timestamp,
            metadata={"order": f"order-{number}", "channel": channel} if number % 4 == 0 else {},
            reference=f"ref-{number}" if number % 2 == 0 else "",
            account_metadata=described,
        )

    def _spread(self, n: int, count: int) -> int:
        """A number below `count`, a different one for each `n`, all over the range."""
        return n * 7_919 * 31 % count

    def account(self, n: int) -> str:
        """Return an account of the older half: it was there at each `moment`."""
        return self.address(self._spread(n, min(self._paid_in, self._accounts) // 2))

    def number(self, n: int) -> int:
        """Return a transaction's id."""
        return 1 + self._spread(n, self.made)

    def moment(self, n: int) -> int:
        """Return a time of the younger half of the transactions, in microseconds."""
        half = self.made // 2
        return START_US + (half + self._spread(n, half)) * STEP_US

    def reference(self, n: int) -> str:
        """Return a reference that there is."""
        return f"ref-{self._spread(n, self.made) // 2 * 2}"

    def order(self, n: int) -> str:
        """Return a value of metadata that one transaction has."""
        return f"order-{self._spread(n, self.made) // 4 * 4}"

    def owner(self, n: int) -> str:
        """Return a value of metadata that one account has."""
        return f"owner-{self._spread(n, min(self._paid_in, self._accounts)) // 10 * 10}"


def shown_time(us: int) -> str:
    """Return a time as the API takes it."""
    return format_time(us)
