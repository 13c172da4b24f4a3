"""Durable work: runs when due, in order, at least once, and never loses its place."""

import asyncio
import sqlite3

import pytest

from bursar.engine import limits, work
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.errors import StoreBusy
from bursar.engine.ids import Ids
from bursar.engine.store.sqlite import SqliteStore
from bursar.engine.tables import all_tables
from bursar.engine.work import WORK, Work
from tests.engine.scene import BOOK, T0, USD, opened, pay, run

MINUTE = 60_000_000


def schedule(core, *works):
    return core.submit(lambda view: [view.schedule(work) for work in works])


def rows(core):
    return core.read(lambda view: view.select(WORK))


def recording(core, kind="job"):
    """A handler that notes what it gets and finishes it."""
    seen = []

    async def handler(core, item):
        seen.append((core.clock.now() - T0, item.key, item.payload, item.attempt))
        await core.submit(lambda view: view.unschedule(item.kind, item.key))

    core.worker.register(kind, handler)
    return seen


def test_items_run_when_due_in_order_of_time_then_key():
    async def scenario():
        async with opened() as core:
            seen = recording(core)
            await schedule(
                core,
                Work("job", "late", T0 + 2 * MINUTE),
                Work("job", "b", T0 + MINUTE),
                Work("job", "a", T0 + MINUTE, {"big": 2**70, "list": [1, None, "x"]}),
                Work("job", "first", T0 - MINUTE),
            )
            assert await core.worker.next_due() == T0 - MINUTE
            assert await core.worker.run_due() == 1
            assert await core.worker.next_due() == T0 + MINUTE
            core.clock.set(T0 + MINUTE)
            assert await core.worker.run_due() == 2
            assert [key for _, key, _, _ in seen] == ["first", "a", "b"]
            assert seen[1][2] == {"big": 2**70, "list": [1, None, "x"]}
            core.clock.advance(MINUTE)
            assert await core.worker.run_due() == 1
            assert (await core.worker.next_due(), await rows(core)) == (None, [])

    run(scenario())


def test_the_same_kind_and_key_is_one_item():
    async def scenario():
        async with opened() as core:
            seen = recording(core)
            await schedule(core, Work("job", "a", T0 + MINUTE, {"n": 1}))
            await schedule(core, Work("job", "a", T0, {"n": 2}))
            await schedule(core, Work("job", "b", T0))
            await core.submit(lambda view: view.unschedule("job", "b"))
            assert await core.worker.run_due() == 1
            assert seen == [(0, "a", {"n": 2}, 1)]

    run(scenario())


def test_a_chain_of_items_runs_to_its_end():
    """An item that schedules what is due at once is followed by it; the effect and the next step are one commit."""

    async def scenario():
        async with opened() as core:

            async def step(core, item):
                def command(view):
                    view.post(BOOK, pay("world", "a", 1, reference=f"{item.key}:{item.payload['n']}"))
                    view.unschedule(item.kind, item.key)
                    if item.payload["n"] < 5:
                        view.schedule(Work("step", item.key, view.now, {"n": item.payload["n"] + 1}))

                await core.submit(command)

            core.worker.register("step", step)
            await schedule(core, Work("step", "x", T0, {"n": 1}))
            assert await core.worker.run_due() == 5
            assert await core.read(lambda view: view.volumes(BOOK, "a", USD).balance) == 5

    run(scenario())


def test_an_item_that_its_handler_leaves_is_finished():
    async def scenario():
        async with opened() as core:

            async def handler(core, item):
                pass

            core.worker.register("job", handler)
            await schedule(core, Work("job", "a", T0))
            assert await core.worker.run_due() == 1
            assert await rows(core) == []

    run(scenario())


def test_a_failing_item_is_tried_later_and_at_last_given_up_visibly(monkeypatch):
    monkeypatch.setattr(limits, "WORK_ATTEMPTS", 4)
    monkeypatch.setattr(limits, "WORK_BACKOFF_MAX_US", 2_500_000)

    async def scenario():
        async with opened() as core:
            attempts = []

            async def handler(core, item):
                attempts.append((core.clock.now() - T0, item.attempt))
                raise ConnectionError("x" * 1000)

            core.worker.register("job", handler)
            await schedule(core, Work("job", "a", T0))
            while (due := await core.worker.next_due()) is not None:
                core.clock.set(max(due, core.clock.now()))
                assert await core.worker.run_due() == 1
            assert attempts == [(0, 1), (1_000_000, 2), (3_000_000, 3), (5_500_000, 4)]
            (row,) = await rows(core)
            assert (row.dead, row.attempts) == (True, 4)
            assert row.error.startswith("ConnectionError: xxx")
            assert len(row.error) == limits.WORK_ERROR_CHARS
            core.clock.advance(1000 * MINUTE)
            assert await core.worker.run_due() == 0
            await schedule(core, Work("job", "a", core.clock.now()))
            assert await core.worker.run_due() == 1
            assert attempts[-1][1] == 1

    run(scenario())


def test_items_without_a_handler_wait_for_one():
    async def scenario():
        async with opened() as core:
            await schedule(core, *(Work("job", str(n), T0) for n in range(3)), Work("zzz", "other", T0))
            assert (await core.worker.run_due(), await core.worker.next_due()) == (0, None)
            seen = recording(core, "zzz")
            assert await core.worker.run_due() == 1
            assert [key for _, key, _, _ in seen] == ["other"]
            with pytest.raises(ValueError, match="has a handler"):
                recording(core, "zzz")

    run(scenario())


def test_work_survives_a_restart_even_when_it_was_in_progress(tmp_path):
    """A file has one process: a lease of another one is the lease of a dead one, so its item is due at once."""

    async def scenario():
        url = f"sqlite:///{tmp_path}/books.db"
        core = await Core.open(url, clock=SandboxClock(at=T0))
        await schedule(core, Work("job", "running", T0), Work("job", "waiting", T0 + MINUTE))
        claimed = asyncio.Event()

        async def never_ends(core, item):
            claimed.set()
            await asyncio.Event().wait()

        core.worker.register("job", never_ends)
        crashed = asyncio.create_task(core.worker.run_due())
        await claimed.wait()
        crashed.cancel()
        await asyncio.gather(crashed, return_exceptions=True)
        await core.close()

        async with opened(url, ids=Ids()) as again:
            seen = recording(again)
            assert await again.worker.next_due() == T0
            assert await again.worker.run_due() == 1
            again.clock.advance(MINUTE)
            assert await again.worker.run_due() == 1
            assert [(key, attempt) for _, key, _, attempt in seen] == [("running", 2), ("waiting", 1)]

    run(scenario())


class SharedStore(SqliteStore):
    """A store that other processes may write to."""

    @property
    def exclusive(self):
        return False


def test_on_a_shared_store_a_lease_is_respected_until_it_ends():
    async def scenario():
        clock = SandboxClock(at=T0)
        store = SharedStore.open("sqlite://", all_tables())
        core, other = Core(store, clock, Ids(1)), Core(store, clock, Ids(2))
        ours, theirs = recording(core), []
        claimed = asyncio.Event()

        async def stuck(core, item):
            theirs.append(item.key)
            claimed.set()
            await asyncio.Event().wait()

        other.worker.register("job", stuck)
        await schedule(core, Work("job", "a", T0))
        crashed = asyncio.create_task(other.worker.run_due())
        await claimed.wait()
        crashed.cancel()
        await core.submit(lambda view: None)
        assert await core.worker.run_due() == 0
        assert await core.worker.next_due() == T0 + limits.WORK_LEASE_US
        clock.advance(limits.WORK_LEASE_US)
        assert await core.worker.run_due() == 1
        assert (theirs, [attempt for *_, attempt in ours]) == (["a"], [2])
        await other.writer.close()
        await core.close()

    run(scenario())


def test_a_late_failure_does_not_touch_an_item_that_was_scheduled_anew():
    async def scenario():
        async with opened() as core:

            async def handler(core, item):
                await schedule(core, Work("job", item.key, T0 + MINUTE))
                raise KeyError("after the work was done")

            core.worker.register("job", handler)
            await schedule(core, Work("job", "a", T0))
            assert await core.worker.run_due() == 1
            (row,) = await rows(core)
            assert (row.due_at, row.attempts, row.error) == (T0 + MINUTE, 0, "")

    run(scenario())


async def settled(condition):
    """Until a condition holds, for as long as tasks have turns to take."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def test_the_runner_wakes_for_new_work_and_for_the_clock():
    async def scenario():
        async with opened() as core:
            seen = recording(core)
            core.worker.start()
            core.worker.start()
            await schedule(core, Work("job", "now", T0))
            await settled(lambda: len(seen) == 1)
            await schedule(core, Work("job", "later", T0 + MINUTE))
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(seen) == 1
            core.clock.advance(MINUTE)
            await settled(lambda: len(seen) == 2)
            assert [(at, key) for at, key, _, _ in seen] == [(0, "now"), (MINUTE, "later")]
            await core.worker.stop()
            await schedule(core, Work("job", "never", T0))
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(seen) == 2

    run(asyncio.wait_for(scenario(), 20))


def test_the_runner_runs_items_side_by_side_within_a_bound(monkeypatch):
    monkeypatch.setattr(limits, "WORK_CONCURRENCY", 3)

    async def scenario():
        async with opened() as core:
            running, gate, most = set(), asyncio.Event(), 0

            async def handler(core, item):
                nonlocal most
                running.add(item.key)
                most = max(most, len(running))
                await gate.wait()
                running.discard(item.key)

            core.worker.register("job", handler)
            await schedule(core, *(Work("job", f"{n:02}", T0) for n in range(10)))
            core.worker.start()
            await settled(lambda: len(running) == 3)
            assert running == {"00", "01", "02"}
            gate.set()
            assert await core.worker.run_due() >= 0
            assert most <= 4
            assert await rows(core) == []

    run(asyncio.wait_for(scenario(), 20))


def test_closing_waits_for_items_in_progress():
    async def scenario():
        async with opened() as core:
            gate, done = asyncio.Event(), []

            async def handler(core, item):
                await gate.wait()
                await core.submit(lambda view: view.unschedule(item.kind, item.key))
                done.append(item.key)

            core.worker.register("job", handler)
            await schedule(core, Work("job", "a", T0))
            core.worker.start()
            await settled(lambda: core.worker._running)
            closing = asyncio.create_task(core.worker.stop())
            await asyncio.sleep(0)
            gate.set()
            await closing
            assert done == ["a"]

    run(asyncio.wait_for(scenario(), 20))


def test_a_step_and_its_effects_are_one_commit():
    """A step needs no lease; an item that it reschedules stays, one that it leaves is finished."""

    async def scenario():
        async with opened() as core:

            def step(view, key):
                view.post(BOOK, pay("world", "a", 1))
                if key == "again" and view.now == T0:
                    view.schedule(Work("step", key, T0 + MINUTE))

            core.worker.register_step("step", step)
            await schedule(core, Work("step", "once", T0), Work("step", "again", T0))
            version = core.store.version
            assert await core.worker.run_due() == 2
            assert core.store.version == version + 2
            assert [(row.key, row.attempts, row.owner) for row in await rows(core)] == [("again", 0, "")]
            assert await core.worker.next_due() == T0 + MINUTE
            core.clock.advance(MINUTE)
            assert await core.worker.run_due() == 1
            assert await rows(core) == []
            assert await core.read(lambda view: view.volumes(BOOK, "a", USD).balance) == 3

    run(scenario())


def test_a_failing_step_changes_nothing_and_is_tried_later_and_at_last_given_up_visibly(monkeypatch):
    monkeypatch.setattr(limits, "WORK_ATTEMPTS", 3)

    async def scenario():
        async with opened() as core:
            times = []

            def step(view, key):
                times.append(view.now - T0)
                view.post(BOOK, pay("world", "a", 1))
                raise ConnectionError("no")

            core.worker.register_step("step", step)
            await schedule(core, Work("step", "x", T0))
            while (due := await core.worker.next_due()) is not None:
                core.clock.set(due)
                await core.worker.run_due()
            assert sorted({*times}) == [0, 1_000_000, 3_000_000]
            (row,) = await rows(core)
            assert (row.attempts, row.dead, row.error) == (3, True, "ConnectionError: no")
            assert await core.read(lambda view: view.volumes(BOOK, "a", USD).balance) == 0

    run(scenario())


def test_a_step_whose_item_changed_since_it_was_found_is_left_alone():
    """All three are found at once; the first one's command cancels the second and puts off the third."""

    async def scenario():
        async with opened() as core:
            done, first = [], asyncio.Event()

            def step(view, key):
                done.append(key)
                if key == "a":
                    view.unschedule("step", "b")
                    view.schedule(Work("step", "c", T0 + MINUTE))
                    first.set()

            core.worker.register_step("step", step)
            await schedule(core, *(Work("step", key, T0) for key in "abc"))
            core.worker.start()
            await first.wait()
            await core.worker.stop()
            assert {*done} == {"a"}
            assert [(row.key, row.due_at) for row in await rows(core)] == [("c", T0 + MINUTE)]

    run(scenario())


@pytest.mark.parametrize("failure", [sqlite3.DatabaseError("disk I/O error"), StoreBusy("later")])
def test_a_failing_store_delays_work_and_does_not_end_it(monkeypatch, caplog, failure):
    monkeypatch.setattr(work, "_PAUSE_S", 0)

    async def scenario():
        async with opened() as core:
            failures, read, done = [failure] * 3, core.read, asyncio.Event()

            async def failing(query):
                if failures:
                    raise failures.pop()
                return await read(query)

            monkeypatch.setattr(core, "read", failing)
            core.worker.register_step("job", lambda view, key: done.set())
            core.worker.start()
            await schedule(core, Work("job", "a", T0))
            await asyncio.wait_for(done.wait(), 10)
            await core.worker.stop()

    run(scenario())
    assert caplog.text.count("trying again") == 3
