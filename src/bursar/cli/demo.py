"""`bursar demo`: banks pay each other and a merchant takes money through a real server; then the books are opened.

Every step says what it expects; the command ends with exit status 0 only if all of it came true.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from bursar.cli import demo_piaxis
from bursar.cli.output import print_json, table
from bursar.cli.story import DemoFailed, Story
from bursar.cli.verify import check, show
from bursar.milkyway import (
    MilkywayExposureBlockedError,
    MilkywayOptions,
    MilkywayPaymentsClient,
    PayRequest,
    PollOptions,
    PrecheckRequest,
    TransactionStatus,
)
from bursar.milkyway.operator import BookedPosting, MilkywayOperatorClient, TrialBalance
from bursar.piaxis.operator import TrialBalance as PiaxisBalance

_STOP_SECONDS = 30
_BANK, _SERVICE = "bank-beta", "card-payout"
_FAST = PollOptions(initial_delay=0.1, max_delay=0.5, timeout=30)


def demo(*, as_json: bool) -> None:
    """Run the demo; exits 1 when anything is not as expected."""
    story = Story(as_json)
    with tempfile.TemporaryDirectory(prefix="bursar-demo-") as directory:
        database = Path(directory) / "demo.db"
        try:
            with _server(database) as ready:
                story.tell("server", f"{ready['url']} (pid {ready['pid']})")
                story.begin("MilkyWay: banks pay each other")
                paid = _move_money(ready, story)
                balance, postings = _open_books(ready, paid)
                story.begin("Piaxis: a merchant takes money, holds it, pays it out")
                held = demo_piaxis.tell(ready, story)
            report = check(f"sqlite:///{database}", quiet=as_json)
        except DemoFailed as error:
            raise SystemExit(f"bursar demo: {error}") from None
    if as_json:
        print_json(
            {
                "ok": report.ok,
                "steps": story.steps,
                "accounts": len(balance.accounts) + len(held.accounts),
                "logs": report.logs,
            }
        )
    else:
        _show_books(balance, postings, paid)
        _show_rail(held)
        show(report, "the demo's database")
    if not report.ok or balance.problems or held.problems:
        raise SystemExit(1)


@contextmanager
def _server(database: Path) -> Generator[dict[str, Any]]:
    """Run `bursar serve --sandbox` on a free port as a process of its own, and stop it as an operator would."""
    command = [sys.executable, "-m", "bursar.cli", "serve", "--sandbox", "--json", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, "--database", f"sqlite:///{database}"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise DemoFailed("the server did not start")
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        if process.wait(_STOP_SECONDS) != 0:
            raise DemoFailed(f"the server ended with exit status {process.returncode}")
    finally:
        process.kill()
        process.communicate()


def _options(ready: dict[str, Any], client_id: str) -> MilkywayOptions:
    known = next(one for one in ready["credentials"] if one["client_id"] == client_id)
    base = f"{ready['url']}/milkyway"
    token_url = f"{base}/realms/sandbox/protocol/openid-connect/token"
    return MilkywayOptions(base, token_url, client_id, known["client_secret"])


def _move_money(ready: dict[str, Any], story: Story) -> int:
    """Make the demo's payments and return the id of the one that was paid."""
    with MilkywayPaymentsClient(_options(ready, "bank-alpha")) as bank:
        story.expect("health check", bank.healthcheck(_BANK, _SERVICE), "Service is available")
        _quote(bank, story)
        paid = bank.pay(_payment("card-4242", "100.00"), idempotency_key="demo-1")
        again = bank.pay(_payment("card-4242", "100.00"), idempotency_key="demo-1")
        story.expect("pay 100.00 USD twice with one key: one payment", again, paid)
        story.expect("poll it", bank.wait_for_completion(paid, _FAST).status.name, "DONE")
        declined = bank.wait_for_completion(bank.pay(_payment("decline-1", "20.00")), _FAST)
        outcome = f"{declined.status.name}: {declined.error}"
        story.expect("a payment that the bank declines", outcome, "FAILED: declined")
        slow = bank.pay(_payment("slow-1", "30.00"))
        bank.cancel(slow)
        story.expect(
            "a payment that is cancelled", bank.wait_for_completion(slow, _FAST).status.name, "CANCELLED"
        )
        try:
            bank.pay(_payment("card-4242", "20000.00"))
        except MilkywayExposureBlockedError as error:
            story.expect("a payment beyond the exposure limit", error.status_code, 402)
        else:
            raise DemoFailed("a payment of 20000.00 USD passed a limit of 10000.00 USD")
    return paid


def _quote(bank: MilkywayPaymentsClient, story: Story) -> None:
    quote = bank.precheck(
        PrecheckRequest(
            third_party_id_debit=_BANK,
            service_id=_SERVICE,
            recipient_id="card-4242",
            amount_credit=Decimal("100.00"),
            currency_credit="USD",
            data={"passport": "AA1234567"},
        )
    )
    story.expect("quote 100.00 USD", f"{quote.amount_debit} {quote.currency_debit}", "1267500.00 UZS")
    story.tell("  rate and commission", f"{quote.rate}, {quote.commission} {quote.currency_credit}")


def _payment(recipient: str, amount: str) -> PayRequest:
    return PayRequest(
        third_party_id_debit=_BANK,
        service_id=_SERVICE,
        sender_id="customer-1",
        recipient_id=recipient,
        amount_credit=Decimal(amount),
        currency_credit="USD",
        data={"passport": "AA1234567"},
    )


def _open_books(ready: dict[str, Any], paid: int) -> tuple[TrialBalance, list[BookedPosting]]:
    with MilkywayOperatorClient(_options(ready, "hub-operator")) as operator:
        payment = operator.get_payment(paid)
        if payment.summary.status is not TransactionStatus.DONE:
            raise DemoFailed("the operator sees another status than the bank")
        return operator.trial_balance(), payment.postings


def _show_books(balance: TrialBalance, postings: list[BookedPosting], paid: int) -> None:
    for currency in sorted(balance.sums):
        rows = [
            [one.account, str(one.debits), str(one.credits), str(one.balance)]
            for one in balance.accounts
            if one.currency == currency
        ]
        rows.append(["sum", "", "", str(balance.sums[currency])])
        columns = ["Account", "Debits", "Credits", "Balance"]
        table(f"\nTrial balance of MilkyWay, {currency}", columns, rows, right=columns[1:])
    table(
        f"\nPostings of payment {paid}",
        ["Step", "Debit", "Credit", "Amount", "Currency"],
        [[one.step, one.debit, one.credit, str(one.amount), one.currency] for one in postings],
        right=["Amount"],
    )


def _show_rail(balance: PiaxisBalance) -> None:
    rows = [[one.account, str(one.balance)] for one in balance.accounts if one.currency == "UGX"]
    rows.append(["sum", str(balance.sums["UGX"])])
    table("\nTrial balance of Piaxis, UGX", ["Account", "Balance"], rows, right=["Balance"])
