"""Scripts on a ledger: what one would move, before it is posted (sections 9.4, 9.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from bursar.engine import numscript
from bursar.engine.books import VOLUMES, Books
from bursar.engine.kernel import Posting
from bursar.engine.ledger.errors import (
    CompilationFailed,
    InsufficientFund,
    InterpreterParse,
    InterpreterRuntime,
    LedgerError,
    MachineFault,
    MetadataOverride,
    NoPostings,
    NotFound,
)
from bursar.engine.ledger.requests import CreateTransaction
from bursar.engine.ledger.settings import Settings
from bursar.engine.numscript import BalanceKey, NumscriptError, Outcome, RunError, ScriptCache
from bursar.engine.store.base import Wanted
from bursar.engine.view import View

_ANY_SCALE: Final = "/*"
_programs: Final = ScriptCache(numscript.parse)
_compiled: Final = ScriptCache(numscript.compile_script)


class Execution(Struct, frozen=True):
    """What a script did. `asked` are the balances that it looked at."""

    postings: Sequence[Posting]
    metadata: Mapping[str, str]
    account_metadata: Mapping[str, Mapping[str, str]]
    asked: Sequence[tuple[str, str]]


class _Store:
    """The books as a script asks them. It notes which balances it was asked for."""

    def __init__(self, view: View, ledger: str) -> None:
        self._view = view
        self._ledger = ledger
        self._books = Books(view, ledger)
        self.asked: dict[tuple[str, str], None] = {}

    def balances(self, wanted: Sequence[BalanceKey]) -> Mapping[BalanceKey, int]:
        """Current balances; of scales of an asset a ledger shows none (9.5)."""
        known = [key for key in wanted if not key.asset.endswith(_ANY_SCALE)]
        nothing = {key: 0 for key in wanted if key.asset.endswith(_ANY_SCALE)}
        self._view.want(
            Wanted([(VOLUMES, (self._ledger, str(key.account), str(key.asset))) for key in known])
        )
        self.asked |= {(str(key.account), str(key.asset)): None for key in known}
        return nothing | {key: self._books.volumes(key.account, key.asset).balance for key in known}

    def metadata(self, account: str, key: str) -> str | None:
        """One entry of an account's metadata."""
        known = self._books.account(account)
        if known is None:
            raise numscript.UnknownAccount(account)
        return known.metadata.get(key)


def execute(
    view: View, ledger: str, request: CreateTransaction, settings: Settings, *, interprets: bool
) -> Execution:
    """Run the request's script on the balances as they are now. Raises the errors of section 9.4."""
    store = _Store(view, ledger)
    try:
        outcome = _interpreted(request, store, settings) if interprets else _run_on_machine(request, store)
    except NumscriptError as error:
        raise _refusal(error, interprets=interprets) from None
    if not outcome.postings:
        raise NoPostings("numscript execution returned no postings")
    metadata = outcome.transaction_metadata_text()
    for key in request.metadata or ():
        if metadata.get(key):
            raise MetadataOverride(f"cannot override metadata '{key}'")
    # Names that the script computed are texts with a type of their own.
    postings = [Posting(str(p.source), str(p.destination), p.amount, str(p.asset)) for p in outcome.postings]
    accounts = {str(account): values for account, values in outcome.account_metadata.items()}
    return Execution(postings, metadata, accounts, list(store.asked))


def check_script(plain: str, *, interprets: bool) -> None:
    """Refuse a script that cannot be read. Raises CompilationFailed or InterpreterParse."""
    try:
        if interprets:
            _programs.get(plain).require_valid()
        else:
            _compiled.get(plain)
    except NumscriptError as error:
        raise _refusal(error, interprets=interprets) from None


def _interpreted(request: CreateTransaction, store: _Store, settings: Settings) -> Outcome:
    program = _programs.get(request.plain)
    return numscript.run(program, request.vars, store, settings.interpreter_flags, numscript.RELEASE_0_0_24)


def _run_on_machine(request: CreateTransaction, store: _Store) -> Outcome:
    return numscript.run_machine(_compiled.get(request.plain), request.vars, store)


def _refusal(error: NumscriptError, *, interprets: bool) -> LedgerError:
    kind = error.kind if isinstance(error, RunError) else ""
    text = _placed(error)
    if interprets:
        if kind == "MissingFundsErr":
            return InsufficientFund(text)
        return InterpreterRuntime(text) if kind else InterpreterParse(text)
    match kind:
        case "" | "ErrInvalidVars":
            return CompilationFailed(text)
        case "ErrInsufficientFund":
            return InsufficientFund(text)
        case "ErrNotFound":
            return NotFound(f"not found: {text}")
        case _:
            return MachineFault(text)


def _placed(error: NumscriptError) -> str:
    """The text of an error with its place, counted from 1."""
    if error.range is None:
        return error.message
    start = error.range.start
    return f"{error.message} (line {start.line + 1}, column {start.character + 1})"
