"""Every class of damage that `verify` can name is forged by some test, and the ledger's on both stores."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import asyncpg
import pytest

from bursar.engine import ledger_check
from bursar.engine import verify as verification
from bursar.engine.milkyway import invariants as milkyway
from bursar.engine.piaxis import escrow_invariants as escrows
from bursar.engine.piaxis import invariants as piaxis
from bursar.engine.store.opening import open_reader
from bursar.engine.verify import verify
from bursar.engine.webhooks import invariants as webhooks
from tests.engine.milkyway.test_invariants import DAMAGES as OF_MILKYWAY
from tests.engine.piaxis.test_escrow_invariants import DAMAGES as OF_ESCROWS
from tests.engine.piaxis.test_invariants import DAMAGES as OF_PIAXIS
from tests.engine.scene import opened, run
from tests.engine.test_verify import FORGERIES, fill
from tests.engine.webhooks.test_invariants import DAMAGES as OF_WEBHOOKS


def called(tree: ast.AST, *names: str) -> Iterator[ast.expr]:
    """The first argument of each call of a function or method of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node.args[0]


def constants(values: Iterator[ast.expr]) -> set[str]:
    return {str(value.value) for value in values if isinstance(value, ast.Constant)}


def named_by(module: ModuleType) -> set[str]:
    """The classes in its source; `_compare` and `_differences` make theirs of the kind of row they are given."""
    tree = ast.parse(inspect.getsource(module))
    compared = constants(called(tree, "_compare"))
    differing = compared | constants(called(tree, "_differences"))
    made = {f"{kind}_{end}" for kind in compared for end in ("extra", "missing")}
    return constants(called(tree, "Damage", "_damage")) | made | {f"{kind}_differs" for kind in differing}


BESIDE = {"reverted_twice", "unreadable"}
"""Forged in tests of their own in `test_verify`: by a valid chain, and by lost pages."""


def test_every_class_of_the_ledger_is_forged():
    named = named_by(ledger_check) | named_by(verification)
    assert named == {*FORGERIES.values()} | BESIDE
    assert len(named) >= 24


@pytest.mark.parametrize(
    ("module", "forged"),
    [
        (milkyway, {told.partition(":")[0] for _, _, told in OF_MILKYWAY}),
        (piaxis, {kind for *_, kinds in OF_PIAXIS for kind in kinds}),
        (escrows, {kind for *_, kinds in OF_ESCROWS for kind in kinds}),
        (webhooks, {kind for _, kinds in OF_WEBHOOKS for kind in kinds}),
    ],
    ids=["milkyway", "piaxis", "escrows", "webhooks"],
)
def test_every_class_of_a_domain_is_forged(module: ModuleType, forged: set[str]):
    assert named_by(module) - forged == set()


def on_postgres(forgery: str) -> str:
    return forgery.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')")


def test_forgeries_on_postgres_are_named_too(postgres):
    """On one database: before each forgery the tables are as they were."""
    url = postgres.database()

    async def scenario():
        async with opened(url) as core:
            await fill(core)
        connection, reader = await asyncpg.connect(url), await open_reader(url)
        try:
            assert (await verify(reader)).ok
            await connection.execute("CREATE SCHEMA sound")
            unnamed = []
            for forgery, kind in FORGERIES.items():
                [table] = re.findall(r"^(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)", forgery)
                await connection.execute(f"CREATE TABLE IF NOT EXISTS sound.{table} AS TABLE {table}")
                assert not (await connection.execute(on_postgres(forgery))).endswith(" 0"), forgery
                if kind not in {damage.kind for damage in (await verify(reader, checks=[])).damages}:
                    unnamed.append(forgery)
                await connection.execute(f"TRUNCATE {table}")
                await connection.execute(f"INSERT INTO {table} SELECT * FROM sound.{table}")
            assert unnamed == []
            assert (await verify(reader)).ok
        finally:
            await reader.close()
            await connection.close()

    run(scenario())
