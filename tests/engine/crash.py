"""Kill a busy writer with SIGKILL, again and again: no acknowledged transaction may be lost (invariant 6).

`python -m tests.engine.crash --cycles 100` runs as many cycles as wanted; the suite runs a few.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from bursar.engine.core import Core
from bursar.engine.kernel import NewTransaction, Posting
from bursar.engine.store.sqlite import SqliteReader
from bursar.engine.verify import verify

BOOK, USD = "main", "USD/2"
SUBMITTERS = 16


async def write(path: Path, life: int) -> None:
    """The victim: posts without end and writes a line for each acknowledged reference."""
    core = await Core.open(f"sqlite:///{path}")
    numbers = iter(range(10**9))

    async def submitter() -> None:
        for number in numbers:
            account, reference = f"a:{number % 50}", f"{life}-{number}"
            postings = [Posting("world", account, 10, USD), Posting(account, "b", 4, USD)]
            new = NewTransaction(postings, reference=reference)
            await core.submit(lambda view, new=new: view.post(BOOK, new))
            os.write(1, f"{reference}\n".encode())

    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))


def kill_after(path: Path, life: int, lines: int) -> list[str]:
    """Start the victim, kill it after so many acknowledgements; all that it acknowledged."""
    command = [sys.executable, "-m", "tests.engine.crash", "--write", str(path), "--life", str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        read = [victim.stdout.readline() for _ in range(lines)]
        victim.send_signal(signal.SIGKILL)
        read += victim.stdout.readlines()
    return [line.decode().strip() for line in read if line.endswith(b"\n")]


async def stored(path: Path) -> set[str | None]:
    """All references in the books, which must be sound."""
    from bursar.engine.books import TRANSACTIONS

    reader = SqliteReader(path)
    report = await verify(reader)
    assert report.ok, [str(damage) for damage in report.damages]
    rows = await reader.read(lambda view: view.select(TRANSACTIONS))
    await reader.close()
    return {row.reference for row in rows}


def torment(path: Path, cycles: int, seed: int = 1) -> tuple[int, int]:
    """(acknowledged, stored) after so many lives; raises AssertionError when the books are wrong."""
    chance, acknowledged, found = random.Random(seed), set[str](), set[str | None]()
    for life in range(cycles):
        acknowledged.update(kill_after(path, life, chance.randint(1, 300)))
        found = asyncio.run(stored(path))
        assert acknowledged <= found, f"lost: {sorted(acknowledged - found)[:5]}"
    return len(acknowledged), len(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--life", type=int, default=0)
    given = parser.parse_args()
    if given.write:
        asyncio.run(write(given.write, given.life))
    else:
        with tempfile.TemporaryDirectory() as directory:
            acks, rows = torment(Path(directory, "books.db"), given.cycles, given.seed)
        sys.stdout.write(
            f"{given.cycles} kills: {acks} acknowledged, {rows} stored, none lost, books sound\n"
        )
