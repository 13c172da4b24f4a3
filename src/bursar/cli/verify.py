"""`bursar verify`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bursar.cli.output import console, print_json, refusals, refuse, table
from bursar.engine.store.sqlite import database_path
from bursar.engine.verify import Report, verify_file


def verify(database: str, *, as_json: bool) -> None:
    """Check a database and exit 1 when it is damaged."""
    with refusals():
        path = database_path(database)
        if path is None:
            refuse("a database in memory ends with its process: name a file")
        report = check(path, quiet=as_json)
    if as_json:
        print_json({"ok": report.ok, **msgspec.to_builtins(report)})
    else:
        show(report, str(path))
    if not report.ok:
        raise SystemExit(1)


def check(path: Path, *, quiet: bool) -> Report:
    """Verify a file, with a progress bar unless `quiet`."""
    if quiet:
        return asyncio.run(verify_file(path))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(), transient=True) as progress:
        task = progress.add_task("verifying", total=None)
        return asyncio.run(
            verify_file(path, lambda done, total: progress.update(task, completed=done, total=total))
        )


def show(report: Report, name: str) -> None:
    """Print the outcome of a verification."""
    if report.ok:
        console().print(
            f"[green]verified[/green] {name}: {report.logs} log entries, ledgers: {report.ledgers}; no difference"
        )
        return
    table(
        f"{name} is damaged: {len(report.damages)} differences",
        ["Kind", "Where", "Expected", "Found"],
        [[damage.kind, damage.where, damage.expected, damage.found] for damage in report.damages],
    )
