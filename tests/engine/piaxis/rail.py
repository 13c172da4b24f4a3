"""What the rail's tests share: the sandbox on a frozen clock, driven step by step from plain functions."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, Self, TypeVar

from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.currency import asset
from bursar.engine.ids import Ids
from bursar.engine.piaxis import accounts as book
from bursar.engine.piaxis import merchants, sandbox, service
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.merchants import MERCHANT, USER
from bursar.engine.piaxis.otp import SANDBOX_CODE, Codes
from bursar.engine.piaxis.sandbox import CUSTOMER_ID, MERCHANT_ID, RECIPIENT_ID
from bursar.engine.piaxis.tables import ACCOUNTS
from bursar.engine.store.table import Table
from bursar.engine.verify import verify
from bursar.engine.view import View
from bursar.engine.webhooks.tables import EVENTS
from bursar.piaxis.models.base import PaymentMethod
from bursar.piaxis.models.disbursements import NewDisbursement, Recipient
from bursar.piaxis.models.otp import RequestOtp
from bursar.piaxis.models.payments import NewPayment

T = TypeVar("T")
T0 = 1_700_000_000_000_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

OTHER_ID = "33333333-3333-4333-8333-333333333333"
SHOP = Caller(MERCHANT_ID, key="k", owner=True)
OTHER = Caller(OTHER_ID, key="o", owner=True)
BUYER = "+256700000000"
OLGA = "olga"
"""An operator."""

OK = "+256700009900"
SLOW = "+256700009901"
DECLINE = "+256700009902"
POOR = "+256700009903"
WRONG = "+256700009904"
SILENT = "+256700009905"
LOST = "+256700009906"
LATE = "+256700009907"
TWICE = "+256700009908"
FORGED = "+256700009909"
CONTRADICTED = "+256700009910"


class Rail:
    """The sandbox rail; every method returns when its effect is durable."""

    def __init__(self, url: str = "sqlite://", *, at: int = T0, seed: int = 7) -> None:
        self._runner = asyncio.Runner()
        self.clock = SandboxClock(at)
        self.core: Core = self.do(Core.open(url, clock=self.clock, ids=Ids(seed)))
        service.register(self.core)
        self.services = service.PiaxisServices(self.core, Codes(sandbox=True))
        self.submit(sandbox.seed)
        self.submit(_other_merchant)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def submit(self, command: Callable[[View], T]) -> T:
        return self.do(self.core.submit(command))

    def close(self) -> None:
        self.do(self.core.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # Calls of a merchant.

    def otp(self, phone: str | None = BUYER, email: str | None = None, caller: Caller = SHOP) -> Any:
        return self.do(self.services.otp.request_otp(caller, RequestOtp(phone_number=phone, email=email)))

    def pay(self, phone: str = BUYER, amount: str = "15000", **options: Any) -> Any:
        """Create a payment of a payer without account, with a fresh OTP."""
        self.otp(phone, caller=options.get("caller", SHOP))
        return self.create(phone, amount, **options)

    def create(self, phone: str | None = BUYER, amount: str = "15000", **options: Any) -> Any:
        caller, key = options.pop("caller", SHOP), options.pop("key", None)
        request = new_payment(phone, amount, **options)
        return self.do(self.services.payments.create_payment(caller, request, idempotency_key=key))

    def payment(self, payment_id: str, caller: Caller = SHOP) -> Any:
        return self.do(self.services.payments.get_payment(caller, payment_id))

    def payments(self, caller: Caller = SHOP, **filters: Any) -> Any:
        return self.do(self.services.payments.list_merchant_payments(caller, **filters))

    def disburse(self, *recipients: Recipient, **options: Any) -> Any:
        caller, key = options.pop("caller", SHOP), options.pop("key", None)
        request = new_batch(*recipients, **options)
        return self.do(self.services.disbursements.create_disbursement(caller, request, idempotency_key=key))

    def batch(self, disbursement_id: str, caller: Caller = SHOP) -> Any:
        return self.do(self.services.disbursements.get_disbursement(caller, disbursement_id))

    # Time and the books.

    def advance(self, us: int) -> None:
        """Let time pass, with everything that happens meanwhile at its own moment."""
        until = self.clock.now() + us
        while (due := self.do(self.core.worker.next_due())) is not None and due <= until:
            self.clock.advance(max(due - self.clock.now(), 0))
            self.do(self.core.worker.run_due())
        self.clock.advance(until - self.clock.now())

    def balance(self, account: str, currency: str = "UGX") -> int:
        unit = asset(currency)
        return self.do(self.core.read(lambda view: view.volumes(book.LEDGER, account, unit).balance))

    def wallet(self, account: str = MERCHANT_ID, currency: str = "UGX") -> int:
        return self.balance(book.available(account), currency)

    def held(self, account: str = MERCHANT_ID, currency: str = "UGX") -> int:
        return self.balance(book.held(account), currency)

    def rows(self, table: Table[Any], **where: Any) -> list[Any]:
        return self.do(self.core.read(lambda view: view.select(table, where)))

    def events(self) -> list[str]:
        """The types of all events so far, in order."""
        return [row.type for row in sorted(self.rows(EVENTS), key=lambda row: row.id)]

    def damages(self) -> list[str]:
        report = self.do(verify(self.core.store))
        return [str(damage) for damage in report.damages]


def new_payment(phone: str | None = BUYER, amount: str = "15000", **options: Any) -> NewPayment:
    info: dict[str, Any] = {"phone_number": phone, "otp": options.pop("otp", SANDBOX_CODE)}
    info |= options.pop("user_info", {})
    return NewPayment(
        amount=Decimal(amount),
        currency=options.pop("currency", "UGX"),
        payment_method=PaymentMethod(options.pop("method", "mtn")),
        user_info=info,
        **options,
    )


def new_batch(*recipients: Recipient, **options: Any) -> NewDisbursement:
    return NewDisbursement(
        recipients=list(recipients),
        currency=options.pop("currency", "UGX"),
        payment_method=PaymentMethod(options.pop("method", "mtn")),
        **options,
    )


def phone(number: str, amount: str = "1000", **options: Any) -> Recipient:
    return Recipient(amount=Decimal(amount), phone_number=number, **options)


def account(id: str = RECIPIENT_ID, amount: str = "1000", **options: Any) -> Recipient:
    return Recipient(amount=Decimal(amount), recipient_id=id, **options)


def customer(caller: Caller = SHOP) -> Caller:
    """The merchant, with the access token of the sandbox's customer."""
    return Caller(caller.merchant, key=caller.key, user=CUSTOMER_ID, owner=caller.owner)


def _other_merchant(view: View) -> None:
    if view.get(ACCOUNTS, OTHER_ID) is not None:
        return
    merchants.create_account(view, OLGA, MERCHANT, "Other Shop", id=OTHER_ID)
    merchants.set_profile(view, OLGA, OTHER_ID, {"limit_otp": True})
    merchants.create_account(view, OLGA, USER, "Third User", id="user-3", phone="+256700000003")
