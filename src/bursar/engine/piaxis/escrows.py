"""Escrows: opened, released, reversed, their terms fulfilled (PS43-PS75). All functions here run inside a command.

Every function first lets the clock act (`escrow_moves.load`), then asks the table of `escrow_states`, then moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from bursar.engine import limits
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import (
    allocations,
    escrow_actors,
    escrow_moves,
    escrow_terms,
    fees,
    money,
    payers,
    providers,
)
from bursar.engine.piaxis.allocations import Chosen
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.cards import refuse_card_numbers
from bursar.engine.piaxis.errors import Code, bad_request, conflict, invalid, not_found
from bursar.engine.piaxis.escrow_events import tell
from bursar.engine.piaxis.escrow_moves import Whole
from bursar.engine.piaxis.escrow_states import SHOWN, Event, State, after
from bursar.engine.piaxis.escrow_tables import ESCROWS, SLICES, TERMS, EscrowRow, SliceRow, TermRow, kept
from bursar.engine.piaxis.merchants import Reader, merchant_account
from bursar.engine.piaxis.payers import Payer
from bursar.engine.piaxis.providers import Behaviour, Handler, Owner
from bursar.engine.piaxis.tables import RULES, Instruction
from bursar.engine.piaxis.terms import parties
from bursar.engine.piaxis.terms.base import Evidence, Progress
from bursar.engine.piaxis.terms.places import BUYER
from bursar.engine.view import View
from bursar.piaxis.models.escrows import (
    FulfillTerm,
    NewAllocation,
    NewEscrow,
    ReleaseEscrow,
    ReverseEscrow,
)

OWNER: Final = "escrow"
"""Owner kind of an escrow's collection."""
_RESERVED: Final = ("external_order_id", "allocations")
"""Keys of an answer's metadata that are not the caller's (PS49)."""


def create(view: View, caller: Caller, asked: NewEscrow) -> Whole:
    """Open an escrow and have it funded. Raises `InvalidRequest` and `Refusal`."""
    currency = money.check_currency(asked.currency_code, ("body", "currency_code"))
    amount = money.minor(asked.amount, currency, ("body", "amount"))
    if asked.receiver_id not in (None, caller.merchant):
        message = "receiver_id must be the merchant's own account id, or absent"
        raise bad_request(Code.RECIPIENT_MISMATCH, message)
    _refuse_card_numbers(asked)
    payer = payers.read_payer(view, caller, asked.user_info)
    payers.check_method(asked.payment_method.value, payer)
    new_id = view.ids.uuid()
    slices = _slices(new_id, asked.allocations or [], currency)
    rest = allocations.check([(part.key, part.amount) for part in slices], amount, currency)
    rows = escrow_terms.opened(view, new_id, asked.terms, ("body", "terms"))
    row = _opened(view, caller, asked, new_id, payer, amount, rest)
    for part in slices:
        view.put(SLICES, part)
    return _collect(view, caller, Whole(save_new(view, row, rows), slices, rows), payer)


def save_new(view: View, row: EscrowRow, rows: Sequence[TermRow]) -> EscrowRow:
    """Store a new escrow with its terms, and tell of it."""
    view.put(ESCROWS, row)
    for term in rows:
        view.put(TERMS, term)
    tell(view, row, "created")
    return row


def own(reader: Reader, caller: Caller, id: str) -> EscrowRow:
    """Return the caller's escrow. Raises `Refusal`, the same for foreign and unknown ones (PS78, E15)."""
    row = reader.get(ESCROWS, id)
    if row is None or row.merchant != caller.merchant:
        raise not_found("escrow", id)
    if caller.key is None and row.customer != caller.user:
        raise not_found("escrow", id)  # a customer sees his own escrows only
    return row


def release(view: View, caller: Caller, id: str, asked: ReleaseEscrow) -> tuple[Whole, Chosen]:
    """Pay the receiver what the request names (PS52-PS64). Raises `InvalidRequest` and `Refusal`."""
    row = own(view, caller, id)
    escrow_actors.require_merchant(caller)
    refuse_card_numbers(asked.reason, ("body", "reason"))
    if asked.force:
        escrow_actors.require_owner(caller, asked.reason)
    whole = escrow_moves.load(view, row)
    after(id, whole.row.at, Event.RELEASE)
    chosen = _chosen(whole, asked.allocation_keys, asked)
    if not asked.force:
        check_met(whole)
    escrow_actors.customer_agrees(view, whole.row, asked.verification_code, asked.user_info, needed=False)
    return escrow_moves.release(view, whole, chosen, asked.reason), chosen


def check_met(whole: Whole) -> None:
    """Refuse a release while terms are not met (PS54)."""
    open_terms = escrow_terms.unmet(whole.terms, for_release=True)
    if open_terms:
        names = ", ".join(term.type for term in open_terms)
        raise conflict(
            f"terms are not met: {names}",
            "TERMS_NOT_MET",
            terms=[{"term_id": term.id, "term_type": term.type} for term in open_terms],
        )


def reverse(view: View, caller: Caller, id: str, asked: ReverseEscrow) -> tuple[Whole, Chosen]:
    """Give the sender back what the request names (PS64-PS66). Raises `InvalidRequest` and `Refusal`."""
    row = own(view, caller, id)
    escrow_actors.require_merchant(caller)
    refuse_card_numbers(asked.reason, ("body", "reason"))
    whole = escrow_moves.load(view, row)
    after(id, whole.row.at, Event.REVERSE)
    chosen = _chosen(whole, asked.allocation_keys, asked)
    earned = not escrow_terms.unmet(whole.terms)
    if earned and asked.verification_code is None:
        message = "all terms are met: release it, dispute it, or send the customer's OTP in verification_code"
        raise conflict(message, "TERMS_MET")
    escrow_actors.customer_agrees(view, whole.row, asked.verification_code, asked.user_info, needed=earned)
    return escrow_moves.reverse(view, whole, chosen, asked.reason), chosen


def fulfil(view: View, caller: Caller, id: str, term_id: str, asked: FulfillTerm) -> tuple[TermRow, Progress]:
    """Take evidence for a term (PS67-PS74). Raises `InvalidRequest` and `Refusal`."""
    row = own(view, caller, id)
    whole = escrow_moves.load(view, row)
    term = escrow_terms.of(whole.terms, row, term_id)
    _check_term(term, term_id, asked)
    if term.met_at is None:  # a met term answers the same, whatever came of the escrow (PS69)
        after(id, whole.row.at, Event.FULFIL)
    by_buyer = any(name.startswith(BUYER) for name in asked.data)
    if by_buyer and whole.row.is_payout:
        raise invalid(("body", "data"), "a payout has no buyer: say latitude and longitude")
    role = (
        row.merchant_role
        if term.met_at is not None
        else escrow_actors.role_of(view, caller, row, asked.user_info, for_customer=by_buyer)
    )
    _check_speaker(caller, row, asked)
    evidence = Evidence(asked.data, role, row.customer_role)
    progress = escrow_terms.fulfil(view, whole.row, term, evidence)
    if progress.met and term.met_at is None:
        escrow_moves.load(view, whole.row)  # sets the alarm anew, and may release by itself
    return term, progress


def wake(view: View, id: str) -> None:
    """Carry out a work item of kind `escrow_terms.ALARM`."""
    row = view.get(ESCROWS, id)
    if row is not None:
        escrow_moves.load(view, row)


def settled(view: View, instruction: Instruction) -> None:
    """The provider said what became of an escrow's collection (PS51)."""
    row = _known(view, instruction.owner_id)
    if instruction.outcome == "succeeded":
        whole = Whole(row, view.scan(SLICES, row.id), view.scan(TERMS, row.id))
        escrow_moves.fund(view, whole, book.rail(row.method))
    else:
        escrow_moves.cancel_unfunded(view, row, instruction.error)


def unknown(view: View, instruction: Instruction) -> None:
    """No outcome before the deadline: the escrow goes on waiting, and nothing is booked."""


HANDLER: Final = Handler(settled=settled, unknown=unknown)


def _collect(view: View, caller: Caller, whole: Whole, payer: Payer) -> Whole:
    """Have the money come, and then see that the payer agrees: a refusal gives his code back (PS25)."""
    row = whole.row
    charge = row.amount + (row.fee if row.payer_pays_fee else 0)
    if payer.user is not None and row.method in payers.WALLETS:
        whole = escrow_moves.fund(view, whole, book.available(payer.user))
    elif _is_instant(view, row):
        whole = escrow_moves.fund(view, whole, book.rail(row.method))
    else:
        owner = Owner(OWNER, row.id)
        instruction = providers.collect(
            view, rail=row.method, phone=row.phone, amount=charge, currency=row.currency, owner=owner
        )
        whole = whole._replace(row=replace(row, instruction=instruction))
        view.put(ESCROWS, whole.row)
    payers.consent(view, caller, payer, row.method, row.currency, charge)
    return whole


def _is_instant(view: View, row: EscrowRow) -> bool:
    """Whether funding is not waited for (E3): the profile says so, and the number asks for no other behaviour."""
    if merchant_account(view, row.merchant).settings.funding != "instant":
        return False
    rules = view.get(RULES, row.method)
    told = providers.behaviour_of(None if rules is None else rules.rules, "collect", row.phone)
    return told is Behaviour.OK


def _opened(
    view: View, caller: Caller, asked: NewEscrow, id: str, payer: Payer, amount: int, rest: int
) -> EscrowRow:
    metadata = _metadata(asked)
    method = asked.payment_method.value
    fee = fees.fee(view, fees.ESCROW, method, asked.currency_code, amount)
    payer_pays = bool(metadata and metadata.get("customer_pays_fees") is True)
    if fee > amount and not payer_pays:
        message = f"the fee of {money.show(fee, asked.currency_code)} is more than the amount"
        raise bad_request("FEE_EXCEEDS_AMOUNT", message)
    where = asked.user_location
    return EscrowRow(
        id=id,
        merchant=caller.merchant,
        state=State.AWAITING.value,
        shown=SHOWN[State.AWAITING],
        method=method,
        currency=asked.currency_code,
        amount=amount,
        created_at=view.now,
        updated_at=view.now,
        customer=payer.user,
        email=payer.email,
        phone=payer.phone,
        verified=True,  # by token or by OTP: `_collect` refuses anybody else
        fee=fee,
        payer_pays_fee=payer_pays,
        rest=rest,
        external_user_id=asked.external_user_id,
        external_order_id=asked.external_order_id,
        metadata=kept(metadata, ("body", "metadata")),
        location=kept(None if where is None else {"latitude": where.latitude, "longitude": where.longitude}),
    )


def _refuse_card_numbers(asked: NewEscrow) -> None:
    for name in ("metadata", "external_order_id", "external_user_id"):
        refuse_card_numbers(getattr(asked, name), ("body", name))
    for position, each in enumerate(asked.allocations or []):
        for name in ("allocation_key", "seller_reference", "description", "metadata"):
            refuse_card_numbers(getattr(each, name), ("body", "allocations", position, name))


def _metadata(asked: NewEscrow) -> dict[str, object] | None:
    """The caller's own keys. Raises `InvalidRequest` for those that the answer adds (PS49)."""
    if asked.metadata is None:
        return None
    clash = [name for name in _RESERVED if name in asked.metadata]
    if clash:
        message = f"metadata may not have {', '.join(clash)}: send it as a member of the request"
        raise invalid(("body", "metadata", clash[0]), message)
    return dict(asked.metadata)


def _slices(escrow: str, asked: Sequence[NewAllocation], currency: str) -> list[SliceRow]:
    if len(asked) > limits.ESCROW_ALLOCATIONS:
        raise invalid(("body", "allocations"), f"at most {limits.ESCROW_ALLOCATIONS} allocations", "too_long")
    return [
        SliceRow(
            escrow=escrow,
            position=position,
            key=each.allocation_key,
            amount=money.minor(each.amount, currency, ("body", "allocations", position, "amount")),
            seller_reference=each.seller_reference,
            description=each.description,
            metadata=kept(each.metadata, ("body", "allocations", position, "metadata")),
        )
        for position, each in enumerate(asked)
    ]


def _chosen(whole: Whole, keys: Sequence[str] | None, asked: ReleaseEscrow | ReverseEscrow) -> Chosen:
    amount = (
        None if asked.amount is None else money.minor(asked.amount, whole.row.currency, ("body", "amount"))
    )
    return whole.parts.choose(keys, amount)


def _check_term(term: TermRow, term_id: str, asked: FulfillTerm) -> None:
    if asked.term_id not in (None, term_id):
        raise invalid(("body", "term_id"), "term_id differs from the one in the path")
    if asked.term_type.value != term.type:
        raise invalid(("body", "term_type"), f"this term is a {term.type}", "enum")
    kept(asked.data, ("body", "data"))
    escrow_terms.refuse_cards(asked.data, ("body", "data"))


def _check_speaker(caller: Caller, row: EscrowRow, asked: FulfillTerm) -> None:
    """A customer's token alone speaks for nobody else."""
    named = parties.named(asked.data)
    if named is None or not escrow_actors.is_proved(caller, row):
        return
    if named[1] not in (row.customer, row.customer_role, *row.contacts):
        raise bad_request("CONTACT_MISMATCH", f"data.{named[0]} is somebody else than the token's user")


def _known(view: View, id: str) -> EscrowRow:
    row = view.get(ESCROWS, id)
    if row is None:
        raise not_found("escrow", id)
    return row
