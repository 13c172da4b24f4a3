"""`bursar migrate` and `bursar backup`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.progress import Progress

from bursar.cli.output import console, print_json, refusals, refuse
from bursar.cli.verify import check, show
from bursar.engine.store import schema
from bursar.engine.store.backup import back_up
from bursar.engine.store.opening import POSTGRES, found_revision, shown
from bursar.engine.store.opening import migrate as migrate_database


def migrate(database: str, *, only_check: bool, as_json: bool) -> None:
    """Bring a database to the newest schema; with `only_check` tell whether it is, by exit status 0 or 1."""
    with refusals():
        before = after = asyncio.run(found_revision(database))
        if not only_check and before != schema.REVISION:
            asyncio.run(migrate_database(database))
            after = asyncio.run(found_revision(database))
    if as_json:
        print_json({"before": before, "revision": after, "newest": schema.REVISION})
    elif before != after:
        print(f"{shown(database)} was at schema revision {before} and is now at {after}")
    else:
        print(f"{shown(database)} is at schema revision {after or 'none'}; the newest is {schema.REVISION}")
    if after != schema.REVISION:
        raise SystemExit(1)


def backup(database: str, to: str, *, as_json: bool) -> None:
    """Copy a SQLite database to a new file and verify the copy; exit 1 when it is damaged."""
    if database.startswith(POSTGRES):
        refuse("PostgreSQL is backed up with pg_dump or pg_basebackup: see docs/operations.md", status=2)
    from bursar.engine.store.sqlite import database_path

    with refusals():
        source = database_path(database)
        if source is None or not source.is_file():
            refuse("there is no such database file")
        with Progress(console=console(), transient=True, disable=as_json) as progress:
            task = progress.add_task("copying", total=None)
            back_up(source, Path(to), lambda done, total: progress.update(task, completed=done, total=total))
        report = check(f"sqlite:///{Path(to).absolute()}", quiet=as_json)
    if as_json:
        print_json({"ok": report.ok, "file": to, "logs": report.logs, "bytes": Path(to).stat().st_size})
    else:
        show(report, to)
    if not report.ok:
        raise SystemExit(1)
