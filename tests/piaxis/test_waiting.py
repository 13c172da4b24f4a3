"""Waiting for something to come to rest: PC41."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bursar.piaxis import (
    InvalidRequestError,
    PiaxisNotFoundError,
    PiaxisServiceUnavailableError,
    PiaxisWaitTimeout,
    PollOptions,
)
from tests.client.clock import FakeClock
from tests.client.server import Action, Drop, reply
from tests.piaxis.api import BATCH_ID, DETAIL, ESCROW, ESCROW_ID, PAYMENT
from tests.piaxis.conftest import Connect, Open


def payment(status: str) -> Action:
    return reply({**PAYMENT, "status": status})


def test_pc41_until_it_will_not_change_any_more(open_api: Open, connect: Connect, clock: FakeClock) -> None:
    api = open_api(payment("pending"), payment("processing"), payment("succeeded"))
    assert connect(api).wait_for_payment("p").status == "succeeded"
    assert clock.pauses == [1.0, 1.5]


@pytest.mark.parametrize("status", ["succeeded", "completed", "failed", "cancelled"])
def test_states_that_end_a_payment(open_api: Open, connect: Connect, status: str) -> None:
    assert connect(open_api(payment(status))).wait_for_payment("p").status == status


def test_an_unknown_state_is_waited_on(open_api: Open, connect: Connect) -> None:
    api = open_api(payment("on_the_moon"), payment("failed"))
    assert connect(api).wait_for_payment("p").status == "failed"


def test_pc41_the_deadline_is_kept_and_tells_the_last_state(
    open_api: Open, connect: Connect, clock: FakeClock
) -> None:
    poll = PollOptions(initial_delay=4, max_delay=5, backoff_multiplier=2)
    client = connect(open_api(payment("pending")))
    with pytest.raises(PiaxisWaitTimeout, match="12 s") as caught:
        client.wait_for_payment("p", timeout=12, poll=poll)
    assert caught.value.last.status == "pending"
    assert isinstance(caught.value, TimeoutError)
    assert clock.pauses == [4, 5]


def test_passing_failures_do_not_end_a_wait(open_api: Open, connect: Connect) -> None:
    api = open_api(payment("pending"), reply({}, 503), Drop(), payment("succeeded"))
    assert connect(api, max_retries=0).wait_for_payment("p").status == "succeeded"
    with pytest.raises(PiaxisServiceUnavailableError):
        connect(open_api(reply({}, 503)), max_retries=0).wait_for_payment("p", timeout=3)
    with pytest.raises(PiaxisNotFoundError):
        connect(open_api(payment("pending"), reply({"detail": "gone"}, 404))).wait_for_payment("p")


def test_escrows(open_api: Open, connect: Connect) -> None:
    unfunded = {**ESCROW, "balance_escrow_in": "0.00"}
    steps = [reply(unfunded), reply(ESCROW), reply({**ESCROW, "status": "disputed"})]
    assert connect(open_api(*steps)).wait_for_escrow(ESCROW_ID).status == "disputed"

    def funded(escrow: Any) -> bool:
        return escrow.balance_escrow_in >= escrow.amount

    found = connect(open_api(*steps)).wait_for_escrow(ESCROW_ID, until=funded)
    assert (found.status, found.balance_escrow_in) == ("pending", Decimal("1200.00"))


def test_disbursements(open_api: Open, connect: Connect) -> None:
    api = open_api(
        *(reply({**DETAIL, "status": status}) for status in ("pending", "processing", "partially_completed"))
    )
    assert connect(api).wait_for_disbursement(BATCH_ID).status == "partially_completed"


def test_impossible_waits(open_api: Open, connect: Connect) -> None:
    client = connect(open_api())
    for timeout in (-1.0, float("inf"), float("nan")):
        with pytest.raises(InvalidRequestError):
            client.wait_for_payment("p", timeout=timeout)
    with pytest.raises(InvalidRequestError):
        PollOptions(backoff_multiplier=0.5)
