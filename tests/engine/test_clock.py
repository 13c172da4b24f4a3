"""Engine time stands, moves and runs only as told."""

import asyncio

import pytest

from bursar.engine.clock import SandboxClock, SystemClock

T0 = 1_700_000_000_000_000
HOUR = 3_600_000_000


async def started(waiting):
    """A task that is waiting by now."""
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0)
    assert not task.done()
    return task


def test_a_frozen_clock_stands_until_it_is_moved():
    clock = SandboxClock(at=T0)
    assert (clock.now(), clock.now(), clock.frozen) == (T0, T0, True)
    clock.advance(HOUR)
    assert clock.now() == T0 + HOUR
    clock.set(T0 + 3 * HOUR)
    assert clock.now() == T0 + 3 * HOUR


def test_time_never_goes_back():
    clock = SandboxClock(at=T0)
    for step in (lambda: clock.advance(-1), lambda: clock.set(T0 - 1), lambda: clock.freeze(T0 - 1)):
        with pytest.raises(ValueError, match="back"):
            step()
    assert clock.now() == T0


def test_resume_goes_on_from_engine_time():
    clock = SandboxClock(at=T0)
    clock.resume()
    assert not clock.frozen
    assert T0 <= clock.now() < T0 + HOUR
    clock.advance(10 * HOUR)
    assert T0 + 10 * HOUR <= clock.now() < T0 + 11 * HOUR
    clock.freeze()
    assert clock.now() == clock.now()


@pytest.mark.parametrize(
    "change", [lambda clock: clock.advance(1), lambda clock: clock.resume(), lambda clock: clock.freeze()]
)
def test_a_change_wakes_who_waits(change):
    async def scenario():
        clock = SandboxClock(at=T0)
        waiting = await started(clock.wait_until(T0 + HOUR))
        change(clock)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(scenario())


@pytest.mark.parametrize("clock", [SandboxClock(), SandboxClock(at=T0), SystemClock()])
def test_a_reached_time_is_not_waited_for(clock):
    asyncio.run(asyncio.wait_for(clock.wait_until(clock.now()), 5))


@pytest.mark.parametrize("clock", [SandboxClock(), SystemClock()])
def test_a_running_clock_comes_to_its_time(clock):
    async def scenario():
        at = clock.now() + 2000
        while clock.now() < at:
            await clock.wait_until(at)

    asyncio.run(asyncio.wait_for(scenario(), 5))
