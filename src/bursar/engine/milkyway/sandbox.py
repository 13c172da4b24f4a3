"""The well-known sandbox: two banks, a card payout, rates, limits and some money to try things with.

The arithmetic of the card payout is easy to check by hand: 100.00 USD at the client rate 12675.00 (mid 13000 less
2.5 %) pays out 1267500.00 UZS, and the commission is 1.50 USD (0.50 and 1 %).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bursar.engine.books import HEADS
from bursar.engine.currency import to_minor
from bursar.engine.milkyway import accounts as book
from bursar.engine.milkyway import setup, treasury
from bursar.engine.milkyway.tables import ANY, INSTITUTIONS
from bursar.engine.registry import IDS, LEDGERS
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import SEQUENCES
from bursar.engine.writer import View
from bursar.milkyway import operator as contract

WHO = "sandbox"
ALPHA = "bank-alpha"
BETA = "bank-beta"
CARD_PAYOUT = "card-payout"
ACCOUNT_PAYOUT = "account-payout"

CARD_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"passport": {"type": "string", "minLength": 1}},
    "required": ["passport"],
}

_RATES = {
    # (credit, debit): mid, markup
    ("USD", "UZS"): ("13000", "0.025"),
    ("EUR", "UZS"): ("14000", "0.025"),
    ("GBP", "UZS"): ("16500", "0.025"),
    ("AED", "UZS"): ("3540", "0.025"),
    ("UZS", "USD"): ("0.00007692", "0.02"),
    ("EUR", "USD"): ("1.08", "0.005"),
    ("JPY", "USD"): ("0.0065", "0.01"),
    ("KWD", "USD"): ("3.25", "0.01"),
}

_LIMITS = {
    (ALPHA, "USD"): ("10000.00", contract.LimitAction.BLOCK),
    (ALPHA, "EUR"): ("5000.00", contract.LimitAction.ALERT),
    (BETA, "UZS"): ("500000000.00", contract.LimitAction.BLOCK),
    (BETA, "USD"): ("25000.00", contract.LimitAction.BLOCK),
}


READS: Final[tuple[tuple[AnyTable, Key], ...]] = (
    *((INSTITUTIONS, (bank,)) for bank in (ALPHA, BETA)),
    *((SEQUENCES, (name,)) for name in ("milkyway.audit", "milkyway.movement", IDS)),
    (HEADS, (book.LEDGER,)),
    (LEDGERS, (book.LEDGER,)),
)
"""Rows that `seed` looks at: loaded beforehand, they do not make it start again one by one."""


def seed(view: View) -> None:
    """Set the sandbox up; does nothing on a database that has it already."""
    if view.get(INSTITUTIONS, ALPHA) is not None:
        return
    for bank, name in ((ALPHA, "Bank Alpha"), (BETA, "Bank Beta")):
        setup.put_institution(
            view, WHO, bank, contract.InstitutionSettings(name, contract.Connector.SIMULATED)
        )
    setup.put_service(view, WHO, BETA, CARD_PAYOUT, _service("UZS", CARD_SCHEMA))
    setup.put_service(view, WHO, ALPHA, ACCOUNT_PAYOUT, _service("USD", None))
    for (credit, debit), (mid, markup) in _RATES.items():
        setup.put_rate(view, WHO, credit, debit, contract.RateSettings(Decimal(mid), Decimal(markup)))
    _seed_commissions(view)
    for (bank, currency), (amount, action) in _LIMITS.items():
        setup.put_limit(view, WHO, bank, currency, contract.LimitSettings(Decimal(amount), action))
    _seed_money(view)


def _service(currency: str, schema: dict[str, Any] | None) -> contract.ServiceSettings:
    # Half a second to change one's mind; then the simulated bank takes a fifth, so a second poll finds it DONE.
    return contract.ServiceSettings(currency, schema, dispatch_delay_ms=500)


def _seed_commissions(view: View) -> None:
    usual = contract.CommissionSettings(
        fixed=Decimal("0.50"), percent=Decimal(1), minimum=Decimal("1.00"), maximum=Decimal("100.00")
    )
    for currency in ("USD", "EUR", "GBP", "AED"):
        setup.put_commission(view, WHO, ANY, ANY, currency, usual)
    for currency in ("UZS", "JPY"):
        setup.put_commission(view, WHO, ANY, ANY, currency, contract.CommissionSettings(percent=Decimal(1)))


def _seed_money(view: View) -> None:
    """bank-beta prefunds, which also gives the hub cash to pay out; bank-alpha works on credit alone."""
    treasury.deposit(view, _order("5000.00", "USD"), BETA)
    treasury.deposit(view, _order("1000000000.00", "UZS"), BETA)


def _order(amount: str, currency: str) -> treasury.Order:
    return treasury.Order(WHO, "sandbox seed", to_minor(Decimal(amount), currency), currency)
