"""Scripts on a ledger: what one would move, before it is posted (section 9.4, 9.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from bursar.engine.books import Books
from bursar.engine.kernel import Posting
from bursar.engine.ledger.errors import CompilationFailed
from bursar.engine.ledger.requests import CreateTransaction
from bursar.engine.ledger.settings import Settings


class Execution(Struct, frozen=True):
    """What a script did. `asked` are the balances that it looked at."""

    postings: Sequence[Posting]
    metadata: Mapping[str, str]
    account_metadata: Mapping[str, Mapping[str, str]]
    asked: Sequence[tuple[str, str]]


def execute(books: Books, request: CreateTransaction, settings: Settings, *, interprets: bool) -> Execution:
    """Run the request's script on the balances as they are now."""
    raise CompilationFailed("scripts are not available")
