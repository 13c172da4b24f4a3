"""A failover as Patroni plays it: a primary with a synchronous standby is killed, and the standby takes over."""

import asyncio

import pytest

from bursar.engine.books import TRANSACTIONS
from bursar.engine.errors import CommitFailed, Unavailable
from bursar.engine.verify import verify_database
from tests.engine.postgres_server import Server, directory
from tests.engine.scene import BOOK, opened, pay, post, run


@pytest.fixture
def pair(postgres):
    """A primary, and a standby that confirms each commit before it counts. `postgres` makes the user they run as."""
    with directory() as place:
        primary, standby = Server(place / "a"), Server(place / "b")
        try:
            primary.make()
            primary.start()
            standby.copy_of(primary)
            standby.start()
            for statement in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
                primary.sql(statement)
            yield primary, standby
        finally:
            standby.stop()
            primary.stop()


def test_no_acknowledged_write_is_lost_when_the_standby_takes_over(pair):
    primary, standby = pair
    url = f"postgresql://postgres@/postgres?host={primary.socket},{standby.socket}&target_session_attrs=read-write"
    acknowledged, unknown = [], []

    async def pay_on(core, number):
        try:
            acknowledged.append((await core.submit(post(pay("world", f"a{number % 5}", 1)))).id)
        except CommitFailed as error:
            if error.outcome == "unknown":
                unknown.append(number)

    async def scenario():
        async with opened(url) as core:
            await asyncio.gather(*(pay_on(core, number) for number in range(40)))
            writing = asyncio.create_task(asyncio.to_thread(fail_over))
            number = 40
            while not writing.done():
                number += 1
                try:
                    await pay_on(core, number)
                except Unavailable:
                    await asyncio.sleep(0.01)
            await writing
            await asyncio.gather(*(pay_on(core, number) for number in range(1_000, 1_040)))
            kept = {
                row.id for row in await core.read(lambda view: view.select(TRANSACTIONS, {"ledger": BOOK}))
            }
        assert set(acknowledged) <= kept
        assert len(acknowledged) > 80
        assert len(kept) <= len(acknowledged) + len(unknown)
        assert (await verify_database(url)).ok

    def fail_over():
        primary.kill()
        standby.promote()

    run(scenario())
