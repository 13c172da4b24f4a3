"""`bursar export` and `bursar import`: whole ledgers between stores, as the log lines of the ledger API.

Every log carries the hash of the one before it, so a file that was changed or cut in the middle is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from bursar.cli.output import print_json, refusals, refuse
from bursar.engine.core import Core
from bursar.engine.ledger.errors import LedgerError, LedgerExists
from bursar.engine.ledger.importing import read
from bursar.engine.ledger.query.logs import exported
from bursar.engine.ledger.service import LedgerService
from bursar.engine.ledger.settings import Settings
from bursar.engine.registry import LEDGERS
from bursar.engine.store.base import Rows
from bursar.engine.store.opening import open_reader
from bursar.engine.view import ReadView

AT_ONCE: Final = 500
"""Logs that become durable together."""
PIPE: Final = "-"


def export(database: str, ledger: str, to: str) -> None:
    """Write a ledger's logs as of one moment, oldest first; a server may be running on the database."""
    with refusals(), _writing(to) as file:
        count = asyncio.run(_export(database, ledger, file))
    if to != PIPE:
        print(f"{count} logs of {ledger} are in {to}", file=sys.stderr)


def take(database: str, ledger: str, source: str, *, as_json: bool) -> None:
    """Make a ledger of exported logs, or go on with one whose import was interrupted."""
    with refusals(), _reading(source) as (lines, size):
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            transient=True,
        )
        with progress if size and sys.stderr.isatty() else contextlib.nullcontext():
            task = progress.add_task(f"importing {ledger}", total=size)
            count, known = asyncio.run(_import(database, ledger, lines, progress, task))
    if as_json:
        print_json({"ledger": ledger, "imported": count, "already_there": known})
    else:
        print(f"{count} logs imported into {ledger}" + (f", {known} were there already" if known else ""))


async def _export(database: str, ledger: str, file: IO[bytes]) -> int:
    def query(rows: Rows) -> int | None:
        view = ReadView(rows, 0)
        row = view.get(LEDGERS, ledger)
        if row is None:
            return None
        count = 0
        for line in exported(view, row):
            file.write(line)
            count += 1
        return count

    reader = await open_reader(database)
    try:
        count = await reader.read(query)
    finally:
        await reader.close()
    if count is None:
        refuse(f"there is no ledger {ledger!r}")
    return count


async def _import(
    database: str, ledger: str, lines: Iterator[bytes], progress: Progress, task: TaskID
) -> tuple[int, int]:
    """How many logs were imported, and how many were there from an import before."""
    core = await Core.open(database)
    try:
        service = LedgerService(core, Settings())
        with contextlib.suppress(LedgerExists):
            await service.create_ledger(ledger)
        last = (await service.ledger(ledger)).imported_log
        await service.check_import(ledger)
        count = known = 0
        for batch in _batches(lines):
            told = [read(_decoded(line)) for line in batch]
            fresh = [one for one in told if last is None or one.log.id > last]
            await service.import_logs(ledger, fresh)
            count, known = count + len(fresh), known + len(told) - len(fresh)
            progress.advance(task, sum(map(len, batch)))
        return count, known
    except LedgerError as error:
        refuse(f"{error.message}; what came before it is imported: run the command again to go on")
    finally:
        await core.close()


def _decoded(line: bytes) -> object:
    from bursar.engine.ledger.wire import first_value  # whole numbers of any size, fractions as written

    try:
        return first_value(line)
    except msgspec.MsgspecError as error:
        refuse(f"a line is no JSON: {error}")


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        if line.strip():
            batch.append(line)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


@contextlib.contextmanager
def _writing(to: str) -> Generator[IO[bytes]]:
    """Standard output, or a file that is there only when it is whole."""
    if to == PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(to)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        refuse(f"cannot write {to}: {error.strerror}")
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _reading(source: str) -> Generator[tuple[Iterator[bytes], int]]:
    """Lines, and how many bytes they are in all; 0 when that is not known."""
    if source == PIPE:
        yield iter(sys.stdin.buffer), 0
        return
    try:
        with Path(source).open("rb") as file:
            yield iter(file), Path(source).stat().st_size
    except OSError as error:
        refuse(f"cannot read {source}: {error.strerror}")
