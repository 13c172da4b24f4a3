"""Two at once: the money is there once (PS82, PS112)."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from bursar.engine.piaxis.errors import Refusal
from bursar.engine.piaxis.sandbox import CUSTOMER_ID
from bursar.engine.piaxis.tables import INSTRUCTIONS, PAYMENTS
from bursar.piaxis.models.disbursements import CancelDisbursement
from tests.engine.piaxis.rail import OK, SECOND, SHOP, Rail, customer, new_batch, new_payment, phone


def together(rail: Rail, *calls: Awaitable[Any]) -> list[Any]:
    async def run() -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    return rail.do(run())


def test_batches_do_not_hold_the_same_money(rail: Rail) -> None:
    create = rail.services.disbursements.create_disbursement
    answers = together(rail, *[create(SHOP, new_batch(phone(OK, "30000000"))) for _ in range(5)])
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) == 2
    assert {refusal.reason for refusal in refused} == {"INSUFFICIENT_FUNDS"}
    assert rail.held() == 90_000_000


def test_a_wallet_is_not_spent_twice(rail: Rail) -> None:
    create = rail.services.payments.create_payment
    request = new_payment(None, "3000000", method="piaxis_external")
    answers = together(rail, *[create(customer(), request) for _ in range(3)])
    assert sum(isinstance(answer, Refusal) for answer in answers) == 2
    assert rail.wallet(CUSTOMER_ID) == 2_000_000


def test_one_code_consents_to_one_payment(rail: Rail) -> None:
    rail.otp()
    create = rail.services.payments.create_payment
    answers = together(rail, *[create(SHOP, new_payment()) for _ in range(4)])
    assert sum(isinstance(answer, Refusal) for answer in answers) == 3
    assert len(rail.rows(PAYMENTS)) == 1


def test_a_cancel_and_the_start_of_a_batch_exclude_each_other(rail: Rail) -> None:
    batch = rail.disburse(phone(OK, "1000")).disbursement_id
    rail.clock.advance(2 * SECOND)
    cancel = rail.services.disbursements.cancel_disbursement
    answers = together(
        rail,
        cancel(SHOP, batch, CancelDisbursement(reason=None)),
        rail.core.worker.run_due(),
        cancel(SHOP, batch, CancelDisbursement(reason=None)),
    )
    assert sum(isinstance(answer, Refusal) for answer in answers) >= 1
    sent, shown = rail.rows(INSTRUCTIONS), rail.batch(batch)
    assert (len(sent), shown.status == "cancelled") in {(0, True), (1, False)}
    rail.advance(SECOND)
