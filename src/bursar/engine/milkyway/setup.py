"""Changing how the hub is set up: institutions, services, rates, commissions, limits, simulator rules.

All run inside a command, check what they are given and write an audit row. `who` is the operator.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from bursar.engine.currency import digits, to_minor
from bursar.engine.errors import FieldError, InvalidInput, NotFound
from bursar.engine.limits import SIMULATOR_RULES
from bursar.engine.milkyway import audit
from bursar.engine.milkyway.schemas import check_schema
from bursar.engine.milkyway.simulator import Behaviour, Rule
from bursar.engine.milkyway.tables import (
    ANY,
    COMMISSIONS,
    INSTITUTIONS,
    LIMITS,
    RATES,
    SERVICES,
    SIMULATOR,
    CommissionRow,
    Institution,
    Limit,
    RateRow,
    Service,
    SimulatorRules,
)
from bursar.engine.writer import View
from bursar.milkyway import operator as contract

MID_DIGITS = 20
"""Most significant digits of a mid rate, and how far it may be from one, in powers of ten. Shares have no more digits
either, nor more decimals: arithmetic with them must stay exact."""

MILLISECOND = 1000
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def put_institution(view: View, who: str, id: str, settings: contract.InstitutionSettings) -> Institution:
    """Add or change an institution."""
    if not _ID.fullmatch(id):
        raise _refused(
            "institution", "must be 1 to 64 letters, digits, _ or -: it becomes a part of account names"
        )
    _known(settings.connector, "/connector")
    before = view.get(INSTITUTIONS, id)
    created_at = view.now if before is None else before.created_at
    row = Institution(id, settings.name, settings.connector.value, settings.enabled, created_at)
    view.put(INSTITUTIONS, row)
    _record(view, who, "put-institution", id, row)
    return row


def put_service(view: View, who: str, bank: str, id: str, settings: contract.ServiceSettings) -> Service:
    """Add or change a bank's service. Raises `NotFound` for an unknown bank."""
    institution(view, bank)
    if id == ANY:
        raise _refused("service", "* stands for any service and cannot name one")
    digits(settings.currency)
    schema = None if settings.data_schema is None else _json(settings.data_schema)
    if schema is not None:
        check_schema(schema)
    row = Service(
        bank=bank,
        id=id,
        currency=settings.currency,
        schema=schema,
        down_reason=settings.down_reason,
        dispatch_delay=settings.dispatch_delay_ms * MILLISECOND,
        stuck_after=settings.stuck_after_ms * MILLISECOND,
    )
    view.put(SERVICES, row)
    _record(view, who, "put-service", f"{bank}/{id}", row)
    return row


def put_rate(view: View, who: str, credit: str, debit: str, settings: contract.RateSettings) -> RateRow:
    """Set the rate of a pair. A pair of one currency has the mid rate 1, and possibly a markup (MS18)."""
    digits(credit)
    digits(debit)
    mid, markup = settings.mid, settings.markup
    if not mid.is_finite() or mid <= 0 or abs(mid.adjusted()) > MID_DIGITS or not _is_short(mid):
        raise _refused("/mid", f"must be above zero with at most {MID_DIGITS} significant digits")
    if not _is_share(markup) or markup >= 1:
        raise _refused(
            "/markup",
            f"must be at least 0 and below 1, with at most {MID_DIGITS} decimals: 0.025 keeps back 2.5 %",
        )
    if credit == debit and mid != 1:
        raise _refused("/mid", f"one {credit} is one {credit}: the mid rate of a currency to itself is 1")
    row = RateRow(credit, debit, f"{mid:f}", f"{markup:f}", view.now)
    view.put(RATES, row)
    _record(view, who, "put-rate", f"{credit}/{debit}", row)
    return row


def put_commission(
    view: View, who: str, bank: str, service: str, currency: str, settings: contract.CommissionSettings
) -> CommissionRow:
    """Set a commission rule. Raises `NotFound` for an unknown bank or service."""
    if bank != ANY:
        institution(view, bank)
    if service != ANY and view.get(SERVICES, bank, service) is None:
        raise NotFound(f"there is no service {service} at a bank {bank}")
    percent, maximum = settings.percent, settings.maximum
    if not _is_share(percent) or percent > 100:
        raise _refused(
            "/percent", f"must be from 0 to 100, with at most {MID_DIGITS} decimals: 1.5 charges 1.5 %"
        )
    row = CommissionRow(
        bank=bank,
        service=service,
        currency=currency,
        fixed=to_minor(settings.fixed, currency, "/fixed"),
        percent=f"{percent:f}",
        minimum=to_minor(settings.minimum, currency, "/minimum"),
        maximum=None if maximum is None else to_minor(maximum, currency, "/maximum"),
    )
    if row.maximum is not None and row.maximum < row.minimum:
        raise _refused("/maximum", "must be at least the minimum")
    view.put(COMMISSIONS, row)
    _record(view, who, "put-commission", f"{bank}/{service}/{currency}", row)
    return row


def put_limit(view: View, who: str, id: str, currency: str, settings: contract.LimitSettings) -> Limit:
    """Set an institution's exposure limit in a currency. Raises `NotFound` for an unknown institution."""
    institution(view, id)
    _known(settings.action, "/action")
    row = Limit(id, currency, to_minor(settings.amount, currency, "/amount"), settings.action.value)
    view.put(LIMITS, row)
    _record(view, who, "put-limit", f"{id}/{currency}", row)
    return row


def put_simulator_rules(
    view: View, who: str, bank: str, settings: contract.SimulatorRules
) -> contract.SimulatorRules:
    """Replace the rules of a simulated bank. Raises `NotFound` for an unknown bank."""
    institution(view, bank)
    if len(settings.rules) > SIMULATOR_RULES:
        raise _refused("/rules", f"more than {SIMULATOR_RULES} rules")
    rules = [
        Rule(_behaviour(rule.behaviour, f"/rules/{index}/behaviour"), rule.service, rule.recipient)
        for index, rule in enumerate(settings.rules)
    ]
    view.put(SIMULATOR, SimulatorRules(bank, _json(rules)))
    audit.record(view, who, "put-simulator-rules", bank, rules=rules)
    return settings


def institution(view: View, id: str) -> Institution:
    """Return an institution. Raises `NotFound`."""
    row = view.get(INSTITUTIONS, id)
    if row is None:
        raise NotFound(f"there is no institution {id}")
    return row


def _behaviour(name: str, pointer: str) -> Behaviour:
    try:
        return Behaviour(name)
    except ValueError:
        raise _refused(pointer, f"must be one of {', '.join(Behaviour)}") from None


def _known(choice: contract.Connector | contract.LimitAction, pointer: str) -> None:
    if not choice.is_known:
        raise _refused(pointer, f"must be one of {', '.join(type(choice))}")


def _is_short(value: Decimal) -> bool:
    return len(value.as_tuple().digits) <= MID_DIGITS


def _is_share(value: Decimal) -> bool:
    """Whether a number can be a part of something: not below zero, and not a 1E-300 that no sum holds exactly."""
    return (
        value.is_finite()
        and value >= 0
        and _is_short(value)
        and int(value.as_tuple().exponent) >= -MID_DIGITS
    )


def _json(value: Any) -> str:
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def _record(view: View, who: str, action: str, subject: str, row: msgspec.Struct) -> None:
    audit.record(view, who, action, subject, row=row)


def _refused(pointer: str, message: str) -> InvalidInput:
    return InvalidInput(f"{pointer.removeprefix('/')} {message}", errors=[FieldError(pointer, message)])
