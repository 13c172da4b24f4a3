"""What must hold between escrows' rows and the book at every moment (PS61, PS62, B16). Part of the rail's check."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from bursar.engine.books import VOLUMES
from bursar.engine.currency import asset
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import escrow_batches, escrow_terms, fees
from bursar.engine.piaxis.allocations import PENDING, REVERSED
from bursar.engine.piaxis.escrow_states import FINAL, FUNDED, SHOWN, State
from bursar.engine.piaxis.escrow_tables import (
    DISPUTES,
    ESCROW_BATCHES,
    ESCROW_ITEMS,
    ESCROWS,
    SLICES,
    TERMS,
    EscrowBatch,
    EscrowRow,
    SliceRow,
    TermRow,
)
from bursar.engine.piaxis.tables import INSTRUCTIONS
from bursar.engine.verify import Damage
from bursar.engine.view import ReadView
from bursar.engine.work import WORK

Balances = defaultdict[tuple[str, str], int]
"""(account, asset) -> balance."""
_CLAIMED = ("escrow:", "income:fee:escrow")
"""Beginnings of the accounts whose balance follows from escrows' rows."""


def check(view: ReadView) -> Iterator[Damage]:
    """Yield one damage for each place where an invariant does not hold."""
    expected: Balances = defaultdict(int)
    for row in view.scan(ESCROWS):
        slices, terms = list(view.scan(SLICES, row.id)), list(view.scan(TERMS, row.id))
        _expect(expected, row, slices)
        yield from _check_figures(row, slices)
        yield from _check_state(view, row)
        yield from _check_alarm(view, row, terms)
    for batch in view.scan(ESCROW_BATCHES):
        yield from _check_batch(view, batch)
    yield from _check_balances(view, expected)


def _expect(expected: Balances, row: EscrowRow, slices: Sequence[SliceRow]) -> None:
    unit = asset(row.currency)
    expected[book.fee_income(fees.ESCROW), unit] += row.fee_taken
    if row.at in FUNDED:
        expected[book.escrow(row.id, None), unit] += row.rest
        for part in slices:
            if part.status == PENDING:
                expected[book.escrow(row.id, part.key), unit] += part.amount


def _check_balances(view: ReadView, expected: Balances) -> Iterator[Damage]:
    for volumes in view.scan(VOLUMES, book.LEDGER):
        if volumes.account.startswith(_CLAIMED):
            balance, due = volumes.input - volumes.output, expected.pop((volumes.account, volumes.asset), 0)
            if balance != due:
                where = f"{volumes.account} {volumes.asset}"
                yield Damage("balance", where, f"{due} by the rows", str(balance))
    for (account, unit), due in expected.items():
        if due:
            yield Damage("balance", f"{account} {unit}", f"{due} by the rows", "no such account")


def _check_figures(row: EscrowRow, slices: Sequence[SliceRow]) -> Iterator[Damage]:
    """What has gone and what is left are the whole; slices and rest are what is left."""
    where = f"escrow {row.id}"
    left = row.rest + sum(part.amount for part in slices if part.status == PENDING)
    due = 0 if row.at is State.CANCELLED else row.amount - row.released - row.reversed
    if left != due:
        yield Damage("escrow figures", where, f"{due} in slices and rest", str(left))
    if min(row.released, row.reversed, row.rest) < 0 or row.released + row.reversed > row.amount:
        found = f"{row.released} + {row.reversed} + {row.rest}"
        yield Damage("escrow figures", where, f"parts of {row.amount}", found)
    if row.at is State.CANCELLED and any(part.status != REVERSED for part in slices):
        yield Damage("escrow figures", where, "all slices reversed", "others")


def _check_state(view: ReadView, row: EscrowRow) -> Iterator[Damage]:
    """The state follows from the figures, the dispute and what the provider said."""
    where = f"escrow {row.id}"
    gone = row.released + row.reversed == row.amount
    ends = {State.RELEASED: row.released > 0, State.REVERSED: row.released == 0}
    if (row.at in ends) != gone or not ends.get(row.at, True):
        yield Damage("escrow state", where, "final when nothing is held", row.state)
    if (row.funded_at is not None) != (row.at not in (State.AWAITING, State.CANCELLED)):
        yield Damage("escrow state", where, "a time of funding iff it was funded", row.state)
    if row.shown != SHOWN[row.at]:
        yield Damage("escrow state", where, SHOWN[row.at], row.shown)
    dispute = None if row.dispute is None else view.get(DISPUTES, row.dispute)
    is_open = dispute is not None and dispute.outcome is None
    if is_open != (row.at is State.DISPUTED):
        yield Damage("escrow dispute", where, "open while the escrow is disputed", f"{is_open}, {row.state}")
    told = None if row.instruction is None else view.get(INSTRUCTIONS, row.instruction)
    if told is not None:
        due = {None: "awaiting", "failed": "cancelled"}.get(told.outcome, "funded")
        found = row.state if row.at in (State.AWAITING, State.CANCELLED) else "funded"
        if found != due:
            yield Damage("escrow funding", where, due, row.state)


def _check_alarm(view: ReadView, row: EscrowRow, terms: Sequence[TermRow]) -> Iterator[Damage]:
    """The clock will act on every escrow that it has something to do with."""
    following = escrow_terms.next_due(row, terms)
    work = view.get(WORK, escrow_terms.ALARM, row.id)
    alive = work is not None and not work.dead
    if alive != (following is not None):
        yield Damage("alarm", f"escrow {row.id}", f"due at {following}", f"work {alive}")


def _check_batch(view: ReadView, batch: EscrowBatch) -> Iterator[Damage]:
    """Figures and status of a batch are those of its escrows."""
    where = f"escrow disbursement {batch.id}"
    states: Counter[State] = Counter()
    total = 0
    for item in view.scan(ESCROW_ITEMS, batch.id):
        row = view.get(ESCROWS, item.escrow)
        if row is None or row.batch != batch.id or row.amount != item.amount:
            yield Damage("batch item", f"{where} item {item.position}", "an escrow of the batch", item.escrow)
        else:
            states[row.at] += 1
            total += row.amount
    due = (states.total(), total, sum(states[state] for state in FINAL), states[State.RELEASED])
    found = (batch.count, batch.total, batch.final, batch.released)
    if due != found or batch.status != escrow_batches.status_of(batch):
        yield Damage("batch figures", where, f"{due} by its escrows", f"{found}, {batch.status}")
