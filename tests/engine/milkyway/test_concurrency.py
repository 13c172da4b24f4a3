"""Many calls at once, with the worker running: MS39, MS43, MS62, MS66."""

import asyncio
from decimal import Decimal
from pathlib import Path

from bursar.engine.errors import EngineError, ExposureExceeded
from bursar.milkyway.models import TransactionStatus
from tests.engine.milkyway.rail import ALPHA, MINUTE, SECOND, Rail, pay_request


def test_ms39_a_crowd_fills_the_limit_exactly(tmp_path: Path) -> None:
    """Each of 64 payments fits; ten fit together."""
    with Rail(f"sqlite:///{tmp_path}/rail.db") as rail:
        rail.set_limit("1015.00")

        async def crowd() -> list[object]:
            pays = (rail.service.pay(ALPHA, pay_request(sender=f"s{n}"), f"key-{n}") for n in range(64))
            return await asyncio.gather(*pays, return_exceptions=True)

        answers = rail.do(crowd())
        accepted = [answer for answer in answers if isinstance(answer, int)]
        refused = [answer for answer in answers if isinstance(answer, ExposureExceeded)]
        assert (len(accepted), len(refused)) == (10, 54)
        assert rail.exposure().available == 0
        assert sorted(accepted) == [row.id for row in rail.payments()]
        assert rail.damages() == []


def test_ms62_ms66_cancels_postchecks_and_the_worker_all_at_once(rail: Rail) -> None:
    payments = [rail.pay(f"{name}-1", "1.00") for name in ("ok", "slow", "decline", "refuse-cancel") * 8]
    rail.clock.advance(SECOND // 2)

    async def everybody() -> None:
        work = [asyncio.ensure_future(rail.core.worker.run_due())]
        calls = [rail.service.cancel(ALPHA, number) for number in payments]
        calls += [rail.service.cancel(ALPHA, number) for number in reversed(payments)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert not [
            error for error in answers if isinstance(error, Exception) and not isinstance(error, EngineError)
        ]
        await asyncio.gather(*work)

    rail.do(everybody())
    assert rail.damages() == []
    rail.advance(MINUTE)
    final = {TransactionStatus.DONE, TransactionStatus.CANCELLED, TransactionStatus.FAILED}
    assert {rail.status(number) for number in payments} <= final
    assert "transit:USD" not in rail.balances()


def test_the_running_worker_brings_payments_to_their_end() -> None:
    """As a server runs it: nobody calls `run_due`."""
    with Rail() as rail:

        async def live() -> list[int]:
            rail.core.worker.start()
            numbers = [await rail.service.pay(ALPHA, pay_request("ok-1", "2.00")) for _ in range(5)]
            rail.clock.advance(SECOND)
            statuses: list[int] = []
            while any(status == 0 for status in statuses) or not statuses:
                await asyncio.sleep(0)
                statuses = [(await rail.service.postcheck(ALPHA, number)).status for number in numbers]
            return statuses

        assert rail.do(asyncio.wait_for(live(), 20)) == [1] * 5
        assert rail.exposure().used == Decimal("15.00")
