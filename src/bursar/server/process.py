"""What the operating system says about this process, under the names that all Prometheus clients use.

A number that the system does not tell is left out: memory and open files are read from Linux's ``/proc``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bursar import __version__
from bursar.engine.instruments import Counter, Gauge, Number, Registry
from bursar.engine.store.opening import POSTGRES
from bursar.engine.store.sqlite import database_path

_STATM: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")


def add_process(registry: Registry, database: str) -> None:
    """Add the instruments of the process and of its build, and those of the database's files."""
    cpu = registry.add(Counter("process_cpu_seconds_total", "CPU time used, user and system."))
    cpu.read = time.process_time
    started = registry.add(Gauge("process_start_time_seconds", "When the process began to serve, Unix time."))
    started.set(time.time())
    _optional(registry, Gauge("process_resident_memory_bytes", "Resident memory."), _resident, _STATM)
    _optional(registry, Gauge("process_open_fds", "Open file descriptors."), _open_files, _FILES)
    build = registry.add(
        Gauge("bursar_build_info", "1; what runs here is in the labels.", ["version", "store", "python"])
    )
    store = "postgresql" if database.startswith(POSTGRES) else "sqlite"
    python = ".".join(map(str, sys.version_info[:3]))
    build.set(1, (__version__, store, python))
    if store == "sqlite":
        _add_files(registry, database_path(database))


def _add_files(registry: Registry, path: Path | None) -> None:
    if path is None:
        return
    size = registry.add(Gauge("bursar_sqlite_database_bytes", "Size of the database's file."))
    size.read = lambda: _size(path)
    wal = registry.add(
        Gauge("bursar_sqlite_wal_bytes", "Size of its write-ahead log; it stays at its largest so far.")
    )
    wal.read = lambda: _size(Path(f"{path}-wal"))


def _optional(registry: Registry, gauge: Gauge, read: Callable[[], Number], source: Path) -> None:
    if source.exists():
        registry.add(gauge).read = read


def _resident() -> int:
    return int(_STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> int:
    return sum(1 for _ in _FILES.iterdir())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
