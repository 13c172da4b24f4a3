"""`bursar verify`."""

from __future__ import annotations

import asyncio

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bursar.cli.output import console, print_json, refusals, table
from bursar.engine.store.opening import shown
from bursar.engine.verify import Report, verify_database


def verify(database: str, *, as_json: bool) -> None:
    """Check a database and exit 1 when it is damaged."""
    with refusals():
        report = check(database, quiet=as_json)
    if as_json:
        print_json({"ok": report.ok, **msgspec.to_builtins(report)})
    else:
        show(report, shown(database))
    if not report.ok:
        raise SystemExit(1)


def check(database: str, *, quiet: bool) -> Report:
    """Verify a database, with a progress bar unless `quiet`."""
    if quiet:
        return asyncio.run(verify_database(database))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(), transient=True) as progress:
        task = progress.add_task("verifying", total=None)
        return asyncio.run(
            verify_database(database, lambda done, total: progress.update(task, completed=done, total=total))
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
