"""Disbursements: batches of payouts out of the merchant's wallet (PS79-PS89).

A batch is pending, its money held, until it is carried out after the merchant's delay; then its internal items settle
at once and its external ones when their provider reports. pending -> processing -> completed | partially_completed |
failed, or pending -> cancelled. All functions here run inside a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from bursar.engine.errors import InsufficientFunds
from bursar.engine.idempotency import fingerprint
from bursar.engine.kernel import Posting
from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import fees, money, providers
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import InvalidRequest, Issue, Loc, conflict, invalid, no_money, not_found
from bursar.engine.piaxis.merchants import Reader, merchant_account
from bursar.engine.piaxis.providers import Handler, Owner
from bursar.engine.piaxis.tables import (
    ACCOUNTS,
    DISBURSEMENTS,
    ITEMS,
    QUOTES,
    Disbursement,
    Instruction,
    Item,
    QuoteRow,
    packed,
)
from bursar.engine.store.base import Wanted
from bursar.engine.view import View
from bursar.engine.webhooks.outbox import emit
from bursar.engine.work import Work
from bursar.piaxis.models.disbursements import MAX_RECIPIENTS, NewDisbursement, Recipient

START: Final = "piaxis.disbursement"
"""Kind of the work item that carries a batch out; its key is the batch's id."""
BATCH: Final = "disbursement"
"""Kind of a batch's postings."""
OWNER: Final = "disbursement_item"
"""Owner kind of an item's payout, and kind of its postings; its id is "<batch>:<position>"."""
QUOTED_FOR: Final = 900 * SECOND_US
"""How long quoted fees count for the same batch, in microseconds."""
EXPIRE: Final = "piaxis.quote"
"""Kind of the work item that forgets a quote."""

PENDING: Final = "pending"
PROCESSING: Final = "processing"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
COMPLETED: Final = "completed"
PARTLY: Final = "partially_completed"
OPEN: Final = frozenset({PENDING, PROCESSING})

RAILS: Final = frozenset({"mtn", "airtel", "bank"})
"""Methods by which a provider pays out."""
METHODS: Final = RAILS | {"card", "piaxis", "piaxis_external"}
_INTERNAL: Final = "piaxis"
"""Method by which fees of internal items are found."""


class Priced(msgspec.Struct, frozen=True):
    """A checked batch: amounts and fees of its recipients in minor units, in order."""

    method: str
    currency: str
    recipients: Sequence[Recipient]
    amounts: Sequence[int]
    fees: Sequence[int]

    @property
    def total(self) -> int:
        """What the recipients get."""
        return sum(self.amounts)

    @property
    def debit(self) -> int:
        """What the merchant pays: amounts and fees."""
        return self.total + sum(self.fees)


def price(view: View, caller: Caller, asked: NewDisbursement) -> Priced:
    """Check a batch and say what it costs: what it was quoted, if it was, else what the fees say now.

    Raises `InvalidRequest` that names every place (PS80).
    """
    refuse_card_numbers(asked.description, ("body", "description"))
    currency = money.check_currency(asked.currency, ("body", "currency"))
    method = asked.payment_method.value
    if method not in METHODS:
        known = ", ".join(sorted(METHODS))
        raise invalid(("body", "payment_method"), f"{method} pays nobody; known are {known}", "enum")
    amounts = _amounts(view, caller, asked, method, currency)
    quoted = view.get(QUOTES, caller.merchant, fingerprint(asked))
    if quoted is not None and view.now < quoted.expires_at:
        charges = msgspec.json.decode(quoted.fees, type=list[int])
    else:
        charges = [
            _fee(view, method, currency, *pair) for pair in zip(asked.recipients, amounts, strict=True)
        ]
    priced = Priced(method, currency, asked.recipients, amounts, charges)
    if priced.debit >= 2**63:
        raise invalid(("body", "recipients"), "the batch's total is too large", "less_than")
    return priced


def quote(view: View, caller: Caller, asked: NewDisbursement) -> tuple[Priced, int]:
    """Price a batch and keep the fees for it; return the price and when it expires. Holds nothing (PS89)."""
    priced = price(view, caller, asked)
    row = QuoteRow(caller.merchant, fingerprint(asked), packed(list(priced.fees)), view.now + QUOTED_FOR)
    view.put(QUOTES, row)
    view.schedule(Work(EXPIRE, f"{row.merchant} {row.fingerprint.hex()}", row.expires_at))
    return priced, row.expires_at


def forget_quote(view: View, key: str) -> None:
    """Carry out a work item of kind `EXPIRE`."""
    merchant, print_ = key.split(" ")
    row = view.get(QUOTES, merchant, bytes.fromhex(print_))
    if row is not None and row.expires_at <= view.now:
        view.delete(QUOTES, row.merchant, row.fingerprint)


def create(view: View, caller: Caller, asked: NewDisbursement) -> Disbursement:
    """Hold the money of a batch (PS82) and schedule it. Raises `InvalidRequest`, or `Refusal` without money (PS81)."""
    priced = price(view, caller, asked)
    batch = Disbursement(
        id=view.ids.uuid(),
        merchant=caller.merchant,
        status=PENDING,
        method=priced.method,
        currency=priced.currency,
        total=priced.total,
        fees=sum(priced.fees),
        count=len(priced.recipients),
        created_at=view.now,
        description=asked.description,
    )
    _hold(view, batch)
    view.put(DISBURSEMENTS, batch)
    for position, recipient in enumerate(priced.recipients):
        view.put(ITEMS, _item(batch.id, position, recipient, priced))
    delay = merchant_account(view, caller.merchant).settings.batch_delay_ms
    view.schedule(Work(START, batch.id, view.now + delay * 1000))
    return batch


def start(view: View, id: str) -> None:
    """Carry a batch out: settle its internal items, hand its external ones to their provider (PS83).

    One group of postings for the whole batch.
    """
    batch = view.get(DISBURSEMENTS, id)
    if batch is None or batch.status != PENDING:
        return
    items = view.scan(ITEMS, id)
    book.post(view, BATCH, id, "started", [entry for item in items for entry in _started(batch, item)])
    internal = 0
    for item in items:
        if item.recipient is not None:
            view.put(ITEMS, replace(item, status=SUCCEEDED))
            internal += 1
        else:
            _send(view, batch, item)
    batch = replace(batch, status=PROCESSING, succeeded=internal)
    view.put(DISBURSEMENTS, batch)
    _tell(view, batch)
    _finish(view, batch)


def cancel(view: View, caller: Caller, id: str, reason: str | None) -> Disbursement:
    """Cancel a batch that is pending; its money is free again (PS86, PS87). Raises `Refusal`."""
    batch = own(view, caller, id)
    if batch.status != PENDING:
        raise conflict(f"disbursement {id} is {batch.status}: only a pending one can be cancelled")
    held, available = book.held(batch.merchant), book.available(batch.merchant)
    entry = book.move(held, available, batch.total + batch.fees, batch.currency)
    book.post(view, BATCH, id, CANCELLED, [entry])
    for item in view.scan(ITEMS, id):
        view.put(ITEMS, replace(item, status=CANCELLED))
    view.unschedule(START, id)
    changed = replace(batch, status=CANCELLED, cancelled_at=view.now, cancellation_reason=reason)
    view.put(DISBURSEMENTS, changed)
    _tell(view, changed)
    return changed


def settled(view: View, instruction: Instruction) -> None:
    """The provider said what became of an item's payout (PS84)."""
    batch, item = _item_of(view, instruction)
    inflight, held = book.inflight(instruction.rail), book.held(batch.merchant)
    paid = instruction.outcome == "succeeded"
    if paid:
        entries = [
            book.move(inflight, book.rail(instruction.rail), item.amount, batch.currency),
            book.move(held, book.fee_income(fees.PAYOUT), item.fee, batch.currency),
        ]
        batch = replace(batch, succeeded=batch.succeeded + 1)
    else:
        available = book.available(batch.merchant)
        entries = [
            book.move(inflight, available, item.amount, batch.currency),
            book.move(held, available, item.fee, batch.currency),
        ]
        batch = replace(batch, failed=batch.failed + 1)
    status = SUCCEEDED if paid else FAILED
    book.post(view, OWNER, item.id, "settled", entries)
    view.put(ITEMS, replace(item, status=status, error=instruction.error))
    view.put(DISBURSEMENTS, batch)
    _finish(view, batch)


def unknown(view: View, instruction: Instruction) -> None:
    """No outcome before the deadline: the item stays under way, its money in flight, until there is evidence."""


HANDLER: Final = Handler(settled=settled, unknown=unknown)


def own(reader: Reader, caller: Caller, id: str) -> Disbursement:
    """Return the caller's batch. Raises `Refusal`, the same for foreign and unknown ones (E15)."""
    batch = reader.get(DISBURSEMENTS, id)
    if batch is None or batch.merchant != caller.merchant:
        raise not_found("disbursement", id)
    return batch


def event(batch: Disbursement) -> dict[str, Any]:
    """Return what a webhook tells about a batch."""
    return {
        "disbursement_id": batch.id,
        "status": batch.status,
        "total_amount": money.plain(batch.total, batch.currency),
        "currency": batch.currency,
        "recipient_count": batch.count,
        "successful_count": batch.succeeded,
        "failed_count": batch.failed,
        "pending_count": pending_count(batch),
    }


def pending_count(batch: Disbursement) -> int:
    """Return how many items are not finished; cancelled ones are in no counter (B6)."""
    return 0 if batch.status == CANCELLED else batch.count - batch.succeeded - batch.failed


def _amounts(view: View, caller: Caller, asked: NewDisbursement, method: str, currency: str) -> list[int]:
    """Return the amounts in minor units, with every recipient checked."""
    if not 1 <= len(asked.recipients) <= MAX_RECIPIENTS:
        raise invalid(("body", "recipients"), f"1 to {MAX_RECIPIENTS} recipients", "too_short")
    internal = {each.recipient_id for each in asked.recipients if each.recipient_id is not None}
    view.want(Wanted([(ACCOUNTS, (account,)) for account in sorted(internal)]))
    known = {account for account in internal if _can_receive(view, caller, account)}
    amounts: list[int] = []
    issues: list[Issue] = []
    for index, recipient in enumerate(asked.recipients):
        loc: Loc = ("body", "recipients", index)
        refuse_card_numbers(recipient.reference, (*loc, "reference"))
        try:
            amounts.append(money.minor(recipient.amount, currency, (*loc, "amount")))
        except InvalidRequest as refusal:
            issues.extend(refusal.issues)
        if recipient.recipient_id is not None:
            if recipient.recipient_id not in known:
                issues.append(
                    Issue((*loc, "recipient_id"), f"no account {recipient.recipient_id} can be paid")
                )
        elif recipient.phone_number is None:
            issues.append(Issue(loc, "recipient_id or phone_number is required", "missing"))
        elif method not in RAILS:
            text = f"{method} pays accounts only: give recipient_id, or pay by {', '.join(sorted(RAILS))}"
            issues.append(Issue((*loc, "phone_number"), text))
    if issues:
        raise InvalidRequest(issues)
    return amounts


def _can_receive(view: View, caller: Caller, id: str) -> bool:
    account = view.get(ACCOUNTS, id)
    return account is not None and account.disabled_at is None and id != caller.merchant


def _fee(view: View, method: str, currency: str, recipient: Recipient, amount: int) -> int:
    by = method if recipient.recipient_id is None else _INTERNAL
    return fees.fee(view, fees.PAYOUT, by, currency, amount)


def _item(batch: str, position: int, recipient: Recipient, priced: Priced) -> Item:
    return Item(
        disbursement=batch,
        position=position,
        status=PENDING,
        amount=priced.amounts[position],
        fee=priced.fees[position],
        recipient=recipient.recipient_id,
        email=recipient.email,
        phone=recipient.phone_number,
        reference=recipient.reference,
    )


def _hold(view: View, batch: Disbursement) -> None:
    available, held = book.available(batch.merchant), book.held(batch.merchant)
    needed = batch.total + batch.fees
    try:
        book.post(view, BATCH, batch.id, "held", [book.move(available, held, needed, batch.currency)])
    except InsufficientFunds as error:
        has = money.show(max(error.available, 0), batch.currency)
        raise no_money(
            f"the wallet can spend {has}, less than {money.show(needed, batch.currency)}"
        ) from None


def _started(batch: Disbursement, item: Item) -> list[Posting]:
    """An item's postings at the start; the fee of an external one stays held until its outcome."""
    held = book.held(batch.merchant)
    if item.recipient is None:
        return [book.move(held, book.inflight(batch.method), item.amount, batch.currency)]
    return [
        book.move(held, book.available(item.recipient), item.amount, batch.currency),
        book.move(held, book.fee_income(fees.PAYOUT), item.fee, batch.currency),
    ]


def _send(view: View, batch: Disbursement, item: Item) -> None:
    instruction = providers.payout(
        view,
        rail=batch.method,
        phone=item.phone,
        amount=item.amount,
        currency=batch.currency,
        owner=Owner(OWNER, item.id),
    )
    view.put(ITEMS, replace(item, status=PROCESSING, instruction=instruction))


def _finish(view: View, batch: Disbursement) -> None:
    """End a batch when nothing of it pends (PS85)."""
    if batch.succeeded + batch.failed < batch.count:
        return
    status = PARTLY if batch.succeeded and batch.failed else FAILED if batch.failed else COMPLETED
    changed = replace(batch, status=status, completed_at=view.now)
    view.put(DISBURSEMENTS, changed)
    _tell(view, changed)


def _tell(view: View, batch: Disbursement) -> None:
    emit(
        view,
        source="piaxis",
        owner=batch.merchant,
        type=f"disbursement.{batch.status}",
        object=f"disbursement:{batch.id}",
        data=event(batch),
    )


def _item_of(view: View, instruction: Instruction) -> tuple[Disbursement, Item]:
    batch_id, _, position = instruction.owner_id.rpartition(":")
    view.want(
        Wanted(
            [
                (DISBURSEMENTS, (batch_id,)),
                (ITEMS, (batch_id, int(position))),
                book.slot(OWNER, instruction.owner_id, "settled"),
            ]
        )
    )
    batch, item = view.get(DISBURSEMENTS, batch_id), view.get(ITEMS, batch_id, int(position))
    if batch is None or item is None:
        raise not_found("disbursement item", instruction.owner_id)
    return batch, item
