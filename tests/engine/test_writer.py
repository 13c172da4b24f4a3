"""Group commit: durable before the reply, all or nothing for each command, honest after a failed commit."""

import asyncio
from typing import Any

import pytest
from msgspec import Struct

from bursar.engine import books, limits
from bursar.engine.clock import SandboxClock
from bursar.engine.core import Core
from bursar.engine.errors import CommitFailed, Conflict, InsufficientFunds, StoreBusy, StoreClosed
from bursar.engine.ids import Ids
from bursar.engine.store.sqlite import SqliteStore
from bursar.engine.store.table import Table
from bursar.engine.tables import all_tables
from tests.engine.scene import BOOK, T0, USD, opened, pay, post, run


class Note(Struct, frozen=True):
    book: str
    key: str
    text: str


NOTES = Table("notes", Note, ("book", "key"))
TABLES = (*all_tables(), NOTES)


class FragileStore:
    """A store whose next commits can be held back, refused or lost to another writer."""

    exclusive = True

    def __init__(self, inner: SqliteStore):
        self.inner = inner
        self.fail_with: Exception | None = None
        self.lose = 0
        self.gate: Any = None
        self.commits: list[dict[str, int]] = []
        self.fetched = 0

    @property
    def version(self):
        return self.inner.version

    async def fetch(self, wanted):
        self.fetched += 1
        return await self.inner.fetch(wanted)

    async def commit(self, expected, changes):
        if self.gate is not None:
            await self.gate.wait()
        if self.lose:
            self.lose -= 1
            return False
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error
        self.commits.append({table.name: len(rows) for table, rows in changes.items()})
        return await self.inner.commit(expected, changes)

    async def confirm(self, expected):
        if self.lose:
            self.lose -= 1
            return False
        return await self.inner.confirm(expected)

    async def read(self, query):
        return await self.inner.read(query)

    async def close(self):
        await self.inner.close()


def fragile():
    store = FragileStore(SqliteStore.open("sqlite://", TABLES))
    return Core(store, SandboxClock(at=T0), Ids(1)), store


def head(core):
    return core.read(lambda v: v.get(books.HEADS, BOOK))


def balance(core, account):
    return core.read(lambda v: v.volumes(BOOK, account, USD).balance)


def test_a_reply_waits_for_the_commit():
    """Invariant 6: nothing is answered, and no query sees anything, before the commit."""

    async def scenario():
        core, store = fragile()
        store.gate = asyncio.Event()
        reply = asyncio.create_task(core.submit(post(pay("world", "a", 5))))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not reply.done()
        assert await balance(core, "a") == 0
        store.gate.set()
        assert (await reply).id == 1
        assert await balance(core, "a") == 5
        await core.close()

    run(scenario())


def test_commands_that_arrive_during_a_commit_form_one_batch():
    async def scenario():
        core, store = fragile()
        store.gate = asyncio.Event()
        first = asyncio.create_task(core.submit(post(pay("world", "a", 1))))
        for _ in range(10):
            await asyncio.sleep(0)
        rest = [asyncio.create_task(core.submit(post(pay("world", "a", 1)))) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        store.gate.set()
        await asyncio.gather(first, *rest)
        assert [commit["logs"] for commit in store.commits] == [1, 20]
        await core.close()

    run(scenario())


def test_a_batch_has_a_bound(monkeypatch):
    monkeypatch.setattr(limits, "BATCH_ROWS", 10**6)

    async def scenario():
        core, store = fragile()
        amount = limits.BATCH_COMMANDS + 3
        await asyncio.gather(*(core.submit(post(pay("world", "a", 1))) for _ in range(amount)))
        assert [commit["logs"] for commit in store.commits] == [limits.BATCH_COMMANDS, 3]
        await core.close()

    run(scenario())


def test_a_batch_that_changed_many_rows_takes_no_more_commands(monkeypatch):
    monkeypatch.setattr(limits, "BATCH_ROWS", 20)

    async def scenario():
        core, store = fragile()
        await asyncio.gather(*(core.submit(post(pay("world", "a", 1))) for _ in range(10)))
        assert [commit["logs"] for commit in store.commits] == [3, 3, 3, 1]
        await core.close()

    run(scenario())


async def _in_flight(core, store):
    """A payment of 10 to a, held back in its commit, and one of 10 from a that ran on top of it."""
    store.gate = asyncio.Event()
    replies = []
    for new in (pay("world", "a", 10), pay("a", "b", 10)):
        replies.append(asyncio.create_task(core.submit(post(new))))
        for _ in range(10):
            await asyncio.sleep(0)
    return replies


def test_a_batch_runs_while_the_one_before_is_committed_and_is_answered_after_it():
    """Invariant 6: what it saw may be told only when that is durable."""

    async def scenario():
        core, store = fragile()
        await core.submit(post(pay("world", "b", 1)))
        seen = []
        paid, passed_on = await _in_flight(core, store)
        looked = asyncio.create_task(core.submit(lambda v: seen.append(v.volumes(BOOK, "b", USD).balance)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert seen == [11]
        assert not any(reply.done() for reply in (paid, passed_on, looked))
        store.gate.set()
        assert [(await paid).id, (await passed_on).id] == [2, 3]
        await looked
        assert [commit["logs"] for commit in store.commits] == [1, 1, 1]
        await core.close()

    run(scenario())


def test_what_ran_on_top_of_a_failed_commit_runs_again_on_what_is_stored():
    """Invariant 8: the money of a payment that was not stored cannot be spent."""

    async def scenario():
        core, store = fragile()
        await core.submit(post(pay("world", "b", 1)))
        store.fail_with = CommitFailed("disk full", "rejected")
        paid, passed_on = await _in_flight(core, store)
        store.gate.set()
        replies = await asyncio.gather(paid, passed_on, return_exceptions=True)
        assert [type(reply) for reply in replies] == [CommitFailed, InsufficientFunds]
        assert (await core.submit(post(pay("world", "a", 1)))).id == 2
        assert await balance(core, "b") == 1
        await core.close()

    run(scenario())


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_ran_on_top_of_a_batch_lost_to_another_writer_runs_again_after_it(times):
    async def scenario():
        core, store = fragile()
        await core.submit(post(pay("world", "b", 1)))
        store.lose = times
        paid, passed_on = await _in_flight(core, store)
        store.gate.set()
        assert [(await paid).id, (await passed_on).id] == [2, 3]
        assert await balance(core, "b") == 11
        await core.close()

    run(scenario())


def test_rows_are_loaded_when_no_commit_is_under_way():
    """Else a command could see a row as it was before a batch that is not stored yet."""

    async def scenario():
        core, store = fragile()
        await core.submit(lambda v: v.put(NOTES, Note(BOOK, "old", "first")))
        store.gate = asyncio.Event()
        changed = asyncio.create_task(core.submit(lambda v: v.put(NOTES, Note(BOOK, "new", "second"))))
        for _ in range(10):
            await asyncio.sleep(0)
        fetched = store.fetched
        read = asyncio.create_task(core.submit(lambda v: [note.text for note in v.scan(NOTES, BOOK)]))
        for _ in range(10):
            await asyncio.sleep(0)
        assert store.fetched == fetched
        store.gate.set()
        assert await read == ["second", "first"]
        await changed
        await core.close()

    run(scenario())


def test_closing_waits_for_the_commit_under_way():
    async def scenario():
        core, store = fragile()
        await core.submit(post(pay("world", "b", 1)))
        replies = await _in_flight(core, store)
        closing = asyncio.create_task(core.close())
        await asyncio.sleep(0)
        store.gate.set()
        await closing
        assert [reply.result().id for reply in replies] == [2, 3]

    run(scenario())


def test_a_command_sees_what_earlier_commands_of_its_batch_did():
    async def scenario():
        async with opened() as core:
            replies = await asyncio.gather(
                core.submit(post(pay("world", "a", 5))),
                core.submit(post(pay("a", "b", 5))),
                core.submit(post(pay("a", "b", 1))),
                return_exceptions=True,
            )
            assert [type(reply).__name__ for reply in replies] == [
                "Transaction",
                "Transaction",
                "InsufficientFunds",
            ]

    run(scenario())


def test_a_command_that_raises_changes_nothing():
    """Invariant 8: not its rows, not its ids, not its work; its neighbours in the batch are unharmed."""

    def half(v):
        v.post(BOOK, pay("world", "a", 7))
        v.put(NOTES, Note(BOOK, "new", "text"))
        v.put(NOTES, Note(BOOK, "old", "changed"))
        v.delete(NOTES, BOOK, "gone")
        assert v.next_id("orders") == 2
        raise KeyError("half-way")

    async def scenario():
        async with opened(tables=TABLES) as core:
            await core.submit(lambda v: [v.put(NOTES, Note(BOOK, key, "text")) for key in ("old", "gone")])
            await core.submit(lambda v: v.next_id("orders"))
            replies = await asyncio.gather(
                core.submit(post(pay("world", "a", 1))),
                core.submit(half),
                core.submit(post(pay("world", "a", 2))),
                core.submit(lambda v: v.next_id("orders")),
                return_exceptions=True,
            )
            assert isinstance(replies[1], KeyError)
            assert (replies[0].id, replies[2].id, replies[3]) == (1, 2, 2)
            assert await balance(core, "a") == 3
            notes = await core.read(lambda v: v.select(NOTES))
            assert notes == [Note(BOOK, "gone", "text"), Note(BOOK, "old", "text")]

    run(scenario())


def test_a_failed_commit_is_told_to_everyone_and_forgotten():
    """Disk full: nobody's command happened, and the next batch starts from what is stored."""

    async def scenario():
        core, store = fragile()
        await core.submit(post(pay("world", "a", 10)))
        store.fail_with = CommitFailed("disk full", "rejected")
        replies = await asyncio.gather(
            core.submit(post(pay("a", "b", 6))),
            core.submit(post(pay("c", "b", 6))),
            core.submit(lambda v: v.next_id("orders")),
            return_exceptions=True,
        )
        assert [type(reply) for reply in replies] == [CommitFailed] * 3
        assert {reply.outcome for reply in replies if isinstance(reply, CommitFailed)} == {"rejected"}
        assert (await core.submit(post(pay("a", "b", 10)))).id == 2
        assert await core.submit(lambda v: v.next_id("orders")) == 1
        await core.close()

    run(scenario())


def test_a_store_that_breaks_in_an_unforeseen_way_leaves_the_outcome_unknown():
    async def scenario():
        core, store = fragile()
        store.fail_with = RuntimeError("bug")
        with pytest.raises(CommitFailed) as failure:
            await core.submit(post(pay("world", "a", 1)))
        assert failure.value.outcome == "unknown"
        assert (await core.submit(post(pay("world", "a", 1)))).id == 1
        await core.close()

    run(scenario())


def test_a_batch_lost_to_another_writer_is_run_again():
    async def scenario():
        core, store = fragile()
        store.lose = 2
        assert (await core.submit(post(pay("world", "a", 1)))).id == 1
        assert await balance(core, "a") == 1
        await core.close()

    run(scenario())


def test_a_command_runs_again_when_rows_are_missing_and_draws_the_same_ids():
    async def scenario():
        core, _ = fragile()
        drawn = []

        def command(v):
            drawn.append(v.ids.uuid())
            for key in ("a", "b", "c"):
                v.get(NOTES, BOOK, key)
            v.put(NOTES, Note(BOOK, drawn[-1], "text"))

        await core.submit(command)
        assert len(drawn) == 4
        assert len(set(drawn)) == 1
        await core.submit(command, reads=[(NOTES, (BOOK, key)) for key in ("a", "b", "c")])
        assert len(drawn) == 5
        assert len(set(drawn)) == 2
        assert await core.read(lambda v: v.count(NOTES)) == 2
        await core.close()

    run(scenario())


def test_a_command_that_never_has_enough_is_stopped():
    async def scenario():
        async with opened(tables=TABLES) as core:
            counter = iter(range(10_000))
            with pytest.raises(RuntimeError, match="lacked rows"):
                await core.submit(lambda v: [v.get(NOTES, BOOK, str(next(counter))) for _ in range(2)])

    run(scenario())


def test_scan_sees_stored_rows_and_the_changes_of_the_batch():
    async def scenario():
        async with opened(tables=TABLES) as core:
            for book, key in (("A", "1"), ("A", "2"), ("A", "3"), ("B", "4")):
                await core.submit(lambda v, book=book, key=key: v.put(NOTES, Note(book, key, "stored")))

            def command(v):
                v.delete(NOTES, "A", "2")
                v.put(NOTES, Note("A", "9", "new"))
                v.put(NOTES, Note("A", "1", "changed"))
                return v.scan(NOTES, "A"), v.scan(NOTES, "A", after=("1",))

            everything, rest = await core.submit(command)
            assert [(note.key, note.text) for note in everything] == [
                ("1", "changed"),
                ("3", "stored"),
                ("9", "new"),
            ]
            assert rest == everything[1:]

    run(scenario())


def test_too_many_waiting_commands_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "QUEUED_COMMANDS", 3)

    async def scenario():
        async with opened() as core:
            replies = await asyncio.gather(
                *(core.submit(post(pay("world", "a", 1))) for _ in range(5)), return_exceptions=True
            )
            assert [type(reply).__name__ for reply in replies] == ["Transaction"] * 3 + ["StoreBusy"] * 2
            assert issubclass(StoreBusy, Exception)
            assert await balance(core, "a") == 3

    run(scenario())


def test_a_caller_that_went_away_harms_nobody():
    async def scenario():
        async with opened() as core:
            gone = asyncio.create_task(core.submit(post(pay("world", "a", 1))))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            assert (await core.submit(post(pay("world", "a", 2)))).id == 1

    run(scenario())


def test_closing_finishes_what_was_accepted_and_refuses_the_rest(tmp_path):
    async def scenario():
        url = f"sqlite:///{tmp_path}/books.db"
        core = await Core.open(url)
        accepted = [asyncio.create_task(core.submit(post(pay("world", "a", 1)))) for _ in range(300)]
        await asyncio.sleep(0)
        await core.close()
        assert len({(await reply).id for reply in accepted}) == 300
        with pytest.raises(StoreClosed):
            await core.submit(post(pay("world", "a", 1)))
        async with opened(url) as again:
            assert await balance(again, "a") == 300

    run(scenario())


def test_the_cache_has_a_bound_and_forgetting_it_is_harmless(monkeypatch):
    monkeypatch.setattr(limits, "CACHED_ROWS", 5)

    async def scenario():
        async with opened() as core:
            for number in range(20):
                await core.submit(post(pay("world", f"a:{number}", 1)))
            for number in range(20):
                await core.submit(post(pay(f"a:{number}", "b", 1)))
            assert await balance(core, "b") == 20

    run(scenario())


async def history(core):
    """A little of everything, in batches as they come."""
    await asyncio.gather(*(core.submit(post(pay("world", f"a:{n}", n + 1))) for n in range(50)))

    def named(v):
        return v.post(BOOK, pay("a:9", "b", 3, reference=v.ids.uuid(), metadata={"token": v.ids.token()}))

    await asyncio.gather(*(core.submit(named) for _ in range(3)))
    with pytest.raises(InsufficientFunds):
        await core.submit(post(pay("b", "c", 1000)))
    await core.submit(post(pay("a:7", "b", 1, timestamp=T0 - 1)))
    return (await head(core)).hash.hex()


@pytest.mark.parametrize("cached_rows", [0, 100_000])
@pytest.mark.parametrize("batch", [1, 7, 256])
@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///{}/books.db"])
def test_the_same_seed_and_inputs_give_the_same_head(monkeypatch, tmp_path, url, batch, cached_rows):
    """Invariant 22, whatever the batches, the store and the cache: a literal, so that no platform may differ."""
    monkeypatch.setattr(limits, "BATCH_COMMANDS", batch)
    monkeypatch.setattr(limits, "CACHED_ROWS", cached_rows)

    async def scenario():
        async with opened(url.format(tmp_path), ids=Ids(22)) as core:
            assert await history(core) == "6b7b66ed8830877998c1b7e2011c80fcd4585ba732b4468be87a25822ae40cd6"

    run(scenario())


def test_a_reopened_database_does_not_draw_old_ids_again(tmp_path):
    async def scenario():
        drawn = []
        for _ in range(2):
            async with opened(f"sqlite:///{tmp_path}/books.db", ids=Ids(1)) as core:
                drawn.append(await core.submit(lambda v: (v.next_id("x"), v.ids.uuid())[1]))
        assert drawn[0] != drawn[1]

    run(scenario())


def test_sequences_are_durable_and_may_start_anywhere(tmp_path):
    async def scenario():
        url = f"sqlite:///{tmp_path}/books.db"
        for first in (5000, 5002):
            async with opened(url) as core:
                assert await core.submit(lambda v: v.next_id("payments", start=5000)) == first
                assert await core.submit(lambda v: v.next_id("payments", start=5000)) == first + 1
                assert await core.submit(lambda v: v.next_id("other")) > 0

    run(scenario())


def test_reads_that_change_nothing_need_no_commit():
    async def scenario():
        core, store = fragile()
        assert await core.submit(lambda v: v.volumes(BOOK, "a", USD).balance) == 0
        assert store.commits == []
        await core.close()

    run(scenario())


def test_a_refusal_rests_on_what_another_writer_left_behind():
    """Invariant 8: what changes nothing is not fenced by a commit, so the version is looked at."""

    async def scenario():
        core, store = fragile()
        runs = []

        def command(view):
            runs.append(view.volumes(BOOK, "a", USD).balance)
            raise Conflict("not now")

        store.lose = 1
        with pytest.raises(Conflict):
            await core.submit(command)
        assert runs == [0, 0]
        await core.close()

    run(scenario())


def test_a_transaction_can_be_read_back_with_its_volumes():
    async def scenario():
        async with opened() as core:
            made = await core.submit(post(pay("world", "a", 2**70, reference="r", metadata={"k": "v"})))
            assert await core.submit(lambda v: v.books(BOOK).transaction(1)) == made

    run(scenario())


def test_a_wide_command_that_comes_during_a_commit_finds_what_it_said_it_would_read():
    """Reads are loaded for what waits when a batch begins; a command that joins it later names them as well."""
    wide = [(books.VOLUMES, (BOOK, f"a{number}", USD)) for number in range(3 * limits.COMMAND_RUNS)]

    async def scenario():
        core, store = fragile()
        store.gate = asyncio.Event()
        first = asyncio.create_task(core.submit(post(pay("world", "a", 1))))
        await asyncio.sleep(0)
        held = asyncio.create_task(core.submit(post(pay("world", "b", 1))))
        for _ in range(10):
            await asyncio.sleep(0)
        late = asyncio.create_task(
            core.submit(lambda view: [view.get(table, *key) for table, key in wide], reads=wide)
        )
        for _ in range(10):
            await asyncio.sleep(0)
        store.gate.set()
        await first
        await held
        assert await late == [None] * len(wide)
        await core.close()

    run(scenario())
