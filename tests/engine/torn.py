"""Tear SQLite's write-ahead log at every frame: what is left must be a prefix of the commits (invariant 6).

`python -m tests.engine.torn --points 10000` records two write-ahead logs, commit by commit: a first one, and one that a
checkpoint had restarted, with frames of the first behind its end. It then damages copies of them, one point at a time:
cut, zeroed, flipped and replaced by older frames, in the header, in each field of each frame's header and in the page,
and checkpoints that ended halfway. Books opened on a torn log must hold exactly the commits before the first damaged
byte: each frame's checksum continues the one before it, so that nothing behind the damage counts. Every fiftieth point
is verified as a whole and every two hundredth is written to. The suite runs some hundred points.
"""

import argparse
import asyncio
import itertools
import random
import sqlite3
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from bursar.engine.books import HEADS, MOVES, TRANSACTIONS
from bursar.engine.core import Core
from bursar.engine.store.base import Rows
from bursar.engine.store.sqlite import SqliteReader
from bursar.engine.verify import Readable, verify
from tests.engine.scene import BOOK, opened, pay

HEADER, FRAME_HEADER = 32, 24
"""Bytes (sqlite.org/fileformat2.html, section 4)."""
VERIFIED_EVERY, WRITTEN_EVERY = 50, 200
CHECKPOINT = "checkpoint ended halfway"

State = tuple[int, bytes, int, int]
"""Log and hash of the head; how many transactions and moves there are."""


@dataclass(frozen=True)
class Recording:
    """A database as a crash would leave it."""

    database: bytes
    wal: bytes
    page: int
    ends: list[int]
    """Where each commit's last frame ends in the write-ahead log."""
    states: list[State]
    """Of the database alone, then after each commit."""
    checkpointed: bytes
    """The database when all of the write-ahead log has been copied into it."""

    @property
    def frame(self) -> int:
        """Bytes of a frame."""
        return FRAME_HEADER + self.page

    @property
    def frames(self) -> range:
        """Where frames begin, also those behind the last commit."""
        return range(HEADER, len(self.wal), self.frame)

    def left(self, sound: int) -> State:
        """What must be there when so many bytes of the write-ahead log are as they were."""
        return self.states[sum(end <= sound for end in self.ends)]


@dataclass(frozen=True)
class Point:
    """A damage, and how many bytes of the write-ahead log lie before it."""

    name: str
    database: bytes
    wal: bytes
    sound: int


def state(rows: Rows) -> State:
    """What tells one commit from another."""
    head = rows.get(HEADS, BOOK)
    assert head is not None
    return head.log, head.hash, rows.count(TRANSACTIONS), rows.count(MOVES)


def commit_ends(wal: bytes, page: int) -> list[int]:
    """Where commits end in a sound write-ahead log: at frames of its salts that say the size of the database."""
    ends = []
    for start in range(HEADER, len(wal), FRAME_HEADER + page):
        size, salts = struct.unpack(">4xI8s", wal[start : start + 16])
        if salts != wal[16:24]:
            break
        if size:
            ends.append(start + FRAME_HEADER + page)
    return ends


async def record(place: Path, commits: int, seed: int) -> list[Recording]:
    """A first write-ahead log of so many commits, and a restarted one of half as many."""
    path, chance = place / "books.db", random.Random(seed)
    url = f"sqlite:///{path}"
    async with opened(url) as core:
        await core.submit(lambda view: view.post(BOOK, pay("world", "a:0", 1)))
    async with opened(url) as core:
        first = await _grow(core, path, commits, chance)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
        return [first, await _grow(core, path, commits // 2, chance)]


async def _grow(core: Core, path: Path, commits: int, chance: random.Random) -> Recording:
    """Commits of 1 to 40 transactions each."""
    (database, _), states = _files(path), [await core.store.read(state)]
    for number in range(commits):
        accounts = [f"a:{number}:{chance.randrange(50)}" for _ in range(chance.choice([1, 2, 5, 40]))]
        news = [pay("world", account, chance.randint(1, 99)) for account in accounts]
        await asyncio.gather(*(core.submit(lambda view, new=new: view.post(BOOK, new)) for new in news))
        states.append(await core.store.read(state))
    at_the_end, wal = _files(path)
    assert at_the_end == database, "a checkpoint has come between"
    (page,) = struct.unpack(">I", wal[8:12])
    ends = commit_ends(wal, page)
    assert len(ends) == commits
    return Recording(database, wal, page, ends, states, _checkpointed(path.parent, database, wal))


def _files(path: Path) -> tuple[bytes, bytes]:
    """Database and write-ahead log."""
    return path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()


def _checkpointed(place: Path, database: bytes, wal: bytes) -> bytes:
    path = place / "checkpointed.db"
    _lay(path, database, wal)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    return path.read_bytes()


def _lay(path: Path, database: bytes, wal: bytes) -> None:
    """Put a database as a crash leaves it: the index of the write-ahead log does not survive one."""
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    path.with_name(path.name + "-wal").write_bytes(wal)
    path.write_bytes(database)


def cut(recording: Recording, name: str, at: int) -> Point:
    """The write-ahead log ends."""
    at = min(at, len(recording.wal))
    return Point(f"cut {name}", recording.database, recording.wal[:at], at)


def replaced(recording: Recording, name: str, at: int, by: bytes) -> Point:
    """Other bytes stand there; they may be the same."""
    whole = recording.wal
    by = by[: len(whole) - at]
    sound = next((at + i for i, byte in enumerate(by) if byte != whole[at + i]), len(whole))
    return Point(name, recording.database, whole[:at] + by + whole[at + len(by) :], sound)


def flipped(recording: Recording, name: str, at: int, length: int, chance: random.Random) -> Point:
    """One bit of a field is another."""
    at += chance.randrange(length)
    by = recording.wal[at] ^ 1 << chance.randrange(8)
    return replaced(recording, f"bit flipped in {name}", at, bytes([by]))


FRAME_FIELDS = {
    "page number": (0, 4),
    "size of the database": (4, 4),
    "salts": (8, 8),
    "checksum": (16, 8),
}
HEADER_FIELDS = {
    "magic": (0, 4),
    "version": (4, 4),
    "page size": (8, 4),
    "sequence": (12, 4),
    "salts": (16, 8),
    "checksum": (24, 8),
}


def of_frame(recording: Recording, start: int, chance: random.Random) -> Iterator[Point]:
    """Everything that is done to a frame."""
    page, frame, wal = recording.page, recording.frame, recording.wal
    yield cut(recording, "before a frame", start)
    yield cut(recording, "one byte before a frame", start - 1)
    yield cut(recording, "one byte into a frame", start + 1)
    yield cut(recording, "in a frame's header", start + chance.randrange(2, FRAME_HEADER))
    yield cut(recording, "before a page", start + FRAME_HEADER)
    yield cut(recording, "in a page", start + FRAME_HEADER + chance.randrange(1, page - 1))
    yield cut(recording, "one byte before a frame's end", start + frame - 1)
    yield replaced(recording, "frame's header zeroed", start, bytes(FRAME_HEADER))
    yield replaced(recording, "page zeroed", start + FRAME_HEADER, bytes(page))
    stretch = bytes(chance.randrange(1, 3 * frame))
    yield replaced(recording, "stretch zeroed", start + chance.randrange(frame), stretch)
    for name, (offset, length) in FRAME_FIELDS.items():
        yield flipped(recording, f"a frame's {name}", start + offset, length, chance)
    yield flipped(recording, "a page", start + FRAME_HEADER, page, chance)
    yield flipped(recording, "a page's first bytes", start + FRAME_HEADER, 16, chance)
    for name, source in (
        ("frame before it", max(HEADER, start - frame)),
        ("some frame", chance.choice(recording.frames)),
        ("last frame of all", recording.frames[-1]),
    ):
        yield replaced(recording, f"replaced by the {name}", start, wal[source : source + frame])
    older = replaced(recording, "older frame at the end", start, wal[HEADER : HEADER + frame])
    yield Point(older.name, older.database, older.wal[: start + frame], min(older.sound, start + frame))
    name = chance.choice(list(HEADER_FIELDS))
    yield flipped(recording, f"the log's {name}", *HEADER_FIELDS[name], chance)
    yield half_checkpointed(recording, chance)


def half_checkpointed(recording: Recording, chance: random.Random) -> Point:
    """Some pages were copied to the database, one of them in part: the write-ahead log has them all."""
    old, new, page = bytearray(recording.database), recording.checkpointed, recording.page
    old.extend(bytes(len(new) - len(old)))
    for start in range(0, len(new), page):
        if chance.random() < 0.5:
            end = start + chance.choice([page, page, page // 2])
            old[start:end] = new[start:end]
    return Point(CHECKPOINT, bytes(old), recording.wal, len(recording.wal))


def points(recordings: list[Recording], seed: int) -> Iterator[tuple[Recording, Point]]:
    """Every damage to every frame, in an order that mixes them, and again with other bytes, without end."""
    chance = random.Random(seed)
    frames = [(recording, start) for recording in recordings for start in recording.frames]
    while True:
        for recording, start in chance.sample(frames, len(frames)):
            for point in of_frame(recording, start, chance):
                yield recording, point


async def check(path: Path, point: Point, left: State, number: int) -> None:
    """Open what is left; now and then verify it, and write to it. Raises AssertionError."""
    _lay(path, point.database, point.wal)
    reader = SqliteReader(path)
    try:
        found = await reader.read(state)
        assert found == left, f"left {found[0]} logs, not {left[0]}"
        if number % VERIFIED_EVERY == 0:
            await sound(reader)
    finally:
        await reader.close()
    if number % WRITTEN_EVERY == 0:
        async with opened(f"sqlite:///{path}") as core:
            await core.submit(lambda view: view.post(BOOK, pay("world", "later", 1)))
        reader = SqliteReader(path)
        try:
            assert (await reader.read(state))[0] == left[0] + 1
            await sound(reader)
        finally:
            await reader.close()


async def sound(store: Readable) -> None:
    """Raises AssertionError with what `verify` finds."""
    report = await verify(store)
    assert report.ok, [str(damage) for damage in report.damages]


async def sweep(place: Path, count: int, commits: int = 20, seed: int = 1) -> Counter[str]:
    """How many points of each kind were tried; raises at the first that left something else than it must."""
    recordings, kinds = await record(place, commits, seed), Counter[str]()
    tried = itertools.islice(points(recordings, seed), count)
    for number, (recording, point) in enumerate(
        track(tried, "tearing", total=count, transient=True, disable=count < 1000)
    ):
        try:
            await check(place / "torn.db", point, recording.left(point.sound), number)
        except Exception as error:
            error.add_note(
                f"point {number}: {point.name}, the first {point.sound} bytes of the log are whole"
            )
            raise
        kinds[point.name] += 1
    return kinds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--commits", type=int, default=20, help="of the first log; the second has half")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as books:
        done = asyncio.run(sweep(Path(books), given.points, given.commits, given.seed))
    sys.stdout.write(
        f"{done.total()} points of {len(done)} kinds: exactly the whole commits before each were left\n"
    )
