"""`verify` finds nothing in sound books, and names each class of damage, forged here with raw SQL."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.engine import verify as verification
from bursar.engine.errors import StoreUnusable
from bursar.engine.kernel import EngineError, NewTransaction, Origin, Posting, ledger
from bursar.engine.verify import Damage, verify, verify_database
from tests.engine.scene import BOOK, T0, USD, opened, pay, post, run


def write(operation, *arguments, **options):
    """A command that does what `kernel.ledger` calls `operation`."""

    def command(view):
        books = view.books(BOOK)
        books.store(operation(books, *arguments, view.now, **options))

    return command


async def fill(core):
    """Books with every kind of log, a back-dated transaction, big numbers and a second ledger."""
    await core.submit(post(pay("world", "a", 100, metadata={"k": "v"}, reference="first")))
    await core.submit(post(pay("a", "b", 30, reference="second")))
    await core.submit(post(pay("world", "a", 2**80, timestamp=T0 - 50)))
    keyed = NewTransaction([Posting("world", "c", 7, "JPY"), Posting("c", "a", 3, "JPY")])
    await core.submit(lambda v: v.post(BOOK, keyed, Origin(idempotency_key="key", idempotency_hash="hash")))
    await core.submit(write(ledger.set_metadata, "a", {"name": "till", "gone": "x"}))
    await core.submit(write(ledger.set_metadata, 1, {"k": "w"}))
    await core.submit(write(ledger.delete_metadata, "a", "gone"))
    await core.submit(write(ledger.delete_metadata, 1, "k"))
    await core.submit(write(ledger.insert_schema, b'{"version":"1"}'))
    await core.submit(write(ledger.revert, 2))
    await core.submit(post(pay("world", "x", 5), ledger="other"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A database file without damage, as bytes."""
    path = tmp_path_factory.mktemp("books") / "sound.db"

    async def scenario():
        async with opened(f"sqlite:///{path}") as core:
            await fill(core)

    run(scenario())
    return path.read_bytes()


def kinds(path):
    return {damage.kind for damage in run(verify_database(f"sqlite:///{path}")).damages}


def test_sound_books(tmp_path, sound):
    path = tmp_path / "books.db"
    path.write_bytes(sound)
    told = []
    report = run(verify_database(f"sqlite:///{path}", lambda done, total: told.append((done, total))))
    assert (report.ok, report.ledgers, report.logs, list(report.damages)) == (True, 2, 11, [])
    assert told[-1] == (11, 11)


def test_sound_books_in_memory_while_they_are_written():
    async def scenario():
        async with opened() as core:
            await fill(core)
            assert (await verify(core.store)).ok

    run(scenario())


# Each forgery, and the class of damage that must be among the findings.
FORGERIES = {
    "UPDATE logs SET data = replace(data, '\"amount\":30', '\"amount\":31') WHERE id = 2": "chain_broken",
    'UPDATE logs SET data = replace(data, \'"k":"v"\', \'"k":"u"\') WHERE id = 1': "chain_broken",
    "UPDATE logs SET hash = zeroblob(32) WHERE id = 3": "chain_broken",
    "UPDATE logs SET date = date - 1 WHERE id = 5": "chain_broken",
    "UPDATE logs SET idempotency_key = 'other' WHERE id = 4": "idempotency_key",
    "UPDATE logs SET date = 5 WHERE id = 2": "log_date",
    "UPDATE logs SET data = '{}' WHERE id = 2": "log_unreadable",
    "UPDATE logs SET type = 'NONSENSE' WHERE id = 2": "log_unreadable",
    "DELETE FROM logs WHERE id = 2 AND ledger = 'main'": "log_missing",
    "DELETE FROM logs WHERE id = 1 AND ledger = 'main'": "log_missing",
    "UPDATE logs SET data = replace(data, '\"output\":30', '\"output\":31') WHERE id = 2": "recorded_volumes",
    "UPDATE logs SET data = replace(data, '\"id\":2', '\"id\":9') WHERE id = 2": "transaction_order",
    "DELETE FROM transactions WHERE id = 3": "transaction_missing",
    "UPDATE transactions SET id = 99 WHERE id = 3": "transaction_extra",
    "UPDATE transactions SET postings = replace(postings, '30', '31') WHERE id = 2": "transaction_differs",
    'UPDATE transactions SET metadata = \'{"k":"v"}\' WHERE id = 1': "transaction_differs",
    "UPDATE transactions SET reverted_at = NULL WHERE id = 2": "transaction_differs",
    "UPDATE transactions SET reverted_at = 7 WHERE id = 1": "transaction_differs",
    "UPDATE transactions SET timestamp = timestamp + 1 WHERE id = 1": "transaction_differs",
    "UPDATE transactions SET updated_at = 0 WHERE id = 1": "transaction_differs",
    "UPDATE transactions SET reference = 'third' WHERE id = 1": "transaction_differs",
    "UPDATE moves SET input = 101, effective_input = 101 WHERE \"transaction\" = 1 AND account = 'a'": "move_differs",
    "DELETE FROM moves WHERE \"transaction\" = 2 AND account = 'b'": "move_missing",
    "INSERT INTO moves VALUES ('main', 'b', 'USD/2', 9, 99, 1, 1, 1, 1)": "move_extra",
    "UPDATE moves SET effective_input = 7 WHERE \"transaction\" = 1 AND account = 'a'": "effective_volumes",
    "UPDATE volumes SET input = 31 WHERE account = 'b' AND asset = 'USD/2'": "volumes_differs",
    "UPDATE volumes SET output = output + 1 WHERE account = 'b' AND asset = 'USD/2' OR FALSE": "not_balanced",
    "UPDATE volumes SET latest = 0 WHERE account = 'a' AND asset = 'USD/2'": "volumes_differs",
    "DELETE FROM volumes WHERE account = 'b'": "volumes_missing",
    "INSERT INTO volumes VALUES ('main', 'thief', 'USD/2', 5, 5, 0)": "volumes_extra",
    "INSERT INTO volumes VALUES ('nowhere', 'thief', 'USD/2', 5, 5, 0)": "volumes_extra",
    "UPDATE accounts SET metadata = '{}' WHERE address = 'a'": "account_differs",
    "UPDATE accounts SET first_usage = 1 WHERE address = 'b'": "account_differs",
    "DELETE FROM accounts WHERE address = 'b'": "account_missing",
    "INSERT INTO accounts VALUES ('main', 'ghost', '{}', 1, 1, 1)": "account_extra",
    "DELETE FROM ledger_references WHERE reference = 'first'": "reference",
    "DELETE FROM transaction_members WHERE key = 'com.formance.spec/state/reverts'": "member_missing",
    "INSERT INTO ledger_references VALUES ('main', 'forged', 3)": "reference_extra",
    "DELETE FROM idempotency": "idempotency_key",
    "INSERT INTO idempotency VALUES ('main', 'forged', 3)": "idempotency_key_extra",
    "UPDATE heads SET log = log - 1 WHERE ledger = 'main'": "head_differs",
    "UPDATE heads SET hash = zeroblob(32) WHERE ledger = 'main'": "head_differs",
    "DELETE FROM heads WHERE ledger = 'main'": "head_missing",
}


@pytest.mark.parametrize("forgery", list(FORGERIES))
def test_a_forgery_is_named(tmp_path, sound, forgery):
    path = tmp_path / "books.db"
    path.write_bytes(sound)
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(forgery).rowcount >= 1, "the forgery did nothing"
    assert FORGERIES[forgery] in kinds(path)


def test_a_second_revert_is_named(tmp_path, sound):
    """Invariant 11, forged with a valid chain: only the meaning is wrong."""
    path = tmp_path / "books.db"
    path.write_bytes(sound)

    async def scenario():
        async with opened(f"sqlite:///{path}") as core:
            await core.submit(write(ledger.revert, 3, force=True))
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE transactions SET reverted_at = NULL WHERE id = 3")
        async with opened(f"sqlite:///{path}") as core:
            await core.submit(write(ledger.revert, 3, force=True))

    run(scenario())
    assert kinds(path) == {"reverted_twice"}


def test_a_damage_says_where_what_was_expected_and_what_was_found(tmp_path, sound):
    path = tmp_path / "books.db"
    path.write_bytes(sound)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE volumes SET latest = 7 WHERE account = 'b'")
    (damage,) = run(verify_database(f"sqlite:///{path}")).damages
    assert damage.kind == "volumes_differs"
    assert "ledger main" in damage.where
    assert "b USD/2" in damage.where
    assert damage.where.endswith("latest")
    assert damage.found == "7"
    assert str(damage) == f"volumes_differs: {damage.where}: expected {damage.expected}, found 7"


def test_domain_checks_take_part():
    def check(view):
        yield Damage("my_rule", "here", "true", str(view.count(verification_table())))

    def verification_table():
        from bursar.engine.books import LOGS

        return LOGS

    async def scenario():
        async with opened() as core:
            await core.submit(post(pay("world", "a", 1)))
            report = await verify(core.store, checks=[check])
            assert [damage.kind for damage in report.damages] == ["my_rule"]
            assert report.damages[0].found == "1"
            assert (await verify(core.store, checks=[])).ok

    run(scenario())
    assert verification.Damage is Damage


NAMES = st.sampled_from(["world", "a", "b", "c"])
POSTS = st.builds(
    NewTransaction,
    st.lists(
        st.builds(Posting, NAMES, NAMES, st.integers(0, 30) | st.just(2**64), st.just(USD)),
        min_size=1,
        max_size=3,
    ),
    reference=st.none() | st.sampled_from(["r", "s"]),
    timestamp=st.none() | st.integers(T0 - 4, T0 + 4),
    account_metadata=st.dictionaries(
        NAMES, st.dictionaries(st.sampled_from("kl"), st.text(max_size=3), max_size=1), max_size=1
    ),
)
METADATA = st.dictionaries(st.sampled_from("kl"), st.text(max_size=3), max_size=2)
COMMANDS = st.one_of(
    POSTS.map(post),
    st.builds(
        lambda number, force: write(ledger.revert, number, force=force), st.integers(1, 6), st.booleans()
    ),
    st.builds(lambda target, m: write(ledger.set_metadata, target, m), NAMES | st.integers(1, 6), METADATA),
    st.builds(
        lambda target, k: write(ledger.delete_metadata, target, k),
        NAMES | st.integers(1, 6),
        st.sampled_from("kl"),
    ),
)


@settings(max_examples=60)
@given(st.lists(st.lists(COMMANDS, min_size=1, max_size=5), max_size=5))
def test_any_history_verifies(batches):
    """Invariants 1 to 5, 8, 11, 12 and 18 through writer, store and checker, in batches and with refusals."""

    async def scenario():
        async with opened() as core:
            for batch in batches:
                replies = await asyncio.gather(*map(core.submit, batch), return_exceptions=True)
                assert all(not isinstance(r, Exception) or isinstance(r, EngineError) for r in replies), (
                    replies
                )
            report = await verify(core.store)
            assert report.ok, [str(damage) for damage in report.damages]

    run(scenario())


def test_pages_that_cannot_be_read_are_damage_too(tmp_path, sound):
    """A worn disk: whichever page it loses, there is a report or a refusal, never a crash."""
    path, told, refusals = tmp_path / "worn.db", set(), []
    for start in range(0, len(sound), 4096):
        path.write_bytes(sound[:start] + b"\xa5" * 4096 + sound[start + 4096 :])
        try:
            told |= kinds(path)
        except StoreUnusable as error:
            refusals.append(error.message)
    assert "unreadable" in told
    assert refusals
    assert all("worn.db" in message for message in refusals)
