"""Order of one object's events, and who is held up by whom (PS111)."""

import asyncio
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.engine.webhooks import emit
from bursar.engine.webhooks.sending import Answer
from bursar.engine.webhooks.tables import LANES
from tests.engine.webhooks.hooks import OWNER, Hooks


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=25),
    st.lists(st.sampled_from([200, 200, 500]), min_size=1, max_size=40),
    st.data(),
)
def test_ps111_order_of_an_object_is_kept_whatever_fails(objects: list[int], answers: list[int], data):
    """Events are emitted while others are retried; each object's are accepted once each, in the order of emission."""
    with Hooks() as hooks:
        hooks.add()
        queue = list(answers)
        accepted: dict[str, list[int]] = {}

        def reply(got):
            status = queue.pop(0) if queue else 200
            if status == 200:
                accepted.setdefault(got.message["data"]["object"], []).append(got.message["data"]["n"])
            return Answer(status)

        hooks.endpoints.reply = reply
        emitted: dict[str, list[int]] = {}
        for number, which in enumerate(objects):
            name = f"escrow:{which}"
            hooks.emit(object_=name, object=name, n=number)
            emitted.setdefault(name, []).append(number)
            step = data.draw(st.sampled_from(["run", "next", "nothing", "nothing"]))
            if step == "run":
                hooks.run()
            elif step == "next":
                hooks.next()
        hooks.run_all()
        assert accepted == emitted
        assert hooks.do(hooks.core.read(lambda view: view.count(LANES))) == 0


@pytest.mark.parametrize("objects", [1, 100, 450])
def test_ps111_long_queues_and_many_of_them(objects: int):
    """900 events of few and of many objects, of which some are told while their forerunners are under way."""

    def many(view, first: int) -> None:
        for number in range(first, first + 450):
            name = f"escrow:{number % objects}"
            data = {"object": name, "n": number}
            emit(view, source="piaxis", owner=OWNER, type="escrow.released", object=name, data=data)

    with Hooks() as hooks:
        hooks.add()
        hooks.do(hooks.core.submit(partial(many, first=0)))
        hooks.endpoints.reply = lambda got: Answer(500 if len(hooks.received) <= 5 else 200)
        hooks.run()
        assert hooks.failures() == []
        hooks.do(hooks.core.submit(partial(many, first=450)))
        hooks.run()
        assert hooks.failures() == []
        hooks.run_all()
        accepted: dict[str, list[int]] = {}
        for got in hooks.received[5:]:
            accepted.setdefault(got.message["data"]["object"], []).append(got.message["data"]["n"])
        assert sum(map(len, accepted.values())) == 900
        assert all(numbers == sorted(numbers) for numbers in accepted.values())


def test_ps111_a_failing_object_does_not_hold_up_others():
    with Hooks() as hooks:
        hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if got.message["data"]["object"] == "bad" else 200)
        for number in range(3):
            hooks.emit(object_="bad", object="bad", n=number)
            hooks.emit(object_="good", object="good", n=number)
        hooks.run()
        assert hooks.seen() == {"bad": [0], "good": [0, 1, 2]}


def test_ps111_after_a_dead_letter_the_next_of_its_object_is_sent():
    with Hooks() as hooks:
        made = hooks.add()
        hooks.endpoints.reply = lambda got: Answer(500 if got.message["data"]["n"] == 0 else 200)
        hooks.emit(object="escrow:1", n=0)
        hooks.emit(object="escrow:1", n=1)
        hooks.run_all()
        assert hooks.seen() == {"escrow:1": [0] * 8 + [1]}
        assert [row.status for row in hooks.deliveries(made)] == ["failed", "succeeded"]


def test_a_slow_endpoint_holds_up_nobody_else_and_keeps_its_order():
    """While one endpoint does not answer, others are served, and the slow one's other objects too."""

    async def scenario(hooks: Hooks) -> None:
        silent: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        progress = asyncio.Event()

        def reply(got):
            progress.set()
            slow = got.url.startswith("https://slow") and got.message["data"]["object"] == "a"
            return silent if slow and not silent.done() else Answer(200)

        async def until(received: int) -> None:
            async with asyncio.timeout(5):
                while len(hooks.received) < received:
                    await progress.wait()
                    progress.clear()

        hooks.endpoints.reply = reply
        await hooks.service.create(OWNER, "https://slow.example.com/", ["*"])
        await hooks.service.create(OWNER, "https://quick.example.com/", ["*"])
        hooks.core.worker.start()
        for number in range(3):
            await hooks.core.submit(partial(both, n=number))
        await until(6 + 1 + 3)
        silent.set_result(Answer(200))
        await until(12)

    def both(view, n: int) -> None:
        for name in ("a", "b"):
            data = {"object": name, "n": n}
            emit(view, source="piaxis", owner=OWNER, type="escrow.created", object=name, data=data)

    with Hooks() as hooks:
        hooks.do(scenario(hooks))
        for host in ("slow", "quick"):
            got = [each.message["data"] for each in hooks.received if each.url.startswith(f"https://{host}")]
            assert [data["n"] for data in got if data["object"] == "a"] == [0, 1, 2]
            assert [data["n"] for data in got if data["object"] == "b"] == [0, 1, 2]
