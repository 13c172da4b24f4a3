"""Waiting for a payment: MC68 to MC74."""

from __future__ import annotations

import pytest

from bursar.milkyway import (
    MilkywayAuthError,
    MilkywayNotFoundError,
    MilkywayServiceUnavailableError,
    PollOptions,
    TransactionStatus,
)
from tests.client.clock import FakeClock
from tests.client.server import Action, Drop, reply
from tests.milkyway.bank import state
from tests.milkyway.conftest import Connect, Open


def test_mc68_until_it_is_done(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(state(0), state(0), state(1))
    result = connect(bank).wait_for_completion(42)
    assert (result.status, result.timed_out) == (TransactionStatus.DONE, False)
    assert (len(bank.calls), clock.pauses) == (3, [1.0, 2.0])


@pytest.mark.parametrize("status", [1, 2, 3, 5])
def test_mc69_a_payment_at_rest_is_asked_for_once(
    open_bank: Open, connect: Connect, clock: FakeClock, status: int
) -> None:
    bank = open_bank(state(status))
    assert connect(bank).wait_for_completion(42).status == status
    assert (len(bank.calls), clock.pauses) == (1, [])


def test_mc70_it_waits_through_cancel_pending_and_unknown_statuses(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(state(4), state(9), state(2))
    assert connect(bank).wait_for_completion(42).status is TransactionStatus.CANCELLED
    assert len(bank.calls) == 3


def test_mc71_out_of_time_it_says_so(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(state(0))
    result = connect(bank).wait_for_completion(42, PollOptions(timeout=10))
    assert (result.status, result.timed_out) == (TransactionStatus.PENDING, True)
    assert clock.pauses == [1.0, 2.0, 4.0], "the next pause of 8 s would pass the 10 s"
    assert len(bank.calls) == 4


def test_mc72_pauses_double_to_their_limit(open_bank: Open, connect: Connect, clock: FakeClock) -> None:
    bank = open_bank(*[state(0)] * 7, state(1))
    connect(bank).wait_for_completion(42)
    assert clock.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


@pytest.mark.parametrize("step", [Drop(), reply({}, 503), reply({}, 408), reply({}, 429), reply({}, 520)])
def test_mc73_passing_failures_do_not_end_the_wait(
    open_bank: Open, connect: Connect, step: Action, clock: FakeClock
) -> None:
    bank = open_bank(state(0), step, step, step, step, state(1))
    result = connect(bank, retry_base_delay=0.1).wait_for_completion(42)
    assert result.status is TransactionStatus.DONE
    assert len(bank.calls) == 6


def test_mc73_a_token_endpoint_that_is_down_passes_too(open_bank: Open, connect: Connect) -> None:
    token = reply({"access_token": "t", "expires_in": 0})
    bank = open_bank(state(0), state(1), tokens=[token, reply({}, 503), token])
    assert connect(bank).wait_for_completion(42).status is TransactionStatus.DONE


def test_mc73_failures_to_the_end_are_raised_when_nothing_was_ever_seen(
    open_bank: Open, connect: Connect, clock: FakeClock
) -> None:
    bank = open_bank(reply({"error": "down"}, 503))
    started = clock.now
    with pytest.raises(MilkywayServiceUnavailableError, match="down"):
        connect(bank, max_retries=0).wait_for_completion(42, PollOptions(timeout=20))
    assert clock.now - started <= 20


def test_mc73_failures_to_the_end_leave_the_last_status_seen(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(state(4), reply({"error": "down"}, 503))
    result = connect(bank, max_retries=0).wait_for_completion(42, PollOptions(timeout=20))
    assert (result.status, result.timed_out) == (TransactionStatus.CANCEL_PENDING, True)


def test_mc74_a_definite_error_ends_the_wait_at_once(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(state(0), reply({"error": "not found"}, 404))
    with pytest.raises(MilkywayNotFoundError):
        connect(bank).wait_for_completion(42)
    assert len(bank.calls) == 2
    bank = open_bank(tokens=reply({"error": "invalid_client"}, 401))
    with pytest.raises(MilkywayAuthError):
        connect(bank).wait_for_completion(42)
    assert len(bank.tokens) == 1


@pytest.mark.parametrize(
    "options",
    [
        PollOptions(timeout=-1),
        PollOptions(initial_delay=-1),
        PollOptions(backoff_multiplier=0.5),
        PollOptions(max_delay=-1),
    ],
)
def test_poll_options_that_cannot_work_are_refused(
    open_bank: Open, connect: Connect, options: PollOptions
) -> None:
    bank = open_bank(state(0))
    with pytest.raises(ValueError, match="poll options"):
        connect(bank).wait_for_completion(42, options)
    assert bank.server.requests == []


def test_a_wait_without_time_asks_once(open_bank: Open, connect: Connect) -> None:
    bank = open_bank(state(0))
    result = connect(bank).wait_for_completion(42, PollOptions(timeout=0))
    assert (result.timed_out, len(bank.calls)) == (True, 1)
