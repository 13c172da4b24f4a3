"""A hub of your own inside your process: no server, no well-known secrets, a ledger in a file.

Two banks are set up with a rate, a commission and a limit; one pays through the other; an operator reports what the
bank did, because nothing is simulated here; then the books are shown and verified.
"""

import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from bursar import Engine
from bursar.milkyway import PayRequest, TransactionStatus
from bursar.milkyway.operator import (
    CommissionSettings,
    Decision,
    InstitutionSettings,
    LimitSettings,
    RateSettings,
    ServiceSettings,
)

with TemporaryDirectory() as place, Engine.open(f"sqlite:///{Path(place) / 'ledger.db'}") as engine:
    operator = engine.operator("back-office", engine.create_client("back-office", operator=True))
    for bank, name in (("north", "North Bank"), ("south", "South Bank")):
        operator.put_institution(bank, InstitutionSettings(name=name))
    operator.put_service("south", "account", ServiceSettings(currency="EUR"))
    operator.put_rate("USD", "EUR", RateSettings(mid=Decimal("0.92"), markup=Decimal("0.01")))
    operator.put_commission(
        "south", "*", "USD", CommissionSettings(percent=Decimal("0.5"), minimum=Decimal(1))
    )
    operator.put_limit("north", "USD", LimitSettings(amount=Decimal(5000)))

    north = engine.milkyway("north", engine.create_client("north"))
    payment = north.pay(
        PayRequest(
            third_party_id_debit="south",
            service_id="account",
            sender_id="s-1",
            recipient_id="DE89370400440532013000",
            amount_credit=Decimal("1000.00"),
            currency_credit="USD",
        ),
        idempotency_key="invoice-2031",
    )
    while operator.get_payment(payment).dispatched_at is None:  # it goes to the bank in a moment
        time.sleep(0.01)
    decision = Decision(outcome=TransactionStatus.DONE, reason="confirmation 7781 from South Bank")
    detail = operator.report_outcome(payment, decision)
    print(f"payment {payment}: {north.postcheck(payment).status.name}")
    for posting in detail.postings:
        print(f"  Dr {posting.debit:<30} Cr {posting.credit:<34} {posting.amount:>9} {posting.currency}")

    balance = operator.trial_balance()
    for account in balance.accounts:
        print(f"  {account.account:<40} {account.balance:>9} {account.currency}")
    print("sums:", {currency: str(total) for currency, total in balance.sums.items()})
    report = engine.verify()
    print(f"verified {report.logs} log entries, damages: {report.damages or 'none'}")
