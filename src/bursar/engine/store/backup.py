"""A copy of a SQLite database as of one moment, made beside a running server with SQLite's backup API."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from bursar.engine.errors import StoreUnusable
from bursar.engine.store import schema

PAGES_AT_ONCE: Final = 1_000
"""Pages copied between two reports of progress."""


def back_up(
    source: Path, target: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Copy all that was committed when this began; `progress` is told pages done and in all.

    An open read transaction holds the moment: without it SQLite would start again after each commit. Raises
    StoreUnusable; `target` must not exist, and is there only when it is whole and on the disk.
    """
    if target.exists():
        raise StoreUnusable(f"{target} is there already: name a new file")
    part = target.with_name(target.name + ".part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        with closing(_readable(source)) as read, closing(sqlite3.connect(part)) as written:
            read.execute("BEGIN")
            read.execute(f"SELECT version FROM {schema.HEAD_TABLE}").fetchone()
            read.backup(
                written,
                pages=PAGES_AT_ONCE,
                progress=lambda _status, left, total: progress(total - left, total),
            )
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnusable(f"cannot copy {source} to {target}: {error}") from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)


def file_revision(path: Path) -> str | None:
    """The schema revision of a file; None if it has no tables. Raises StoreUnusable."""
    try:
        with closing(_readable(path)) as connection:
            return schema.revision(connection)
    except sqlite3.Error as error:
        raise StoreUnusable(f"cannot read {path}: {error}") from error


def _readable(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
