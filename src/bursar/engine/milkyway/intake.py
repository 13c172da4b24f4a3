"""Taking a payment in: every check, the row, the key, the postings and the first alarm, in one command (MS31-MS51)."""

from __future__ import annotations

import msgspec

from bursar.engine.books import REFERENCES
from bursar.engine.errors import IdempotencyMismatch
from bursar.engine.limits import SECOND_US
from bursar.engine.milkyway import audit, postings
from bursar.engine.milkyway.accounts import LEDGER
from bursar.engine.milkyway.exposure import admit, exposure
from bursar.engine.milkyway.keys import KEPT
from bursar.engine.milkyway.lifecycle import post_step, reference, save
from bursar.engine.milkyway.quotes import Asked, QuoteBook
from bursar.engine.milkyway.tables import KEYS, KeyRow, Payment, packed
from bursar.engine.milkyway.terms import Terms, caller_institution, terms_of
from bursar.engine.store.base import Wanted
from bursar.engine.view import SEQUENCES
from bursar.engine.work import Work
from bursar.engine.writer import View
from bursar.milkyway.models import PayRequest, TransactionStatus

PURGE = "milkyway.keys"
"""Kind of the work item that forgets the keys of one day; its key is the day's number since the epoch."""

DAY = 24 * 3600 * SECOND_US
FIRST_IDS = (10**9, 10**10)
"""Between which the first payment id is drawn; the others follow it (D18)."""

_IDS = "milkyway.payment"
_encode = msgspec.json.Encoder(decimal_format="number").encode


class KeyUse(msgspec.Struct, frozen=True):
    """An idempotency key with the fingerprint of the request that it came with."""

    key: str
    fingerprint: bytes


def take(view: View, client_id: str, request: PayRequest, use: KeyUse | None, quotes: QuoteBook) -> int:
    """Accept a payment and return its id; the id of the earlier one when the key was used for the same request.

    Raises `InvalidInput`, `ServiceDown` (nothing is accepted for a bank that is known to be down, MS51),
    `ExposureExceeded` and `IdempotencyMismatch`; then nothing is written and the key stays free (D4, MS49).
    """
    institution = caller_institution(view, client_id)
    if use is not None:
        earlier = _earlier(view, institution.id, use)
        if earlier is not None:
            return earlier
    payment_id = _next_id(view)
    terms = terms_of(view, request, quotes.held(Asked.of(institution.id, request), view.now))
    currency = terms.quote.currency_credit
    beyond = admit(exposure(view, institution.id, currency), terms.quote.charge)
    _accept(view, payment_id, institution.id, request, terms, over_limit=beyond)
    if use is not None:
        _bind(view, institution.id, use, payment_id)
    if beyond:
        audit.record(view, audit.ENGINE, "limit-alert", f"payment:{payment_id}", "beyond an alerting limit")
    return payment_id


def _next_id(view: View) -> int:
    """Draw the payment's id, and name the row that its first posting looks up.

    That row is never in memory, so the command runs twice; asking here makes the first run short.
    """
    first = view.ids.integer(*FIRST_IDS) if view.get(SEQUENCES, _IDS) is None else 0
    payment_id = view.next_id(_IDS, start=first)
    view.want(Wanted([(REFERENCES, (LEDGER, reference(payment_id, "accepted")))]))
    return payment_id


def _earlier(view: View, institution: str, use: KeyUse) -> int | None:
    """Return the payment that a key is bound to, if it is still remembered."""
    bound = view.get(KEYS, institution, use.key)
    if bound is None or view.now >= bound.created_at + KEPT:
        return None
    if bound.fingerprint != use.fingerprint:
        raise IdempotencyMismatch(
            f"this Idempotency-Key belongs to payment {bound.payment}, whose request was different; "
            "send the same request, or a new key for a new payment"
        )
    return bound.payment


def _accept(
    view: View, payment_id: int, institution: str, request: PayRequest, terms: Terms, *, over_limit: bool
) -> None:
    payment = Payment(
        id=payment_id,
        institution=institution,
        bank=terms.bank.id,
        service=terms.service.id,
        recipient=request.recipient_id,
        sender=request.sender_id,
        status=int(TransactionStatus.PENDING),
        quote=packed(terms.quote),
        created_at=view.now,
        updated_at=view.now,
        deadline_at=view.now + terms.service.stuck_after,
        data=_data(request),
        over_limit=over_limit,
        dispatch_at=view.now + terms.service.dispatch_delay,
    )
    post_step(view, payment, "accepted", postings.accepted(institution, terms.quote), step="accepted")
    save(view, payment)


def _data(request: PayRequest) -> str | None:
    if request.data is None:
        return None
    return _encode(request.data).decode()


def _bind(view: View, institution: str, use: KeyUse, payment_id: int) -> None:
    view.put(KEYS, KeyRow(institution, use.key, payment_id, use.fingerprint, view.now))
    day = view.now // DAY
    view.schedule(Work(kind=PURGE, key=str(day), due_at=(day + 1) * DAY + KEPT, payload={}))
