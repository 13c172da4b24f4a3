"""On what terms a payment would be made now: every check that precheck and pay share (MS15-MS25, MS29, MS32)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from bursar.engine.currency import to_minor
from bursar.engine.errors import FieldError, InvalidInput
from bursar.engine.milkyway.errors import ServiceDown, UnknownInstitution
from bursar.engine.milkyway.quote import Commission, Quote, Rate, price
from bursar.engine.milkyway.reader import Reader
from bursar.engine.milkyway.schemas import check_data
from bursar.engine.milkyway.simulator import Behaviour, behaviour_of, is_down
from bursar.engine.milkyway.tables import (
    ANY,
    COMMISSIONS,
    INSTITUTIONS,
    RATES,
    SERVICES,
    SIMULATOR,
    Institution,
    Service,
)
from bursar.milkyway.models import PayRequest, PrecheckRequest

SIMULATED = "simulated"
MANUAL = "manual"


class Terms(msgspec.Struct, frozen=True):
    """Where a payment goes and what it costs."""

    bank: Institution
    service: Service
    quote: Quote


def caller_institution(reader: Reader, client_id: str) -> Institution:
    """Return the institution that an access token speaks for (MS10). Raises `UnknownInstitution`."""
    institution = reader.get(INSTITUTIONS, client_id)
    if institution is None or not institution.enabled:
        raise UnknownInstitution(f"client {client_id} is no active institution of this hub")
    return institution


def terms_of(reader: Reader, request: PrecheckRequest | PayRequest, held: Quote | None = None) -> Terms:
    """Check a request and price it, at the `held` quote if there is one that still fits.

    Raises `InvalidInput` for whatever the caller can mend, `ServiceDown` when the bank cannot be reached.
    """
    bank, service = _addressee(reader, request)
    amount = to_minor(request.amount_credit, request.currency_credit, "/amount_credit")
    if amount == 0:
        raise _refused("/amount_credit", "amount_credit must be > 0")
    check_data(service.schema, request.data)
    quote = _quote(reader, request.currency_credit, amount, service, held)
    _ask_bank(reader, bank, service, request.recipient_id)
    return Terms(bank, service, quote)


def check_up(reader: Reader, bank: Institution, service: Service) -> None:
    """Raise `ServiceDown` when a service takes no payments now, whoever the recipient (MS12)."""
    if service.down_reason is not None:
        raise ServiceDown(f"Service {service.id} of {bank.id} is down: {service.down_reason}")
    if not bank.enabled:
        raise ServiceDown(f"Service {service.id} of {bank.id} is down: the bank is disabled")
    if bank.connector == SIMULATED and is_down(_rules(reader, bank.id), service.id):
        raise ServiceDown(f"Service {service.id} of {bank.id} is down: the bank cannot be reached")


def bank_behaviour(reader: Reader, bank: str, service: str, recipient: str) -> Behaviour:
    """Return how a simulated bank treats a recipient now."""
    return behaviour_of(_rules(reader, bank), service, recipient)


def _addressee(reader: Reader, request: PrecheckRequest | PayRequest) -> tuple[Institution, Service]:
    bank = reader.get(INSTITUTIONS, request.third_party_id_debit)
    if bank is None:
        raise _refused("/third_party_id_debit", f"there is no bank {request.third_party_id_debit}")
    service = reader.get(SERVICES, bank.id, request.service_id)
    if service is None:
        raise _refused("/service_id", f"bank {bank.id} has no service {request.service_id}")
    return bank, service


def _quote(reader: Reader, currency: str, amount: int, service: Service, held: Quote | None) -> Quote:
    if held is not None and held.amount_credit == amount and held.currency_debit == service.currency:
        return held
    rate = _rate(reader, currency, service.currency)
    return price(amount, currency, service.currency, rate, _commission(reader, service, currency))


def _rate(reader: Reader, currency_credit: str, currency_debit: str) -> Rate:
    row = reader.get(RATES, currency_credit, currency_debit)
    if row is not None:
        return row.value
    if currency_credit == currency_debit:
        # MS18: one for one, unless an operator set a markup for the pair.
        return Rate(mid=Decimal(1))
    raise _refused("/currency_credit", f"there is no rate from {currency_credit} to {currency_debit}")


def _commission(reader: Reader, service: Service, currency: str) -> Commission:
    """Return the most specific rule; without any, nothing is charged."""
    for bank, name in ((service.bank, service.id), (service.bank, ANY), (ANY, ANY)):
        row = reader.get(COMMISSIONS, bank, name, currency)
        if row is not None:
            return row.value
    return Commission()


def _ask_bank(reader: Reader, bank: Institution, service: Service, recipient: str) -> None:
    """Raise what the recipient's bank would answer before a payment (MS29). A manual bank cannot be asked."""
    check_up(reader, bank, service)
    if bank.connector != SIMULATED:
        return
    match bank_behaviour(reader, bank.id, service.id, recipient):
        case Behaviour.DOWN:
            raise ServiceDown(f"bank {bank.id} cannot be reached; nothing was paid, try again later")
        case Behaviour.UNKNOWN:
            raise _refused("/recipient_id", f"bank {bank.id} does not know this recipient")
        case _:
            return


def _rules(reader: Reader, bank: str) -> str | None:
    row = reader.get(SIMULATOR, bank)
    return None if row is None else row.rules


def _refused(pointer: str, message: str) -> InvalidInput:
    return InvalidInput(message, errors=[FieldError(pointer, message)])
