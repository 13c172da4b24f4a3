"""Escrow disbursements: one escrow for each recipient, paid out of the merchant's wallet (PS90-PS96).

The merchant is the sender, each beneficiary the receiver of an escrow that also answers on /escrows/{id}. All
functions here run inside a command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.errors import InsufficientFunds
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import (
    escrow_actors,
    escrow_batches,
    escrow_moves,
    escrow_terms,
    escrows,
    money,
)
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.disbursements import METHODS, RAILS
from bursar.engine.piaxis.errors import (
    InvalidRequest,
    Issue,
    Loc,
    Refusal,
    conflict,
    invalid,
    no_money,
    not_found,
)
from bursar.engine.piaxis.escrow_moves import Whole
from bursar.engine.piaxis.escrow_states import FINAL, SHOWN, State
from bursar.engine.piaxis.escrow_tables import (
    ESCROW_BATCHES,
    ESCROW_ITEMS,
    ESCROWS,
    EscrowBatch,
    EscrowItem,
    EscrowRow,
    kept,
)
from bursar.engine.piaxis.merchants import Reader
from bursar.engine.piaxis.tables import ACCOUNTS
from bursar.engine.store.base import Missing, Range, Wanted
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import View
from bursar.engine.webhooks.outbox import emit
from bursar.piaxis.models.disbursements import MAX_RECIPIENTS
from bursar.piaxis.models.escrow_disbursements import EscrowRecipient, NewEscrowDisbursement

KIND: Final = "escrow_disbursement"
"""Kind of a batch's postings."""

S = TypeVar("S")
T = TypeVar("T")


class Acted(Struct, frozen=True):
    """What became of one escrow of a batch: `outcome` is "released", "skipped" or "failed"."""

    item: EscrowItem
    outcome: str
    status: str
    reason: str | None = None


def create(
    view: View, caller: Caller, asked: NewEscrowDisbursement
) -> tuple[EscrowBatch, list[EscrowItem], list[EscrowRow]]:
    """Open the escrows of a batch and fund them all, or none. Raises `InvalidRequest`, or `Refusal` without money."""
    refuse_card_numbers(asked.description, ("body", "description"))
    currency = money.check_currency(asked.currency, ("body", "currency"))
    method = asked.payment_method.value
    if method not in METHODS:
        known = ", ".join(sorted(METHODS))
        raise invalid(("body", "payment_method"), f"{method} pays nobody; known are {known}", "enum")
    amounts = _amounts(view, caller, asked, method, currency)
    batch = EscrowBatch(
        id=view.ids.uuid(),
        merchant=caller.merchant,
        status=escrow_batches.PENDING,
        method=method,
        currency=currency,
        total=sum(amounts),
        count=len(amounts),
        created_at=view.now,
        description=asked.description,
    )
    if batch.total >= 2**63:
        raise invalid(("body", "recipients"), "the batch's total is too large", "less_than")
    view.put(ESCROW_BATCHES, batch)
    wholes = [_opened(view, batch, asked, position, amount) for position, amount in enumerate(amounts)]
    _pay(view, batch, wholes)
    rows = for_each(view, wholes, lambda whole: escrow_moves.funded(view, whole).row)
    items = [
        _item(view, batch, position, recipient, rows[position])
        for position, recipient in enumerate(asked.recipients)
    ]
    for item in items:
        view.put(ESCROW_ITEMS, item)
    batch = view.get(ESCROW_BATCHES, batch.id) or batch
    return batch, items, rows


def release(
    view: View, caller: Caller, id: str, *, force: bool, reason: str | None, escrow_ids: Sequence[str] | None
) -> tuple[EscrowBatch, list[Acted]]:
    """Release escrows of a batch, each for itself (PS91-PS94). Raises `InvalidRequest` and `Refusal`."""
    batch = own(view, caller, id)
    escrow_actors.require_merchant(caller)
    if force:
        escrow_actors.require_owner(caller, reason)
    refuse_card_numbers(reason, ("body", "reason"))
    items = _named(view, batch, escrow_ids)
    _want(view, items)
    acted = for_each(view, items, lambda item: _release_one(view, item, reason, force=force))
    count = sum(one.outcome == "released" for one in acted)
    batch = view.get(ESCROW_BATCHES, id) or batch
    if count:
        _tell(view, batch, "released", released_count=count, force=force, reason=reason)
    return batch, acted


def cancel(view: View, caller: Caller, id: str, reason: str | None) -> EscrowBatch:
    """Give back what the batch's escrows hold; released ones stay released (PS95).

    All or nothing. Raises `Refusal` when no escrow holds money any more, when one is disputed, or when the terms of
    one are all met, so that its beneficiary is owed it (PS66).
    """
    batch = own(view, caller, id)
    escrow_actors.require_merchant(caller)
    refuse_card_numbers(reason, ("body", "reason"))
    if batch.status != escrow_batches.PENDING:
        raise conflict(f"escrow disbursement {id} is {batch.status}: only a pending one can be cancelled")
    items = list(view.scan(ESCROW_ITEMS, id))
    _want(view, items)
    wholes = for_each(view, items, lambda item: _load(view, item))
    open_ones = [whole for whole in wholes if whole.row.at not in FINAL]
    _check_cancel(id, open_ones)
    why = reason or "the batch was cancelled"
    for_each(
        view,
        open_ones,
        lambda whole: escrow_moves.reverse(view, whole, whole.parts.choose(None, None), why),
    )
    found = view.get(ESCROW_BATCHES, id)
    assert found is not None
    changed = replace(found, cancelled_at=view.now, cancellation_reason=reason)
    view.put(ESCROW_BATCHES, changed)
    _tell(view, changed, "cancelled", reason=reason)
    return changed


def own(reader: Reader, caller: Caller, id: str) -> EscrowBatch:
    """Return the caller's batch. Raises `Refusal`, the same for foreign and unknown ones (E15)."""
    batch = reader.get(ESCROW_BATCHES, id)
    if batch is None or batch.merchant != caller.merchant:
        raise not_found("escrow disbursement", id)
    return batch


def event(batch: EscrowBatch) -> dict[str, Any]:
    """Return what a webhook tells about a batch."""
    return {
        "disbursement_id": batch.id,
        "status": batch.status,
        "total_amount": money.plain(batch.total, batch.currency),
        "currency": batch.currency,
        "recipient_count": batch.count,
        "successful_count": batch.released,
        "failed_count": 0,
        "pending_count": escrow_batches.pending_count(batch),
    }


def for_each(view: View, things: Iterable[S], act: Callable[[S], T]) -> list[T]:
    """Act on each and return what came of it. Rows that are not in memory are loaded for all at once.

    Each has ids of its own: otherwise those of one would depend on how far the ones before it came.
    """
    done: list[T] = []
    keys: list[tuple[AnyTable, Key]] = []
    ranges: list[Range] = []
    ids = view.ids
    base = ids.child(ids.integer(0, 2**63 - 1))
    for position, thing in enumerate(things):
        mark, view.ids = view.savepoint(), base.child(position)
        try:
            done.append(act(thing))
        except Missing as missing:
            view.roll_back(mark)
            keys.extend(missing.wanted.keys)
            ranges.extend(missing.wanted.ranges)
    view.ids = ids
    if keys or ranges:
        raise Missing(Wanted(list(dict.fromkeys(keys)), list(dict.fromkeys(ranges))))
    return done


def _release_one(view: View, item: EscrowItem, reason: str | None, *, force: bool) -> Acted:
    """Release one escrow; what stands against it is an answer, not an error (PS93, PS94)."""
    whole = _load(view, item)
    row = whole.row
    if row.at in FINAL:
        return Acted(item, "skipped", row.shown, f"it was {row.shown} before")
    if row.at is State.DISPUTED:
        return Acted(item, "failed", row.shown, "it is disputed until an operator has decided")
    if not force:
        try:
            escrows.check_met(whole)
        except Refusal as unmet:
            return Acted(item, "skipped", row.shown, unmet.message)
    whole = escrow_moves.release(view, whole, whole.parts.choose(None, None), reason)
    return Acted(item, "released", whole.row.shown)


def _load(view: View, item: EscrowItem) -> Whole:
    row = view.get(ESCROWS, item.escrow)
    assert row is not None
    return escrow_moves.load(view, row)


def _want(view: View, items: Sequence[EscrowItem]) -> None:
    view.want(Wanted([(ESCROWS, (item.escrow,)) for item in items]))


def _named(view: View, batch: EscrowBatch, escrow_ids: Sequence[str] | None) -> list[EscrowItem]:
    """The items of a batch, or of some of its escrows. Raises `InvalidRequest` for a foreign id (PS92)."""
    items = list(view.scan(ESCROW_ITEMS, batch.id))
    if escrow_ids is None:
        return items
    known = {item.escrow: item for item in items}
    issues = [
        Issue(("body", "escrow_ids", index), f"escrow {escrow} is not of this batch")
        for index, escrow in enumerate(escrow_ids)
        if escrow not in known
    ]
    if issues:
        raise InvalidRequest(issues)
    return [known[escrow] for escrow in dict.fromkeys(escrow_ids)]


def _check_cancel(id: str, open_ones: Sequence[Whole]) -> None:
    disputed = [whole.row.id for whole in open_ones if whole.row.at is not State.HELD]
    if disputed:
        message = f"escrow disbursement {id} has disputed escrows: {', '.join(disputed)}"
        raise conflict(message, "ESCROW_DISPUTED", escrow_ids=disputed)
    earned = [whole.row.id for whole in open_ones if not escrow_terms.unmet(whole.terms)]
    if earned:
        message = f"all terms of these escrows are met, release them first: {', '.join(earned)}"
        raise conflict(message, "TERMS_MET", escrow_ids=earned)
    if not open_ones:
        raise conflict(f"escrow disbursement {id} holds nothing any more")


def _amounts(
    view: View, caller: Caller, asked: NewEscrowDisbursement, method: str, currency: str
) -> list[int]:
    """Return the amounts in minor units, with every recipient checked (PS80)."""
    if not 1 <= len(asked.recipients) <= MAX_RECIPIENTS:
        raise invalid(("body", "recipients"), f"1 to {MAX_RECIPIENTS} recipients", "too_short")
    internal = {each.recipient_id for each in asked.recipients if each.recipient_id is not None}
    view.want(Wanted([(ACCOUNTS, (account,)) for account in sorted(internal)]))
    amounts: list[int] = []
    issues: list[Issue] = []
    for index, recipient in enumerate(asked.recipients):
        loc: Loc = ("body", "recipients", index)
        refuse_card_numbers(recipient.reference, (*loc, "reference"))
        try:
            amounts.append(money.minor(recipient.amount, currency, (*loc, "amount")))
        except InvalidRequest as refusal:
            issues.extend(refusal.issues)
        issues.extend(_route_issues(view, caller, recipient, method, index))
    if issues:
        raise InvalidRequest(issues)
    return amounts


def _route_issues(
    view: View, caller: Caller, recipient: EscrowRecipient, method: str, index: int
) -> list[Issue]:
    loc = ("body", "recipients", index)
    if recipient.recipient_id is not None:
        account = view.get(ACCOUNTS, recipient.recipient_id)
        if account is not None and account.disabled_at is None and account.id != caller.merchant:
            return []
        return [Issue((*loc, "recipient_id"), f"no account {recipient.recipient_id} can be paid")]
    if recipient.phone_number is None:
        return [Issue(loc, "recipient_id or phone_number is required", "missing")]
    if method not in RAILS:
        text = f"{method} pays accounts only: give recipient_id, or pay by {', '.join(sorted(RAILS))}"
        return [Issue((*loc, "phone_number"), text)]
    return []


def _opened(
    view: View, batch: EscrowBatch, asked: NewEscrowDisbursement, position: int, amount: int
) -> Whole:
    recipient, where = asked.recipients[position], asked.user_location
    new_id = view.ids.uuid()
    rows = escrow_terms.opened(view, new_id, recipient.terms, ("body", "recipients", position, "terms"))
    row = EscrowRow(
        id=new_id,
        merchant=batch.merchant,
        state=State.AWAITING.value,
        shown=SHOWN[State.AWAITING],
        method=batch.method,
        currency=batch.currency,
        amount=amount,
        created_at=view.now,
        updated_at=view.now,
        customer=recipient.recipient_id,
        email=recipient.email,
        phone=recipient.phone_number,
        verified=False,
        batch=batch.id,
        rest=amount,
        location=kept(None if where is None else {"latitude": where.latitude, "longitude": where.longitude}),
    )
    return Whole(escrows.save_new(view, row, rows), [], rows)


def _pay(view: View, batch: EscrowBatch, wholes: Sequence[Whole]) -> None:
    """Move the money of all escrows out of the merchant's wallet, in one group of postings (B16)."""
    wallet = book.available(batch.merchant)
    entries = [
        book.move(wallet, book.escrow(whole.row.id, None), whole.row.amount, batch.currency)
        for whole in wholes
    ]
    try:
        book.post(view, KIND, batch.id, "funded", entries)
    except InsufficientFunds as error:
        has = money.show(max(error.available, 0), batch.currency)
        needed = money.show(batch.total, batch.currency)
        raise no_money(f"the wallet can spend {has}, less than {needed}") from None


def _item(
    view: View, batch: EscrowBatch, position: int, recipient: EscrowRecipient, row: EscrowRow
) -> EscrowItem:
    return EscrowItem(
        batch=batch.id,
        position=position,
        id=view.ids.uuid(),
        escrow=row.id,
        amount=row.amount,
        terms=len(recipient.terms),
        recipient=recipient.recipient_id,
        email=recipient.email,
        phone=recipient.phone_number,
        reference=recipient.reference,
    )


def _tell(view: View, batch: EscrowBatch, type: str, **more: Any) -> None:
    emit(
        view,
        source="piaxis",
        owner=batch.merchant,
        type=f"{KIND}.{type}",
        object=f"{KIND}:{batch.id}",
        data=event(batch) | more,
    )
