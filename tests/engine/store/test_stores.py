"""What every store promises; each test runs on SQLite in memory, on a SQLite file and on PostgreSQL."""

import pytest

from bursar.engine.errors import CommitFailed
from bursar.engine.store.base import QueryRefused, Range, Sql, Wanted
from bursar.engine.store.opening import open_store
from tests.engine.scene import run
from tests.engine.store.things import ROWS, STAMPS, TABLES, THINGS, Stamp, changes, thing

MEMORY = "sqlite://"


@pytest.fixture(params=["memory", "file", "postgres"])
def url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres").database()
    return MEMORY if request.param == "memory" else f"sqlite:///{tmp_path}/a.db"


def test_values_come_back_exactly(url):
    async def scenario():
        store = await open_store(url, TABLES)
        assert await store.commit(0, changes(*ROWS))
        if url != MEMORY:
            await store.close()
            store = await open_store(url, TABLES)
        loaded = await store.fetch(
            Wanted([(THINGS, ("A", row.number)) for row in ROWS] + [(THINGS, ("B", 1))])
        )
        assert [row for _, _, row in loaded.rows] == [*ROWS, None]
        assert [type(row.flag) for _, _, row in loaded.rows[:3]] == [bool] * 3
        assert await store.read(lambda rows: rows.get(THINGS, "A", 2)) == ROWS[1]
        await store.close()

    run(scenario())


def test_commits_are_fenced_by_the_version(url):
    async def scenario():
        store = await open_store(url, TABLES)
        assert await store.commit(0, changes(thing(1)))
        assert not await store.commit(0, changes(thing(2)))
        assert store.version == 1
        assert await store.commit(1, {THINGS: {("A", 1): None, ("A", 9): None}})
        assert await store.read(lambda rows: rows.count(THINGS)) == 0
        await store.close()

    run(scenario())


def test_rows_are_replaced_but_append_only_rows_are_not(url):
    async def scenario():
        store = await open_store(url, TABLES)
        await store.commit(0, changes(thing(1)) | changes(Stamp("x"), table=STAMPS))
        await store.commit(1, changes(thing(1, big=5)))
        with pytest.raises(CommitFailed) as failure:
            await store.commit(2, changes(thing(1, big=6)) | changes(Stamp("x"), table=STAMPS))
        assert failure.value.outcome == "rejected"
        assert await store.read(lambda rows: rows.get(THINGS, "A", 1)) == thing(1, big=5)
        await store.close()

    run(scenario())


def test_queries(url):
    async def scenario():
        store = await open_store(url, TABLES)
        rows = [thing(n, flag=n % 2 == 0, maybe=None if n < 3 else str(n)) for n in range(6)]
        await store.commit(0, changes(*rows) | {STAMPS: {}})

        def numbers(where=None, **options):
            return store.read(lambda view: [row.number for row in view.select(THINGS, where, **options)])

        assert await numbers() == [0, 1, 2, 3, 4, 5]
        assert await numbers({"flag": True, "number >=": 2}) == [2, 4]
        assert await numbers({"maybe": None}) == [0, 1, 2]
        assert await numbers({"maybe !=": None}, order=("-number",), limit=2) == [5, 4]
        assert await numbers({"number !=": 3, "number <": 5, "number >": 1}) == [2, 4]
        assert await numbers(order=("flag", "-number")) == [5, 3, 1, 4, 2, 0]
        assert await store.read(lambda view: view.count(THINGS, {"number <=": 3})) == 4
        assert await store.read(lambda view: [row.number for row in view.scan(THINGS, "A")]) == [
            0,
            1,
            2,
            3,
            4,
            5,
        ]
        assert await store.read(lambda view: list(view.scan(THINGS, "B"))) == []
        loaded = await store.fetch(Wanted(ranges=[Range(THINGS, ("A",), (3,))]))
        assert [row.number for row in loaded.ranges[0][1]] == [4, 5]
        for where in ({"nothing": 1}, {"number ~": 1}, {"number; drop table things": 1}):
            with pytest.raises(ValueError, match="no condition"):
                await numbers(where)
        await store.close()

    run(scenario())


@pytest.mark.parametrize("unfit", [{"maybe": "\ud800"}, {"number": 2**63}])
def test_a_row_that_no_column_holds_rejects_its_batch_and_no_other(url, unfit):
    """Nothing of the batch stays behind in an open transaction."""

    async def scenario():
        store = await open_store(url, TABLES)
        good, bad = (
            thing(1),
            thing(unfit.get("number", 2), **{k: v for k, v in unfit.items() if k != "number"}),
        )
        with pytest.raises(CommitFailed) as failure:
            await store.commit(0, changes(good, bad))
        assert failure.value.outcome == "rejected"
        assert await store.commit(0, changes(thing(3)))
        assert [row.number for row in await store.read(lambda rows: rows.select(THINGS))] == [3]
        await store.close()

    run(scenario())


def test_texts_come_back_whatever_they_hold(url):
    """PostgreSQL has no NUL; the mark that stands for it there is a character like any other."""
    texts = ["a\0b", "\0", "\ue000", "\ue000n", "\ue000m\0", "", "é😀"]

    async def scenario():
        store = await open_store(url, TABLES)
        await store.commit(0, changes(*(thing(n, maybe=text) for n, text in enumerate(texts))))
        await store.commit(1, changes(Stamp("a\0b"), table=STAMPS))
        assert [row.maybe for row in await store.read(lambda rows: rows.select(THINGS))] == texts
        assert await store.read(lambda rows: rows.count(THINGS, {"maybe": "a\0b"})) == 1
        loaded = await store.fetch(Wanted([(STAMPS, ("a\0b",)), (STAMPS, ("\0",))]))
        assert [row for _, _, row in loaded.rows] == [Stamp("a\0b"), None]
        assert await store.commit(2, {STAMPS: {("a\0b",): None}})
        assert await store.read(lambda rows: rows.count(STAMPS)) == 0
        await store.close()

    run(scenario())


@pytest.mark.parametrize(
    ("expression", "values", "result"),
    [
        ("balance(?, ?)", (5, str(10**30)), 5 - 10**30),
        ("compare(?, ?)", (str(10**30), 3), 1),
        ("compare(?, ?)", (2, 2), 0),
        ("member(?, ?)", ('{"a": "b"}', "a"), "b"),
        ("member(?, ?)", ('{"a": "b"}', "c"), None),
        ("matches(?, ?)", ("users:1\nx", "users:.*"), True),
        ("matches(?, ?)", ("users:1", "users"), False),
        ("matches(?, ?)", ("a-b.c", r"a\-b\.c"), True),
        ("segments(?, ?)", ("a:b:c", 2), "a:b"),
        ("segments(?, ?)", ("a:b", 2**40), "a:b"),
        (
            "posting_matches(?, ?, ?)",
            ('[{"source": "a", "destination": "b:c"}]', "destination", "b(?::.*)?"),
            True,
        ),
        (
            "posting_matches(?, ?, ?)",
            ('[{"source": "a", "destination": "b:c"}]', "source", "b(?::.*)?"),
            False,
        ),
        ("like_text(?, ?)", ("a_b", r"a\_%"), True),
        ("like_text(?, ?)", ("axb", r"a\_%"), False),
        ("like_text(?, ?)", ("A", "a"), False),
        ("like_text(?, ?)", ("ab", "ab\\"), True),
        ("single(?, ?)", (1, 7), 7),
    ],
)
def test_functions_of_queries_agree(url, expression, values, result):
    async def scenario():
        store = await open_store(url, ())
        [(found,)] = await store.read(lambda rows: rows.query(Sql(f"SELECT {expression}", values)))
        assert (int(found) if isinstance(result, int) else found) == result
        await store.close()

    run(scenario())


def test_a_query_without_meaning_is_refused(url):
    async def scenario():
        store = await open_store(url, ())
        with pytest.raises(QueryRefused):
            await store.read(lambda rows: rows.query(Sql("SELECT single(?, ?)", (2, 7))))
        assert await store.read(lambda rows: rows.query(Sql("SELECT 1"))) == [(1,)]
        await store.close()

    run(scenario())


def test_sums_are_exact_and_texts_order_by_code_point(url):
    async def scenario():
        store = await open_store(url, TABLES)
        await store.commit(0, changes(thing(1, big=2**62), thing(2, big=2**62), thing(3, big=10**40)))
        await store.commit(1, changes(*map(Stamp, ["b", "B", "a:b", "a-b", "é"]), table=STAMPS))
        [(total,)] = await store.read(
            lambda rows: rows.query(Sql("SELECT exact_sum(big) FROM things GROUP BY book"))
        )
        assert int(total) == 2**63 + 10**40
        names = await store.read(lambda rows: [row.name for row in rows.select(STAMPS)])
        assert names == ["B", "a-b", "a:b", "b", "é"]
        await store.close()

    run(scenario())


def test_a_scan_of_many_rows_does_not_end_early(url):
    async def scenario():
        store = await open_store(url, TABLES)
        await store.commit(0, changes(*map(thing, range(2_500))))
        assert await store.read(lambda rows: sum(row.number for row in rows.scan(THINGS, "A"))) == sum(
            range(2_500)
        )
        await store.close()

    run(scenario())
