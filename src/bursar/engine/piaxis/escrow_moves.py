"""Money into and out of an escrow, and the state that follows: one command, one group of postings (B16).

All functions take the escrow whole (`Whole`), as it is after `escrow_terms.catch_up`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from bursar.engine.errors import InsufficientFunds
from bursar.engine.kernel import Posting
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import escrow_batches, escrow_terms, fees, money, refunds
from bursar.engine.piaxis.allocations import PENDING, RELEASED, REVERSED, Chosen, Parts, Slice
from bursar.engine.piaxis.errors import no_money
from bursar.engine.piaxis.escrow_events import tell
from bursar.engine.piaxis.escrow_states import FINAL, SHOWN, Event, State, after, emptied
from bursar.engine.piaxis.escrow_tables import ESCROWS, SLICES, TERMS, EscrowRow, SliceRow, TermRow
from bursar.engine.piaxis.merchants import merchant_account
from bursar.engine.piaxis.terms.base import Role
from bursar.engine.store.base import Range, Wanted
from bursar.engine.view import View

KIND: Final = "escrow"
"""Kind of an escrow's postings, and of the refunds that come of it."""

Cut = tuple[str | None, int, int]
"""A piece that goes: slice key (None: the rest), minor units to the receiver, minor units to the sender."""


class Whole(NamedTuple):
    """An escrow with its slices and terms."""

    row: EscrowRow
    slices: Sequence[SliceRow]
    terms: Sequence[TermRow]

    @property
    def parts(self) -> Parts:
        """What can be chosen from."""
        parts = [Slice(each.key, each.amount, each.status) for each in self.slices]
        return Parts(self.row.currency, parts, self.row.rest)


def load(view: View, row: EscrowRow) -> Whole:
    """Return an escrow whole, with what the clock has brought done."""
    view.want(Wanted(ranges=[Range(SLICES, (row.id,)), Range(TERMS, (row.id,))]))
    slices, terms = view.scan(SLICES, row.id), view.scan(TERMS, row.id)
    whole = Whole(row, slices, escrow_terms.catch_up(view, row, terms))
    return auto_release(view, whole)


def fund(view: View, whole: Whole, source: str) -> Whole:
    """The money is here: from the provider, or from the sender's wallet. Raises `Refusal` for a poor wallet (402)."""
    row = whole.row
    entries = [
        book.move(source, book.escrow(row.id, part.key), part.amount, row.currency) for part in whole.slices
    ]
    entries.append(book.move(source, book.escrow(row.id, None), row.rest, row.currency))
    entries.append(book.move(source, book.fee_income(fees.ESCROW), _fee_on_top(row), row.currency))
    try:
        book.post(view, KIND, row.id, "funded", entries)
    except InsufficientFunds as error:
        has = money.show(max(error.available, 0), row.currency)
        needed = money.show(row.amount + _fee_on_top(row), row.currency)
        raise no_money(f"the wallet can spend {has}, less than {needed}") from None
    return funded(view, whole)


def funded(view: View, whole: Whole) -> Whole:
    """Change a new escrow's state after its money was posted, tell of it, and start its clocks."""
    row = _save(
        view,
        whole.row,
        after(whole.row.id, whole.row.at, Event.FUNDED),
        funded_at=view.now,
        fee_taken=_fee_on_top(whole.row),
    )
    terms = escrow_terms.started(whole.terms, view.now)
    for term in terms:
        view.put(TERMS, term)
    tell(view, row, "funded")
    return auto_release(view, Whole(row, whole.slices, escrow_terms.catch_up(view, row, terms)))


def auto_release(view: View, whole: Whole) -> Whole:
    """Release an escrow whose terms are all met, if its merchant wants that (PS75)."""
    row = whole.row
    if row.at is not State.HELD or escrow_terms.unmet(whole.terms):
        return whole
    if not merchant_account(view, row.merchant).settings.auto_release:
        return whole
    return release(view, whole, whole.parts.choose(None, None), "all terms are met")


def release(view: View, whole: Whole, chosen: Chosen, reason: str | None) -> Whole:
    """Pay the receiver."""
    cuts = [(key, amount, 0) for key, amount in _pieces(whole, chosen)]
    changed = _settle(view, whole, Event.RELEASE, cuts, reason)
    tell(view, changed.row, "released", **_told(changed, chosen, reason))
    return changed


def reverse(view: View, whole: Whole, chosen: Chosen, reason: str | None) -> Whole:
    """Give the sender back."""
    cuts = [(key, 0, amount) for key, amount in _pieces(whole, chosen)]
    changed = _settle(view, whole, Event.REVERSE, cuts, reason)
    tell(view, changed.row, "reversed", **_told(changed, chosen, reason))
    return changed


def resolve(view: View, whole: Whole, release_amount: int, reason: str) -> Whole:
    """Split all that a disputed escrow holds: so much to the receiver, the rest to the sender (E9)."""
    return _settle(view, whole, Event.RESOLVE, whole.parts.split(release_amount), reason)


def cancel_unfunded(view: View, row: EscrowRow, error: str | None) -> EscrowRow:
    """The money will not come (PS51): slices count as reversed, so that nothing seems to be awaited."""
    state = after(row.id, row.at, Event.FUNDING_FAILED)
    for part in view.scan(SLICES, row.id):
        why = f"funding failed: {error or 'no reason given'}"
        view.put(SLICES, replace(part, status=REVERSED, status_reason=why, status_updated_at=view.now))
    changed = _save(view, row, state, error=error, rest=0)
    tell(view, changed, "cancelled", failure_reason=error)
    return changed


def move_to(view: View, whole: Whole, event: Event, dispute: str | None) -> Whole:
    """Change a state without money: a dispute opens, or is dismissed."""
    row = _save(view, whole.row, after(whole.row.id, whole.row.at, event), dispute=dispute)
    return whole._replace(row=row)


def wallet_of(row: EscrowRow, role: Role) -> str | None:
    """Return the wallet of a side; None for a customer without account."""
    account = row.merchant if role == row.merchant_role else row.customer
    return None if account is None else book.available(account)


def shown_reversed(row: EscrowRow) -> int:
    """Return how much counts as reversed: of an escrow that was never funded, all."""
    return row.amount if row.at is State.CANCELLED else row.reversed


def _settle(view: View, whole: Whole, event: Event, cuts: Sequence[Cut], reason: str | None) -> Whole:
    """Move pieces of an escrow and change its state. Raises `Refusal` for an illegal edge."""
    row = whole.row
    state = after(row.id, row.at, event)
    forward, back = sum(cut[1] for cut in cuts), sum(cut[2] for cut in cuts)
    changed = replace(
        row,
        released=row.released + forward,
        reversed=row.reversed + back,
        rest=row.rest - sum(cut[1] + cut[2] for cut in cuts if cut[0] is None),
        steps=row.steps + 1,
        dispute=None,
    )
    state = emptied(state, changed.amount - changed.released - changed.reversed, changed.released)
    fee = _fee_at_release(row, forward)
    returned = _fee_returned(view, row, state)
    step = f"{event.name.lower()}-{changed.steps}"
    book.post(view, KIND, row.id, step, _entries(row, cuts, fee, returned))
    slices = [_cut_slice(view, part, cuts, reason) for part in whole.slices]
    changed = _save(view, changed, state, fee_taken=row.fee_taken + fee - returned)
    _pay_customer(view, row, forward, back + returned)
    return _finished(view, whole._replace(row=changed, slices=slices), forward)


def _entries(row: EscrowRow, cuts: Sequence[Cut], fee: int, returned: int) -> list[Posting]:
    receiver = wallet_of(row, "receiver") or book.refund_payable(row.id)
    sender = wallet_of(row, "sender") or book.refund_payable(row.id)
    income = book.fee_income(fees.ESCROW)
    entries: list[Posting] = []
    for key, forward, back in cuts:
        account = book.escrow(row.id, key)
        entries.append(book.move(account, receiver, forward, row.currency))
        entries.append(book.move(account, sender, back, row.currency))
    entries.append(book.move(receiver, income, fee, row.currency))
    entries.append(book.move(income, sender, returned, row.currency))
    return entries


def _pay_customer(view: View, row: EscrowRow, forward: int, back: int) -> None:
    """Hand what a customer without account gets to the provider; what fails stays visible in refund:payable (PS65)."""
    amount = forward if row.is_payout else back
    if row.customer is None and amount:
        refunds.start(
            view,
            object_kind=KIND,
            object_id=row.id,
            merchant=row.merchant,
            rail=row.method,
            phone=row.phone,
            currency=row.currency,
            amount=amount,
        )


def _finished(view: View, whole: Whole, forward: int) -> Whole:
    """Do what the end of an escrow brings."""
    row = whole.row
    if row.at in FINAL:
        if forward:
            escrow_terms.met_by_release(view, whole.terms)
        if row.batch is not None:
            escrow_batches.count(view, row.batch, row.at)
    escrow_terms.set_alarm(view, row, whole.terms)
    return whole


def _pieces(whole: Whole, chosen: Chosen) -> list[tuple[str | None, int]]:
    amounts = {part.key: part.amount for part in whole.slices}
    pieces: list[tuple[str | None, int]] = [(key, amounts[key]) for key in chosen.keys]
    return [*pieces, (None, chosen.rest)] if chosen.rest else pieces


def _cut_slice(view: View, part: SliceRow, cuts: Sequence[Cut], reason: str | None) -> SliceRow:
    cut = next((cut for cut in cuts if cut[0] == part.key), None)
    if cut is None:
        return part
    assert part.status == PENDING
    status = RELEASED if cut[1] else REVERSED
    changed = replace(part, status=status, status_reason=reason, status_updated_at=view.now)
    view.put(SLICES, changed)
    return changed


def _fee_on_top(row: EscrowRow) -> int:
    return row.fee if row.payer_pays_fee else 0


def _fee_at_release(row: EscrowRow, forward: int) -> int:
    """The merchant's fee comes out of the first money that he gets (E11)."""
    return 0 if row.payer_pays_fee else min(row.fee - row.fee_taken, forward)


def _fee_returned(view: View, row: EscrowRow, state: State) -> int:
    """A payer who got everything back gets his fee back, too, if the merchant's profile says so (E12)."""
    if state is not State.REVERSED or not row.payer_pays_fee:
        return 0
    return row.fee_taken if merchant_account(view, row.merchant).settings.return_fees else 0


def _told(whole: Whole, chosen: Chosen, reason: str | None) -> dict[str, object]:
    return {
        "moved_amount": money.plain(chosen.amount, whole.row.currency),
        "allocation_keys": list(chosen.keys) or None,
        "reason": reason,
    }


def _save(view: View, row: EscrowRow, state: State, /, **changes: object) -> EscrowRow:
    changed = replace(row, state=state.value, shown=SHOWN[state], updated_at=view.now, **changes)
    view.put(ESCROWS, changed)
    return changed
