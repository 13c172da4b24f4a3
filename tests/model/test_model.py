"""The ledger against the oracle: one stream of operations, the same answers, logs, hashes and bytes (issue 5, item 2).

Long campaigns: `python -m tests.model --operations 1000000`.
"""

import ast
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from msgspec.structs import replace as replaced

from bursar.testing.postgres import Postgres
from tests.model import chain, histories, oracle, stream
from tests.model.operations import T0, Create, Generator, Operation, Read, Revert, SetMetadata, Write
from tests.model.oracle import Oracle
from tests.model.systems import System, opened, together

PLACE = Path(__file__).parent
RANDOMS = st.randoms(use_true_random=False)
INDEPENDENT = ("chain", "operations", "oracle", "reads")


@pytest.mark.parametrize("name", INDEPENDENT)
def test_the_oracle_knows_nothing_but_the_standard_library_and_itself(name: str) -> None:
    tree = ast.parse((PLACE / f"{name}.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    own = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            if node.module == "tests.model":
                own |= {alias.name for alias in node.names}
            elif node.module.startswith("tests.model."):
                own.add(node.module.removeprefix("tests.model."))
            else:
                imported.add(node.module)
    assert {module.partition(".")[0] for module in imported} <= sys.stdlib_module_names
    assert own <= set(INDEPENDENT)


def test_input_hashes_seen_on_the_real_service() -> None:
    """Section 10.3."""
    seen = {
        "_KwC7nacRDZPt06jONIdlyDn8lIWbed2ZBih5ypOaLQ=": Create(
            {"postings": [{"source": "world", "destination": "till:1", "amount": 250, "asset": "EUR/2"}]}
        ),
        "gsUQtIXSzkxnP19auXqHkw5L3AU5ZtOQ4TslKvaL4GQ=": Revert(2),
        "nQTH_EM8xZc-QK82Fd3Vy9I6a6RNKEn1frmRJorBO7I=": SetMetadata("till:1", {"tier": "gold"}),
    }
    for digest, request in seen.items():
        assert chain.input_hash(oracle.input_of(request)) == digest


def test_chain_seen_on_the_real_service() -> None:
    """The vectors of section 12.2 that a ledger of today can make: the first, and a later one on its hash."""
    first = {
        "transaction": {
            "postings": [{"source": "world", "destination": "till:1", "amount": 250, "asset": "EUR/2"}],
            "metadata": {},
            "timestamp": "2026-01-02T03:04:05Z",
            "id": 1,
            "reverted": False,
        },
        "accountMetadata": {},
    }
    at = 1_767_323_045_000_000
    linked = chain.link(b"", "NEW_TRANSACTION", first, at, "")
    assert chain.base64.b64encode(linked) == b"EUGpT0YadYt177Eqsg0RFJb54G9BrhtfntAeFtxpmsw="
    sixth = chain.base64.b64decode("yve+Z1fLbecB+2OPV1VAh/H40gKp86AkthQ8JkekHxE=")
    last = {"targetType": "ACCOUNT", "targetId": "till:1", "metadata": {"z": "1"}}
    linked = chain.link(sixth, "SET_METADATA", last, at + 6_000_000, "ké")
    assert chain.base64.b64encode(linked) == b"TwAraUBZOUQZyugEP5Tz1wTS/egME98+4INp4rJeedg="


@asynccontextmanager
async def all_systems(postgres: Postgres) -> AsyncGenerator[list[System]]:
    """Two in process, on SQLite and PostgreSQL, and one over HTTP."""
    url = await asyncio.to_thread(postgres.database)
    async with (
        opened("sqlite", "sqlite://") as sqlite,
        opened("postgres", url) as on_postgres,
        opened("http", "sqlite://", http=True) as http,
    ):
        yield [sqlite, on_postgres, http]


def test_a_stream_of_operations_on_all_systems(postgres: Postgres) -> None:
    """Invariants 1 to 5, 7 to 9, 11, 12, 18 and 22."""
    names = ["s-0", "s-1", "s-2", "s-3"]

    async def scenario() -> None:
        async with all_systems(postgres) as systems:
            generators = [Generator(Random(f"suite/{name}")) for name in names]
            ledgers = await stream.run(systems, names, generators, 40)
            assert len({ledger.head() for ledger in ledgers}) == len(names)

    asyncio.run(scenario())


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses and shrinks; all choices of the generator are its own."""

    runner: asyncio.Runner
    systems: list[System]
    names = count()

    def __init__(self) -> None:
        super().__init__()
        oracle = Oracle(self.systems[0].now())
        self.ledger = stream.Ledger(f"h-{next(self.names)}", self.systems, oracle)
        self.runner.run(self.ledger.create())

    @rule(random=RANDOMS)
    def create(self, random: Random) -> None:
        self._do(Write(Generator(random).create(self.ledger.known())))

    @rule(random=RANDOMS)
    def revert(self, random: Random) -> None:
        self._do(Write(Generator(random).revert(self.ledger.known())))

    @rule(random=RANDOMS)
    def write(self, random: Random) -> None:
        self._do(Generator(random).write(self.ledger.known()))

    @rule(random=RANDOMS, dry_run=st.booleans())
    def write_again(self, random: Random, dry_run: bool) -> None:
        keyed = [each for _, each in self.ledger.done if isinstance(each, Write) and each.key]
        if keyed:
            self._do(replace(random.choice(keyed), dry_run=dry_run))

    @rule(random=RANDOMS)
    def bulk(self, random: Random) -> None:
        self._do(Generator(random).bulk(self.ledger.known()))

    @rule(random=RANDOMS)
    def read(self, random: Random) -> None:
        self._do(Generator(random).read(self.ledger.known()))

    @rule(random=RANDOMS)
    def wait(self, random: Random) -> None:
        stream.advance(self.ledger.systems, [self.ledger], Generator(random).step())

    def teardown(self) -> None:
        self.runner.run(self.ledger.finish())

    def _do(self, operation: Operation) -> None:
        self.runner.run(self.ledger.do(operation))


def test_histories_that_hypothesis_chooses(postgres: Postgres) -> None:
    """The same invariants; a failure is shrunk to the few operations that matter."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        systems = runner.run(stack.enter_async_context(all_systems(postgres)))
        opened_machine = type("OpenedMachine", (Machine,), {"runner": runner, "systems": systems})
        try:
            run_state_machine_as_test(
                opened_machine, settings=settings(max_examples=4, stateful_step_count=18)
            )
            for system in systems:
                runner.run(system.check())
        finally:
            runner.run(stack.aclose())


@pytest.mark.parametrize("servers", [1, 2])
def test_histories_of_many_submitters_have_an_order(postgres: Postgres, servers: int) -> None:
    """On SQLite, and through two servers on one PostgreSQL: every answer is right at its place in the log's order."""

    async def scenario() -> None:
        url = "sqlite://" if servers == 1 else await asyncio.to_thread(postgres.database)
        async with together(url, servers) as systems:
            for seed in range(3):
                name = f"c-{seed}"
                await systems[0].create(name)
                calls = await histories.record(systems, name, submitters=8, each=12, seed=f"suite/{seed}")
                histories.check(calls, (await systems[-1].logs(name))[1], systems[0].now())
            await systems[0].check()

    asyncio.run(scenario())


def test_a_history_without_an_order_is_found() -> None:
    """The check itself: a lost log, a late write and a wrong answer are all noticed."""

    async def scenario() -> tuple[list[histories.Call], list[dict[str, Any]]]:
        async with opened("sqlite", "sqlite://") as system:
            await system.create("c")
            calls = await histories.record([system], "c", submitters=8, each=12, seed="suite")
            return calls, (await system.logs("c"))[1]

    calls, logs = asyncio.run(scenario())
    histories.check(calls, logs, T0)
    with pytest.raises(histories.Wrong, match="not in the log"):
        histories.check(calls, logs[:-1], T0)
    writers = sorted((call for call in calls if call.log), key=lambda call: call.log)
    first, last = writers[0], writers[-1]
    late = replace(first, began=last.ended + 1, ended=last.ended + 2)
    with pytest.raises(histories.Wrong, match="in the log after one that began when this had ended"):
        histories.check([late if call is first else call for call in calls], logs, T0)
    read = next(call for call in calls if isinstance(call.operation, Read) and call.operation.what == "stats")
    stale = replace(read, answer=replaced(read.answer, body=b'{"data":{"transactions":99,"accounts":0}}'))
    with pytest.raises(histories.Wrong, match="no place for"):
        histories.check([stale if call is read else call for call in calls], logs, T0)
