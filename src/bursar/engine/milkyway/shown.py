"""Rows as the operator's contract shows them: decimals, RFC 3339 times, names of the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bursar.contract.json import loads
from bursar.engine.books import REFERENCES, TRANSACTIONS, transaction_of
from bursar.engine.currency import to_decimal
from bursar.engine.kernel import Transaction
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway.exposure import Exposure
from bursar.engine.milkyway.lifecycle import reference
from bursar.engine.milkyway.quote import shown_rate
from bursar.engine.milkyway.setup import MILLISECOND
from bursar.engine.milkyway.simulator import read_rules
from bursar.engine.milkyway.tables import (
    AuditRow,
    CommissionRow,
    Institution,
    Movement,
    Payment,
    RateRow,
    Service,
)
from bursar.engine.view import ReadView
from bursar.milkyway import operator as contract

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GROUPS = ("accepted", "stuck", "final", "returned")
"""The last parts of the references of a payment's postings, in the order they can happen."""


def moment(at: int) -> datetime:
    """Return engine time as an aware datetime, exactly."""
    return _EPOCH + timedelta(microseconds=at)


def institution(row: Institution) -> contract.Institution:
    """Show an institution."""
    connector = contract.Connector(row.connector)
    return contract.Institution(row.id, row.name, connector, row.enabled, moment(row.created_at))


def service(row: Service) -> contract.Service:
    """Show a service."""
    settings = contract.ServiceSettings(
        currency=row.currency,
        data_schema=None if row.schema is None else loads(row.schema),
        down_reason=row.down_reason,
        dispatch_delay_ms=row.dispatch_delay // MILLISECOND,
        stuck_after_ms=row.stuck_after // MILLISECOND,
    )
    return contract.Service(row.bank, row.id, settings)


def rate(row: RateRow) -> contract.Rate:
    """Show a rate, with what institutions see of it."""
    value = row.value
    return contract.Rate(
        currency_credit=row.currency_credit,
        currency_debit=row.currency_debit,
        mid=shown_rate(value.mid),
        markup=value.markup,
        client_rate=value.client,
        updated_at=moment(row.updated_at),
    )


def commission(row: CommissionRow) -> contract.Commission:
    """Show a commission rule."""
    rule = row.value
    return contract.Commission(
        bank=row.bank,
        service=row.service,
        currency=row.currency,
        fixed=to_decimal(rule.fixed, row.currency),
        percent=rule.percent,
        minimum=to_decimal(rule.minimum, row.currency),
        maximum=None if rule.maximum is None else to_decimal(rule.maximum, row.currency),
    )


def exposure(institution: str, held: Exposure) -> contract.Exposure:
    """Show an institution's exposure in a currency."""
    currency = held.currency
    return contract.Exposure(
        institution=institution,
        currency=currency,
        used=to_decimal(held.used, currency),
        limit=to_decimal(held.limit, currency),
        action=contract.LimitAction(held.action),
        deposit=to_decimal(held.deposit, currency),
        available=to_decimal(held.available, currency),
    )


def simulator_rules(rules: str | None) -> contract.SimulatorRules:
    """Show a simulated bank's rules."""
    return contract.SimulatorRules(
        [contract.SimulatorRule(r.behaviour.value, r.service, r.recipient) for r in read_rules(rules)]
    )


def movement(row: Movement) -> contract.Movement:
    """Show a treasury operation."""
    amount, repaid = to_decimal(row.amount, row.currency), to_decimal(row.repaid, row.currency)
    return contract.Movement(row.id, row.kind, row.party, amount, row.currency, repaid, moment(row.at))


def audit_entry(row: AuditRow) -> contract.AuditEntry:
    """Show an audit row."""
    return contract.AuditEntry(
        id=row.id,
        at=moment(row.at),
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        detail=loads(row.detail),
    )


def summary(row: Payment) -> contract.PaymentSummary:
    """Show a payment in a list."""
    quote = row.priced
    return contract.PaymentSummary(
        id=row.id,
        institution=row.institution,
        bank=row.bank,
        service=row.service,
        status=row.state,
        amount_credit=to_decimal(quote.amount_credit, quote.currency_credit),
        currency_credit=quote.currency_credit,
        amount_debit=to_decimal(quote.amount_debit, quote.currency_debit),
        currency_debit=quote.currency_debit,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        error=row.error,
    )


def detail(view: ReadView, row: Payment) -> contract.PaymentDetail:
    """Show all of a payment, with its postings."""
    quote = row.priced
    return contract.PaymentDetail(
        summary=summary(row),
        sender_id=row.sender,
        recipient_id=row.recipient,
        quote=contract.StoredQuote(
            rate=quote.rate,
            mid=shown_rate(quote.mid),
            markup=quote.markup,
            commission=to_decimal(quote.commission, quote.currency_credit),
            mid_debit=to_decimal(quote.mid_debit, quote.currency_debit),
        ),
        postings=[entry for tx in transactions_of(view, row) for entry in booked(tx)],
        deadline_at=moment(row.deadline_at),
        over_limit=row.over_limit,
        dispatched_at=None if row.dispatched_at is None else moment(row.dispatched_at),
        returned_at=None if row.returned_at is None else moment(row.returned_at),
        data=None if row.data is None else loads(row.data),
    )


def transactions_of(view: ReadView, row: Payment) -> list[Transaction]:
    """Return the ledger transactions of a payment's steps, in order."""
    found = (view.get(REFERENCES, book.LEDGER, reference(row.id, group)) for group in GROUPS)
    rows = (view.get(TRANSACTIONS, book.LEDGER, ref.transaction) for ref in found if ref is not None)
    return [transaction_of(tx) for tx in rows if tx is not None]


def booked(transaction: Transaction) -> list[contract.BookedPosting]:
    """Show the postings of a transaction: debit and credit, in units of the currency."""
    step = (transaction.metadata or {}).get("step", "")
    return [
        contract.BookedPosting(
            transaction=transaction.id,
            step=step,
            debit=posting.source,
            credit=posting.destination,
            amount=to_decimal(posting.amount, currency_of(posting.asset)),
            currency=currency_of(posting.asset),
            at=moment(transaction.inserted_at),
        )
        for posting in transaction.postings
    ]


def currency_of(asset: str) -> str:
    """Return the currency of a ledger asset: ``USD/2`` is USD."""
    return asset.partition("/")[0]
