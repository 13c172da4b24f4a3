"""One writing process per database file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bursar.engine.errors import StoreInUse


class FileLock:
    """An exclusive lock on `<database>.lock`, given back by the system even when the process is killed.

    The file stays and holds the process id of its last holder, for messages only. Raises StoreInUse.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreInUse(
                f"{database} is in use by another Bursar process (pid {holder}). Stop that process, or name another"
                " database. `bursar verify` may run beside it."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)
